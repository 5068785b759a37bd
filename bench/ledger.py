"""What a posting costs, as a ratio of a one-row insert per commit on the same database.

Both databases wait for the disk. Sides alternate, three rounds, medians. "driver" is the
bare driver with a prepared connection; "session" is the same insert through the product's
own `transaction()`, which a posting pays too. Run alone: `python -m bench.ledger`.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, insert

from app import clock, ledger
from app.db import UTCDateTime, db, new_id, transaction
from app.ledger.books import account_row
from app.ledger.statements import ACCOUNT, insert_rows
from tests import postgres
from tests.ledger.world import bare_app

ROUNDS, POSTINGS, TURN, PEOPLE, BULK = 3, 500, 25, 200, 10_000
HISTORY = (10_000, 200_000)

_ROW = Table(
    "one_row",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid),
    Column("amount", Integer),
    Column("created_at", UTCDateTime),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. Times in microseconds for one piece of work; `ratio` is how
    much faster than, or how close to, the other side we are; `target` its least value."""

    work: str
    database: str
    ours_us: float
    theirs_us: float
    ratio: float
    target: float | None

    @property
    def met(self) -> bool | None:
        """None where nothing was promised."""
        return None if self.target is None else self.ratio >= self.target


def run() -> Iterator[Result]:
    """Measure everything on both databases."""
    for name, address in _databases():
        with _ledger(address("writes")):
            yield from _writes(name)
        with _ledger(address("small")) as small, _ledger(address("large")) as large:
            yield from _reads(name, small, large)


def _databases() -> Iterator[tuple[str, Callable[[str], str]]]:
    """Each kind of database, with a function that makes an empty one and gives its address."""
    folder = Path(tempfile.mkdtemp(prefix="portevoix-bench-"))
    try:
        yield "sqlite", lambda name: f"sqlite:///{folder / name}.db"
    finally:
        shutil.rmtree(folder)
    if postgres.programs() is not None:
        server = postgres.start(durable=True)
        try:
            yield "postgresql", server.create
        finally:
            server.stop()


