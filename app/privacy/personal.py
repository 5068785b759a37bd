"""What the register of requests keeps about people, and how it is erased."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.personal_data import CANDIDATE, PERSON, Export, Row, Subject, holds, plain, rows
from app.privacy.corrections import WITHDRAWN
from app.privacy.models import Correction, DataRequest

_ANSWERING = _l("to answer what you ask about your data, in time")


def _requests_of(kind: str) -> Export:
    def export(session: Session, subject_id: uuid.UUID) -> Iterator[Row]:
        theirs = DataRequest.subject_kind == kind, DataRequest.subject_id == subject_id
        query = select(DataRequest).where(*theirs).order_by(DataRequest.received_at)
        for row in session.scalars(query):
            yield {
                "kind": row.kind, "received_at": plain(row.received_at),
                "due_at": plain(row.due_at), "answered_at": plain(row.closed_at),
                "outcome": row.outcome,
            }  # fmt: skip

    return export


def _forget(session: Session, subject: Subject) -> None:
    """Their words; what still waited needs no answer any more."""
    asked = select(Correction.request_id).where(Correction.person_id == subject.id)
    session.execute(
        update(DataRequest)
        .where(DataRequest.id.in_(asked), DataRequest.closed_at.is_(None))
        .values(closed_at=clock.now(), outcome=WITHDRAWN)
    )
    session.execute(delete(Correction).where(Correction.person_id == subject.id))


def declare() -> None:
    """Say it."""
    holds(
        "privacy.corrections", Correction, title=_l("Corrections you asked for"),
        purpose=_ANSWERING, basis="law", source="you", recipients=("you", "administrators"),
        exports={PERSON: rows(Correction, Correction.person_id, hides=("request_id",))},
        erasures={PERSON: _forget},
    )  # fmt: skip
    holds(
        "privacy.requests", DataRequest, title=_l("Your requests about your data"),
        purpose=_ANSWERING, basis="law", source="you", recipients=("administrators",),
        exports={kind: _requests_of(kind) for kind in (PERSON, CANDIDATE)},
        stays=_l(
            "That a request came and when it was answered stays for five years, under a number "
            "that stands for nobody (GDPR, article 17.3.e)."
        ),
    )  # fmt: skip
