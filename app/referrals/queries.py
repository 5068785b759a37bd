"""Reads about referrals, shaped for pages, the API and the awards. Plain rows, keysets."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app import clock
from app.db import db
from app.people.models import Person
from app.people.queries import Named, has_left
from app.prepared import Reading
from app.referrals import reach, stages
from app.referrals.models import (
    STAGES,
    AtsEvent,
    Candidate,
    Claim,
    ClickCount,
    Connection,
    Decision,
    Offer,
    OfferLink,
    Recommendation,
    Referral,
    ReferralEvent,
)  # fmt: skip
from app.referrals.reach import Within
from app.referrals.service import facts_of
from app.web.cursors import Beside, beside, encode_cursor, first_part, throughout

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One step as it happened."""

    stage: str
    occurred_at: dt.datetime
    source: str


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One clue and what became of it; the name of somebody who left is None."""

    person_id: uuid.UUID
    person_name: str | None
    kind: str
    claimed_at: dt.datetime
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """A referral in a list. `stage` is what this reader may see (None: nothing yet)."""

    id: uuid.UUID
    offer_id: uuid.UUID | None
    offer_title: str | None
    offer_location: str | None
    candidate_name: str | None
    referrer_id: uuid.UUID | None
    referrer_name: str | None
    owner_id: uuid.UUID | None
    owner_name: str | None
    channel: str | None
    visibility: str
    stage: str | None
    stage_at: dt.datetime
    closure_reason: str | None
    received_at: dt.datetime
    promise_due_at: dt.datetime | None
    next_step: str | None
    external_id: str | None
    hired_at: dt.datetime | None
    starts_on: dt.date | None
    version: int

    @property
    def referrer(self) -> Named | None:
        """Who recommended, as pages show people."""
        if self.referrer_id is None or self.referrer_name is None:
            return None
        return Named(self.referrer_id, self.referrer_name)


@dataclass(frozen=True, slots=True)
class ReferralFilter:
    """What a list shows. For a member, `referrer_id` is set and hidden stages stay hidden; for
    the team, `within` is how far the reader's role goes."""

    referrer_id: uuid.UUID | None = None
    stage: str | None = None
    offer_id: uuid.UUID | None = None
    external_id: str | None = None
    owner_id: uuid.UUID | None = None
    unowned: bool = False
    late: bool = False
    running: bool = False
    contested: bool = False
    q: str = ""
    site: str = ""
    ids: tuple[uuid.UUID, ...] = field(default=())
    entity_id: uuid.UUID | None = None
    within: Within = None


_referrer = aliased(Person, name="referrer")
_owner = aliased(Person, name="owner")


def _named(person: Any) -> ColumnElement[str | None]:
    """What somebody brought stays credited to them; nobody who left is named (rule W2)."""
    return case((has_left(person), None), else_=person.name)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Referral.id, Referral.offer_id, Offer.title, Offer.location, Candidate.first_name,
            Candidate.last_name, Referral.referrer_id, _named(_referrer).label("referrer_name"),
            Referral.owner_id, _owner.name.label("owner_name"), OfferLink.channel,
            Referral.visibility, Referral.stage, Referral.stage_at, Referral.closure_reason,
            Referral.received_at, Referral.promise_due_at, Referral.next_step,
            Referral.external_id, Referral.hired_at, Referral.starts_on, Referral.version,
        )
        .outerjoin(Offer, Offer.id == Referral.offer_id)
        .outerjoin(Candidate, Candidate.id == Referral.candidate_id)
        .outerjoin(_referrer, _referrer.id == Referral.referrer_id)
        .outerjoin(_owner, _owner.id == Referral.owner_id)
        .outerjoin(OfferLink, OfferLink.id == Referral.link_id)
    )  # fmt: skip


def _seen_by_referrer(stage: str) -> ColumnElement[bool]:
    """Referrals that stand at `stage` in the eyes of their referrer."""
    if stage in stages.ENDS:
        return Referral.stage == stage
    at_stage = and_(Referral.visibility == "all", Referral.stage == stage)
    if stage != "received":
        return at_stage
    hidden = and_(Referral.visibility == "ends", Referral.stage.not_in(stages.ENDS))
    return or_(at_stage, hidden)


