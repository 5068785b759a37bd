"""The nightly purge: each rule until nothing is overdue, some rows a transaction, some files at a
time.

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
from app.privacy.purge_rules import FILE_RULES, RULES, FileRule, Rule

log = logging.getLogger(__name__)

BATCH: Final = 500
MOST: Final = 10_000
"""A preview counts no further, and no more files are dealt with at a time."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of a rule is overdue: now, and within the days that were asked for besides. Counts
    end at `MOST`."""

    key: str
    title: Sentence
    now: int
    soon: int


def run(*only: str) -> dict[str, int]:
    """Forget everything that is overdue, or what is so under some rules; how many rows, people or
    files by rule.
    A rule that fails leaves the others their turn, and is raised at the end."""
    done: dict[str, int] = {}
    failed: Exception | None = None
    for rule in [rule for rule in _all() if not only or rule.key in only]:
        try:
            done[rule.key] = _files(rule) if isinstance(rule, FileRule) else _rows(rule)
        except Exception as error:
            log.exception("what is overdue under %s could not be forgotten", rule.key)
            db.session.rollback()
            failed = error
    if failed is not None:
        raise failed
    return done


def _all() -> list[Rule | FileRule]:
    return [*RULES, *FILE_RULES]


def _rows(rule: Rule) -> int:
    instant, count = clock.now(), 0
    while True:
        with transaction() as session:
            keys = [tuple(row) for row in session.execute(rule.overdue(instant).limit(BATCH))]
            if keys:
                rule.forget(session, keys)
        count += len(keys)
        if len(keys) < BATCH:
            return count


def _files(rule: FileRule) -> int:
    instant, count = clock.now(), 0
    while True:
        files = rule.overdue(instant, MOST)
        rule.forget(files)
        count += len(files)
        if len(files) < MOST:
            return count


def overdue(rule: Rule | FileRule, instant: dt.datetime) -> int:
    """How many rows or files are overdue under a rule at an instant, `MOST` at most."""
    if isinstance(rule, FileRule):
        return len(rule.overdue(instant, MOST))
    return int(db.session.scalar(_count(rule, instant)) or 0)


def _count(rule: Rule, instant: dt.datetime) -> Select[int]:
    some = rule.overdue(instant).order_by(None).limit(MOST).subquery()
    return select(func.count()).select_from(some)


def preview(days: int = 30) -> list[Due]:
    """What the next run forgets, and what more within so many days: in one statement, and by a
    look at the names of files."""
    now = clock.now()
    instants = (now, now + dt.timedelta(days=days))
    counts = [_count(rule, instant).scalar_subquery() for rule in RULES for instant in instants]
    found = [*db.session.execute(select(*counts)).one()]
    found += [overdue(rule, instant) for rule in FILE_RULES for instant in instants]
    return [
        Due(rule.key, rule.title, due, max(by_then - due, 0))
        for rule, due, by_then in zip(_all(), found[::2], found[1::2], strict=True)
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
