"""Roles that reach a part of the organisation: giving them, taking them back, and who is within.

A role for a segment counts only on routes that say they know reach (`access.role(within=True)`);
there, whoever is outside is answered like somebody unknown. A role that was given for the whole
organisation is `directory.change_roles`'s.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from app import audit
from app.db import db, transaction
from app.errors import NotFound
from app.people.directory import GRANTABLE
from app.people.errors import NoSuchPerson, check_form
from app.people.lookup import load_present
from app.people.models import Person, RoleGrant, Segment
from app.people.segments import people_in, segments_of


class NoSuchGrant(NotFound):
    """Not a grant of this person for a segment."""

    def __init__(self) -> None:
        super().__init__(_l("This role was not given."))


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A granted role: for a segment, or for the whole organisation (`segment_name` None); by
    whom (None: the set-up, or another system named by `source`), and when."""

    id: uuid.UUID
    role: str
    segment_id: uuid.UUID | None
    segment_name: str | None
    granter_name: str | None
    granted_at: dt.datetime
    source: str | None


def grants_of(person_id: uuid.UUID) -> list[GrantRow]:
    """What a person was given, the whole organisation first."""
    granter = aliased(Person)
    query = (
        select(
            RoleGrant.id, RoleGrant.role, RoleGrant.segment_id, Segment.name, granter.name,
            RoleGrant.granted_at, RoleGrant.source,
        )
        .outerjoin(Segment, Segment.id == RoleGrant.segment_id)
        .outerjoin(granter, granter.id == RoleGrant.granted_by)
        .where(RoleGrant.person_id == person_id)
    )  # fmt: skip
    rows = [GrantRow(*row) for row in db.session.execute(query)]
    return sorted(rows, key=lambda row: (row.segment_name or "", row.role))


def give_role(
    person_id: uuid.UUID, role: str, segment_id: uuid.UUID, *, actor_id: uuid.UUID | None
) -> bool:
    """Give a role for one segment; False when it was given already. Raises `InvalidInput` on the
    fields `role` and `segment_id`, `Departed`, `NoSuchPerson`."""
    with transaction() as session:
        if not is_new(session, person_id, role, segment_id):
            return False
        person = load_present(session, person_id)
        person.role_grants.append(RoleGrant(role=role, segment_id=segment_id, granted_by=actor_id))
        audit.record(
            "role.given", "person", person_id, actor_id=actor_id, role=role,
            segment=str(segment_id),
        )  # fmt: skip
    return True


def is_new(session: Session, person_id: uuid.UUID, role: str, segment_id: uuid.UUID) -> bool:
    """Whether a role for a segment can be given and was not yet; locks the person. Raises as
    `give_role` does."""
    if role not in GRANTABLE:
        raise check_form({"role": _l("Choose one of the roles.")})
    segment = session.get(Segment, segment_id)
    if segment is None or segment.archived_at is not None:
        raise check_form({"segment_id": _l("Choose one of the segments.")})
    held = load_present(session, person_id).role_grants
    return not any(g.role == role and g.segment_id == segment_id for g in held)


def take_role(person_id: uuid.UUID, grant_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> None:
    """Take a role for one segment back. Raises `NoSuchGrant`, `Departed`, `NoSuchPerson`."""
    with transaction() as session:
        person = load_present(session, person_id)
        found = [g for g in person.role_grants if g.id == grant_id and g.segment_id is not None]
        if not found:
            raise NoSuchGrant
        person.role_grants.remove(found[0])
        audit.record(
            "role.taken", "person", person_id, actor_id=actor_id, role=found[0].role,
            segment=str(found[0].segment_id),
        )  # fmt: skip


def is_within(person_id: uuid.UUID, within: Collection[uuid.UUID] | None) -> bool:
    """Whether a reader whose role reaches `within` (None: everywhere) may know of somebody."""
    if within is None:
        return True
    found = db.session.scalar(select(Person.id).where(Person.id == person_id, people_in(within)))
    return found is not None


def must_reach(person_id: uuid.UUID, within: Collection[uuid.UUID] | None) -> None:
    """Somebody outside the reader's reach does not exist for them. Raises `NoSuchPerson`."""
    if not is_within(person_id, within):
        raise NoSuchPerson


def reach_of(person_id: uuid.UUID, roles: Collection[str]) -> frozenset[uuid.UUID] | None:
    """How far somebody goes by the best of `roles`, where no request says it (`access.reach`):
    None for everywhere, else the segments; none for somebody who holds none of them."""
    person = db.session.get(Person, person_id)
    if person is None:
        return frozenset()
    grants = [g for g in person.role_grants if g.role in person.roles & {*roles}]
    if any(grant.segment_id is None for grant in grants):
        return None
    return frozenset(grant.segment_id for grant in grants if grant.segment_id is not None)


def holders_for(role: str, person_id: uuid.UUID) -> list[Person]:
    """Everybody whose `role` reaches somebody, in one order, for a mail about them."""
    found = db.session.scalars(
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role == role,
            or_(RoleGrant.segment_id.is_(None), RoleGrant.segment_id.in_(segments_of(person_id))),
            Person.departed_at.is_(None),
        )
        .order_by(Person.id)
    )
    return [person for person in found.unique() if role in person.roles]
