"""Before the first day nothing is sent, and in a long absence nothing but what was asked for.

`invite` asks `holds` first: an invitation of somebody who starts later waits for their first day.
`may_write` stands before every mail, so that no feature above has to remember.
"""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit
from app.db import db
from app.people.models import Person
from app.people.text import is_nowhere
from app.people.transition_models import HeldInvitation
from app.web.pages import local_today

#: Mails that the person asked for this very moment, or that the law wants them to have.
ASKED_FOR: Final = frozenset(
    {
        "password",
        "sign-in-code",
        "sign-in-changed",
        "email-code",
        "personal-address",
        "departure",
        "correction",
    }
)


def is_ahead(person: Person) -> bool:
    """True before the person's first day."""
    return person.hired_on is not None and person.hired_on > local_today()


def holds(session: Session, person: Person, actor_id: uuid.UUID | None) -> bool:
    """Keep an invitation for the first day; False when that has come and it may leave now."""
    if not is_ahead(person):
        return False
    if session.get(HeldInvitation, person.id) is None:
        session.add(HeldInvitation(person_id=person.id, asked_by=actor_id))
        audit.record("invitation.held", "person", person.id, actor_id=actor_id)
    return True


def due_invitations() -> list[tuple[uuid.UUID, uuid.UUID | None]]:
    """Held invitations whose day has come: who, and who asked for it."""
    rows = (
        select(HeldInvitation.person_id, HeldInvitation.asked_by)
        .join(Person, Person.id == HeldInvitation.person_id)
        .where(
            (Person.hired_on.is_(None)) | (Person.hired_on <= local_today()),
            Person.departed_at.is_(None),
        )
        .limit(1000)
    )
    return [*db.session.execute(rows)]


def forget_held(session: Session, person_id: uuid.UUID) -> None:
    """There is nobody to invite any more."""
    session.execute(delete(HeldInvitation).where(HeldInvitation.person_id == person_id))


def may_write(address: str, template: str) -> bool:
    """False for somebody without an address; and, unless they asked for it, for somebody who
    starts later or is away for long."""
    if is_nowhere(address):
        return False
    if template in ASKED_FOR:
        return True
    row = db.session.execute(
        select(Person.hired_on, Person.suspended_at).where(Person.email == address.lower())
    ).one_or_none()
    if row is None:
        return True
    return row.suspended_at is None and (row.hired_on is None or row.hired_on <= local_today())
