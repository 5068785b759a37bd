"""What the ledger costs: a posting beside a one-row insert per commit, one issuer beside many,
a bulk beside single postings, and one person's reads in a small and in a large ledger.

Both databases wait for the disk on both sides; what they say of it is printed. "driver" is the
bare driver on a connection that stays open; "session" the same insert through the product's own
`transaction()`, which a posting pays too. A posting is not one call (it locks, then writes), so
nothing is compared with pgbench. Run alone: `python -m bench.ledger [entries in the large one]`.
"""

from __future__ import annotations

import itertools
import multiprocessing
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import Pool
from typing import Any

from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, insert

from app import clock, ledger
from app.db import UTCDateTime, db, new_id, transaction
from app.ledger import books
from app.ledger.books import account_row
from app.ledger.statements import ACCOUNT, insert_rows
from bench._databases import databases, durability, durability_of
from bench._table import ROUNDS, Row, alternate, compare, show
from tests.ledger.world import bare_app

POSTINGS, TURN, PEOPLE, BULK, CROWD = 500, 25, 200, 10_000, 4
SMALL, LARGE = 10_000, 1_000_000
LEAST = {"sqlite": 0.5, "postgresql": 0.4}

_ROW = Table(
    "one_row",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid),
    Column("amount", Integer),
    Column("created_at", UTCDateTime),
)
_numbers = itertools.count()

Act = Callable[[], object]


def run(entries: int) -> Iterator[Row]:
    """Measure everything on both databases."""
    for name, address in databases():
        url = address("writes")
        with _ledger(url):
            print(f"{name}: {_durability()}", flush=True)
            yield from _writes(name)
        if name == "postgresql":
            yield _issuers(url)
        with _ledger(address("small")) as small, _ledger(address("large")) as large:
            yield from _reads(name, small, large, entries)


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


def _durability() -> str:
    """What a commit of each side waits for."""
    with _driver() as (driver, _):
        return f"ours {durability_of(db.engine)}; driver {durability(driver)}"


def _posting(people: Sequence[uuid.UUID]) -> Act:
    def posting() -> None:
        number = next(_numbers)
        ledger.transfer(
            "award", f"award-{number}-{people[0].hex}", people[number % len(people)], 10,
            rule_version="rule-1", subject="referral-1",
        )  # fmt: skip

    return posting


def _writes(name: str) -> Iterator[Row]:
    posting = _posting(_people(PEOPLE))
    with _driver() as (_, one_row):
        sides: dict[str, Act] = {"driver": one_row, "session": _one_row, "posting": posting}
        alternate(sides, count=2 * TURN, rounds=1)
        times = alternate(sides, count=POSTINGS, turn=TURN)
    ours = _rates(times["posting"])
    yield compare(f"{name}: posting : insert by the bare driver", "/s", ours,
                  _rates(times["driver"]), least=LEAST[name])  # fmt: skip
    yield compare(f"{name}: posting : insert by the session", "/s", ours, _rates(times["session"]))
    bulk, single = _bulk(posting)
    yield compare(f"{name}: bulk of {BULK:,} : single postings", "awards/s", bulk, single, least=20)


def _rates(seconds: list[float]) -> list[float]:
    return [1 / each for each in seconds]


def _one_row() -> None:
    with transaction() as session:
        row = {"id": new_id(), "account_id": new_id(), "amount": 1, "created_at": clock.now()}
        session.connection().execute(insert(_ROW), row)


@contextmanager
def _driver() -> Iterator[tuple[Any, Act]]:
    """The driver's connection, and a function that inserts one row and commits by it alone."""
    pooled = db.engine.raw_connection()
    driver: Any = pooled.dbapi_connection
    if db.engine.dialect.name == "sqlite":

        def one_row() -> None:
            driver.execute("BEGIN IMMEDIATE")
            row = (new_id().hex, new_id().hex, 1, str(clock.now()))
            driver.execute("INSERT INTO one_row VALUES (?, ?, ?, ?)", row)
            driver.execute("COMMIT")
    else:

        def one_row() -> None:
            row = (new_id(), new_id(), 1, clock.now())
            driver.execute("INSERT INTO one_row VALUES (%s, %s, %s, %s)", row)
            driver.commit()

    yield driver, one_row
    pooled.close()


