"""People as an identity provider names them: by issuer and subject, never by address alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.db import transaction
from app.people.addresses import normal_address
from app.people.errors import NotInDirectory, OtherIdentity
from app.people.models import Identity, Person


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
    if not claims.email:
        raise NotInDirectory
    person = session.scalar(
        select(Person)
        .where(Person.email == normal_address(claims.email), Person.departed_at.is_(None))
        .with_for_update(of=Person)
    )
    if person is None:
        raise NotInDirectory
    if session.scalar(
        select(Identity.id).where(Identity.person_id == person.id, Identity.issuer == claims.issuer)
    ):
        raise OtherIdentity
    session.add(Identity(person_id=person.id, issuer=claims.issuer, subject=claims.subject))
    audit.record("identity.linked", "person", person.id, actor_id=person.id)
    return person
