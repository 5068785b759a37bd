"""Corrections: what the directory, or where it comes from, says wrongly of somebody (GDPR, article
16; feature F132).

A person proposes what a field should say. The register has the request with its due date; an
administrator accepts it, and the directory changes by its own service, or declines it with a
reason that the person reads. Neither value stands in a fact or in the audit trail.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Final, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput, NotFound, Sentence
from app.people import queries
from app.people.directory import Profile, update_person
from app.people.models import Person
from app.people.text import is_usable, normal_address, one_line
from app.personal_data import PERSON
from app.privacy import requests
from app.privacy.models import Correction, DataRequest

OTHER: Final = "other"
ENTRY: Final = ("name", "email", "employee_id", "job_title", "department", "site")
"""What an administrator's press changes in the directory."""
FIELDS: Final = (*ENTRY, OTHER)
MOST_CHARACTERS: Final = 200
MOST_WORDS: Final = 500
DONE, REFUSED, WITHDRAWN = "done", "refused", "withdrawn"


class Asked(NamedTuple):
    """A request as its person reads it; `outcome` None: it waits, until `due_at` at most."""

    id: uuid.UUID
    field: str
    proposed: str
    asked_at: dt.datetime
    due_at: dt.datetime
    outcome: str | None
    answered_at: dt.datetime | None
    reason: str | None


class Wish(NamedTuple):
    """A request as an administrator reads it: `says` is what the directory says today."""

    asked: Asked
    person: Person
    says: str


# --- asking ------------------------------------------------------------------------------


def said(person: Person) -> dict[str, str]:
    """What the directory says of somebody, field by field."""
    return {field: getattr(person, field) or "" for field in ENTRY}


def ask(person_id: uuid.UUID, field: str, proposed: str) -> uuid.UUID:
    """Ask for a correction. Raises `InvalidInput`, also while the same field waits already."""
    person = queries.person(person_id)
    words = _checked(person, field, proposed)
    now = clock.now()
    with transaction() as session:
        row = requests.enter("correction", PERSON, person_id, now)
        try:
            with session.begin_nested():
                session.add(
                    Correction(
                        request_id=row.id, person_id=person_id, field=field, proposed=words,
                        asked_at=now,
                    )
                )  # fmt: skip
        except IntegrityError as error:
            raise _fault("field", _l("You asked for this already; the answer is due.")) from error
        audit.record("correction.asked", "data_request", row.id, actor_id=person_id)
        return row.id


def _fault(field: str, sentence: Sentence) -> InvalidInput:
    return InvalidInput(_l("Please check the form."), {field: sentence})


def _checked(person: Person, field: str, proposed: str) -> str:
    if field not in FIELDS:
        raise _fault("field", _l("Choose what is wrong."))
    if field == OTHER:
        words, most = proposed.strip(), MOST_WORDS
    else:
        words, most = one_line(proposed), MOST_CHARACTERS
    if not words:
        raise _fault("proposed", _l("Say what it should be."))
    if len(words) > most:
        raise _fault("proposed", _l("At most %(most)s characters.", most=most))
    if field == "email":
        words = normal_address(words)
        if not is_usable(words):
            raise _fault("proposed", _l("Give a mail address such as name@company.org."))
    if said(person).get(field) == words:
        raise _fault("proposed", _l("The directory says exactly this."))
    return words


def take_back(person_id: uuid.UUID, request_id: uuid.UUID) -> None:
    """It is no longer wanted. Raises `NotFound`, also for somebody else’s; `Settled`."""
    with transaction() as session:
        wish = _load(session, request_id)
        if wish.person_id != person_id:
            raise _unknown()
        row = requests.open_row(request_id)
        row.closed_at, row.outcome = clock.now(), WITHDRAWN
        session.delete(wish)
        audit.record("correction.withdrawn", "data_request", request_id, actor_id=person_id)


# --- answering ---------------------------------------------------------------------------


def accept(request_id: uuid.UUID, *, actor_id: uuid.UUID) -> None:
    """Put it right in the directory; what is not of the directory was put right already, where
    it comes from. Raises `NotFound`, `Settled`, and `InvalidInput` where the directory refuses."""
    with transaction() as session:
        row, wish = requests.open_row(request_id), _load(session, request_id)
        if wish.field != OTHER:
            person = queries.person(wish.person_id)
            profile = replace(Profile.of(person), **{wish.field: wish.proposed})
            update_person(person.id, profile, actor_id=actor_id)
        _answer(row, wish, DONE, actor_id)


def decline(request_id: uuid.UUID, reason: str, *, actor_id: uuid.UUID) -> None:
    """Leave it as it is, and say why. Raises `InvalidInput`, `NotFound`, `Settled`."""
    words = reason.strip()
    if not words:
        raise _fault("reason", _l("Say why: the person reads it."))
    if len(words) > MOST_WORDS:
        raise _fault("reason", _l("At most %(most)s characters.", most=MOST_WORDS))
    with transaction() as session:
        row, wish = requests.open_row(request_id), _load(session, request_id)
        wish.reason = words
        _answer(row, wish, REFUSED, actor_id)


def _answer(row: DataRequest, wish: Correction, outcome: str, actor_id: uuid.UUID) -> None:
    requests.settle(row, outcome, actor_id=actor_id)
    wish.answered_at, wish.outcome = clock.now(), outcome
    outbox.record("correction.answered", request_id=str(row.id))


def _unknown() -> NotFound:
    return NotFound(_l("There is no such request."))


def _load(session: Session, request_id: uuid.UUID) -> Correction:
    found = session.get(Correction, request_id)
    if found is None:
        raise _unknown()
    return found


# --- reading -----------------------------------------------------------------------------


def mine(person_id: uuid.UUID) -> list[Asked]:
    """What somebody asked for, the latest first; answers are kept for half a year."""
    return _asked(Correction.person_id == person_id)


def _asked(condition: object) -> list[Asked]:
    rows = db.session.execute(
        select(Correction, DataRequest.due_at)
        .join(DataRequest, DataRequest.id == Correction.request_id)
        .where(condition)  # type: ignore[arg-type]
        .order_by(Correction.asked_at.desc(), Correction.request_id.desc())
    )
    return [
        Asked(
            wish.request_id, wish.field, wish.proposed, wish.asked_at, due_at, wish.outcome,
            wish.answered_at, wish.reason,
        )
        for wish, due_at in rows
    ]  # fmt: skip


def wish(request_id: uuid.UUID) -> Wish:
    """One request with what the directory says today. Raises `NotFound`."""
    found = _asked(Correction.request_id == request_id)
    row = db.session.get(Correction, request_id)
    if not found or row is None:
        raise _unknown()
    person = queries.person(row.person_id)
    return Wish(found[0], person, said(person).get(row.field, ""))
