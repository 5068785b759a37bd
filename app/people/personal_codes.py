"""A code on paper for one person of the directory whom no mail reaches.

It is an open invitation of one use whose batch is the entry itself: it is answered with an address
of the person's own, and they take part under the number the entry has. It leads nowhere once the
entry has an address or a role, or its person has left. Whether it was used shows nowhere
(rule W2), and another one can be made at any time, for everybody alike.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app import audit, clock
from app.db import db, transaction
from app.people.errors import CodeOnPaperOnly
from app.people.joining_models import JoinRequest, OpenInvitation
from app.people.lookup import load_present
from app.people.open_invitations import PERSONAL, hash_of, is_for_paper, new_code

LASTS: Final = dt.timedelta(days=30)


def make(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """A new code; the one before opens nothing any more. Raises `NoSuchPerson`, `Departed`,
    `CodeOnPaperOnly`."""
    with transaction() as session:
        person = load_present(session, person_id)
        if not is_for_paper(person):
            raise CodeOnPaperOnly
        forget(session, person_id)
        code = new_code()
        session.add(
            OpenInvitation(
                batch_id=person_id, label="", language=person.language, admission=PERSONAL,
                use_limit=1, code=code, code_hash=hash_of(code), created_by=actor_id,
                expires_at=clock.now() + LASTS,
            )
        )  # fmt: skip
        audit.record(
            "open_invitation.made", "person", person_id, actor_id=actor_id, admission=PERSONAL,
            uses=1,
        )  # fmt: skip


def code_of(person_id: uuid.UUID) -> OpenInvitation | None:
    """The code that can be printed for somebody; None before one was made, or past its day."""
    return db.session.scalar(
        select(OpenInvitation).where(_of(person_id), OpenInvitation.expires_at > clock.now())
    )


def forget(session: Session, person_id: uuid.UUID) -> None:
    """No code is left, nor what was typed in answer to one."""
    ids = session.scalars(select(OpenInvitation.id).where(_of(person_id))).all()
    session.execute(delete(JoinRequest).where(JoinRequest.invitation_id.in_(ids)))
    session.execute(delete(OpenInvitation).where(OpenInvitation.id.in_(ids)))


def _of(person_id: uuid.UUID) -> ColumnElement[bool]:
    return (OpenInvitation.batch_id == person_id) & (OpenInvitation.admission == PERSONAL)