def _conditions(f: ReferralFilter) -> list[ColumnElement[bool]]:
    found = _whose(f)
    equal = (
        (Referral.offer_id, f.offer_id),
        (Referral.external_id, f.external_id),
        (Referral.owner_id, f.owner_id),
        (Offer.location, f.site or None),
        (Offer.entity_id, f.entity_id),
    )
    found += [column == value for column, value in equal if value is not None]
    if f.within is not None:
        found.append(reach.kept_referrals(f.within))
    if f.ids:
        found.append(Referral.id.in_(f.ids))
    if f.unowned:
        found.append(Referral.owner_id.is_(None))
    if f.running:
        found.append(Referral.stage.not_in(("closed", "trial_passed")))
    if f.late:
        found.append(_late())
    if f.contested:
        found.append(_contested())
    if f.q.strip():
        found.append(_matches(f.q.strip()))
    return found


def _told_to_referrer() -> ColumnElement[bool]:
    """Referrals that their referrer may know of: a candidate may choose that nothing is told,
    not even a number, before the end."""
    return or_(Referral.visibility != "none", Referral.stage.in_(stages.ENDS))


def _whose(f: ReferralFilter) -> list[ColumnElement[bool]]:
    """All for staff; for a referrer their own, and a filter by stage finds only what they see."""
    if f.referrer_id is None:
        return [Referral.stage == f.stage] if f.stage else []
    found: list[ColumnElement[bool]] = [
        Referral.referrer_id == f.referrer_id,
        _told_to_referrer(),
    ]
    return [*found, _seen_by_referrer(f.stage)] if f.stage else found


def _late() -> ColumnElement[bool]:
    """Its answer was promised for a day that is over."""
    return and_(Referral.promise_due_at < clock.now(), Referral.ended_at.is_(None))


def _contested() -> ColumnElement[bool]:
    """More than one person claims it."""
    other = aliased(Claim)
    return exists().where(
        Claim.referral_id == Referral.id,
        Claim.outcome != "confirmed",
        other.referral_id == Referral.id,
        other.outcome != "confirmed",
        other.person_id > Claim.person_id,
    )


def _matches(q: str) -> ColumnElement[bool]:
    like = f"%{q.replace('%', '').replace('_', '')}%"
    full = func.coalesce(Candidate.first_name, "") + " " + func.coalesce(Candidate.last_name, "")
    return or_(
        full.ilike(like),
        Offer.title.ilike(like),
        Offer.location.ilike(like),
        _named(_referrer).ilike(like),
    )


def referrals(
    f: ReferralFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    oldest: bool = False,
    limit: int = 50,
) -> Beside[ReferralRow]:
    """The referrals after one place of the list, or before another, by date of reception, the
    newest first (or the `oldest`). Raises `InvalidInput` for a cursor that is none."""
    limit, own = max(1, min(limit, MAX_PAGE)), f.referrer_id is not None
    whole = f == ReferralFilter(referrer_id=f.referrer_id)
    if own and whole and not (after or before or oldest):
        found = _BROUGHT.all({"referrer_id": f.referrer_id, "most": limit + 1})
        return first_part([_row(row, for_referrer=True) for row in found], limit, _place)
    return beside(
        _rows().where(*_conditions(f)),
        (Referral.received_at, Referral.id),
        lambda part: [_row(row, for_referrer=own) for row in db.session.execute(part)],
        _place,
        after=after,
        before=before,
        limit=limit,
        rising=oldest,
    )


def _place(row: ReferralRow) -> str:
    return encode_cursor(row.received_at, row.id)


# What one person brought stands on the first page of everybody who brought somebody.
_BROUGHT: Final = Reading(
    _rows()
    .where(Referral.referrer_id == bindparam("referrer_id"), _told_to_referrer())
    .order_by(Referral.received_at.desc(), Referral.id.desc())
    .limit(bindparam("most", type_=Integer, literal_execute=True))
)


def _row(r: Any, *, for_referrer: bool) -> ReferralRow:
    (id_, offer_id, title, location, first, last, referrer_id, referrer_name, owner_id, owner_name,
     channel, visibility, stage, stage_at, closure, received_at, promise, next_step, external_id,
     hired_at, starts_on, version) = r  # fmt: skip
    name = f"{first or ''} {last or ''}".strip() or None
    seen = stages.visible_stage(stage, visibility) if for_referrer else stage
    hidden = for_referrer and seen != stage
    if for_referrer and name:
        name = f"{first} {last[0]}." if first and last else name
    return ReferralRow(
        id=id_, offer_id=offer_id, offer_title=title, offer_location=location,
        candidate_name=name if seen is not None else None, referrer_id=referrer_id,
        referrer_name=referrer_name, owner_id=owner_id, owner_name=owner_name, channel=channel,
        visibility=visibility, stage=seen, stage_at=received_at if hidden else stage_at,
        # Of an end the referrer learns only that it was the person's own wish (rule P7).
        closure_reason=closure if not for_referrer or closure == "withdrawn" else None, received_at=received_at,
        promise_due_at=None if hidden else promise, next_step=None if for_referrer else next_step,
        external_id=None if for_referrer else external_id, hired_at=hired_at, starts_on=starts_on,
        version=version,
    )  # fmt: skip


