"""What an opening of a link costs from the spool into the database: microseconds of the clock
and of this process, for each.

Both databases wait for the disk. Openings come in spool files of two writers, over two hundred
links or all over one, four fifths by people of whom each has a key of their own. The other side
is the same opening stored by itself (`clicks.record`). Three rounds, medians; informative. Run
alone: `python -m bench.ingestion`.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from app import clock, create_app, migrating
from app.db import db, new_id
from app.referrals import clicks, ingester, spool
from app.referrals.click_statements import give_room
from bench.ledger import Result
from tests import postgres
from tests.conftest import settings_for

ROUNDS, OPENINGS, SINGLE = 3, 50_000, 300
LINKS = {"200 links": 200, "one hot link": 1}


def run() -> Iterator[Result]:
    """Measure on both databases."""
    yield from _on("sqlite", "")
    if postgres.programs() is not None:
        server = postgres.start(durable=True)
        try:
            yield from _on("postgresql", server.create("ingestion"))
        finally:
            server.stop()


def _on(name: str, url: str) -> Iterator[Result]:
    with _place(url) as app:
        for title, count in LINKS.items():
            wall, own, single = [], [], []
            for number in range(ROUNDS):
                for seconds, taken in zip(_batch(app, count, number), (wall, own), strict=True):
                    taken.append(seconds / OPENINGS * 1e6)
                single.append(_one_by_one() / SINGLE * 1e6)
            yield _compare(f"ingestion, {title} : stored one by one", name, wall, single)
            yield _compare(f"ingestion, {title}, processor : clock", name, own, wall)


@contextmanager
def _place(url: str) -> Iterator[Flask]:
    with tempfile.TemporaryDirectory(prefix="portevoix-bench-") as made:
        app = create_app(settings_for(Path(made), **({"DATABASE_URL": url} if url else {})))
        with app.app_context():
            migrating.upgrade()
            db.session.remove()
            db.engine.dispose()
            give_room(db.engine)
            yield app
            db.session.remove()
            db.engine.dispose()


def _batch(app: Flask, links: int, number: int) -> tuple[float, float]:
    """Seconds of the clock and of this process for one spool of openings."""
    settings = app.extensions["portevoix"]
    folder = spool.folder(settings)
    spool.host_of(folder)
    lines = [spool.pack(line) for line in _lines(links, number)]
    for writer in range(2):
        path = folder / f"{new_id().hex}{spool.SUFFIX}"
        path.write_bytes(b"".join(lines[writer::2]))
    began, spent = time.perf_counter(), time.process_time()
    assert ingester.ingest(settings) == OPENINGS
    return time.perf_counter() - began, time.process_time() - spent


def _lines(links: int, number: int) -> Iterator[spool.Line]:
    chance = random.Random(number)
    ids = [uuid.uuid4() for _ in range(links)]
    began = clock.now() - dt.timedelta(hours=ROUNDS - number)
    for n in range(OPENINGS):
        at = began + dt.timedelta(milliseconds=5 * n)
        verdict = "person" if chance.random() < 0.8 else "robot"
        yield spool.Line(
            new_id(), chance.choice(ids), None, at, verdict, chance.randbytes(32).hex()
        )


def _one_by_one() -> float:
    link = uuid.uuid4()
    began = time.perf_counter()
    for _ in range(SINGLE):
        clicks.record(link, "person", uuid.uuid4().hex * 2)
    return time.perf_counter() - began


def _compare(work: str, database: str, ours: list[float], theirs: list[float]) -> Result:
    ratio = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    return Result(work, database, statistics.median(ours), statistics.median(theirs), ratio, None)


def main() -> list[dict[str, object]]:
    """Print the table as it comes; answer it as plain values."""
    print(f"{'work':46} {'database':11} {'ours µs':>9} {'other µs':>9} {'ratio':>6}")
    figures = []
    for result in run():
        print(
            f"{result.work:46} {result.database:11} {result.ours_us:9.1f} "
            f"{result.theirs_us:9.1f} {result.ratio:6.2f}",
            flush=True,
        )
        figures.append({"work": result.work, "database": result.database, "us": result.ours_us})
    return figures


if __name__ == "__main__":
    main()
