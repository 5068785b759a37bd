"""Rules of points: what a fact is worth, in versions with a start date.

A fact that follows from a referral uses the version in force when the referral was
received; the amount is frozen in the transfer. A version never changes: a new one starts.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from app import audit, clock
from app.db import db, transaction
from app.play.models import RuleVersion

# What a new organisation starts with; it may start its own versions at any time.
DEFAULTS = (
    ("application", "Candidature reçue", "Application received", 30, 0, 0),
    ("interview", "Entretien", "Interview", 50, 0, 0),
    ("hire", "Embauche", "Hire", 200, 200, 90),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One version in force. Points are whole numbers; `hold_days` count from the contract's
    start."""

    id: uuid.UUID
    fact: str
    version: int
    name_fr: str
    name_en: str
    amount: int
    held_amount: int
    hold_days: int
    starts_at: dt.datetime

    def name(self, language: str) -> str:
        return self.name_fr if language == "fr" else self.name_en


_COLUMNS = (
    RuleVersion.id, RuleVersion.fact, RuleVersion.version, RuleVersion.name_fr,
    RuleVersion.name_en, RuleVersion.amount, RuleVersion.held_amount, RuleVersion.hold_days,
    RuleVersion.starts_at,
)  # fmt: skip


def in_force(fact: str, at: dt.datetime) -> Rule | None:
    """The version of a rule at one time; None before its first one started."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(RuleVersion.fact == fact, RuleVersion.starts_at <= at)
        .order_by(RuleVersion.starts_at.desc(), RuleVersion.version.desc())
        .limit(1)
    ).one_or_none()
    return Rule(*row) if row else None


def versions() -> list[Rule]:
    """Every version of every rule, newest first within its fact."""
    rows = db.session.execute(
        select(*_COLUMNS).order_by(RuleVersion.fact, RuleVersion.version.desc())
    ).all()
    return [Rule(*row) for row in rows]


def by_ids(ids: set[uuid.UUID]) -> dict[uuid.UUID, Rule]:
    """Some versions by id, for a statement that explains its lines."""
    if not ids:
        return {}
    rows = db.session.execute(select(*_COLUMNS).where(RuleVersion.id.in_(ids))).all()
    return {row.id: Rule(*row) for row in rows}


def start_version(
    fact: str,
    *,
    name_fr: str,
    name_en: str,
    amount: int,
    held_amount: int = 0,
    hold_days: int = 0,
    starts_at: dt.datetime | None = None,
    actor_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Start a new version of a rule; what was received before keeps the old one."""
    with transaction() as session:
        last = session.scalar(select(func.max(RuleVersion.version)).where(RuleVersion.fact == fact))
        row = RuleVersion(
            fact=fact, version=(last or 0) + 1, name_fr=name_fr, name_en=name_en, amount=amount,
            held_amount=held_amount, hold_days=hold_days, starts_at=starts_at or clock.now(),
            created_by=actor_id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("rule.started", "rule", row.id, actor_id=actor_id, fact=fact)
        return row.id


def ensure_defaults(starts_at: dt.datetime) -> None:
    """Give a new organisation its first rules; an existing one keeps its own."""
    with transaction() as session:
        known = set(session.scalars(select(RuleVersion.fact).distinct()))
        for fact, name_fr, name_en, amount, held, days in DEFAULTS:
            if fact not in known:
                start_version(
                    fact, name_fr=name_fr, name_en=name_en, amount=amount, held_amount=held,
                    hold_days=days, starts_at=starts_at,
                )  # fmt: skip
