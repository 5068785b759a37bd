"""What connections keep about people, and how it is erased."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.personal_data import PERSON, Subject, holds, rows
from app.provisioning.scim import users
from app.provisioning.scim.models import ScimConnection, ScimUser


def _erase(session: Session, subject: Subject) -> None:
    users.forget(subject.id)
    session.execute(
        update(ScimConnection)
        .where(ScimConnection.created_by == subject.id)
        .values(created_by=None)
    )


def declare() -> None:
    """Say it once, for the page of one's data, for erasure and for the registers."""
    holds(
        "scim.user",
        ScimUser,
        title=_l("What your organisation’s directory sends (SCIM)"),
        purpose=_l("to keep your entry here as it is there, and to end your access when you leave"),
        basis="interest",
        source="employer",
        recipients=("you", "administrators"),
        exports={
            PERSON: rows(
                ScimUser,
                ScimUser.person_id,
                hides=("id", "connection_id", "scim_id", "user_key", "former_id"),
            )
        },
        erasures={PERSON: _erase},
    )
