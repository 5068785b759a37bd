"""A rule run over past facts before it starts: what it would have given, and nothing changes.

The facts are read anew, not from the awards, so that acts which were worth nothing so far are
among them. Each is weighed twice: by the version that was in force at its own time, and by the
version that is rehearsed. Sums are told for the whole organisation and by site; a group of fewer
than ten people is never told apart, and nobody is named.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased, load_only

from app import clock
from app.db import db
from app.people import thresholds
from app.people.models import Person
from app.play import rules
from app.play.models import SHARE_FACTS
from app.play.rules import Rule, Terms
from app.play.share_awards import VISIT, day_of, period_of, post_facts
from app.referrals import stages
from app.referrals.models import Click, Referral, ReferralEvent
from app.referrals.stages import Standing
from app.sharing import disclosures
from app.sharing.models import Share

PERIODS = (30, 90, 365)  # days that may be looked back on
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Past:
    """One act of one member. `due_from` is the day a hold counts from and `closed_on` the day
    after which nothing on hold is paid, both for a hire only."""

    person_id: uuid.UUID
    at: dt.datetime
    due_from: dt.date | None = None
    closed_on: dt.date | None = None


@dataclass(slots=True)
class Sum:
    """What one version gives: to how many acts and people, and how many points. `beyond`: acts
    above its limit."""

    rewarded: int = 0
    at_once: int = 0
    held: int = 0
    beyond: int = 0
    people: set[uuid.UUID] = field(default_factory=set)

    @property
    def points(self) -> int:
        return self.at_once + self.held

    def add(self, other: Sum) -> None:
        self.rewarded += other.rewarded
        self.at_once += other.at_once
        self.held += other.held
        self.beyond += other.beyond
        self.people |= other.people


@dataclass(frozen=True, slots=True)
class Segment:
    """A site, or with `site` None the sites that are too small to stand alone."""

    site: str | None
    people: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it. `facts`: acts of the `days` before `until`. `before`: by the versions of
    their time, `after`: by the one that is rehearsed; points in `Sum`. `people` is None where
    they are fewer than ten."""

    fact: str
    days: int
    since: dt.datetime
    until: dt.datetime
    facts: int
    before: Sum
    after: Sum
    people: int | None
    segments: tuple[Segment, ...]


def usual_days(fact: str) -> int:
    """How far to look back: recruitments take months, posts a moment."""
    return 90 if fact in SHARE_FACTS else 365


def rehearse(terms: Terms, *, days: int | None = None) -> Rehearsal:
    """Run terms over what happened in the last `days`. Reads only. Raises `InvalidInput` as
    `rules.check` does."""
    rules.check(terms)
    days = days if days in PERIODS else usual_days(terms.fact)
    until = clock.now()
    since = until - dt.timedelta(days=days)
    past = sorted(_READ[terms.fact](since), key=lambda p: p.at)
    versions = [rule for rule in rules.versions() if rule.fact == terms.fact]
    before = _weighed(past, lambda at: _in_force(versions, at))
    after = _weighed(past, lambda _at: terms)
    return Rehearsal(
        terms.fact, days, since, until, len(past), _total(before), _total(after),
        *_told(before, after),
    )  # fmt: skip


def rehearse_version(version_id: uuid.UUID, *, days: int | None = None) -> Rehearsal:
    """The same for a version that exists, started or not. Raises `NoSuchRule`."""
    return rehearse(rules.version(version_id).terms, days=days)


def _in_force(versions: Sequence[Rule], at: dt.datetime) -> Rule | None:
    started = [rule for rule in versions if rule.starts_at <= at]
    return max(started, key=lambda rule: (rule.starts_at, rule.version), default=None)


# ---- Weighing

_By_person = dict[uuid.UUID, Sum]


def _weighed(
    past: Sequence[Past], rule_at: Callable[[dt.datetime], Rule | Terms | None]
) -> _By_person:
    """What each member gets, the acts in the order of their time."""
    found: _By_person = defaultdict(Sum)
    places: dict[tuple[uuid.UUID, dt.date, dt.date], int] = defaultdict(int)
    for act in past:
        rule = rule_at(act.at)
        if rule is None or not rule.amount + rule.held_amount:
            continue
        mine = found[act.person_id]
        if _is_beyond(rule, act, places):
            mine.beyond += 1
        else:
            mine.rewarded += 1
            mine.at_once += rule.amount
            mine.held += rule.held_amount if _keeps_hold(rule, act) else 0
            mine.people.add(act.person_id)
    return found


def _is_beyond(
    rule: Rule | Terms, act: Past, places: dict[tuple[uuid.UUID, dt.date, dt.date], int]
) -> bool:
    """Whether earlier acts of the day or week have used the limit up."""
    if rule.cap is None or rule.cap_period is None:
        return False
    key = (act.person_id, *period_of(day_of(act.at), rule.cap_period))
    places[key] += 1
    return places[key] > rule.cap


def _keeps_hold(rule: Rule | Terms, act: Past) -> bool:
    """Whether the part on hold comes, or would come, to be paid."""
    if act.due_from is None or act.closed_on is None:
        return True
    return act.closed_on >= act.due_from + dt.timedelta(days=rule.hold_days)


