"""The mail to a member about points that a human gave, or no longer asks back."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app import mail, outbox
from app.db import db
from app.ledger.codes import WAIVER
from app.ledger.models import LedgerNote, LedgerTransfer
from app.people.models import Person
from app.play.models import PointsAccount


@outbox.on("points.by_hand", "play.tell_by_hand", outside=True)
def tell(transfer_id: str) -> None:
    """How many and why, in the words of who gave them; to nobody who left meanwhile."""
    found = db.session.execute(
        select(LedgerTransfer.code, LedgerTransfer.amount, LedgerNote.words, Person)
        .join(PointsAccount, PointsAccount.account_id == LedgerTransfer.account_id)
        .join(Person, Person.id == PointsAccount.person_id)
        .join(LedgerNote, LedgerNote.transfer_id == LedgerTransfer.id)
        .where(LedgerTransfer.id == uuid.UUID(transfer_id))
    ).one_or_none()
    if found is None or not found.Person.is_member:
        return
    person = found.Person
    mail.send(
        person.email, person.name, "points-by-hand", person.language, person=person,
        amount=found.amount, words=found.words, waived=found.code == WAIVER,
        link=mail.url("/play"),
    )  # fmt: skip