def _people(count: int) -> list[uuid.UUID]:
    rows = [account_row("member", clock.now()) for _ in range(count)]
    names = tuple(rows[0])
    with transaction() as session:
        insert_rows(session.connection(), ACCOUNT, names, [tuple(row.values()) for row in rows])
    return [row["id"] for row in rows if isinstance(row["id"], uuid.UUID)]


def _bulk(posting: Act) -> tuple[list[float], list[float]]:
    """Awards a second in a bulk, and by single postings right beside it."""
    people = _people(BULK)

    def bulk() -> None:
        awards = [ledger.Award(account_id, 10, "subject-1") for account_id in people]
        ledger.award_many(f"bulk-{next(_numbers)}", awards, rule_version="rule-1")

    times = alternate({"single": lambda: [posting() for _ in range(POSTINGS)], "bulk": bulk})
    return ([BULK / each for each in times["bulk"]], [POSTINGS / each for each in times["single"]])


def _issuers(url: str) -> Row:
    """A crowd of processes posts at once: all from the one issuer, or each from an issuer of its
    own, which the product does not have and the benchmark gives it."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    with multiprocessing.get_context("fork").Pool(CROWD) as pool:
        for number in range(-1, ROUNDS):
            for shared, found in rates.items():
                rate = _crowd(pool, url, shared)
                if number >= 0:
                    found.append(rate)
    return compare(f"postgresql: {CROWD} processes, one issuer : one each", "/s", rates[True],
                   rates[False], least=0.9)  # fmt: skip


def _crowd(pool: Pool, url: str, shared: bool) -> float:
    """Postings a second of all processes together."""
    spent = pool.starmap(_one_of_crowd, [(url, shared)] * CROWD, chunksize=1)
    return CROWD * POSTINGS / (max(end for _, end in spent) - min(began for began, _ in spent))


def _one_of_crowd(url: str, shared: bool) -> tuple[float, float]:
    system = books._SYSTEM
    app = bare_app(url)
    with app.app_context():
        posting = _posting(_people(PEOPLE // CROWD))
        books._SYSTEM = system if shared else system | {"issuer": new_id()}
        for _ in range(TURN):
            posting()
        began = time.perf_counter()
        for _ in range(POSTINGS):
            posting()
        end = time.perf_counter()
        db.session.remove()
        db.engine.dispose()
    books._SYSTEM = system
    return began, end


def _reads(name: str, small: Flask, large: Flask, entries: int) -> Iterator[Row]:
    """Balance and statement of one person, in a small ledger and in a large one."""
    acts: dict[str, dict[str, Act]] = {"balance": {}, "history": {}}
    for side, app, size in (("small", small, SMALL), ("large", large, entries)):
        with app.app_context():
            people = _fill(size)
        acts["balance"][side] = _reading(app, ledger.balance, people)
        acts["history"][side] = _reading(app, ledger.entries, people)
    for read, sides in acts.items():
        alternate(sides, count=4 * TURN, rounds=1)
        times = {s: [1e6 * t for t in each] for s, each in
                 alternate(sides, count=POSTINGS, turn=TURN).items()}  # fmt: skip
        work = f"{name}: {read} at {entries:,} entries : at {SMALL:,}"
        yield compare(work, "µs", times["large"], times["small"], most=1.3)


def _fill(entries: int) -> list[uuid.UUID]:
    """A hundred people with equal shares of so many entries, two for each award, by the
    product's own bulk awards."""
    people = _people(100)
    for written in range(0, entries // 2, 5_000):
        awards = [ledger.Award(account_id, 1) for account_id in people for _ in range(50)]
        ledger.award_many(f"history-{written}", awards)
    # The databases find this out by themselves within minutes.
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    return people


def _reading(app: Flask, read: Callable[[uuid.UUID], object], people: list[uuid.UUID]) -> Act:
    turns = itertools.cycle(people)

    def act() -> None:
        with app.app_context():
            read(next(turns))

    return act


def main() -> list[dict[str, object]]:
    """Print the table as it comes; answer it as plain values."""
    given = sys.argv[1] if len(sys.argv) > 1 else ""
    return show(run(int(given) if given.isdecimal() else LARGE))


if __name__ == "__main__":
    main()