def referral(
    referral_id: uuid.UUID, *, referrer_id: uuid.UUID | None = None, within: Within = None
) -> ReferralRow | None:
    """One referral, for staff as far as their role goes, or for its referrer; None where it is
    not theirs."""
    asked = ReferralFilter(referrer_id=referrer_id, ids=(referral_id,), within=within)
    return next(iter(referrals(asked, limit=1).rows), None)


@dataclass(frozen=True, slots=True)
class Detail:
    """What stands behind one referral, as far as its reader may know."""

    history: list[HistoryLine]
    claims: list[ClaimLine]
    decision: Decision | None


def details(rows: Sequence[ReferralRow], *, for_referrer: bool) -> dict[uuid.UUID, Detail]:
    """History, claims and decision of a page of referrals, in three reads for the page."""
    ids = [row.id for row in rows]
    events, told, decided = _events(ids), _claims(ids), _decisions(ids)
    return {
        row.id: Detail(
            history=_history(row, events.get(row.id, []), for_referrer=for_referrer),
            claims=told.get(row.id, []),
            decision=decided.get(row.id),
        )
        for row in rows
    }


def detail(row: ReferralRow, *, for_referrer: bool) -> Detail:
    """The same for one referral."""
    return details([row], for_referrer=for_referrer)[row.id]


_Told = tuple[str, str | None, dt.datetime, str]


def _events(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[_Told]]:
    found: dict[uuid.UUID, list[_Told]] = {}
    row: Any
    for row in db.session.execute(
        select(
            ReferralEvent.referral_id, ReferralEvent.kind, ReferralEvent.stage,
            ReferralEvent.occurred_at, ReferralEvent.source,
        )
        .where(ReferralEvent.referral_id.in_(ids))
        .order_by(ReferralEvent.occurred_at, ReferralEvent.recorded_at)
    ):  # fmt: skip
        found.setdefault(row[0], []).append((row[1], row[2], row[3], row[4]))
    return found


def _history(row: ReferralRow, events: list[_Told], *, for_referrer: bool) -> list[HistoryLine]:
    """What happened, oldest first; the same thing told by two deliveries is one line."""
    lines = {("received", row.received_at): HistoryLine("received", row.received_at, "candidate")}
    for kind, told, at, source in events:
        stage = told if kind == "stage" else kind
        if stage is not None and (stage != "received" or len(lines) > 1):
            lines.setdefault((stage, at), HistoryLine(stage, at, source))
    shown = sorted(lines.values(), key=lambda line: line.occurred_at)
    if for_referrer and row.visibility != "all":
        return [line for line in shown if line.stage in _ENDS_SEEN]
    return shown


_ENDS_SEEN = {"received", "hired", "unhired", "trial_passed", "closed"}


def _claims(ids: list[uuid.UUID]) -> dict[uuid.UUID, list[ClaimLine]]:
    """Every clue about who brought a person: what won first, then the oldest."""
    found: dict[uuid.UUID, list[ClaimLine]] = {}
    row: Any
    for row in db.session.execute(
        select(
            Claim.referral_id, Claim.person_id, _named(Person), Claim.kind, Claim.claimed_at,
            Claim.outcome, Claim.reason,
        )
        .join(Person, Person.id == Claim.person_id)
        .where(Claim.referral_id.in_(ids))
        .order_by((Claim.outcome != "won"), Claim.claimed_at, Claim.id)
    ):  # fmt: skip
        found.setdefault(row[0], []).append(ClaimLine(*row[1:]))
    return found


