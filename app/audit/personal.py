"""What the journal keeps about people: codes and numbers, never a name."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.personal_data import PERSON, Row, holds, plain


def _rows(session: Session, person_id: uuid.UUID) -> Iterable[Row]:
    about = (AuditEntry.target_kind == "person") & (AuditEntry.target_id == str(person_id))
    query = (
        select(AuditEntry)
        .where(or_(AuditEntry.actor_id == person_id, about))
        .order_by(AuditEntry.at, AuditEntry.id)
        .execution_options(yield_per=500)
    )
    for row in session.scalars(query):
        yield {
            "at": plain(row.at),
            "action": row.action,
            "by_you": row.actor_id == person_id,
            "target_kind": row.target_kind,
            "details": row.details,
        }


def declare() -> None:
    """Say it."""
    holds(
        "audit.journal", AuditEntry, title=_l("What you did and what was done to your entry"),
        purpose=_l("to find out afterwards who changed what"), basis="law", source="use",
        recipients=("administrators", "auditors"), exports={PERSON: _rows},
        stays=_l("The journal keeps what was done, by number and without a name, for a year."),
    )  # fmt: skip
