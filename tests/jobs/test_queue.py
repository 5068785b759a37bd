"""The queue takes each delivery once, and runs nothing but deliveries."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import uuid
import zlib
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq.job import JobStatus

from app.jobs.queue import NAME, TASK, DeliveryJob, DeliveryQueue, RefusedJob, look
from app.jobs.relay import relay_once
from app.jobs.worker import DeliveryWorker
from app.outbox import Due
from tests.jobs import tiny
from tests.jobs.conftest import Server

TTL = 60


def due(count: int = 1) -> list[Due]:
    return [Due(uuid.uuid4(), "tiny.count", 60) for _ in range(count)]


def work_off(app: Flask, url: str) -> None:
    """Run a real worker, in a process of its own, until the queue is empty."""

    def work() -> None:
        DeliveryWorker(app, url).work(burst=True, logging_level="CRITICAL")

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(30)
    assert process.exitcode == 0


def forge(client: Redis, func: str, **fields: str) -> str:
    """Write a job into the server as someone would who may write there."""
    job_id = uuid.uuid4().hex
    data = zlib.compress(json.dumps([func, None, ["touch $FORGED"], {}]).encode())
    client.hset(
        f"rq:job:{job_id}",
        mapping={
            "data": data,
            "status": "queued",
            "origin": NAME,
            "created_at": "2026-01-01T00:00:00.000000Z",
            "timeout": 30,
            **fields,
        },
    )
    client.rpush(f"rq:queue:{NAME}", job_id)
    return job_id


@pytest.fixture
def forged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a forged job would make."""
    trace = tmp_path / "forged"
    monkeypatch.setenv("FORGED", str(trace))
    return trace


def test_it_puts_each_delivery_once(queue: DeliveryQueue) -> None:
    first, second = due(), due(2)
    assert queue.offer(first, TTL) == [True]
    assert queue.offer([*second, *first], TTL) == [True, True, False]
    assert queue.count == 3
    job = DeliveryJob.fetch(str(first[0].id), queue.connection, queue.serializer)
    assert (job.func_name, job.args, job.timeout) == (TASK, [str(first[0].id)], 65)
    assert job.get_status() == JobStatus.QUEUED


def test_it_puts_many_in_one_round_trip(queue: DeliveryQueue, client: Redis) -> None:
    queue.offer(due(), TTL)  # the script is known from now on
    before = client.info("stats")["total_reads_processed"]
    queue.offer(due(200), TTL)
    # The server reads 200 jobs in several pieces; 200 round trips would be 200 at least.
    assert client.info("stats")["total_reads_processed"] - before < 100


def test_it_can_offer_again_what_it_forgot(queue: DeliveryQueue) -> None:
    one = due()
    queue.offer(one, TTL)
    queue.forget(one[0].id)
    assert queue.known([one[0].id]) == {}
    assert queue.offer(one, TTL) == [True]


def test_it_delivers(app: Flask, server: Server, queue: DeliveryQueue) -> None:
    with app.app_context():
        tiny.promise(1)
        assert relay_once(queue, dt.timedelta(seconds=60)) == 2
    work_off(app, server.url)
    with app.app_context():
        assert tiny.effects("tiny.count") == {1: 1}
        assert tiny.effects("tiny.mirror") == {1: 1}


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "func", ["os.system", "subprocess.getoutput", "app.outbox.service.lost", "builtins.eval"]
)
def test_it_refuses_a_job_that_names_something_else(
    app: Flask,
    server: Server,
    client: Redis,
    forged: Path,
    func: str,
) -> None:
    job_id = forge(client, func)
    work_off(app, server.url)
    job = DeliveryJob.fetch(job_id, client, "json")
    assert job.get_status() == JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert RefusedJob.__name__ in (result.exc_string or "")
    assert not forged.exists()


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_it_calls_no_callback_that_a_job_names(
    app: Flask, server: Server, client: Redis, forged: Path
) -> None:
    names = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
    callbacks = dict.fromkeys(names, "tests.jobs.forged.leave_a_trace")
    good = forge(client, TASK, **callbacks)
    bad = forge(client, "os.system", **callbacks)
    work_off(app, server.url)
    assert DeliveryJob.fetch(good, client, "json").get_status() == JobStatus.FINISHED
    assert DeliveryJob.fetch(bad, client, "json").get_status() == JobStatus.FAILED
    assert not forged.exists()


def test_it_refuses_a_method_of_an_object_in_a_job(client: Redis) -> None:
    job = DeliveryJob("x", client, "json")
    job.data = json.dumps([TASK, "a string has methods", [], {}]).encode()
    with pytest.raises(RefusedJob):
        _ = job.func


def test_it_tells_how_the_server_is(server: Server, queue: DeliveryQueue) -> None:
    queue.offer(due(3), TTL)
    state = look(server.url)
    assert (state.waiting, state.workers) == (3, 0)
    assert state.version[0].isdigit()
