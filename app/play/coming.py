"""When a price comes within reach: what is there, and what is promised with its date."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from app import ledger
from app.ledger.codes import CODES
from app.play import accounts

MOST = 400


@dataclass(frozen=True, slots=True)
class Reach:
    """`available` points now, and what is on the way by date, the soonest first. Points that
    wait without a date promise nothing."""

    available: int
    dated: tuple[tuple[dt.datetime, int], ...] = ()

    def day_of(self, cost: int) -> dt.datetime | None:
        """When a price will be within reach if all that is on the way is confirmed; None when
        it is already, or when no date says so."""
        have = self.available
        if have >= cost:
            return None
        for at, amount in self.dated:
            have += amount
            if have >= cost:
                return at
        return None


def of_person(person_id: uuid.UUID) -> Reach:
    """A member's reach; nothing for somebody who never joined."""
    account = accounts.account_of(person_id)
    if account is None:
        return Reach(0)
    found = ledger.waiting(account, limit=MOST)
    dated = [(due.due_at, due.amount) for due in found if due.due_at and CODES[due.code].credits]
    return Reach(ledger.balance(account).available, tuple(dated))
