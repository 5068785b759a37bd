"""An address of the person's own, for after the last day.

Typed by the person before leaving, or by an administrator at their wish; nothing but the question
whether it is theirs is sent to it before its mailbox answered by a link. The link to keep an
account as a former employee goes there, and nowhere else once there is one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit, clock, crypto, outbox
from app.db import db, transaction
from app.people.errors import LinkUnreadable, LinkUsed, check_form
from app.people.lookup import load_person
from app.people.models import Person
from app.people.text import is_usable, normal_address
from app.people.transition_models import PersonalAddress

CONFIRM, KEEP = "personal-address", "kept-account"
LONGEST: Final = dt.timedelta(days=1200)
_STATE_LENGTH: Final = 16


def address_of(person_id: uuid.UUID) -> PersonalAddress | None:
    """What the person gave, confirmed or not."""
    return db.session.get(PersonalAddress, person_id)


def give_address(
    person_id: uuid.UUID, email: str, *, actor_id: uuid.UUID | None = None
) -> PersonalAddress:
    """Note an address and ask its mailbox. Raises `InvalidInput`, `NoSuchPerson`."""
    address = normal_address(email)
    if not is_usable(address):
        raise check_form({"email": _l("Give a mail address such as name@company.org.")})
    with transaction() as session:
        person = load_person(session, person_id)
        if address == person.email:
            raise check_form({"email": _l("Give an address that stays yours after your last day.")})
        row = session.get(PersonalAddress, person_id) or PersonalAddress(person_id=person_id)
        if row.email != address:
            row.confirmed_at = None
        row.email, row.given_at = address, clock.now()
        session.add(row)
        audit.record("address.given", "person", person_id, actor_id=actor_id)
        if row.confirmed_at is None:
            outbox.record("address.given", person_id=str(person_id))
    return row


def withdraw_address(person_id: uuid.UUID) -> bool:
    """Forget it; False when there was none."""
    with transaction() as session:
        load_person(session, person_id)
        if session.get(PersonalAddress, person_id) is None:
            return False
        forget_address(session, person_id)
        audit.record("address.withdrawn", "person", person_id, actor_id=person_id)
    return True


def forget_address(session: Session, person_id: uuid.UUID) -> None:
    """It has served."""
    row = session.get(PersonalAddress, person_id)
    if row is not None:
        session.delete(row)
        session.flush()


@outbox.on("person.decided_nothing", "people.forget_address")
def on_decided_nothing(person_id: str) -> None:
    """The days to decide are over: the address has no use any more, and its link ends with it."""
    forget_address(db.session(), uuid.UUID(person_id))


def forget_old() -> int:
    """Addresses of people who left so long ago that no rule leaves them days to decide."""
    gone = select(Person.id).where(Person.departed_at < clock.now() - LONGEST)
    with transaction() as session:
        old = session.scalars(
            delete(PersonalAddress)
            .where(PersonalAddress.person_id.in_(gone))
            .returning(PersonalAddress.person_id)
        ).all()
    return len(old)


# --- links -------------------------------------------------------------------------------


def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for(purpose))], salt=purpose)


def _state(person_id: uuid.UUID) -> str:
    row = address_of(person_id)
    return crypto.fingerprint(row.email, CONFIRM)[:_STATE_LENGTH] if row else ""


def token_for(purpose: str, person_id: uuid.UUID) -> str:
    """What stands in a link: whose it is, and for which address. A link ends with the address:
    withdrawn, changed or used, it opens nothing."""
    return str(_serializer(purpose).dumps([person_id.hex, _state(person_id)]))


def read_token(purpose: str, token: str) -> Person:
    """Whose link it is. Raises `LinkUnreadable`, `LinkUsed`."""
    try:
        raw, state = _serializer(purpose).loads(token)
        person = db.session.get(Person, uuid.UUID(raw))
    except (BadSignature, ValueError, TypeError) as error:
        raise LinkUnreadable from error
    if person is None:
        raise LinkUnreadable
    if not state or state != _state(person.id):
        raise LinkUsed
    return person


def confirm_address(token: str) -> Person:
    """The mailbox answered. Twice is once. Raises `LinkUnreadable`, `LinkUsed`."""
    with transaction() as session:
        person = read_token(CONFIRM, token)
        load_person(session, person.id)
        row = session.get(PersonalAddress, person.id)
        if row is None:
            raise LinkUsed
        if row.confirmed_at is None:
            row.confirmed_at = clock.now()
            audit.record("address.confirmed", "person", person.id, actor_id=person.id)
    return person
