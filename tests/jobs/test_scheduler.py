"""One scheduler works, the others stand by; what is away is said once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app import clock
from app.config import Settings
from app.jobs.queue import DeliveryQueue
from app.jobs.scheduler import Scheduler
from tests.jobs import tiny
from tests.jobs.conftest import Server, start_server

Start = Callable[[str], Scheduler]


@pytest.fixture
def start(app: Flask, settings: Settings, server: Server) -> Iterator[Start]:
    """Run schedulers side by side, as other hosts would."""
    running: list[tuple[Scheduler, threading.Thread]] = []

    def begin(holder: str) -> Scheduler:
        scheduler = Scheduler(app, settings, server.url, (), holder)
        thread = threading.Thread(target=scheduler.run)
        thread.start()
        running.append((scheduler, thread))
        return scheduler

    yield begin
    for scheduler, _ in running:
        scheduler.stopping = True
    for _, thread in running:
        thread.join(10)
        assert not thread.is_alive()


def wait_for(holds: Callable[[], bool], seconds: float = 5.0) -> float:
    began = clock.monotonic()
    while not holds():
        assert clock.monotonic() - began < seconds
        clock.sleep(0.02)
    return clock.monotonic() - began


def promise(app: Flask, number: int) -> None:
    with app.app_context():
        tiny.promise(number)


def test_it_hands_over_as_soon_as_a_fact_is_recorded(
    app: Flask, start: Start, queue: DeliveryQueue, server: Server
) -> None:
    from app.jobs import wake

    wake.install(server.url)
    start("a")
    clock.sleep(0.3)
    promise(app, 1)
    assert wait_for(lambda: queue.count == 2) < 0.5
    wake.install(None)


def test_it_finds_without_a_hint_what_is_due(
    app: Flask, start: Start, queue: DeliveryQueue
) -> None:
    start("a")
    clock.sleep(0.3)
    promise(app, 1)
    assert wait_for(lambda: queue.count == 2) < 2


def test_it_gives_its_lease_back_when_it_stops(
    app: Flask, start: Start, queue: DeliveryQueue
) -> None:
    first = start("a")
    clock.sleep(0.3)
    start("b")
    clock.sleep(0.3)
    first.stopping = True
    promise(app, 1)
    assert wait_for(lambda: queue.count == 2) < 4


def test_a_second_one_hands_over_nothing(
    app: Flask, start: Start, queue: DeliveryQueue, settings: Settings, server: Server
) -> None:
    with app.app_context():
        from app.jobs import lease, scheduler

        assert lease.hold(scheduler.LEASE_NAME, "elsewhere", scheduler.LEASE_LENGTH)
    start("b")
    promise(app, 1)
    clock.sleep(2.2)
    assert queue.count == 0


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_it_says_once_that_the_queue_server_is_away_and_goes_on_when_it_is_back(
    app: Flask, start: Start, queue: DeliveryQueue, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    start("a")
    clock.sleep(0.3)
    server.process.kill()
    server.process.wait()
    promise(app, 1)
    clock.sleep(3)

    def said(words: str) -> int:
        return sum(words in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.WARNING):
        assert said("the queue server is away") == 1
        again = start_server(server.path.parent, server.path.parent / "again")
        wait_for(lambda: said("the queue server is back") == 1, 12)
        wait_for(lambda: queue.count == 2)
        assert said("the queue server is away") == 1
    again.process.kill()
    again.process.wait()
