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
from app.db import db, new_id, transaction
from app.errors import DomainError, InvalidInput, NotFound, Sentence
from app.play import leaver_rules
from app.play.models import FACTS, PERIODS, SHARE_FACTS, RuleVersion

MOST = 1_000_000  # points in one amount
LONGEST_HOLD = 1_000  # days
FARTHEST = dt.timedelta(days=730)  # how far ahead a version may be planned
#: Facts whose points come whole and at once.
AT_ONCE = ("application", "interview")
_KEYS = uuid.UUID("0198a4b6-77d3-7a1e-b1c4-5d1f0c6e9a20")


class NoSuchRule(NotFound):
    """No version of that identifier."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such version of a rule."))


class RuleStarted(DomainError):
    """What has started may have given points: it stays, and a later version follows it."""

    code = "rule-started"

    def __init__(self) -> None:
        super().__init__(
            _l("This version has started and stays for ever. Prepare a new one instead.")
        )


class Terms(NamedTuple):
    """What a version of a rule says; see `RuleVersion`."""

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
    Terms("application", "Candidature reçue", "Application received", 30),
    Terms("interview", "Entretien", "Interview", 50),
    Terms("hire", "Embauche", "Hire", 200, 200, 90),
    Terms("share", "Publication", "Post", 10, cap=3, cap_period="week"),
    Terms("own-words", "Vos propres mots", "Your own words", 5, cap=1, cap_period="day"),
    Terms("visit", "Visite comptée", "Counted visit", 0, 2, 7, cap=20, cap_period="day"),
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

    @property
    def terms(self) -> Terms:
        """What it says, without its place in time."""
        return Terms(
            self.fact, self.name_fr, self.name_en, self.amount, self.held_amount, self.hold_days,
            self.cap, self.cap_period,
        )  # fmt: skip


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


def version(version_id: uuid.UUID) -> Rule:
    """One version. Raises `NoSuchRule`."""
    row = db.session.execute(select(*_COLUMNS).where(RuleVersion.id == version_id)).one_or_none()
    if row is None:
        raise NoSuchRule
    return Rule(*row)


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
    wanted = Terms(fact, name_fr, name_en, amount, held_amount, hold_days, cap, cap_period)
    check(wanted)
    return _write(new_id(), wanted, starts_at or clock.now(), actor_id)


def check(terms: Terms) -> None:
    """Raises `InvalidInput` by field for what no version can say."""
    if errors := _wrong(terms):
        raise InvalidInput(_l("Please check the form."), errors)


def _write(
    id_: uuid.UUID, terms: Terms, starts_at: dt.datetime, actor_id: uuid.UUID | None
) -> uuid.UUID:
    with transaction() as session:
        _hold(terms.fact)
        newest = select(func.max(RuleVersion.version)).where(RuleVersion.fact == terms.fact)
        row = RuleVersion(
            **terms._asdict(), id=id_, version=(session.scalar(newest) or 0) + 1,
            starts_at=starts_at, created_by=actor_id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record(
            "rule.started", "rule", row.id, actor_id=actor_id, fact=terms.fact, version=row.version
        )
    return id_


def _hold(fact: str) -> None:
    """One hand at a time for each rule, so that no two versions get one number."""
    of_fact = select(RuleVersion.id).where(RuleVersion.fact == fact)
    db.session.execute(of_fact.with_for_update()).all()


def plan(
    terms: Terms,
    *,
    starts_at: dt.datetime | None,
    actor_id: uuid.UUID,
    key: str | None = None,
) -> Rule:
    """Prepare the next version of a rule, from `starts_at` on; None: from now on.

    The same `key` of the same person is the same version, however often it is sent. Raises
    `InvalidInput` by field: terms that make no sense or change nothing, a start that is over
    or more than two years away.
    """
    id_ = uuid.uuid5(_KEYS, f"{actor_id}:{key}") if key else new_id()
    with transaction() as session:
        _hold(terms.fact)
        if session.get(RuleVersion, id_) is None:
            at = check_plan(terms, starts_at)
            _write(id_, terms, at, actor_id)
    return version(id_)


def check_plan(terms: Terms, starts_at: dt.datetime | None) -> dt.datetime:
    """When such a version would start. Raises `InvalidInput` as `plan` does."""
    errors, now = _wrong(terms), clock.now()
    at = starts_at or now
    if at < now:
        errors["starts_at"] = _l("This moment is over: points that were given never change.")
    elif at > now + FARTHEST:
        errors["starts_at"] = _l("At most two years ahead.")
    if not errors:
        before = in_force(terms.fact, at)
        if before is not None and before.terms == terms:
            errors["amount"] = _l(
                "Nothing differs from version %(version)d, which is in force then.",
                version=before.version,
            )
    if errors:
        raise InvalidInput(_l("Please check the form."), errors)
    return at


def withdraw(version_id: uuid.UUID, *, actor_id: uuid.UUID) -> Rule:
    """Take back a version that has not started: nothing was given by it, so it goes.

    The audit log keeps what it said. Raises `NoSuchRule`, `RuleStarted`.
    """
    with transaction() as session:
        row = session.get(RuleVersion, version_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NoSuchRule
        if row.starts_at <= clock.now():
            raise RuleStarted
        rule = version(version_id)
        audit.record(
            "rule.withdrawn", "rule", version_id, actor_id=actor_id, version=rule.version,
            fact=rule.fact, amount=rule.amount, held_amount=rule.held_amount,
            hold_days=rule.hold_days, cap=rule.cap, cap_period=rule.cap_period,
            starts_at=rule.starts_at.isoformat(),
        )  # fmt: skip
        session.delete(row)
    _known.pop(version_id, None)
    return rule


def _wrong(rule: Terms) -> dict[str, Sentence]:
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


def _wrong_limit(rule: Terms) -> dict[str, Sentence]:
    found: dict[str, Sentence] = {}
    about_posts = rule.fact in SHARE_FACTS
    if rule.held_amount and rule.fact in AT_ONCE:
        found["held_amount"] = _l("Only a hire, a post or a visit has points that wait.")
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
        leaver_rules.ensure_default(from_when)
