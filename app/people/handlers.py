"""Mails about one's own affairs: an invitation, a welcome, a new password.

Each is made from the fact alone, so a fact that is delivered twice sends the same link.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app import mail, outbox
from app.db import db, transaction
from app.people import email_codes, invitations, pauses
from app.people.joining_models import EmailCode, JoinRequest
from app.people.links import INVITATION, RESET, Ticket
from app.people.models import Person, RoleGrant


def _present(person_id: str) -> Person | None:
    person = db.session.get(Person, uuid.UUID(person_id))
    return None if person is None or person.departed_at is not None else person


@outbox.on("person.invited", "people.invitation", outside=True)
def send_invitation(person_id: str, expires_at: int, state: str, reminds: bool = False) -> None:
    """To somebody who takes part already, or said no, nothing is sent (see `invitations`). One
    that reminds waits for working hours, whenever the workers come to it."""
    if reminds and (wait := invitations.reminders_wait()):
        with transaction():
            outbox.record(
                "person.invited", delay=wait, person_id=person_id, expires_at=expires_at,
                state=state, reminds=True,
            )  # fmt: skip
        return
    person = _present(person_id)
    if person is None or not invitations.is_wanted(person):
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
        refusal_link=mail.url(invitations.no_thanks_path(person.id)),
        unsubscribe_url=mail.url(invitations.no_thanks_path(person.id)),
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


@outbox.on("email_code.asked", "people.code", outside=True)
def send_code(code_id: str) -> None:
    """Six figures, for the browser that asked for them."""
    row = db.session.get(EmailCode, uuid.UUID(code_id))
    if row is None:
        return
    to = _mailbox_of(row)
    figures = email_codes.make(row.id)
    if to is None or figures is None:
        return
    email, name, language = to
    mail.send(email, name, "email-code", language, code=figures)


def _mailbox_of(row: EmailCode) -> tuple[str, str, str] | None:
    """Address, name and language. A name that a stranger typed stands in no mail."""
    if row.person_id is not None:
        person = _present(str(row.person_id))
        return (person.email, person.name, person.language) if person else None
    request = db.session.get(JoinRequest, row.request_id) if row.request_id else None
    return (request.email, "", request.language) if request else None


@outbox.on("join_request.asked", "people.tell_asked", outside=True)
def tell_asked(request_id: str) -> None:
    """To the administrators, while somebody waits."""
    request = db.session.get(JoinRequest, uuid.UUID(request_id))
    if request is None or request.asked_at is None:
        return
    admins = db.session.scalars(
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role == "admin",
            RoleGrant.segment_id.is_(None),
            Person.departed_at.is_(None),
            ~pauses.rests(Person.id),
        )
        .order_by(Person.id)
    ).all()
    for person in admins:
        mail.send(
            person.email,
            person.name,
            "join-request",
            person.language,
            person=person,
            link=mail.url("/studio/people/invitations"),
        )
