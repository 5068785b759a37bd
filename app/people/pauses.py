"""A pause: a member rests until a day, or until they come back. Nothing is sent to them, they
stand in no list of results, what they had planned waits; nobody else sees that they rest, so
neither the audit log nor a page says it.

Facts, each with `person_id`: `person.paused`, `person.resumed`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, or_, select

from app import clock, outbox
from app.db import db, transaction
from app.people.errors import check_form
from app.people.joining_models import Pause
from app.people.lookup import load_member, load_person
from app.people.models import Person
from app.web import current_settings

GOES_ON: Final = frozenset(
    {
        "password", "sign-in-code", "sign-in-changed", "email-code", "personal-address", "departure", "transition",
        "charter", "invitation", "welcome", "proposal", "redemption-to-deliver", "join-request", "correction", "approval",
    }
)  # fmt: skip
"""Mails that a pause does not hold back: what was asked for at this moment, what the law wants
told, and the work of somebody with a role."""
LONGEST: Final = dt.timedelta(days=366)
AT_ONCE: Final = 500


def pause(person_id: uuid.UUID, until: dt.date | None = None) -> None:
    """Rest from now on; `until` is the day they are back, None until they say so.

    Raises `InvalidInput` for a day that is not to come within a year, `NotMember`.
    """
    ends_at = None if until is None else _begin_of(until)
    with transaction() as session:
        load_member(session, person_id)
        row = session.get(Pause, person_id)
        if row is None:
            session.add(Pause(person_id=person_id, ends_at=ends_at))
            outbox.record("person.paused", person_id=str(person_id))
        else:
            row.ends_at = ends_at


def _begin_of(day: dt.date) -> dt.datetime:
    zone = current_settings().timezone
    today = clock.now().astimezone(zone).date()
    if not today < day <= today + LONGEST:
        raise check_form({"until": _l("Choose a day to come, within a year.")})
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def resume(person_id: uuid.UUID) -> bool:
    """Back again; False when there was no pause. Raises `NoSuchPerson`."""
    with transaction() as session:
        load_person(session, person_id)
        row = session.get(Pause, person_id)
        if row is None:
            return False
        session.delete(row)
        outbox.record("person.resumed", person_id=str(person_id))
    return True


@outbox.on("periodic.people.forget", "people.end_pauses")
def end_due() -> None:
    """Pauses whose day has come."""
    session = db.session()
    due = select(Pause).where(Pause.ends_at <= clock.now()).order_by(Pause.ends_at).limit(AT_ONCE)
    for row in session.scalars(due):
        outbox.record("person.resumed", person_id=str(row.person_id))
        session.delete(row)


# --- who rests ---------------------------------------------------------------------------


def pause_of(person_id: uuid.UUID) -> Pause | None:
    """A person's own pause, while it lasts."""
    row = db.session.get(Pause, person_id)
    return row if row is not None and _lasts(row) else None


def _lasts(row: Pause) -> bool:
    return row.ends_at is None or row.ends_at > clock.now()


def is_resting(person_id: uuid.UUID) -> bool:
    """Whether nothing is to be sent to this person now."""
    return pause_of(person_id) is not None


def rests(person_id: Any) -> ColumnElement[bool]:
    """SQL: the person of this column rests now."""
    lasting = or_(Pause.ends_at.is_(None), Pause.ends_at > clock.now())
    return exists().where(Pause.person_id == person_id, lasting)


def resting(ids: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Those among `ids` who rest now."""
    found = select(Pause).where(Pause.person_id.in_({*ids}))
    return frozenset(row.person_id for row in db.session.scalars(found) if _lasts(row))


def may_write(address: str, template: str) -> bool:
    """Stands before every mail (`mail.held_back_by`), so that no feature has to remember."""
    if template in GOES_ON:
        return True
    asked = select(Pause).join(Person, Person.id == Pause.person_id)
    row = db.session.scalar(asked.where(Person.email == address.lower()))
    return row is None or not _lasts(row)
