"""A hint may get lost; it may not cost a request anything."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from redis import Redis

from app import clock
from app.jobs import wake
from tests.jobs.conftest import Server


@pytest.fixture
def hung(server: Server) -> Iterator[Server]:
    """A queue server that takes connections and never answers."""
    os.kill(server.process.pid, signal.SIGSTOP)
    yield server
    os.kill(server.process.pid, signal.SIGCONT)


def seconds_of(waker: wake.Waker, times: int = 1) -> float:
    began = clock.monotonic()
    for _ in range(times):
        waker()
    return clock.monotonic() - began


def test_it_leaves_one_hint_however_often_it_is_asked(server: Server, client: Redis) -> None:
    waker = wake.Waker(server.url)
    seconds_of(waker, 5)
    assert wake.wait(client, 1)
    assert not wake.wait(client, 1)


def test_it_does_not_wait_for_a_server_that_is_away(server: Server) -> None:
    server.process.kill()
    server.process.wait()
    waker = wake.Waker(server.url)
    assert seconds_of(waker) < 0.15
    assert seconds_of(waker, 1000) < 0.05


def test_it_waits_a_tenth_of_a_second_once_for_a_server_that_hangs(hung: Server) -> None:
    waker = wake.Waker(hung.url)
    assert seconds_of(waker) < 0.35
    assert seconds_of(waker, 1000) < 0.05


def test_it_asks_again_after_the_break(
    server: Server, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "BREAK_SECONDS", 0.2)
    waker = wake.Waker(server.url)
    os.kill(server.process.pid, signal.SIGSTOP)
    waker()
    os.kill(server.process.pid, signal.SIGCONT)
    client.delete(wake.KEY)
    clock.sleep(0.25)
    waker()
    assert wake.wait(client, 1)
