"""People as an identity provider names them: by issuer and subject, never by address alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.db import transaction
from app.people.errors import NotInDirectory, OtherIdentity
from app.people.lookup import load_person
from app.people.models import Identity, Person
from app.people.text import normal_address


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says. `email` is None where it gives none or has not verified it."""

    issuer: str
    subject: str
    email: str | None


def recognise(claims: Claims) -> uuid.UUID:
    """The person these claims stand for.

    The first time, the verified address links them to the directory entry that has it; from
    then on the subject decides, so an address may change hands without opening an account.
    Raises `NotInDirectory`, and `OtherIdentity` where the entry is linked to another subject.
    """
    with transaction() as session:
        person = session.scalar(
            select(Person)
            .join(Identity, Identity.person_id == Person.id)
            .where(Identity.issuer == claims.issuer, Identity.subject == claims.subject)
        )
        if person is None:
            person = _link(session, claims)
        if person.departed_at is not None:
            raise NotInDirectory
        return person.id


def _link(session: Session, claims: Claims) -> Person:
    found = select(Person.id).where(Person.email == normal_address(claims.email or ""))
    person_id = session.scalar(found.where(Person.departed_at.is_(None)))
    if not claims.email or person_id is None:
        raise NotInDirectory
    person = load_person(session, person_id)
    linked = session.scalar(
        select(Identity.subject).where(
            Identity.person_id == person_id, Identity.issuer == claims.issuer
        )
    )
    if linked is None:
        session.add(Identity(person_id=person_id, issuer=claims.issuer, subject=claims.subject))
        audit.record("identity.linked", "person", person_id, actor_id=person_id)
    elif linked != claims.subject:
        raise OtherIdentity
    return person
