"""Reading one person's row for a change: always inside a transaction, always locked."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.people.errors import Departed, NoSuchPerson, NotMember
from app.people.models import Person


def load_person(session: Session, person_id: uuid.UUID, *, erased_too: bool = False) -> Person:
    """The entry, locked until the transaction ends. Raises `NoSuchPerson`, for an erased one
    as well unless `erased_too`: their points still fall due."""
    # Two statements: PostgreSQL would read what is joined to a locked row as it was before
    # the wait, so a membership made meanwhile would be missed.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    person = session.get(Person, person_id, populate_existing=True)
    if person is None or (person.erased_at is not None and not erased_too):
        raise NoSuchPerson
    return person


def load_present(session: Session, person_id: uuid.UUID) -> Person:
    """The entry, locked, of somebody who has not left. Raises `NoSuchPerson`, `Departed`."""
    person = load_person(session, person_id)
    if person.departed_at is not None:
        raise Departed
    return person


def load_member(session: Session, person_id: uuid.UUID) -> Person:
    """The entry, locked, of somebody who takes part. Raises `NoSuchPerson`, `NotMember`."""
    person = load_person(session, person_id)
    if not person.is_member:
        raise NotMember
    return person
