"""A work-horse carries what else is short and waits, and loses nothing when it dies."""

from __future__ import annotations

import datetime as dt
import os
import signal

import pytest
from flask import Flask
from redis import Redis

from app import clock
from app.db import db
from app.jobs import batch
from app.jobs.queue import DeliveryQueue
from app.jobs.relay import relay_once
from app.outbox import service
from tests.jobs import tiny
from tests.jobs.conftest import Start
from tests.supervisor.running import children_of, eventually

AGAIN = dt.timedelta(seconds=60)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the time of a round is over before its work."""
    monkeypatch.setattr(batch, "MOST_SECONDS", 60.0)


def give(queue: DeliveryQueue, *numbers: int, kind: str = "tiny.fact", seconds: float = 0) -> None:
    """Promise facts and put their deliveries into the queue."""
    for number in numbers:
        tiny.promise(number, kind=kind, seconds=seconds)
    relay_once(queue, AGAIN, limit=1_000)


def test_it_carries_everything_short_in_its_order(in_app: Flask, queue: DeliveryQueue) -> None:
    give(queue, *range(30))
    assert batch.carry_on(queue) == 60
    assert tiny.effects("tiny.count") == tiny.effects("tiny.mirror") == dict.fromkeys(range(30), 1)
    assert queue.count == 0
    assert queue.connection.keys("rq:job:*") == []


def test_it_leaves_work_outside_to_a_process_of_its_own(
    in_app: Flask, queue: DeliveryQueue
) -> None:
    give(queue, 1, kind="tiny.work")
    give(queue, 2)
    assert batch.carry_on(queue) == 2
    assert tiny.effects("tiny.outside") == {}
    assert queue.count == 1


def test_what_fails_takes_nothing_else_with_it(in_app: Flask, queue: DeliveryQueue) -> None:
    give(queue, 1, kind="tiny.trouble")
    give(queue, 2)
    assert batch.carry_on(queue) == 3
    assert tiny.effects("tiny.count") == {2: 1}
    assert tiny.effects("tiny.fails") == {}
    assert service.counts() == {"done": 2, "failed": 0, "pending": 1, "sent": 0}


def test_it_stops_after_its_time(
    in_app: Flask, queue: DeliveryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MOST_SECONDS", 0.2)
    give(queue, *range(6), seconds=0.15)
    carried = batch.carry_on(queue)
    assert 1 <= carried < 12
    assert queue.count == 12 - carried


def test_two_of_them_do_nothing_twice(in_app: Flask, queue: DeliveryQueue, client: Redis) -> None:
    give(queue, *range(5))
    waiting = batch._waiting(queue)
    assert [batch._carry(queue, id_) for id_ in waiting] == [True] * 10
    assert [batch._carry(queue, id_) for id_ in waiting] == [False] * 10
    assert tiny.effects("tiny.count") == dict.fromkeys(range(5), 1)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_worker_forks_once_for_many(app: Flask, queue: DeliveryQueue, start: Start) -> None:
    with app.app_context():
        give(queue, *range(40))
    start()

    def everything() -> bool:
        with app.app_context():
            db.session.rollback()
            return tiny.effects("tiny.count") == dict.fromkeys(range(40), 1)

    eventually(everything, "everything is carried", 20)
    # Each fork of RQ leaves the result of its own job; what was carried beside leaves nothing.
    eventually(lambda: queue.count == 0, "the queue is empty")
    assert len(queue.connection.keys("rq:job:*")) < 20


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_what_its_death_interrupts_is_sent_again(
    app: Flask, queue: DeliveryQueue, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.relay.SILENT_SECONDS", 1)
    with app.app_context():
        give(queue, 1)
        give(queue, 2, seconds=30)  # its handler has begun when the process is killed
    pid = start()
    eventually(lambda: _is_begun(app, queue), "the slow one has begun")
    (horse,) = children_of(pid)
    os.kill(horse, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    with app.app_context():
        assert tiny.effects("tiny.count") == {1: 1}
        clock.sleep(1.2)
        relay_once(queue, dt.timedelta(seconds=1))
        db.session.rollback()
        (error,) = {row.error for row in _unfinished()} - {None}
        assert error == "its process went away"


def _unfinished() -> list[service.OutboxDelivery]:
    return list(
        db.session.scalars(
            service.select(service.OutboxDelivery).where(service.OutboxDelivery.state != "done")
        )
    )


def _is_begun(app: Flask, queue: DeliveryQueue) -> bool:
    """Nothing waits any more but the mirror of the slow one, and that was not carried yet."""
    with app.app_context():
        db.session.rollback()
        return tiny.effects("tiny.mirror").keys() == {1} and queue.count <= 1
