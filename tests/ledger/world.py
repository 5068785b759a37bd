"""A ledger alone: the application is a database and nothing else, because the ledger knows
nobody. The tables are those that the migrations make."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import Any

from flask import Flask
from sqlalchemy import Table, func, select

from app import clock, ledger
from app.db import connect_args, db, transaction
from app.ledger.statements import ENTRY, OPEN, TRANSFER

START = dt.datetime(2026, 11, 17, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HUMAN = ledger.by_person(uuid.UUID("0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4"))

_numbers = itertools.count(1)


def bare_app(url: str) -> Flask:
    """An application that has a database and no features."""
    app = Flask("ledger-alone")
    app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgresql://", "postgresql+psycopg://")
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "connect_args": connect_args(url),
        **({} if url.startswith("sqlite") else {"pool_size": 30}),
    }
    db.init_app(app)
    return app


def reference(stem: str = "fact") -> str:
    """One that was never used."""
    return f"{stem}-{next(_numbers)}-{uuid.uuid4().hex[:8]}"


def award(account_id: uuid.UUID, amount: int = 100, **details: Any) -> ledger.Transfer:
    """Points to spend."""
    return ledger.transfer("award", reference("award"), account_id, amount, **details)


def member(points: int = 0) -> uuid.UUID:
    """A member's account with points to spend."""
    account_id = ledger.open_account()
    if points:
        award(account_id, points)
    return account_id


def indebted(owed: int = 40) -> uuid.UUID:
    """A member with nothing to spend who owes points: they were spent before the award that
    gave them was undone."""
    account_id = ledger.open_account()
    given = award(account_id, owed)
    ledger.transfer("redemption", reference("redemption"), account_id, owed)
    ledger.reverse(given.id, reference("undo"), "undone")
    return account_id


def have(account_id: uuid.UUID) -> tuple[int, int, int, int, int]:
    """Available, pending, reserved, status points, owed."""
    return tuple(ledger.balance(account_id))


def count(table: Table) -> int:
    return db.session.execute(select(func.count()).select_from(table)).scalar_one()


def rows() -> tuple[int, int, int]:
    """How many transfers, entries and open transfers there are."""
    return count(TRANSFER), count(ENTRY), count(OPEN)


def whole() -> ledger.Verification:
    """The proof, which must hold."""
    seen = ledger.verify()
    assert seen.ok, seen.first_difference
    return seen


def busy_ledger() -> list[uuid.UUID]:
    """Three members who between them used every verb, and a day that was sealed."""
    people = [member(), member(), member()]
    for account_id in people:
        first = award(account_id, 300, rule_version="rule-1", subject="referral-1")
        held = ledger.hold("award", reference("hold"), account_id, 50, clock.now() + DAY)
        ledger.post(held.id, reference("post"))
        ledger.void(
            ledger.hold("award", reference("hold"), account_id, 60, None).id,
            reference("void"),
            "not-confirmed",
            actor=HUMAN,
        )
        kept = ledger.reserve(reference("redemption"), account_id, 120)
        ledger.post(kept.id, reference("post"))
        ledger.announce("award", reference("promise"), account_id, 500, clock.now() + 90 * DAY)
        ledger.reserve(reference("redemption"), account_id, 10)
        ledger.reverse(first.id, reference("undo"), "undone", actor=HUMAN)
        award(account_id, 30)
        ledger.transfer("waiver", reference("waiver"), account_id, 5, actor=HUMAN)
        ledger.award_many(
            reference("bulk"), [ledger.Award(account_id, n, f"subject-{n}") for n in (7, 8, 9, 10)]
        )
    clock.travel(DAY)
    ledger.seal_day((clock.now() - DAY).date())
    for account_id in people:
        award(account_id, 11)
    with transaction():
        award(people[0], 12)
        award(people[1], 13)
    return people