def _decisions(ids: list[uuid.UUID]) -> dict[uuid.UUID, Decision]:
    """The decision that counts for each: the last one."""
    rows = db.session.scalars(
        select(Decision)
        .where(Decision.referral_id.in_(ids))
        .order_by(Decision.decided_at, Decision.id)
    )
    return {row.referral_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class Due:
    """What the awards need to know of one referral. Times of the events, not of arrival."""

    referrer_id: uuid.UUID | None
    candidate_id: uuid.UUID | None
    received_at: dt.datetime
    visibility: str
    standing: stages.Standing


def due(referral_id: uuid.UUID) -> Due | None:
    """The referral as the awards see it, locked for the rest of the transaction."""
    row = db.session.get(Referral, referral_id, with_for_update=True)
    if row is None:
        return None
    standing = stages.fold(row.received_at, facts_of(referral_id))
    return Due(row.referrer_id, row.candidate_id, row.received_at, row.visibility, standing)


def referral_of_candidate_by(
    candidate_id: uuid.UUID, referrer_id: uuid.UUID
) -> list[tuple[uuid.UUID, dt.datetime]]:
    """Every application of one candidate credited to one member, earliest first."""
    rows = db.session.execute(
        select(Referral.id, Referral.received_at)
        .where(Referral.candidate_id == candidate_id, Referral.referrer_id == referrer_id)
        .order_by(Referral.received_at, Referral.id)
    ).all()
    return [(row.id, row.received_at) for row in rows]


def of_referrer(person_id: uuid.UUID) -> list[uuid.UUID]:
    """All referrals credited to one person."""
    return list(db.session.scalars(select(Referral.id).where(Referral.referrer_id == person_id)))


def each_referral(f: ReferralFilter) -> Iterator[ReferralRow]:
    """All that a list shows, part by part, for an export."""
    return throughout(lambda after: referrals(f, after=after, limit=MAX_PAGE))


COUNTED: Final = 1000
"""A count stops here: a board that shows more than 999 says so instead of counting on."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many, and how many of them are past their promise; both at most `COUNTED`."""

    n: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class BoardCounts:
    """What each stage and each usual filter of the board would show; `events` wait for a person."""

    stages: dict[str, Count]
    running: Count
    mine: Count
    unowned: Count
    late: Count
    contested: Count
    events: int


def board_counts(f: ReferralFilter, me: uuid.UUID) -> BoardCounts:
    """The counts beside a board, in one statement that reads a bounded number of rows each.

    The stages are counted under the whole filter but its words; the others under its offer,
    place and entity only, as their links keep these.
    """
    every = replace(f, q="", stage=None, running=False)
    base = ReferralFilter(
        offer_id=f.offer_id, site=f.site, entity_id=f.entity_id, running=True, within=f.within
    )
    filters = {stage: replace(every, stage=stage) for stage in STAGES} | {
        "running": base,
        "mine": replace(base, owner_id=me),
        "unowned": replace(base, unowned=True),
        "late": replace(base, late=True),
        "contested": replace(base, contested=True),
    }
    parts = [_counted(name, each) for name, each in filters.items()]
    found: dict[str, Count] = {}
    if f.within is None:  # events of no referral are for roles of the whole organisation
        parts.append(_waiting_events())
    for name, n, late in db.session.execute(union_all(*parts)):
        found[name] = Count(n, int(late or 0))
    return BoardCounts(
        stages={stage: found[stage] for stage in STAGES},
        running=found["running"],
        mine=found["mine"],
        unowned=found["unowned"],
        late=found["late"],
        contested=found["contested"],
        events=found.get("events", Count()).n,
    )


def _counted(name: str, f: ReferralFilter) -> Select[*tuple[Any, ...]]:
    rows = (
        select(case((_late(), 1), else_=0).label("late"))
        .select_from(Referral)
        .outerjoin(Offer, Offer.id == Referral.offer_id)
        .where(*_conditions(f))
        .limit(COUNTED)
        .subquery()
    )
    return select(literal(name), func.count(), func.sum(rows.c.late)).select_from(rows)


def _waiting_events() -> Select[*tuple[Any, ...]]:
    rows = select(AtsEvent.id).where(AtsEvent.state == "unmatched").limit(COUNTED).subquery()
    return select(literal("events"), func.count(), literal(0)).select_from(rows)


@dataclass(frozen=True, slots=True)
class NamedOffer:
    """An offer that somebody applied to, for a choice."""

    id: uuid.UUID
    title: str
    location: str


def offers_applied_to(
    chosen: uuid.UUID | None = None, limit: int = 300, *, within: Within = None
) -> list[NamedOffer]:
    """What the board may be narrowed by, by title; the one `chosen` in any case."""
    applied = exists().where(Referral.offer_id == Offer.id)
    rows = db.session.execute(
        select(Offer.id, Offer.title, Offer.location)
        .where(applied, reach.kept_offers(within))
        .order_by(*([Offer.id != chosen] if chosen else []), Offer.title, Offer.id)
        .limit(limit)
    )
    return [NamedOffer(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One of a member's links and its life, every figure measured here. `applications` leaves
    out those whose candidate lets the member know nothing before the end."""

    id: uuid.UUID
    code: str
    channel: str
    created_at: dt.datetime
    revoked_at: dt.datetime | None
    offer_id: uuid.UUID
    offer_title: str
    offer_status: str
    clicks: int
    raw_clicks: int
    applications: int


def links_of(
    person_id: uuid.UUID, *, offer_id: uuid.UUID | None = None, limit: int = 100
) -> list[LinkRow]:
    """A member's links with openings by people, all openings, and the applications that the
    member may know of."""
    people = case((ClickCount.verdict == "person", ClickCount.count), else_=0)
    counted = (
        select(
            ClickCount.link_id,
            cast(func.sum(ClickCount.count), BigInteger).label("raw"),
            cast(func.sum(people), BigInteger).label("people"),
        )
        .where(ClickCount.link_id.in_(select(OfferLink.id).where(OfferLink.person_id == person_id)))
        .group_by(ClickCount.link_id)
        .subquery()
    )
    applied = (
        select(Referral.link_id, func.count().label("n"))
        .where(
            Referral.link_id.is_not(None),
            Referral.referrer_id == person_id,
            _told_to_referrer(),
        )
        .group_by(Referral.link_id)
        .subquery()
    )
    query = (
        select(
            OfferLink.id, OfferLink.code, OfferLink.channel, OfferLink.created_at,
            OfferLink.revoked_at, Offer.id, Offer.title, Offer.status,
            func.coalesce(counted.c.people, 0), func.coalesce(counted.c.raw, 0),
            func.coalesce(applied.c.n, 0),
        )
        .join(Offer, Offer.id == OfferLink.offer_id)
        .outerjoin(counted, counted.c.link_id == OfferLink.id)
        .outerjoin(applied, applied.c.link_id == OfferLink.id)
        .where(OfferLink.person_id == person_id)
        .order_by(OfferLink.created_at.desc())
        .limit(limit)
    )  # fmt: skip
    if offer_id is not None:
        query = query.where(OfferLink.offer_id == offer_id)
    return [LinkRow(*row) for row in db.session.execute(query).all()]


def verdicts(link_id: uuid.UUID) -> dict[str, int]:
    """Why openings of a link were counted or not, by public reason."""
    rows = db.session.execute(
        select(ClickCount.verdict, ClickCount.count.label("openings")).where(
            ClickCount.link_id == link_id
        )
    )
    return {row.verdict: row.openings for row in rows}


def words_of(person_id: uuid.UUID, offer_id: uuid.UUID) -> str:
    """A member's own words about an offer, or nothing."""
    return (
        db.session.scalar(
            select(Recommendation.words).where(
                Recommendation.person_id == person_id, Recommendation.offer_id == offer_id
            )
        )
        or ""
    )


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event of a tracking system that a person must match or dismiss."""

    id: uuid.UUID
    connection_name: str
    kind: str
    application_id: str | None
    received_at: dt.datetime


WAITING_PAGE: Final = 50


def unmatched(*, after: str | None = None, before: str | None = None) -> Beside[WaitingEvent]:
    """The human queue, those who wait longest first: hires that name nobody we know. Raises
    `InvalidInput` for a place of the list that is none."""
    waiting = (
        select(
            AtsEvent.id,
            Connection.name,
            AtsEvent.kind,
            AtsEvent.application_id,
            AtsEvent.received_at,
        )
        .join(Connection, Connection.id == AtsEvent.connection_id)
        .where(AtsEvent.state == "unmatched")
    )
    return beside(
        waiting,
        (AtsEvent.received_at, AtsEvent.id),
        lambda part: [WaitingEvent(*row) for row in db.session.execute(part)],
        lambda event: encode_cursor(event.received_at, event.id),
        after=after,
        before=before,
        limit=WAITING_PAGE,
        rising=True,
    )


@dataclass(frozen=True, slots=True)
class Contact:
    """What the candidate typed about themselves; empty after erasure."""

    name: str | None
    email: str | None
    phone: str | None
    profile_url: str | None
    message: str | None
    erased_at: dt.datetime | None


def contact(referral_id: uuid.UUID) -> Contact | None:
    """The candidate's own words and addresses, for the recruiter who answers."""
    row = db.session.execute(
        select(
            Candidate.first_name, Candidate.last_name, Candidate.email, Candidate.phone,
            Candidate.profile_url, Referral.message, Candidate.erased_at,
        )
        .join(Candidate, Candidate.id == Referral.candidate_id)
        .where(Referral.id == referral_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    name = f"{row.first_name or ''} {row.last_name or ''}".strip() or None
    return Contact(name, row.email, row.phone, row.profile_url, row.message, row.erased_at)
