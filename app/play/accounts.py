"""Whose account is whose: the only bridge between people and the ledger."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app import ledger
from app.db import db, transaction
from app.ledger.queries import Balance
from app.people.models import Person
from app.play.models import PointsAccount


def account_of(person_id: uuid.UUID) -> uuid.UUID | None:
    """The points account of a member; None for somebody who never joined."""
    return db.session.scalar(
        select(PointsAccount.account_id).where(PointsAccount.person_id == person_id)
    )


def open_for(person_id: uuid.UUID) -> uuid.UUID:
    """The account of a member, opened when they join; the same at every call."""
    with transaction() as session:
        # Two facts at once open one account.
        session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
        known = account_of(person_id)
        if known is not None:
            return known
        row = PointsAccount(account_id=ledger.open_account(), person_id=person_id)
        session.add(row)
        session.flush()
        return row.account_id


def balance_of(person_id: uuid.UUID) -> Balance:
    """A person's points; zeros for somebody who never joined."""
    account = account_of(person_id)
    return ledger.balance(account) if account else Balance(0, 0, 0, 0, 0)
