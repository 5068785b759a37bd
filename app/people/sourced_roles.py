"""Roles that another system gives: by groups of the identity provider, by groups of a directory.

A grant says by its `source` who gave it. What one source gave it alone takes back; a grant of a
human, or of another source, is neither doubled nor taken. The last administrator stays one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.people.models import Person, RoleGrant

log = logging.getLogger(__name__)

Given = tuple[str, uuid.UUID | None]
"""A role with the segment it is limited to, None for the whole organisation."""


def bring_in_line(session: Session, person: Person, wanted: Collection[Given], source: str) -> None:
    """Give and take so that a person, who is locked, holds from this source what it wants."""
    held = {(grant.role, grant.segment_id) for grant in person.role_grants}
    stale = [
        grant
        for grant in person.role_grants
        if grant.source == source and (grant.role, grant.segment_id) not in wanted
    ]
    for grant in stale:
        if not is_last_admin(session, grant):
            person.role_grants.remove(grant)
            note("role.taken", grant, source)
    for role, segment_id in sorted({*wanted} - held, key=str):
        grant = RoleGrant(person_id=person.id, role=role, segment_id=segment_id, source=source)
        person.role_grants.append(grant)
        note("role.given", grant, source)
    session.flush()


def is_last_admin(session: Session, grant: RoleGrant) -> bool:
    """Locks the administrators' grants, as `directory` does, so that two cannot go at once."""
    if grant.role != "admin" or grant.segment_id is not None:
        return False
    admins = (
        select(RoleGrant.person_id)
        .where(RoleGrant.role == "admin", RoleGrant.segment_id.is_(None))
        .order_by(RoleGrant.id)
        .with_for_update()
    )
    if {*session.scalars(admins)} - {grant.person_id}:
        return False
    log.warning("the last administrator stays one, though no group of another system says so")
    return True


def note(action: str, grant: RoleGrant, source: str, actor_id: uuid.UUID | None = None) -> None:
    """Note in the audit trail what a source gave or took."""
    audit.record(
        action, "person", grant.person_id, actor_id=actor_id, role=grant.role, source=source
    )
