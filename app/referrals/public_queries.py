"""Reads for the pages without an account: an offer, who recommends it, one's own application."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select

from app import clock
from app.audit.models import AuditEntry
from app.db import db
from app.people import names
from app.people.models import Person
from app.referrals import clicks, links, queries, stages
from app.referrals.models import Candidate, Connection, Offer, Referral
from app.referrals.service import facts_of

OPENED = "referral.opened"


def offer_of(slug: str) -> Offer | None:
    """The offer at a public address; drafts are not public."""
    if "\x00" in slug:  # PostgreSQL has no such character
        return None
    return db.session.scalars(
        select(Offer).where(Offer.slug == slug, Offer.status != "draft")
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class Recommender:
    """A member as strangers see them: first name and initial (rule P6), and their words."""

    id: uuid.UUID
    display_name: str
    given_name: str
    initials: str
    avatar: int
    is_colleague: bool
    words: str


def _recommender(person: Person | None, offer_id: uuid.UUID | None) -> Recommender | None:
    if person is None or not person.is_member:
        return None
    return Recommender(
        id=person.id,
        display_name=person.short_name,
        given_name=person.given_name,
        initials=person.initials,
        avatar=person.avatar,
        is_colleague=person.kind == "employee",
        words=queries.words_of(person.id, offer_id) if offer_id else "",
    )


@dataclass(frozen=True, slots=True)
class Mention:
    """A recommendation as it stands on the page and travels in the form."""

    by: Recommender
    code: str
    click_id: str


def mention_of(offer_id: uuid.UUID, code: str, click_id: str) -> Mention | None:
    """Who recommends this offer by a code; None where the code does not (or no longer)."""
    target = links.find(code)
    if target is None or not target.alive or target.offer_id != offer_id:
        return None
    by = _recommender(db.session.get(Person, target.person_id), offer_id)
    if by is None:
        return None
    click = clicks.read_signed(click_id)
    return Mention(by, code, click_id if click and click[1] == target.link_id else "")


def follower_name(offer: Offer) -> str:
    """First name and initial of the recruiter, or nothing."""
    person = db.session.get(Person, offer.recruiter_id) if offer.recruiter_id else None
    return person.short_name if person is not None and person.departed_at is None else ""


def greenhouse_source(offer: Offer) -> str | None:
    """The token of the tracking system that means "referred", where its connection has one."""
    row = db.session.get(Connection, offer.connection_id) if offer.connection_id else None
    if row is None or row.kind != "greenhouse":
        return None
    token = (row.settings or {}).get("gh_src")
    return token if isinstance(token, str) and token else None


# --- one's own application ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six stages: `state` is 'done', 'here' or 'ahead'; `at` where it is known."""

    stage: str
    state: str
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody of the house opened the file."""

    at: dt.datetime
    role: str


@dataclass(frozen=True, slots=True)
class Follower:
    """Who follows an application."""

    name: str
    given_name: str
    email: str


@dataclass(frozen=True, slots=True)
class Application:
    """What the private page shows. `reached` is how far a closed one had come."""

    id: uuid.UUID
    name: str
    first_name: str
    last_name: str
    phone: str
    offer_title: str
    offer_location: str
    offer_slug: str | None
    stage: str
    reached: str
    stage_at: dt.datetime
    closure_reason: str | None
    starts_on: dt.date | None
    received_at: dt.datetime
    promise_due_at: dt.datetime | None
    is_late: bool
    next_step: str
    visibility: str
    steps: list[Step]
    by: Recommender | None
    follower: Follower | None
    openings: list[Opening]

    @property
    def is_running(self) -> bool:
        return self.stage not in stages.ENDS


def application(referral_id: uuid.UUID) -> Application | None:
    """One's own application; None once the person was erased."""
    row = db.session.get(Referral, referral_id)
    candidate = db.session.get(Candidate, row.candidate_id) if row and row.candidate_id else None
    if row is None or candidate is None or candidate.erased_at is not None:
        return None
    offer = db.session.get(Offer, row.offer_id) if row.offer_id else None
    referrer = db.session.get(Person, row.referrer_id) if row.referrer_id else None
    reached, steps = _path(row)
    due = row.promise_due_at
    return Application(
        id=row.id,
        name=candidate.name or "",
        first_name=candidate.first_name or "",
        last_name=candidate.last_name or "",
        phone=candidate.phone or "",
        offer_title=offer.title if offer else "",
        offer_location=offer.location if offer else "",
        offer_slug=offer.slug if offer else None,
        stage=row.stage,
        reached=reached,
        stage_at=row.stage_at,
        closure_reason=row.closure_reason,
        starts_on=row.starts_on,
        received_at=row.received_at,
        promise_due_at=due,
        is_late=due is not None and due < clock.now(),
        next_step=row.next_step or "",
        visibility=row.visibility,
        steps=steps,
        by=_recommender(referrer, row.offer_id),
        follower=_follower(row),
        openings=openings(row.id),
    )


_PATH = (*stages.PIPELINE, "hired", "trial_passed")


def _path(row: Referral) -> tuple[str, list[Step]]:
    """How far it came, and the stages with the day each was reached last. The stages a closed
    application never reached are left out."""
    facts = facts_of(row.id)
    standing = stages.fold(row.received_at, [f for f in facts if f.kind != "closed"])
    here = _PATH.index(standing.stage)
    at: dict[str, dt.datetime] = {"received": row.received_at}
    for fact in sorted(facts, key=lambda f: f.occurred_at):
        name = fact.stage if fact.kind == "stage" else fact.kind
        if name in _PATH and name != "received":
            at[name] = fact.occurred_at
    closed = row.stage == "closed"
    found = [
        Step(
            stage,
            "done" if i < here or closed else "here" if i == here else "ahead",
            at.get(stage) if i <= here else None,
        )
        for i, stage in enumerate(_PATH)
        if i <= here or not closed
    ]
    return standing.stage, found


def _follower(row: Referral) -> Follower | None:
    person = db.session.get(Person, row.owner_id) if row.owner_id else None
    if person is None or person.departed_at is not None:
        return None
    return Follower(person.name, names.given_name(person.name), person.email)


def openings(referral_id: uuid.UUID) -> list[Opening]:
    """Who of the house opened the file, by role, the latest first."""
    rows = db.session.execute(
        select(AuditEntry.at, AuditEntry.actor_role)
        .where(
            AuditEntry.target_kind == "referral",
            AuditEntry.target_id == str(referral_id),
            AuditEntry.action == OPENED,
        )
        .order_by(AuditEntry.at.desc())
        .limit(200)
    ).all()
    return [Opening(row.at, row.actor_role or "") for row in rows]
