"""A worker alone, without a supervisor."""

from __future__ import annotations

import datetime as dt
import os
import signal

import pytest
from flask import Flask

from app import clock
from app.jobs.queue import DeliveryQueue
from app.outbox import service
from app.supervisor import processes
from tests.jobs import tiny
from tests.jobs.conftest import Server, Start, start_server
from tests.supervisor.running import children_of, eventually, is_alive

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def give(app: Flask, queue: DeliveryQueue, number: int, seconds: float) -> None:
    """Put work outside transactions into the queue."""
    with app.app_context():
        tiny.promise(number, kind="tiny.work", seconds=seconds)
        queue.offer(service.due(10, dt.timedelta(seconds=60)), 60)


def effects(app: Flask) -> dict[int, int]:
    with app.app_context():
        return tiny.effects("tiny.outside")


def test_its_work_horse_dies_with_it(app: Flask, queue: DeliveryQueue, start: Start) -> None:
    pid = start()
    give(app, queue, 1, 20)
    eventually(lambda: children_of(pid), "a work-horse")
    (horse,) = children_of(pid)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_alive(horse), "it is gone", 5) < 2


def test_it_finishes_its_job_when_it_is_asked_to_stop(
    app: Flask, queue: DeliveryQueue, start: Start
) -> None:
    pid = start()
    give(app, queue, 1, 1.0)
    eventually(lambda: children_of(pid), "a work-horse")
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: processes.has_ended(pid), "it ended")
    assert processes.take_leave(pid) == 0
    assert effects(app) == {1: 1}


def test_it_stops_at_once_when_it_has_nothing_to_do(app: Flask, start: Start) -> None:
    pid = start()
    clock.sleep(1.0)
    os.kill(pid, signal.SIGTERM)
    assert eventually(lambda: processes.has_ended(pid), "it ended") < 2
    assert processes.take_leave(pid) == 0


def test_it_waits_for_a_queue_server_that_is_away(
    app: Flask, queue: DeliveryQueue, server: Server, start: Start
) -> None:
    server.process.kill()
    server.process.wait()
    pid = start()
    clock.sleep(1.0)
    assert is_alive(pid)
    again = start_server(server.path.parent, server.path.parent / "again")
    give(app, queue, 1, 0)
    eventually(lambda: effects(app) == {1: 1}, "the work is done")
    again.process.kill()
    again.process.wait()
    clock.sleep(0.5)
    assert is_alive(pid)
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: processes.has_ended(pid), "it ended", 5)
    assert processes.take_leave(pid) == 0
