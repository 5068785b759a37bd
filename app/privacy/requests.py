"""The register of requests about personal data: opened, extended once, answered."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from app import audit, clock
from app.db import db, new_id, transaction
from app.errors import DomainError, InvalidInput, NotFound
from app.people.models import Person
from app.people.queries import person_by_email
from app.people.text import normal_address
from app.personal_data import CANDIDATE, PERSON
from app.privacy.models import KINDS, OUTCOMES, Correction, DataRequest
from app.referrals.models import Candidate
from app.web.cursors import Beside, beside, encode_cursor
from app.web.pressing import once

ANSWERED_WITHIN: Final = dt.timedelta(days=30)
EXTENDED_BY: Final = dt.timedelta(days=60)
"""One month, and two more where it is complex (GDPR, article 12.3), in days that never exceed
a month of the calendar."""
PAGE: Final = 50


class Settled(DomainError):
    """Nothing more can be done with this request."""

    status = 409
    code = "request-settled"


class AnsweredElsewhere(DomainError):
    """The person reads the answer: it is given where they asked."""

    status = 409
    code = "answered-elsewhere"

    def __init__(self) -> None:
        super().__init__(_l("Open this request to answer it: the person reads what you say."))


class Line(NamedTuple):
    """A request as the register shows it; `name` is None once its subject was erased.
    `has_page`: it is answered on a page of its own."""

    request: DataRequest
    name: str | None
    is_overdue: bool
    has_page: bool


def open_request(
    kind: str,
    subject_kind: str,
    subject_id: uuid.UUID,
    *,
    received_at: dt.datetime | None = None,
    actor_id: uuid.UUID | None = None,
    id_: uuid.UUID | None = None,
) -> DataRequest:
    """Note a request; what was noted under `id_` before is the answer. Raises `InvalidInput` for
    an unknown kind or a day to come."""
    now = clock.now()
    came = received_at or now
    faults = {}
    if kind not in KINDS:
        faults["kind"] = _l("Choose one of: %(choices)s.", choices=", ".join(KINDS))
    if came > now:
        faults["received_on"] = _l("This day is still to come.")
    if faults:
        raise InvalidInput(_l("Please check the form."), faults)

    def note(made: uuid.UUID) -> DataRequest:
        row = enter(kind, subject_kind, subject_id, came, noted_by=actor_id, id_=made)
        audit.record("request.opened", "data_request", row.id, actor_id=actor_id, kind=kind)
        return row

    return once(DataRequest, id_, note)


def enter(
    kind: str, subject_kind: str, subject_id: uuid.UUID, received_at: dt.datetime,
    *, noted_by: uuid.UUID | None = None, id_: uuid.UUID | None = None,
) -> DataRequest:  # fmt: skip
    """A line of the register, without a word in the audit trail. Inside a transaction."""
    row = DataRequest(
        id=id_ or new_id(), kind=kind, subject_kind=subject_kind, subject_id=subject_id,
        received_at=received_at, due_at=received_at + ANSWERED_WITHIN, noted_by=noted_by,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def subject_of(address: str) -> tuple[str, uuid.UUID]:
    """Who an address belongs to: (kind, id), a person of the directory before a candidate.
    Raises `InvalidInput` where nobody has it."""
    email = normal_address(address)
    person = person_by_email(email)
    if person is not None:
        return PERSON, person.id
    candidate = db.session.scalar(
        select(Candidate.id)
        .where(func.lower(Candidate.email) == email, Candidate.erased_at.is_(None))
        .limit(1)
    )
    if candidate is not None:
        return CANDIDATE, candidate
    sentence = _l("We hold nothing under this address.")
    raise InvalidInput(_l("Please check the form."), {"email": sentence})


def open_row(request_id: uuid.UUID) -> DataRequest:
    """A request that waits for its answer, locked. Raises `NotFound`, `Settled`."""
    row = db.session.get(DataRequest, request_id, with_for_update=True)
    if row is None:
        raise NotFound(_l("There is no such request."))
    if row.closed_at is not None:
        raise Settled(_l("This request was answered already."))
    return row


def extend(request_id: uuid.UUID, *, actor_id: uuid.UUID) -> None:
    """Two more months, once. Raises `NotFound`, `Settled`."""
    with transaction():
        row = open_row(request_id)
        if row.is_extended:
            raise Settled(_l("The time was extended already; the law allows it once."))
        row.is_extended, row.due_at = True, row.due_at + EXTENDED_BY
        audit.record("request.extended", "data_request", request_id, actor_id=actor_id)


def close(request_id: uuid.UUID, outcome: str, *, actor_id: uuid.UUID) -> None:
    """It was answered. Raises `InvalidInput`, `NotFound`, `Settled`; `AnsweredElsewhere` for one
    that its person made here and that has a page of its own."""
    if outcome not in OUTCOMES:
        sentence = _l("Choose one of: %(choices)s.", choices=", ".join(OUTCOMES))
        raise InvalidInput(_l("Please check the form."), {"outcome": sentence})
    with transaction() as session:
        row = open_row(request_id)
        if session.get(Correction, request_id) is not None:
            raise AnsweredElsewhere
        settle(row, outcome, actor_id=actor_id)


def settle(row: DataRequest, outcome: str, *, actor_id: uuid.UUID) -> None:
    """Close a request that was locked by `open_row`, and say so in the audit trail."""
    row.closed_at, row.closed_by, row.outcome = clock.now(), actor_id, outcome
    audit.record("request.closed", "data_request", row.id, actor_id=actor_id, outcome=outcome)


def listed(*, is_open: bool, after: str | None = None, before: str | None = None) -> Beside[Line]:
    """Open ones by the day they are due, or answered ones, the latest first: those after one place
    of the list, or before another. Raises `InvalidInput` for a place that is none."""
    order = DataRequest.due_at if is_open else DataRequest.closed_at
    wanted = select(DataRequest).where(
        DataRequest.closed_at.is_(None) if is_open else DataRequest.closed_at.is_not(None)
    )
    return beside(
        wanted,
        (order, DataRequest.id),
        lambda part: _lines([*db.session.scalars(part)]),
        lambda line: encode_cursor(getattr(line.request, order.key), line.request.id),
        after=after,
        before=before,
        limit=PAGE,
        rising=is_open,
    )


def _lines(rows: list[DataRequest]) -> list[Line]:
    names, pages, now = _names(rows), _with_page(rows), clock.now()
    return [
        Line(
            row,
            names.get(row.subject_id),
            row.closed_at is None and row.due_at < now,
            row.id in pages,
        )
        for row in rows
    ]


def overdue() -> int:
    """How many wait longer than the law allows."""
    late = select(func.count()).where(
        DataRequest.closed_at.is_(None), DataRequest.due_at < clock.now()
    )
    return int(db.session.scalar(late) or 0)


def _with_page(rows: list[DataRequest]) -> set[uuid.UUID]:
    """Which of them were made by their persons on a page of ours."""
    asked = [row.id for row in rows if row.kind == "correction"]
    if not asked:
        return set()
    return {
        *db.session.scalars(select(Correction.request_id).where(Correction.request_id.in_(asked)))
    }


def _names(rows: list[DataRequest]) -> dict[uuid.UUID, str]:
    people = [row.subject_id for row in rows if row.subject_kind == PERSON]
    candidates = [row.subject_id for row in rows if row.subject_kind == CANDIDATE]
    named = select(Person.id, Person.name).where(Person.id.in_(people), Person.erased_at.is_(None))
    found = {row.id: row.name for row in db.session.execute(named)} if people else {}
    if candidates:
        for row in db.session.scalars(select(Candidate).where(Candidate.id.in_(candidates))):
            if row.erased_at is None and row.name:
                found[row.id] = row.name
    return found
