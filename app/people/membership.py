"""Joining and leaving: the person's own acts, and the choices they made with them."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit, clock, crypto, outbox
from app.db import db, transaction
from app.people.consents import (
    NOTICE_VERSION,
    PURPOSES,
    TAKING_PART,
    TEXT_VERSION,
    note_given,
    note_withdrawn,
)
from app.people.errors import AlreadyMember, check_form
from app.people.joining_models import EmailCode, InvitationRefusal, Pause
from app.people.logins import end_all_logins
from app.people.lookup import load_member, load_person, load_present
from app.people.models import Consent, Membership, Person
from app.people.passwords import hashed, store_hash
from app.people.tokens import delete_tokens


def _checked_purposes(purposes: Collection[str]) -> set[str]:
    if {*purposes} - {*PURPOSES}:
        raise check_form({"purposes": _l("This choice does not exist.")})
    return {*purposes}


def join(
    person_id: uuid.UUID,
    password: str | None = None,
    purposes: Collection[str] = (),
    *,
    language: str | None = None,
    act: str = "joining",
) -> Membership:
    """The person takes part from now on, with the choices they ticked, read in `language`
    (their own when it is not said).

    Raises `InvalidInput` by field, `AlreadyMember`, `Departed`, `NoSuchPerson`.
    """
    wanted = _checked_purposes(purposes)
    password_hash = None if password is None else hashed(password, person_id)
    with transaction() as session:
        person = load_present(session, person_id)
        if person.is_member:
            raise AlreadyMember
        if password_hash is not None:
            store_hash(session, person_id, password_hash)
        membership = _open_membership(session, person)
        read_in = language or person.language
        note_given(session, person_id, TAKING_PART, language=read_in, act=act)
        for purpose in sorted(wanted):
            _grant(session, person_id, purpose, read_in, act)
        _forget_refusal(session, person)
        audit.record("member.joined", "person", person_id, actor_id=person_id)
        outbox.record("person.joined", person_id=str(person_id))
    return membership


def _open_membership(session: Session, person: Person) -> Membership:
    membership = person.membership or Membership(person_id=person.id)
    membership.joined_at, membership.left_at = clock.now(), None
    membership.notice_version = NOTICE_VERSION
    person.membership = membership
    session.flush()
    return membership


def _forget_refusal(session: Session, person: Person) -> None:
    """Whoever joins has changed their mind about a "no, thank you"."""
    session.execute(
        delete(InvitationRefusal).where(
            InvitationRefusal.address_hash == refusal_hash(person.email)
        )
    )


def refusal_hash(email: str) -> str:
    """How an address that is written to no more is recognised, and never read back."""
    return crypto.fingerprint(email, "no-invitation")


def leave(person_id: uuid.UUID) -> bool:
    """One press, no reason asked: nothing more happens in the person's name.

    False when they were not taking part. Raises `NoSuchPerson`.
    """
    with transaction() as session:
        person = load_person(session, person_id)
        if not person.is_member:
            return False
        end_membership(person, act="leaving")
        end_all_logins(person_id)
        delete_tokens(person_id)
        audit.record("member.left", "person", person_id, actor_id=person_id)
    return True


def end_membership(person: Person, *, act: str = "departure") -> None:
    """Date the end and tell the others. Inside a transaction; harmless for a non-member."""
    if not person.is_member or person.membership is None:
        return
    session, now = db.session(), clock.now()
    person.membership.left_at = now
    for consent in _all_standing(session, person.id):
        consent.withdrawn_at = now
        note_withdrawn(session, person.id, consent.purpose, language=person.language, act=act)
    note_withdrawn(session, person.id, TAKING_PART, language=person.language, act=act)
    for table in (Pause, EmailCode):
        session.execute(delete(table).where(table.person_id == person.id))
    outbox.record("person.left", person_id=str(person.id))


def _all_standing(session: Session, person_id: uuid.UUID) -> list[Consent]:
    found = select(Consent).where(Consent.person_id == person_id, Consent.withdrawn_at.is_(None))
    return list(session.scalars(found.order_by(Consent.purpose)))


def give_consent(
    person_id: uuid.UUID, purpose: str, *, language: str | None = None, act: str = "own-page"
) -> None:
    """Say yes to one purpose; a yes that stands already is left alone.

    Raises `InvalidInput`, `NotMember`, `NoSuchPerson`.
    """
    _checked_purposes([purpose])
    with transaction() as session:
        person = load_member(session, person_id)
        if _standing(session, person_id, purpose) is None:
            _grant(session, person_id, purpose, language or person.language, act)


def withdraw_consent(person_id: uuid.UUID, purpose: str, *, act: str = "own-page") -> None:
    """Take a yes back, as easily as it was given; its row keeps both dates.

    Raises `InvalidInput`, `NoSuchPerson`.
    """
    _checked_purposes([purpose])
    with transaction() as session:
        person = load_person(session, person_id)
        standing = _standing(session, person_id, purpose)
        if standing is None:
            return
        standing.withdrawn_at = clock.now()
        note_withdrawn(session, person_id, purpose, language=person.language, act=act)
        audit.record("consent.withdrawn", "person", person_id, actor_id=person_id, purpose=purpose)
        outbox.record("consent.withdrawn", person_id=str(person_id), purpose=purpose)


def _standing(session: Session, person_id: uuid.UUID, purpose: str) -> Consent | None:
    return session.scalar(
        select(Consent).where(
            Consent.person_id == person_id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
    )


def _grant(session: Session, person_id: uuid.UUID, purpose: str, language: str, act: str) -> None:
    version = TEXT_VERSION[purpose]
    session.add(Consent(person_id=person_id, purpose=purpose, text_version=version))
    note_given(session, person_id, purpose, language=language, act=act)
    audit.record("consent.given", "person", person_id, actor_id=person_id, purpose=purpose)
    outbox.record("consent.given", person_id=str(person_id), purpose=purpose)
