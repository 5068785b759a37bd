"""Rules of points: what a fact is worth, in versions with a start date.

A fact that follows from a referral uses the version in force when the referral was received,
any other fact that of its own time; the amount is frozen in the transfer. A version never
changes: a new one starts. The facts are a closed list of acts inside the product.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from app import audit, clock
from app.db import db, transaction
from app.errors import InvalidInput, Sentence
from app.play.models import FACTS, PERIODS, SHARE_FACTS, RuleVersion

MOST = 1_000_000  # points in one amount
LONGEST_HOLD = 1_000  # days


class Default(NamedTuple):
    """A rule that a new organisation starts with; see `RuleVersion`."""

    fact: str
    name_fr: str
    name_en: str
    amount: int
    held_amount: int = 0
    hold_days: int = 0
    cap: int | None = None
    cap_period: str | None = None


# What a new organisation starts with; it may start its own versions at any time.
DEFAULTS = (
    Default("application", "Candidature reçue", "Application received", 30),
    Default("interview", "Entretien", "Interview", 50),
    Default("hire", "Embauche", "Hire", 200, 200, 90),
    Default("share", "Publication", "Post", 10, cap=3, cap_period="week"),
    Default("own-words", "Vos propres mots", "Your own words", 5, cap=1, cap_period="day"),
    Default("visit", "Visite comptée", "Counted visit", 0, 2, 7, cap=20, cap_period="day"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One version in force. Points are whole numbers; `hold_days` count from the contract's
    start, or from the fact itself where no contract follows. At most `cap` facts of a member
    are rewarded in one `cap_period` ('day', 'week'); None: no limit."""

    id: uuid.UUID
    fact: str
    version: int
    name_fr: str
    name_en: str
    amount: int
    held_amount: int
    hold_days: int
    starts_at: dt.datetime
    cap: int | None
    cap_period: str | None

    def name(self, language: str) -> str:
        return self.name_fr if language == "fr" else self.name_en

    @property
    def is_about_posts(self) -> bool:
        """True for what follows from a share, not from a referral."""
        return self.fact in SHARE_FACTS

    @property
    def points(self) -> int:
        """What one fact brings in all, sooner or later."""
        return self.amount + self.held_amount


_COLUMNS = (
    RuleVersion.id, RuleVersion.fact, RuleVersion.version, RuleVersion.name_fr,
    RuleVersion.name_en, RuleVersion.amount, RuleVersion.held_amount, RuleVersion.hold_days,
    RuleVersion.starts_at, RuleVersion.cap, RuleVersion.cap_period,
)  # fmt: skip

# A version never changes, so a process reads each once.
_known: dict[uuid.UUID, Rule] = {}


def in_force(fact: str, at: dt.datetime) -> Rule | None:
    """The version of a rule at one time; None before its first one started."""
    row = db.session.execute(
        select(*_COLUMNS)
        .where(RuleVersion.fact == fact, RuleVersion.starts_at <= at)
        .order_by(RuleVersion.starts_at.desc(), RuleVersion.version.desc())
        .limit(1)
    ).one_or_none()
    return Rule(*row) if row else None


def all_in_force(facts: Collection[str], at: dt.datetime) -> dict[str, Rule]:
    """The versions of several rules at one time, by fact; one statement."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(RuleVersion.fact.in_(facts), RuleVersion.starts_at <= at)
        .order_by(RuleVersion.starts_at, RuleVersion.version)
    ).all()
    return {row.fact: Rule(*row) for row in rows}


def versions() -> list[Rule]:
    """Every version of every rule, newest first within its fact."""
    rows = db.session.execute(
        select(*_COLUMNS).order_by(RuleVersion.fact, RuleVersion.version.desc())
    ).all()
    return [Rule(*row) for row in rows]


def by_ids(ids: set[uuid.UUID]) -> dict[uuid.UUID, Rule]:
    """Some versions by id, for a statement that explains its lines."""
    missing = ids - _known.keys()
    if missing:
        rows = db.session.execute(select(*_COLUMNS).where(RuleVersion.id.in_(missing))).all()
        _known.update({row.id: Rule(*row) for row in rows})
    return {id_: _known[id_] for id_ in ids if id_ in _known}


def limits(fact: str) -> dict[str, dict[uuid.UUID, int]]:
    """The limits of a rule's versions: by period, then by version."""
    rows = db.session.execute(
        select(RuleVersion.id, RuleVersion.cap, RuleVersion.cap_period).where(
            RuleVersion.fact == fact, RuleVersion.cap.is_not(None)
        )
    ).all()
    found: dict[str, dict[uuid.UUID, int]] = {}
    for id_, cap, period in rows:
        if cap is not None and period is not None:
            found.setdefault(period, {})[id_] = cap
    return found