def _total(found: _By_person) -> Sum:
    total = Sum()
    for each in found.values():
        total.add(each)
    return total


# ---- By site, never by person


def _told(before: _By_person, after: _By_person) -> tuple[int | None, tuple[Segment, ...]]:
    """How many people are concerned, and the sites of ten or more of them."""
    least = thresholds.joining()
    people = {p for p, s in [*before.items(), *after.items()] if s.rewarded}
    groups: dict[str, set[uuid.UUID]] = defaultdict(set)
    for person_id, site in _sites(people):
        groups[site or ""].add(person_id)
    segments = tuple(
        Segment(
            site, len(ids), sum(before[p].points for p in ids if p in before),
            sum(after[p].points for p in ids if p in after),
        )
        for site, ids in thresholds.apart(groups, least)
    )  # fmt: skip
    return thresholds.told(len(people), len(people), least), segments


def _sites(people: Iterable[uuid.UUID]) -> Iterator[tuple[uuid.UUID, str | None]]:
    ids = [*people]
    for start in range(0, len(ids), _AT_ONCE):
        rows = select(Person.id, Person.site).where(Person.id.in_(ids[start : start + _AT_ONCE]))
        yield from ((row.id, row.site) for row in db.session.execute(rows).all())


# ---- The facts


def _applications(since: dt.datetime) -> Iterator[Past]:
    """Each person that a member brought, once."""
    older = aliased(Referral)
    earlier = and_(
        older.candidate_id == Referral.candidate_id,
        older.referrer_id == Referral.referrer_id,
        or_(
            older.received_at < Referral.received_at,
            and_(older.received_at == Referral.received_at, older.id < Referral.id),
        ),
    )
    rows = select(Referral.referrer_id, Referral.received_at).where(
        Referral.referrer_id.is_not(None),
        Referral.received_at >= since,
        ~select(older.id).where(earlier).exists(),
    )
    for person_id, at in db.session.execute(rows).all():
        if person_id is not None:
            yield Past(person_id, at)


def _interviews(since: dt.datetime) -> Iterator[Past]:
    for person_id, at, standing in _standings(since):
        if "interview" in standing.reached:
            yield Past(person_id, at)


def _hires(since: dt.datetime) -> Iterator[Past]:
    for person_id, at, standing in _standings(since):
        hire = standing.hire
        if hire is not None:
            closed_on = standing.closed_at.date() if standing.closed_at else None
            yield Past(person_id, at, hire.starts_on or hire.hired_at.date(), closed_on)


def _standings(since: dt.datetime) -> Iterator[tuple[uuid.UUID, dt.datetime, Standing]]:
    """Where the referrals of a time stand, folded from their events as everywhere."""
    rows = db.session.execute(
        select(Referral.id, Referral.referrer_id, Referral.received_at).where(
            Referral.referrer_id.is_not(None), Referral.received_at >= since
        )
    ).all()
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        events = _events([row.id for row in some])
        for id_, person_id, at in some:
            if person_id is not None:
                yield person_id, at, stages.fold(at, events.get(id_, []))


def _events(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[stages.Fact]]:
    rows = db.session.execute(
        select(
            ReferralEvent.referral_id, ReferralEvent.kind, ReferralEvent.occurred_at,
            ReferralEvent.stage, ReferralEvent.closure_reason, ReferralEvent.hire_key,
            ReferralEvent.starts_on, ReferralEvent.source,
        ).where(ReferralEvent.referral_id.in_(ids))
    ).all()  # fmt: skip
    found: dict[uuid.UUID, list[stages.Fact]] = defaultdict(list)
    for r in rows:
        fact = stages.Fact(
            r.kind, r.occurred_at, r.stage, r.closure_reason, r.hire_key, r.starts_on,
            by_person=r.source in ("recruiter", "candidate"),
        )  # fmt: skip
        found[r.referral_id].append(fact)
    return found


def _posts(fact: str) -> Callable[[dt.datetime], Iterator[Past]]:
    def read(since: dt.datetime) -> Iterator[Past]:
        shares = select(Share).where(Share.published_at >= since).options(
            load_only(
                Share.person_id, Share.published_at, Share.disclosure, Share.status,
                Share.withdrawn_at, Share.own_words_percent, raiseload=True,
            )
        )  # fmt: skip
        for share in db.session.scalars(shares):
            for each in post_facts(share):
                if each.code == fact:
                    yield Past(share.person_id, each.at)

    return read


def _visits(since: dt.datetime) -> Iterator[Past]:
    rows = (
        select(Share.person_id, Click.occurred_at)
        .join(Click, Click.link_id == Share.link_id)
        .where(
            Click.verdict == "person",
            Click.occurred_at >= since,
            Share.disclosure != disclosures.NONE,
        )
        .execution_options(yield_per=2_000)
    )
    for person_id, at in db.session.execute(rows):
        yield Past(person_id, at)


_READ: dict[str, Callable[[dt.datetime], Iterator[Past]]] = {
    "application": _applications,
    "interview": _interviews,
    "hire": _hires,
    "share": _posts("share"),
    "own-words": _posts("own-words"),
    VISIT: _visits,
}