@contextmanager
def _ledger(url: str) -> Iterator[Flask]:
    """An application with an empty ledger, and the table that a posting is compared with."""
    app = bare_app(url)
    with app.app_context():
        db.create_all()
        _ROW.create(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


def _writes(name: str) -> list[Result]:
    people = _people(PEOPLE)

    def posting(n: int) -> None:
        ledger.transfer(
            "award", f"award-{uuid.uuid4()}", people[n % PEOPLE], 10,
            rule_version="rule-1", subject="referral-1",
        )  # fmt: skip

    with _driver() as one_row:
        sides = {"driver": one_row, "session": _one_row, "posting": posting}
        times = _alternate(sides, POSTINGS)
    least = {"sqlite": 0.5, "postgresql": 0.4}[name]
    return [
        _compare("posting : insert through the session", name, times["posting"],
                 times["session"], least),
        _compare("posting : insert by the bare driver", name, times["posting"],
                 times["driver"], None),
        _compare(f"bulk of {BULK:,} : single postings", name, *_bulk(posting), 20),
    ]  # fmt: skip


def _alternate(sides: dict[str, Callable[[int], object]], count: int) -> dict[str, list[float]]:
    """Microseconds for one act of each side, round by round. The sides take turns every few
    acts, so that a busy moment of the machine falls on all of them."""
    for act in sides.values():
        for n in range(50):
            act(n)
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        spent = dict.fromkeys(sides, 0.0)
        for turn in range(0, count, TURN):
            for side, act in sides.items():
                began = time.perf_counter()
                for n in range(turn, turn + TURN):
                    act(n)
                spent[side] += time.perf_counter() - began
        for side, seconds in spent.items():
            times[side].append(seconds / count * 1e6)
    return times


def _compare(
    work: str, database: str, ours: list[float], theirs: list[float], target: float | None
) -> Result:
    ratio = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    return Result(work, database, statistics.median(ours), statistics.median(theirs), ratio, target)


def _one_row(n: int) -> None:
    with transaction() as session:
        row = {"id": new_id(), "account_id": new_id(), "amount": n, "created_at": clock.now()}
        session.connection().execute(insert(_ROW), row)


@contextmanager
def _driver() -> Iterator[Callable[[int], object]]:
    """A function that inserts one row and commits, by the driver alone."""
    pooled = db.engine.raw_connection()
    driver: Any = pooled.dbapi_connection
    if db.engine.dialect.name == "sqlite":

        def one_row(n: int) -> None:
            driver.execute("BEGIN IMMEDIATE")
            row = (new_id().hex, new_id().hex, n, str(clock.now()))
            driver.execute("INSERT INTO one_row VALUES (?, ?, ?, ?)", row)
            driver.execute("COMMIT")
    else:

        def one_row(n: int) -> None:
            row = (new_id(), new_id(), n, clock.now())
            driver.execute("INSERT INTO one_row VALUES (%s, %s, %s, %s)", row)
            driver.commit()

    yield one_row
    pooled.close()


def _people(count: int) -> list[uuid.UUID]:
    rows = [account_row("member", clock.now()) for _ in range(count)]
    names = tuple(rows[0])
    with transaction() as session:
        insert_rows(session.connection(), ACCOUNT, names, [tuple(row.values()) for row in rows])
    return [row["id"] for row in rows if isinstance(row["id"], uuid.UUID)]


def _bulk(posting: Callable[[int], object]) -> tuple[list[float], list[float]]:
    """Microseconds for one award of a bulk, and for one posting right beside it."""
    people = _people(BULK)
    bulk, single = [], []
    for n in range(ROUNDS):
        began = time.perf_counter()
        for k in range(POSTINGS):
            posting(k)
        single.append((time.perf_counter() - began) / POSTINGS * 1e6)
        awards = [ledger.Award(account_id, 10, "subject-1") for account_id in people]
        began = time.perf_counter()
        ledger.award_many(f"bulk-{n}", awards, rule_version="rule-1")
        bulk.append((time.perf_counter() - began) / BULK * 1e6)
    return bulk, single


def _reads(name: str, small: Flask, large: Flask) -> Iterator[Result]:
    """Balance and statement of one person, in a small ledger and in a large one."""
    acts: dict[str, dict[str, Callable[[int], object]]] = {"balance": {}, "statement": {}}
    for side, app, size in (("small", small, HISTORY[0]), ("large", large, HISTORY[1])):
        with app.app_context():
            people = _fill(size)
        acts["balance"][side] = _reading(app, ledger.balance, people)
        acts["statement"][side] = _reading(app, ledger.entries, people)
    for read, sides in acts.items():
        times = _alternate(sides, POSTINGS)
        work = f"{read} at {HISTORY[1]:,} awards : at {HISTORY[0]:,}"
        yield _compare(work, name, times["large"], times["small"], 1 / 1.3)


def _fill(size: int) -> list[uuid.UUID]:
    """A hundred people with equal shares of so many awards."""
    people = _people(100)
    for written in range(0, size, 5_000):
        awards = [ledger.Award(account_id, 1) for account_id in people for _ in range(50)]
        ledger.award_many(f"history-{written}", awards)
    # The databases find this out by themselves within minutes.
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    return people


def _reading(
    app: Flask, read: Callable[[uuid.UUID], object], people: list[uuid.UUID]
) -> Callable[[int], object]:
    def act(n: int) -> None:
        with app.app_context():
            read(people[n % len(people)])

    return act


def main() -> list[dict[str, object]]:
    """Print the table as it comes; answer it as plain values."""
    figures = []
    print(f"{'work':46} {'database':11} {'ours µs':>9} {'other µs':>9} {'ratio':>6}  target")
    for result in run():
        target = "" if result.target is None else f"{result.target:.2f}"
        met = {True: "met", False: "MISSED", None: ""}[result.met]
        print(
            f"{result.work:46} {result.database:11} {result.ours_us:9.1f} "
            f"{result.theirs_us:9.1f} {result.ratio:6.2f}  {target} {met}",
            flush=True,
        )
        figures.append(asdict(result) | {"met": result.met})
    return figures


if __name__ == "__main__":
    main()
