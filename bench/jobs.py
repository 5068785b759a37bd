"""What work in the background costs: facts carried together, and a thousand points in one job,
as a ratio of RQ's own rate of jobs that do nothing.

RQ's worker and ours work through the same embedded queue server, one after the other, three
rounds. RQ's jobs return at once and are stored nowhere but there. Ours are read from the
database, done and marked done in a transaction that is on disk. Run alone:
`python -m bench.jobs`.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from rq import Queue, Worker

from app import ledger, outbox
from app.db import db
from app.jobs import tasks
from app.jobs.queue import DeliveryQueue, connect
from app.jobs.relay import relay_once
from app.jobs.worker import DeliveryWorker
from app.ledger.books import account_row
from app.ledger.statements import ACCOUNT, insert_rows
from app.supervisor import queue_server
from bench._databases import durability_of
from bench._table import ROUNDS, Row, compare, show
from tests.jobs import tiny
from tests.jobs.conftest import start_server

JOBS, FACTS, PEOPLE = 150, 1_000, 10_000
AGAIN = dt.timedelta(minutes=10)


@outbox.on("bench.fact", "bench.nothing")
def _nothing(number: int) -> None:
    """A handler that has nothing to do."""


@outbox.on("bench.bulk", "bench.bulk")
def _bulk(number: int) -> None:
    """One point for each of ten thousand people."""
    people = db.session.scalars(ACCOUNT.select().with_only_columns(ACCOUNT.c.id)).all()
    ledger.award_many(f"bench-{number}", [ledger.Award(person, 1) for person in people])


@contextmanager
def _product() -> Iterator[tuple[Flask, str]]:
    """An application with an outbox and a ledger, and the address of a queue server."""
    data, folder = Path(tempfile.mkdtemp(prefix="portevoix-bench-")), queue_server.runtime_folder()
    server = start_server(folder, data)
    app = tiny.create(tiny.settings_in(data))
    tasks.bind(app)
    try:
        with app.app_context():
            db.create_all()
            names = tuple(account_row("member", tiny.clock.now()))
            rows = [account_row("member", tiny.clock.now()) for _ in range(PEOPLE)]
            with tiny.transaction() as session:
                insert_rows(
                    session.connection(), ACCOUNT, names, [tuple(row.values()) for row in rows]
                )
            db.session.remove()
            db.engine.dispose()
        yield app, server.url
    finally:
        server.process.kill()
        server.process.wait()
        shutil.rmtree(folder)
        shutil.rmtree(data)


def _rq(url: str) -> float:
    """Seconds for one job of RQ that does nothing."""
    connection = connect(url)
    queue = Queue("bench-nothing", connection=connection)
    for _ in range(JOBS):
        queue.enqueue("time.time", result_ttl=0)
    began = time.perf_counter()
    Worker([queue], connection=connection).work(burst=True, logging_level="ERROR")
    return (time.perf_counter() - began) / JOBS


def _ours(app: Flask, url: str, kind: str, count: int, pieces: int) -> float:
    """Seconds for one of `pieces` done by so many facts, from the outbox to done."""
    with app.app_context():
        with tiny.transaction():
            for number in range(count):
                outbox.record(kind, number=int(time.time() * 1e6) + number)
        queue = DeliveryQueue(connection=connect(url))
        began = time.perf_counter()
        while relay_once(queue, AGAIN):
            pass
        db.session.remove()
        db.engine.dispose()
    DeliveryWorker(app, url).work(burst=True, logging_level="ERROR")
    return (time.perf_counter() - began) / pieces


def rows() -> Iterator[Row]:
    """The table."""
    sides: dict[str, list[float]] = {"rq": [], "facts": [], "bulk": []}
    with _product() as (app, url):
        for _ in range(ROUNDS):
            sides["rq"].append(_rq(url))
            sides["facts"].append(_ours(app, url, "bench.fact", FACTS, FACTS))
            sides["bulk"].append(_ours(app, url, "bench.bulk", 1, PEOPLE))
        with app.app_context():
            waiting, kept = outbox.service.counts(), durability_of(db.engine)
    if set(waiting) != {"done"}:
        raise RuntimeError(f"not everything was done: {waiting}")
    print(f"durability: ours {kept}; RQ's jobs are kept by the queue server alone")
    rate = {side: [1 / seconds for seconds in found] for side, found in sides.items()}
    yield compare("points of one batched job : RQ jobs that do nothing", "a second",
                  rate["bulk"], rate["rq"], least=50)  # fmt: skip
    yield compare("facts carried together : RQ jobs that do nothing", "a second",
                  rate["facts"], rate["rq"])  # fmt: skip


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
