"""From the outbox to the queue: nothing lost, nothing forgotten, nothing done twice."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import threading
import uuid
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq.job import JobStatus
from sqlalchemy import Connection, event, func, select, update

from app import clock, outbox
from app.db import db
from app.jobs import tasks
from app.jobs.queue import DeliveryJob, DeliveryQueue
from app.jobs.relay import relay_once
from app.outbox import service
from app.outbox.models import DONE, FAILED, PENDING, SENT, OutboxDelivery, OutboxEvent
from tests.jobs import tiny
from tests.jobs.conftest import Server

RESEND = dt.timedelta(seconds=60)


def deliveries() -> dict[str, OutboxDelivery]:
    """By handler, as the database has them once the relay has seen what was said."""
    db.session.rollback()
    service.tell()
    db.session.expire_all()
    return {row.handler: row for row in db.session.scalars(select(OutboxDelivery))}


def states() -> dict[str, str]:
    return {name: row.state for name, row in deliveries().items()}


def run_what_waits(client: Redis) -> int:
    """Do what a worker does, here: take each job, run it, finish it."""
    count = 0
    while True:
        found = client.lpop("rq:queue:portevoix")
        if found is None:
            return count
        assert isinstance(found, bytes)
        job = DeliveryJob.fetch(found.decode(), client, "json")
        tasks.deliver(*job.args)
        job.set_status(JobStatus.FINISHED)
        count += 1


def travel(seconds: float) -> None:
    clock.travel(dt.timedelta(seconds=seconds))


@pytest.fixture(autouse=True)
def held_clock() -> None:
    clock.freeze(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC))


def test_it_hands_over_once_and_marks_it(in_app: Flask, queue: DeliveryQueue) -> None:
    tiny.promise(1)
    assert relay_once(queue, RESEND) == 2
    assert states() == {"tiny.count": SENT, "tiny.mirror": SENT}
    assert relay_once(queue, RESEND) == 0
    assert queue.count == 2


def test_it_tells_those_whom_the_version_that_recorded_it_meant(
    in_app: Flask, queue: DeliveryQueue
) -> None:
    """While a version replaces another, its web may know a handler that this relay does not."""
    tiny.promise(1)
    with tiny.transaction() as session:
        session.execute(update(OutboxEvent).values(hearers="tiny.count,tiny.of_the_next_version"))
    assert relay_once(queue, RESEND) == 2
    assert states() == {"tiny.count": SENT, "tiny.of_the_next_version": SENT}


def test_two_relays_at_once_tell_a_fact_once(in_app: Flask) -> None:
    for number in range(60):
        tiny.promise(number)
    start = threading.Barrier(2)

    def tell() -> None:
        with in_app.app_context():
            start.wait()
            while service.tell(7):
                pass

    threads = [threading.Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    told = select(func.count()).select_from(OutboxDelivery)
    assert db.session.scalar(told) == 120
    assert service.tell() == 0


def test_what_no_relay_has_seen_counts_as_waiting(in_app: Flask) -> None:
    assert service.oldest_waiting() is None
    tiny.promise(1)
    said_at = clock.now()
    travel(30)
    assert service.counts_open() == {PENDING: 2, SENT: 0, FAILED: 0}
    assert service.oldest_waiting() == said_at
    assert service.is_under_way("tiny.fact")
    service.tell()
    assert service.counts_open() == {PENDING: 2, SENT: 0, FAILED: 0}
    assert service.oldest_waiting() == said_at
    assert service.is_under_way("tiny.fact")
    outbox.drain()
    assert service.counts() == {PENDING: 0, SENT: 0, DONE: 2, FAILED: 0}
    assert not service.is_under_way("tiny.fact")


def read_through(connection: Connection, text: str, values: Any) -> list[str]:
    """The steps of a plan that read a table of the outbox whole."""
    if connection.dialect.name == "sqlite":
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)]
        scans = [step for step in steps if step.startswith("SCAN outbox")]
        return [s for s in scans if not re.search(r"ix_outbox_\w+_(open|untold)$", s)]
    connection.exec_driver_sql("SET enable_seqscan = off")  # only where no index serves, then
    steps = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}", values)]
    return [step for step in steps if "Seq Scan on outbox" in step]


def test_no_round_reads_what_is_done(in_app: Flask, queue: DeliveryQueue) -> None:
    seen: list[tuple[str, Any]] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append((a[2], a[3])))
    tiny.promise(1)
    relay_once(queue, RESEND)
    service.is_under_way("tiny.fact", {"number": "1"}, though_silent=False)
    service.counts_open()
    service.oldest_waiting()
    service.given_up()
    service.keep_alive("tiny.fact", "number", "1")
    asked = [(text, values) for text, values in seen if text.startswith(("SELECT", "UPDATE"))]
    assert len(asked) > 8
    with db.engine.connect() as connection:
        for text, values in asked:
            assert read_through(connection, text, values) == [], text


def test_it_hands_over_nothing_of_a_transaction_that_failed(
    in_app: Flask, queue: DeliveryQueue
) -> None:
    def fail() -> None:
        with tiny.transaction():
            tiny.promise(1)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert relay_once(queue, RESEND) == 0
    assert states() == {}


def test_it_keeps_to_its_limit(in_app: Flask, queue: DeliveryQueue) -> None:
    for number in range(5):
        tiny.promise(number)
    assert [relay_once(queue, RESEND, limit=4) for _ in range(4)] == [4, 4, 2, 0]


def test_it_survives_a_crash_between_queue_and_mark(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    tiny.promise(1)
    queue.offer(service.due(10, RESEND), 60)  # and there it died
    assert relay_once(queue, RESEND) == 2
    assert queue.count == 2
    assert run_what_waits(client) == 2
    assert tiny.effects("tiny.count") == {1: 1}
    assert set(states().values()) == {DONE}


def test_it_sends_again_what_the_queue_server_lost(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    tiny.promise(1)
    relay_once(queue, RESEND)
    client.flushall()
    travel(59)
    assert relay_once(queue, RESEND) == 0
    travel(2)
    assert relay_once(queue, RESEND) == 2
    assert run_what_waits(client) == 2
    assert tiny.effects("tiny.count") == {1: 1}


def test_it_leaves_alone_what_still_waits_in_a_long_queue(
    in_app: Flask, queue: DeliveryQueue
) -> None:
    tiny.promise(1)
    relay_once(queue, RESEND)
    travel(61)
    relay_once(queue, RESEND)
    assert queue.count == 2


def test_it_puts_again_what_was_taken_and_never_begun(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    tiny.promise(1)
    relay_once(queue, RESEND)
    client.lmove(queue.key, queue.intermediate_queue_key)  # a worker died right here
    client.lpop(queue.key)  # and somebody tampered with the list
    travel(61)
    relay_once(queue, RESEND)
    assert queue.count == 2
    assert queue.intermediate_queue.get_job_ids() == []


def test_it_leaves_alone_what_is_at_work(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    tiny.promise(1)
    relay_once(queue, RESEND)
    for job_id in queue.get_job_ids():
        job = DeliveryJob.fetch(job_id, client, "json")
        with client.pipeline() as pipe:
            job.prepare_for_execution("w", pipe)
            pipe.execute()
    client.delete(queue.key)
    travel(61)
    relay_once(queue, RESEND)
    assert (queue.count, set(states().values())) == (0, {SENT})


def test_it_counts_an_attempt_when_the_process_went_away(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    tiny.promise(1, kind="tiny.work")
    for attempt in range(1, service.MAX_ATTEMPTS + 1):
        travel(2**attempt)
        relay_once(queue, RESEND)
        job_id = queue.pop_job_id()
        assert job_id is not None
        DeliveryJob.fetch(job_id, client, "json").set_status(JobStatus.FAILED)
        travel(61)
        relay_once(queue, RESEND)
        assert deliveries()["tiny.outside"].attempts == attempt
    assert states() == {"tiny.outside": FAILED}
    assert service.given_up() == [("tiny.outside", "its process went away", 1)]


def test_it_tries_again_later_what_went_wrong(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    with tiny.transaction():
        outbox.record("tiny.trouble", number=1)
    relay_once(queue, RESEND)
    run_what_waits(client)
    row = deliveries()["tiny.fails"]
    assert (row.state, row.attempts, row.error) == (PENDING, 1, "LookupError")
    assert relay_once(queue, RESEND) == 0
    travel(2)
    assert relay_once(queue, RESEND) == 1
    assert run_what_waits(client) == 1
    assert deliveries()["tiny.fails"].attempts == 2
    assert tiny.effects("tiny.fails") == {}


def test_it_does_not_undo_the_pause_of_what_failed_before_it_was_marked(
    in_app: Flask, queue: DeliveryQueue, client: Redis
) -> None:
    with tiny.transaction():
        outbox.record("tiny.trouble", number=1)
    as_of = clock.now()
    batch = service.due(10, RESEND)
    queue.offer(batch, 60)
    run_what_waits(client)  # the worker was faster than the relay
    service.mark_sent([d.id for d in batch], as_of)
    assert states() == {"tiny.fails": PENDING}


def test_it_keeps_everything_while_the_queue_server_is_away(
    in_app: Flask, server: Server, queue: DeliveryQueue
) -> None:
    tiny.promise(1)
    server.process.kill()
    server.process.wait()
    with pytest.raises(RedisError):
        relay_once(queue, RESEND)
    assert states() == {"tiny.count": PENDING, "tiny.mirror": PENDING}


def test_two_copies_side_by_side_take_effect_once(app: Flask) -> None:
    clock.release()
    with app.app_context():
        tiny.promise(1, seconds=0.2)
        ids = [row.id for row in deliveries().values()]

    def run(delivery_id: uuid.UUID) -> None:
        with app.app_context():
            service.deliver(delivery_id)

    threads = [threading.Thread(target=run, args=(id_,)) for id_ in ids for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert tiny.effects("tiny.count") == {1: 1}
        assert tiny.effects("tiny.mirror") == {1: 1}


def test_outside_work_is_done_by_one_while_its_lease_lasts(app: Flask) -> None:
    clock.release()
    with app.app_context():
        tiny.promise(1, kind="tiny.work", seconds=0.4)
        (row,) = deliveries().values()

    def run() -> None:
        with app.app_context():
            service.deliver(row.id)

    first = threading.Thread(target=run)
    first.start()
    clock.sleep(0.15)
    with app.app_context():
        assert service.deliver(row.id) is False
    first.join()
    with app.app_context():
        assert tiny.effects("tiny.outside") == {1: 1}
        assert states() == {"tiny.outside": DONE}


def test_outside_work_of_a_process_that_died_is_due_after_its_lease(
    in_app: Flask, queue: DeliveryQueue
) -> None:
    """A process is killed in the middle: its lease outlasts its time, then it is sent again."""
    clock.release()
    tiny.promise(1, kind="tiny.work", seconds=30)
    relay_once(queue, RESEND)
    (row,) = deliveries().values()
    delivery_id = row.id
    db.session.remove()
    db.engine.dispose()
    pid = os.fork()
    if pid == 0:
        service.deliver(delivery_id)
        os._exit(0)
    deadline = clock.monotonic() + 10
    while deliveries()["tiny.outside"].lease_until is None:
        assert clock.monotonic() < deadline
        clock.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    clock.freeze(clock.now())
    travel(59)
    assert service.due(10, dt.timedelta(seconds=1)) == []
    travel(2)
    assert [d.id for d in service.due(10, dt.timedelta(seconds=1))] == [delivery_id]


def test_the_effect_and_its_mark_are_one_commit(in_app: Flask) -> None:
    """Whoever looks from outside, after any commit: both are there, or neither is."""
    tiny.promise(1)
    service.tell()
    seen: list[tuple[int, int]] = []

    def look(_: object) -> None:
        with db.engine.connect() as outside:
            done = select(func.count()).where(OutboxDelivery.state == DONE)
            effects = outside.execute(select(func.count()).select_from(tiny.EFFECT)).scalar_one()
            seen.append((outside.execute(done).scalar_one(), effects))

    event.listen(db.session, "after_commit", look)
    try:
        outbox.drain()
    finally:
        event.remove(db.session, "after_commit", look)
    assert seen == [(1, 1), (2, 2)]
