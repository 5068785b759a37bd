"""Mails about one's own affairs: an invitation, a welcome, a new password.

Each is made from the fact alone, so a fact that is delivered twice sends the same link.
"""

from __future__ import annotations

import uuid

from app import mail, outbox
from app.db import db
from app.people.links import INVITATION, RESET, Ticket
from app.people.models import Person


def _present(person_id: str) -> Person | None:
    person = db.session.get(Person, uuid.UUID(person_id))
    return None if person is None or person.departed_at is not None else person


@outbox.on("person.invited", "people.invitation", outside=True)
def send_invitation(person_id: str, expires_at: int, state: str) -> None:
    """To somebody who takes part already, nothing is sent (see `invitations`)."""
    person = _present(person_id)
    if person is None or person.is_member:
        return
    ticket = Ticket(INVITATION, person.id, expires_at, state)
    mail.send(
        person.email,
        person.name,
        "invitation",
        person.language,
        person=person,
        link=mail.url(f"/join/{ticket.token}"),
        expires_at=ticket.expires,
    )


@outbox.on("person.joined", "people.welcome", outside=True)
def send_welcome(person_id: str) -> None:
    """What one can do first, and how to leave."""
    person = _present(person_id)
    if person is None or not person.is_member:
        return
    mail.send(
        person.email,
        person.name,
        "welcome",
        person.language,
        person=person,
        link=mail.url("/"),
        leave_link=mail.url("/me/leaving"),
    )


@outbox.on("password.forgotten", "people.password", outside=True)
def send_password_link(person_id: str, expires_at: int, state: str) -> None:
    """The way to a new password."""
    person = _present(person_id)
    if person is None:
        return
    ticket = Ticket(RESET, person.id, expires_at, state)
    mail.send(
        person.email,
        person.name,
        "password",
        person.language,
        person=person,
        link=mail.url(f"/password/{ticket.token}"),
    )
