"""Mails around transitions: the question to a personal mailbox, a last day ahead, a departure."""

from __future__ import annotations

import datetime as dt
import uuid

from app import mail, outbox
from app.db import db
from app.people import personal_address, transitions
from app.people.models import Person
from app.people.personal_address import CONFIRM, KEEP

AT_ONCE = dt.timedelta(seconds=30)
"""A membership that ended so shortly before a departure ended with it."""


@outbox.on("address.given", "people.ask_mailbox", outside=True)
def ask_mailbox(person_id: str) -> None:
    """Is this mailbox theirs? Nothing else is sent to it before it answered."""
    person = db.session.get(Person, uuid.UUID(person_id))
    address = personal_address.address_of(uuid.UUID(person_id))
    if person is None or address is None or address.confirmed_at is not None:
        return
    mail.send(
        address.email, person.name, "personal-address", person.language, person=person,
        link=mail.url(f"/personal-address/{personal_address.token_for(CONFIRM, person.id)}"),
    )  # fmt: skip


@outbox.on("person.leaving", "people.last_day", outside=True)
def tell_last_day(person_id: str, day: str) -> None:
    """A last day is known: what will happen, and how to keep an account if they wish."""
    person = db.session.get(Person, uuid.UUID(person_id))
    last = dt.date.fromisoformat(day)
    if person is None or not person.is_member or person.ends_on != last:
        return
    mail.send(
        person.email, person.name, "last-day", person.language, person=person, last=last,
        words=transitions.words_for(person.id), link=mail.url("/me/last-day"),
    )  # fmt: skip


@outbox.on("person.departed", "people.tell_departure", outside=True)
def tell_departure(person_id: str) -> None:
    """What happened and what stays, to who took part until then: to the address of their own if
    its mailbox has answered, else to the one that is known."""
    person = db.session.get(Person, uuid.UUID(person_id))
    if person is None or person.departed_at is None or not _took_part(person):
        return
    address = personal_address.address_of(person.id)
    own = address.email if address is not None and address.confirmed_at is not None else None
    keep = personal_address.token_for(KEEP, person.id) if own else None
    mail.send(
        own or person.email, person.name, "departure", person.language, person=person,
        words=transitions.words_for(person.id),
        link=mail.url(f"/kept-account/{keep}") if keep else None,
    )  # fmt: skip


def _took_part(person: Person) -> bool:
    """Until the departure itself: who had left the programme before gets no mail about it."""
    membership = person.membership
    if membership is None or membership.left_at is None or person.departed_at is None:
        return False
    return person.departed_at - membership.left_at < AT_ONCE
