"""What a month's list costs a reader: the first ten who agreed to be named, and one's own rank,
among so many members. A month of `MANY` members holds some ten million entries; the scores are
kept, so what is read is the same. Run alone: `python -m bench.scores`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert

from app import clock, create_app, migrating
from app.db import db, new_id, transaction
from app.ledger.books import account_row
from app.ledger.statements import ACCOUNT
from app.people.models import Consent, Membership, Person
from app.play import scores
from app.play.models import PointsAccount, Score, ScoreStep
from bench._databases import databases
from bench._table import Row, alternate, compare, show
from tests.conftest import settings_for

FEW, MANY, READS, TURN, PART = 1_000, 100_000, 400, 25, 1_000

Act = Callable[[], None]


def rows() -> Iterator[Row]:
    """Both reads on both databases."""
    for name, address in databases():
        with _month(address("few"), FEW) as few, _month(address("many"), MANY) as many:
            for work, read in (("top 10", _top), ("my rank", _rank)):
                sides = {"many": _reading(many, read), "few": _reading(few, read)}
                alternate(sides, count=2 * TURN, rounds=1)
                took = alternate(sides, count=READS, turn=TURN)
                micros = {side: [1e6 * second for second in each] for side, each in took.items()}
                yield compare(
                    f"{name}: {work} among {MANY:,} members : {FEW:,}",
                    "µs", micros["many"], micros["few"], most=1.3,
                )  # fmt: skip


def _top(_: int) -> object:
    return scores.top(scores.period_at(clock.now()))


def _rank(points: int) -> object:
    return scores.rank(scores.period_at(clock.now()), points)


def _reading(app: Flask, read: Callable[[int], object]) -> Act:
    turns = itertools.cycle(range(1, 400, 7))

    def act() -> None:
        with app.app_context():
            read(next(turns))

    return act


@contextmanager
def _month(url: str, members: int) -> Iterator[Flask]:
    folder = Path(tempfile.mkdtemp(prefix="portevoix-bench-"))
    app = create_app(settings_for(folder, DATABASE_URL=url))
    try:
        with app.app_context():
            migrating.upgrade()
            for start in range(0, members, PART):
                _members(start, min(PART, members - start))
            _steps(members)
            with db.engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE")
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
    finally:
        shutil.rmtree(folder)


def _points(number: int) -> int:
    """Most have little, a few have much; the same for the member of a number everywhere."""
    return 1 + number * 7919 % 400


def _members(start: int, count: int) -> None:
    """Members with scores of this month; every third agreed to be named."""
    now, period = clock.now(), scores.period_at(clock.now())
    made: dict[Any, list[dict[str, Any]]] = {
        Person: [], Membership: [], Consent: [], ACCOUNT: [], PointsAccount: [], Score: [],
    }  # fmt: skip
    for number in range(start, start + count):
        person_id, account = new_id(), account_row("member", now)
        account_id, points = account["id"], _points(number)
        made[Person].append({
            "id": person_id, "kind": "employee", "name": f"Membre {number}",
            "email": f"m{number}@halvenne.example", "language": "fr", "created_at": now,
        })  # fmt: skip
        made[Membership].append({
            "id": new_id(), "person_id": person_id, "joined_at": now, "notice_version": "1",
        })  # fmt: skip
        if number % 3 == 0:
            made[Consent].append({
                "id": new_id(), "person_id": person_id, "purpose": scores.NAMED,
                "text_version": "1", "granted_at": now,
            })  # fmt: skip
        made[ACCOUNT].append(account)
        made[PointsAccount].append(
            {"account_id": account_id, "person_id": person_id, "opened_at": now}
        )
        made[Score].append({
            "period": period, "account_id": account_id, "points": points, "rank_key": -points,
            "reached_at": now + dt.timedelta(seconds=number),
        })  # fmt: skip
    with transaction() as session:
        for table, lines in made.items():
            session.execute(insert(table), lines)


def _steps(members: int) -> None:
    period = scores.period_at(clock.now())
    people = Counter(_points(number) for number in range(members))
    with transaction() as session:
        lines = [{"period": period, "points": p, "people": n} for p, n in people.items()]
        session.execute(insert(ScoreStep), lines)


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
