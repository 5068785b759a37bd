"""The nightly purge: each rule until nothing is overdue, some rows a transaction.

Killed anywhere it has done whole batches, and the next run goes on: a rule looks for what is
overdue, never for where it stopped. Run twice, the second one finds nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, func, select

from app import clock, outbox
from app.db import db, transaction
from app.errors import Sentence
from app.privacy.purge_rules import RULES, Rule

log = logging.getLogger(__name__)

BATCH: Final = 500
MOST: Final = 10_000
"""A preview counts no further."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of a rule is overdue: now, and within the days that were asked for besides. Counts
    end at `MOST`."""

    key: str
    title: Sentence
    now: int
    soon: int


def run(*only: str) -> dict[str, int]:
    """Forget everything that is overdue, or what is so under some rules; how many rows by rule.
    A rule that fails leaves the others their turn, and is raised at the end."""
    done: dict[str, int] = {}
    failed: Exception | None = None
    for rule in [rule for rule in RULES if not only or rule.key in only]:
        try:
            done[rule.key] = _run_one(rule)
        except Exception as error:
            log.exception("what is overdue under %s could not be forgotten", rule.key)
            db.session.rollback()
            failed = error
    if failed is not None:
        raise failed
    return done


def _run_one(rule: Rule) -> int:
    instant, count = clock.now(), 0
    while True:
        with transaction() as session:
            keys = [tuple(row) for row in session.execute(rule.overdue(instant).limit(BATCH))]
            if keys:
                rule.forget(session, keys)
        count += len(keys)
        if len(keys) < BATCH:
            return count


def overdue(rule: Rule, instant: dt.datetime) -> int:
    """How many rows are overdue under a rule at an instant, `MOST` at most."""
    return int(db.session.scalar(_count(rule, instant)) or 0)


def _count(rule: Rule, instant: dt.datetime) -> Select[int]:
    some = rule.overdue(instant).order_by(None).limit(MOST).subquery()
    return select(func.count()).select_from(some)


def preview(days: int = 30) -> list[Due]:
    """What the next run forgets, and what more within so many days, in one statement."""
    now = clock.now()
    instants = (now, now + dt.timedelta(days=days))
    counts = [_count(rule, instant).scalar_subquery() for rule in RULES for instant in instants]
    found = iter(db.session.execute(select(*counts)).one())
    return [
        Due(rule.key, rule.title, due := next(found), max(next(found) - due, 0)) for rule in RULES
    ]


@outbox.on("periodic.people.forget", "privacy.purge_unfinished", outside=True, timeout=300)
def every_half_hour() -> None:
    """What somebody began and did not finish."""
    run("parked-forms", "sign-in-steps", "email-codes", "join-requests")


@outbox.on("periodic.referrals.forget", "privacy.purge_soon", outside=True, timeout=600)
def every_hour() -> None:
    """What the notice promises by the hour (rule R2)."""
    run("visitor-keys", "raw-events", "candidates")


@outbox.on("periodic.house.forget", "privacy.purge", outside=True, timeout=3_600)
def every_night() -> None:
    """What is over."""
    run()
