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
from bench._databases import databases
from bench._table import Row, compare, show
from tests.conftest import settings_for

ROUNDS, OPENINGS, SINGLE = 3, 50_000, 300
LINKS = {"200 links": 200, "one hot link": 1}


def rows() -> Iterator[Row]:
    """Measure on both databases."""
    for name, address in databases():
        yield from _on(name, address("ingestion"))


def _on(name: str, url: str) -> Iterator[Row]:
    with _place(url) as app:
        for title, count in LINKS.items():
            wall, own, single = [], [], []
            for number in range(ROUNDS):
                for seconds, taken in zip(_batch(app, count, number), (wall, own), strict=True):
                    taken.append(seconds / OPENINGS * 1e6)
                single.append(_one_by_one() / SINGLE * 1e6)
            yield compare(f"{title} : stored one by one", "µs", wall, single, note=name)
            yield compare(f"{title}, processor : clock", "µs", own, wall, note=name)


@contextmanager
def _place(url: str) -> Iterator[Flask]:
    with tempfile.TemporaryDirectory(prefix="portevoix-bench-") as made:
        app = create_app(settings_for(Path(made), DATABASE_URL=url))
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


def main() -> list[dict[str, object]]:
    """Print the table as it comes; answer it as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
