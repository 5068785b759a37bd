"""Signed links to a mailbox: to join, to choose a new password.

A link says who it is for, until when, and in which state it found them; nothing is stored
for it. Once the person has joined or the password has changed, that state is another one,
so a link works once. It is made from the fact that asked for it: a mail that is sent twice
carries the same link.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from app import clock, crypto
from app.db import db
from app.people.errors import (
    AlreadyMember,
    Departed,
    InvitationRevoked,
    LinkExpired,
    LinkUnreadable,
    LinkUsed,
)
from app.people.joining_models import Invitation
from app.people.models import Credential, Person

INVITATION, RESET = "invitation", "password-reset"
LIFETIMES = {INVITATION: dt.timedelta(days=14), RESET: dt.timedelta(hours=1)}


def _serializer(purpose: str) -> URLSafeSerializer:
    # itsdangerous signs with the last key and reads with any.
    return URLSafeSerializer([*reversed(crypto.keys_for(purpose))], salt=purpose)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link says. `expires_at` in seconds since the epoch, `state` as the person was."""

    purpose: str
    person_id: uuid.UUID
    expires_at: int
    state: str

    @property
    def expires(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.expires_at, dt.UTC)

    @property
    def token(self) -> str:
        """What stands in the address."""
        content = [self.person_id.hex, self.expires_at, self.state]
        return str(_serializer(self.purpose).dumps(content))


def new_ticket(purpose: str, person: Person) -> Ticket:
    """A link for a person as they are now."""
    expires_at = int((clock.now() + LIFETIMES[purpose]).timestamp())
    return Ticket(purpose, person.id, expires_at, _state(purpose, person))


def _state(purpose: str, person: Person) -> str:
    if purpose == RESET:
        credential = db.session.get(Credential, person.id)
        return crypto.fingerprint(credential.password_hash, RESET)[:16] if credential else ""
    return f"{person.membership.joined_at:%Y%m%d%H%M%S%f}" if person.membership else ""


def read_ticket(purpose: str, token: str) -> Ticket:
    """Raises `LinkUnreadable` for what we never signed, `LinkExpired` for what is too old."""
    try:
        person_id, expires_at, state = _serializer(purpose).loads(token)
    except (BadSignature, ValueError) as error:
        raise LinkUnreadable from error
    if expires_at < clock.timestamp():
        raise LinkExpired
    return Ticket(purpose, uuid.UUID(person_id), expires_at, state)


def person_of(ticket: Ticket) -> Person:
    """Who may still use the link.

    Raises `LinkUnreadable`, `Departed`, `LinkUsed`, and for an invitation `AlreadyMember`,
    `InvitationRevoked`.
    """
    person = db.session.get(Person, ticket.person_id)
    if person is None:
        raise LinkUnreadable
    if person.departed_at is not None:
        raise Departed
    if ticket.purpose == INVITATION and person.is_member:
        raise AlreadyMember
    if ticket.purpose == INVITATION and _is_revoked(ticket):
        raise InvitationRevoked
    if _state(ticket.purpose, person) != ticket.state:
        raise LinkUsed
    return person


def _is_revoked(ticket: Ticket) -> bool:
    """Taken back after this link was made; a newer one is not concerned."""
    row = db.session.get(Invitation, ticket.person_id)
    made_at = ticket.expires - LIFETIMES[INVITATION]
    return row is not None and row.revoked_at is not None and made_at <= row.revoked_at
