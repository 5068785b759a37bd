"""Six figures by mail: a way in without a password, easy to type on a phone.

A code belongs to the browser that asked for it (the token in its address), so nobody can use up
somebody else's tries. It is good for ten minutes and five tries, once. It is made by the
handler that mails it and stored as a hash alone.

Signing in by code is for people whom nothing stronger protects: not for staff roles, and not
for those whom the organisation's identity provider knows.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from app import clock, crypto, outbox
from app.db import db, new_id, transaction
from app.people.errors import LinkUnreadable, WrongMailCode
from app.people.joining_models import EmailCode
from app.people.logins import SignedIn, start_login
from app.people.models import Identity, Person
from app.people.text import normal_address

LIFETIME: Final = dt.timedelta(minutes=10)
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Proved:
    """Whose mailbox a code proved: a person's who signs in, or that of a request to join."""

    person_id: uuid.UUID | None
    request_id: uuid.UUID | None


# --- the address of the page that asks for it --------------------------------------------


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for("email-code"))], salt="email-code")


def token_of(code_id: uuid.UUID) -> str:
    """What stands in the address of the page where the code is typed."""
    return str(_serializer().dumps(code_id.hex))


def read_token(token: str) -> uuid.UUID:
    """Raises `LinkUnreadable` for what we never signed."""
    try:
        return uuid.UUID(hex=_serializer().loads(token))
    except (BadSignature, TypeError, ValueError, AttributeError) as error:
        raise LinkUnreadable from error


# --- asking ------------------------------------------------------------------------------


def ask_to_sign_in(email: str) -> uuid.UUID:
    """A code for the person of this address. Whether there is one shows nowhere: the answer,
    and what is written, are the same."""
    with transaction() as session:
        person = session.scalar(select(Person).where(Person.email == normal_address(email)))
        known = person is not None and may_sign_in_by_code(person)
        row = _new(person.id if person is not None and known else None, None)
        session.add(row)
        session.flush()
        if known:
            outbox.record("email_code.asked", code_id=str(row.id))
    return row.id


def ask_for_request(request_id: uuid.UUID) -> uuid.UUID:
    """A code for the address of a request to join. Inside the transaction that wrote it."""
    with transaction() as session:
        row = _new(None, request_id)
        session.add(row)
        session.flush()
        outbox.record("email_code.asked", code_id=str(row.id))
    return row.id


def _new(person_id: uuid.UUID | None, request_id: uuid.UUID | None) -> EmailCode:
    return EmailCode(
        id=new_id(), person_id=person_id, request_id=request_id, tries_left=TRIES,
        expires_at=clock.now() + LIFETIME,
    )  # fmt: skip


def may_sign_in_by_code(person: Person) -> bool:
    """Present, without a role of the team, and not known to the identity provider."""
    if person.departed_at is not None or person.role_grants:
        return False
    linked = select(Identity.id).where(Identity.person_id == person.id).limit(1)
    return db.session.scalar(linked) is None


# --- the mail's side ---------------------------------------------------------------------


def make(code_id: uuid.UUID) -> str | None:
    """Fresh figures for a code that was asked for; None when its time is over. Called by the
    mail's handler: a second delivery replaces the first one's figures."""
    figures = f"{secrets.randbelow(1_000_000):06d}"
    with transaction() as session:
        row = session.get(EmailCode, code_id, with_for_update=True)
        if row is None or row.expires_at <= clock.now():
            return None
        row.code_hash = _hash(code_id, figures)
    return figures


def _hash(code_id: uuid.UUID, figures: str) -> str:
    return crypto.fingerprint(f"{code_id.hex}:{figures}", "email-code")


# --- typing it ---------------------------------------------------------------------------


def check(code_id: uuid.UUID, typed: str) -> Proved:
    """Accept the code, once. Raises `WrongMailCode`, after which a try is gone."""
    figures = "".join(c for c in typed if c.isascii() and c.isdigit())
    proved = None
    with transaction() as session:
        row = session.get(EmailCode, code_id, with_for_update=True)
        if row is not None and row.tries_left > 0 and row.expires_at > clock.now():
            if hmac.compare_digest(row.code_hash, _hash(code_id, figures)):
                proved = Proved(row.person_id, row.request_id)
                session.delete(row)
            else:
                row.tries_left -= 1
    if proved is None:
        raise WrongMailCode
    return proved


def sign_in_by_code(code_id: uuid.UUID, typed: str, browser: str) -> SignedIn:
    """Sign the person of a code in. Raises `WrongMailCode`."""
    proved = check(code_id, typed)
    person = db.session.get(Person, proved.person_id) if proved.person_id else None
    if person is None or not may_sign_in_by_code(person):
        raise WrongMailCode
    return start_login(person.id, browser, "code")