def start_version(
    fact: str,
    *,
    name_fr: str,
    name_en: str,
    amount: int,
    held_amount: int = 0,
    hold_days: int = 0,
    cap: int | None = None,
    cap_period: str | None = None,
    starts_at: dt.datetime | None = None,
    actor_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Start a new version of a rule; what was received before keeps the old one.

    Raises `InvalidInput` by field: a fact that is not on the list, amounts that are no whole
    points, a limit that is none.
    """
    wanted = Default(fact, name_fr, name_en, amount, held_amount, hold_days, cap, cap_period)
    if errors := _wrong(wanted):
        raise InvalidInput(_l("Please check the form."), errors)
    with transaction() as session:
        last = session.scalar(select(func.max(RuleVersion.version)).where(RuleVersion.fact == fact))
        row = RuleVersion(
            **wanted._asdict(), version=(last or 0) + 1, starts_at=starts_at or clock.now(),
            created_by=actor_id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record("rule.started", "rule", row.id, actor_id=actor_id, fact=fact)
        return row.id


def _wrong(rule: Default) -> dict[str, Sentence]:
    """What cannot be taken as it is, field by field."""
    found: dict[str, Sentence] = {}
    if rule.fact not in FACTS:
        found["fact"] = _l(
            "Points follow acts inside the programme, never a network’s figures or a review. "
            "Choose one of: %(facts)s.",
            facts=", ".join(FACTS),
        )
    for field in ("name_fr", "name_en"):
        if not 0 < len(getattr(rule, field).strip()) <= 120:
            found[field] = _l("A name of at most 120 characters.")
    for field in ("amount", "held_amount"):
        if not 0 <= getattr(rule, field) <= MOST:
            found[field] = _l("A whole number of points, 0 or more.")
    if not 0 <= rule.hold_days <= LONGEST_HOLD:
        found["hold_days"] = _l("A number of days, %(most)d at most.", most=LONGEST_HOLD)
    return found | _wrong_limit(rule)


def _wrong_limit(rule: Default) -> dict[str, Sentence]:
    found: dict[str, Sentence] = {}
    about_posts = rule.fact in SHARE_FACTS
    if about_posts and rule.amount and rule.held_amount:
        found["held_amount"] = _l("A post or a visit gives its points at once or later, not both.")
    if rule.cap is not None and not about_posts:
        found["cap"] = _l("Only posts, own words and visits have a limit.")
    elif rule.cap is not None and not 0 < rule.cap <= MOST:
        found["cap"] = _l("A whole number, 1 or more, or nothing for no limit.")
    if (rule.cap is None) != (rule.cap_period is None) or rule.cap_period not in (None, *PERIODS):
        found["cap_period"] = _l("A limit counts by the day or by the week.")
    return found


def ensure_defaults(starts_at: dt.datetime) -> None:
    """Give a new organisation its first rules from `starts_at` on. An existing one keeps its
    own, and gets the rules of facts that are new to it from now on."""
    with transaction() as session:
        known = set(session.scalars(select(RuleVersion.fact).distinct()))
        from_when = clock.now() if known else starts_at
        for default in DEFAULTS:
            if default.fact not in known:
                start_version(**default._asdict(), starts_at=from_when)
