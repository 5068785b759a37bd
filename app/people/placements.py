"""Movers: what was a person's place before stays in the history, with its dates.

Whoever changes department, site, entity or manager of an entry, a human, a file or SCIM, leaves
the place before behind in the same transaction, and the fact `person.moved`. Points stay;
audiences follow, because they are read from the entry itself; a role limited to a segment that
its holder is no longer in is put before an administrator, never silently kept or taken.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, event, func, insert, inspect, select
from sqlalchemy.orm import Mapper, Session

from app import audit, clock, outbox
from app.db import db, new_id, transaction
from app.errors import NotFound
from app.people import segments
from app.people.lookup import load_person
from app.people.models import Person, RoleGrant, Segment
from app.people.transition_models import Placement, RoleReview

PLACE = ("department", "site", "entity_id", "manager_id")
KEPT, TAKEN = "kept", "taken"
MOST = 200


@dataclass(frozen=True, slots=True)
class Review:
    """A limited role to look at, with what a human needs to decide."""

    id: uuid.UUID
    person_id: uuid.UUID
    name: str
    role: str
    segment: str
    noted_at: dt.datetime


@event.listens_for(Person, "before_update")
def _note_move(mapper: Mapper[Person], connection: Connection, person: Person) -> None:
    """The place before, if one of its parts changes now."""
    parts = {name: inspect(person).attrs[name].history for name in PLACE}
    if not any(part.has_changes() for part in parts.values()):
        return
    before = {
        name: part.deleted[0] if part.deleted else getattr(person, name)
        for name, part in parts.items()
        if not (part.added and not part.deleted)
    }
    note_moves(connection, [(person.id, {**dict.fromkeys(PLACE), **before}, person.created_at)])


def note_moves(
    connection: Connection,
    moves: Iterable[tuple[uuid.UUID, dict[str, Any], dt.datetime]],
) -> None:
    """Keep the places that people leave: (person, place before, when the entry was made). For
    the entries of the ORM this happens by itself; a bulk statement calls it in its transaction."""
    now = clock.now()
    for person_id, before, created_at in moves:
        last = connection.execute(
            select(func.max(Placement.ended_at)).where(Placement.person_id == person_id)
        ).scalar_one_or_none()
        connection.execute(
            insert(Placement).values(
                id=new_id(), person_id=person_id, started_at=last or created_at, ended_at=now,
                **before,
            )
        )  # fmt: skip
        outbox.record("person.moved", person_id=str(person_id))


def placements_of(person_id: uuid.UUID) -> list[Placement]:
    """Where the person was before, the latest first."""
    rows = (
        select(Placement)
        .where(Placement.person_id == person_id)
        .order_by(Placement.ended_at.desc(), Placement.id.desc())
        .limit(MOST)
    )
    return [*db.session.scalars(rows)]


def place_at(person_id: uuid.UUID, at: dt.datetime) -> dict[str, Any]:
    """Department, site, entity and manager at one moment: the team of the time."""
    row = db.session.scalars(
        select(Placement)
        .where(Placement.person_id == person_id, Placement.ended_at > at)
        .order_by(Placement.ended_at, Placement.id)
        .limit(1)
    ).one_or_none()
    found = row or db.session.get(Person, person_id)
    return {name: getattr(found, name, None) for name in PLACE}


# --- roles limited to a segment ----------------------------------------------------------


@outbox.on("person.moved", "people.review_roles")
def review_roles(person_id: str) -> None:
    """Put roles limited to a segment that the person is not in before an administrator, once."""
    session, id_ = db.session(), uuid.UUID(person_id)
    limited = session.execute(
        select(RoleGrant.role, RoleGrant.segment_id).where(
            RoleGrant.person_id == id_, RoleGrant.segment_id.is_not(None)
        )
    ).all()
    if not limited:
        return
    inside = segments.segments_of(id_)
    known = set(
        session.execute(
            select(RoleReview.role, RoleReview.segment_id).where(
                RoleReview.person_id == id_, RoleReview.settled_at.is_(None)
            )
        )
    )
    for role, segment_id in limited:
        if segment_id not in inside and (role, segment_id) not in known:
            session.add(RoleReview(person_id=id_, role=role, segment_id=segment_id))


def open_reviews(person_id: uuid.UUID | None = None) -> list[Review]:
    """Limited roles that wait for a look, the oldest first; of one person, or of all."""
    rows = (
        select(
            RoleReview.id, RoleReview.person_id, Person.name, RoleReview.role, Segment.name,
            RoleReview.noted_at,
        )
        .join(Person, Person.id == RoleReview.person_id)
        .join(Segment, Segment.id == RoleReview.segment_id)
        .where(RoleReview.settled_at.is_(None), Person.departed_at.is_(None))
        .order_by(RoleReview.noted_at, RoleReview.id)
        .limit(MOST)
    )  # fmt: skip
    if person_id is not None:
        rows = rows.where(RoleReview.person_id == person_id)
    return [Review(*row) for row in db.session.execute(rows)]


def settle_review(review_id: uuid.UUID, outcome: str, *, actor_id: uuid.UUID) -> None:
    """Keep a limited role, or take it. Settled once; raises `NotFound`."""
    with transaction() as session:
        review = session.get(RoleReview, review_id)
        if review is None or outcome not in (KEPT, TAKEN):
            raise NotFound(_l("There is nothing here to decide."))
        person = load_person(session, review.person_id)
        session.refresh(review)
        if review.settled_at is not None:
            return
        if outcome == TAKEN:
            _take(person, review, actor_id)
        review.settled_at, review.settled_by, review.outcome = clock.now(), actor_id, outcome
        audit.record(
            "role.reviewed", "person", person.id, actor_id=actor_id, role=review.role,
            segment=str(review.segment_id), outcome=outcome,
        )  # fmt: skip


def _take(person: Person, review: RoleReview, actor_id: uuid.UUID) -> None:
    def is_meant(grant: RoleGrant) -> bool:
        return grant.role == review.role and grant.segment_id == review.segment_id

    if any(is_meant(grant) for grant in person.role_grants):
        person.role_grants = [g for g in person.role_grants if not is_meant(g)]
        audit.record("role.taken", "person", person.id, actor_id=actor_id, role=review.role)


def forget_reviews(session: Session, person_id: uuid.UUID) -> None:
    """Nothing is left to decide about somebody without roles."""
    rows = select(RoleReview).where(
        RoleReview.person_id == person_id, RoleReview.settled_at.is_(None)
    )
    for review in session.scalars(rows):
        review.settled_at, review.outcome = clock.now(), TAKEN
