"""Reading the ledger: balances, a member's statement, what falls due.

Every read costs the same after ten years: balances stand on the account's row, a statement
is read backwards by the place in the account's chain, and open transfers have their list.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any, NamedTuple, cast

from sqlalchemy import Integer, Row, Table, and_, bindparam, func, select, tuple_

from app import clock
from app.db import db
from app.ledger.chain import Transfer
from app.ledger.codes import (
    CODES,
    EXPIRED,
    EXPIRY,
    MEMBER,
    PENDING,
    REVERSAL,
    VOID,
    WAIVED,
    WAIVER,
)
from app.ledger.errors import AccountNotFound
from app.ledger.models import LedgerNote
from app.ledger.statements import ACCOUNT, ENTRY, FIND, OPEN, TRANSFER

MAX_LINES = 200
_LAST = 2**62


class Balance(NamedTuple):
    """Points. `pending`: announced or on hold. `reserved`: taken out of `available` by a
    redemption that is not fulfilled yet. `owed`: what a reversal could not take back."""

    available: int
    pending: int
    reserved: int
    status_points: int
    owed: int


class Line(NamedTuple):
    """One economic fact, as its person reads it.

    `sequence` is the cursor. `amount` is signed. `state`: announced, pending, available,
    spent, cancelled, expired. `available_after` and `changed_at` are those of the moment when
    it took this state; `settled_by` is the transfer that posted or voided it, `reversed_by`
    the one that undid it. `owed`: the part of a reversal that could not be taken back.
    `reason` is a code, `words` what a human wrote, if anything.
    """

    sequence: int
    id: uuid.UUID
    reference: str
    code: str
    kind: str
    state: str
    amount: int
    owed: int
    effective_at: dt.datetime
    due_at: dt.datetime | None
    created_at: dt.datetime
    changed_at: dt.datetime
    available_after: int
    rule_version: str | None
    subject: str | None
    actor_code: str
    reason: str | None
    words: str | None
    settled_by: uuid.UUID | None
    reversed_by: uuid.UUID | None


class Due(NamedTuple):
    """A pending transfer. `due_at` None: a human settles it."""

    id: uuid.UUID
    account_id: uuid.UUID
    code: str
    amount: int
    due_at: dt.datetime | None
    subject: str | None
    rule_version: str | None


# The page is cut before anything is joined to it, so its cost does not depend on what the
# database believes about the length of a history.
_FACT = (
    select(TRANSFER)
    .where(
        TRANSFER.c.account_id == bindparam("account_id"),
        TRANSFER.c.settles_id.is_(None),
        TRANSFER.c.sequence < bindparam("before"),
    )
    .order_by(TRANSFER.c.account_id.desc(), TRANSFER.c.sequence.desc())
    .limit(bindparam("limit", type_=Integer))
    .subquery("fact")
)
_SETTLED = TRANSFER.alias("settled")
_SETTLED_ENTRY = ENTRY.alias("settled_entry")
_REVERSED = TRANSFER.alias("reversed")
_NOTE = cast(Table, LedgerNote.__table__)
_STATEMENT = (
    select(
        *_FACT.c[
            "sequence", "id", "reference", "code", "kind", "amount", "effective_at", "due_at",
            "created_at", "rule_version", "subject", "actor_code", "reason",
        ],
        ENTRY.c.amount.label("own"),
        ENTRY.c.available_after,
        _SETTLED.c.id.label("settled_by"),
        _SETTLED.c.kind.label("settled_kind"),
        _SETTLED.c.reason.label("settled_reason"),
        _SETTLED.c.created_at.label("settled_at"),
        _SETTLED_ENTRY.c.available_after.label("settled_after"),
        _REVERSED.c.id.label("reversed_by"),
        _REVERSED.c.created_at.label("reversed_at"),
        _NOTE.c.words,
    )
    .join(ENTRY, and_(ENTRY.c.transfer_id == _FACT.c.id, ENTRY.c.leg == 1))
    .outerjoin(_SETTLED, _SETTLED.c.settles_id == _FACT.c.id)
    .outerjoin(
        _SETTLED_ENTRY,
        and_(_SETTLED_ENTRY.c.transfer_id == _SETTLED.c.id, _SETTLED_ENTRY.c.leg == 1),
    )
    .outerjoin(_REVERSED, _REVERSED.c.reverses_id == _FACT.c.id)
    .outerjoin(_NOTE, _NOTE.c.transfer_id == _FACT.c.id)
    .order_by(_FACT.c.sequence.desc())
)  # fmt: skip
_DEBT = ACCOUNT.alias("debt")
_BALANCE = (
    select(
        *ACCOUNT.c["available", "pending", "reserved", "status_points"],
        func.coalesce(_DEBT.c.available, 0),
    )
    .outerjoin(_DEBT, _DEBT.c.id == ACCOUNT.c.recoverable_id)
    .where(ACCOUNT.c.kind == MEMBER)
)
_ONE_BALANCE = _BALANCE.where(ACCOUNT.c.id == bindparam("account_id"))
_DUE = select(
    *TRANSFER.c["id", "account_id", "code", "amount"],
    OPEN.c.due_at,
    *TRANSFER.c["subject", "rule_version"],
).join(OPEN, OPEN.c.transfer_id == TRANSFER.c.id)


def balance(account_id: uuid.UUID) -> Balance:
    """What a member has. Raises `AccountNotFound`."""
    row = db.session.execute(_ONE_BALANCE, {"account_id": account_id}).one_or_none()
    if row is None:
        raise AccountNotFound
    return Balance._make(row)


def balances(account_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Balance]:
    """The balances of the people of one page."""
    rows = db.session.execute(
        _BALANCE.add_columns(ACCOUNT.c.id).where(ACCOUNT.c.id.in_(account_ids))
    )
    return {row[5]: Balance._make(row[:5]) for row in rows}


def entries(account_id: uuid.UUID, after: int | None = None, limit: int = 50) -> list[Line]:
    """A member's statement, newest first. `after` is the `sequence` of the last line seen."""
    page = {
        "account_id": account_id,
        "before": _LAST if after is None else after,
        "limit": min(limit, MAX_LINES),
    }
    now = clock.now()
    return [_line(row, now) for row in db.session.execute(_STATEMENT, page)]


def due(limit: int, after: Due | None = None) -> list[Due]:
    """Pending transfers whose `due_at` has come, the oldest first; the rules that made them
    decide whether they are posted."""
    ready = _DUE.where(OPEN.c.due_at <= clock.now())
    if after is not None:
        ready = ready.where(tuple_(OPEN.c.due_at, TRANSFER.c.id) > (after.due_at, after.id))
    rows = db.session.execute(ready.order_by(OPEN.c.due_at, TRANSFER.c.id).limit(limit))
    return [Due._make(row) for row in rows]


def waiting(account_id: uuid.UUID, limit: int = 50) -> list[Due]:
    """What is announced, on hold or reserved for a member; without a date comes last."""
    mine = _DUE.where(OPEN.c.account_id == account_id)
    rows = db.session.execute(
        mine.order_by(OPEN.c.due_at.is_(None), OPEN.c.due_at, TRANSFER.c.id).limit(limit)
    )
    return [Due._make(row) for row in rows]


def find(reference: str) -> Transfer | None:
    """The transfer that was written under this reference."""
    row = db.session.execute(FIND.where(TRANSFER.c.reference == reference)).one_or_none()
    return Transfer._make((*row, False)) if row else None


def _line(row: Row[*tuple[Any, ...]], now: dt.datetime) -> Line:
    rule = CODES[row.code]
    gains = (rule.credits or rule.source == WAIVED) != (row.kind == REVERSAL)
    taken_back = row.kind == REVERSAL and rule.credits
    return Line(
        sequence=row.sequence,
        id=row.id,
        reference=row.reference,
        code=row.code,
        kind=row.kind,
        state=_state(row, now),
        amount=row.amount if gains else -row.amount,
        owed=row.amount + row.own if taken_back else 0,
        effective_at=row.effective_at,
        due_at=row.due_at,
        created_at=row.created_at,
        changed_at=row.reversed_at or row.settled_at or row.created_at,
        available_after=row.available_after if row.settled_by is None else row.settled_after,
        rule_version=row.rule_version,
        subject=row.subject,
        actor_code=row.actor_code,
        reason=row.settled_reason or row.reason,
        words=row.words,
        settled_by=row.settled_by,
        reversed_by=row.reversed_by,
    )


def _state(row: Row[*tuple[Any, ...]], now: dt.datetime) -> str:
    """The six words of a line. A reversal and what it undoes are both cancelled."""
    credit = CODES[row.code].credits
    if row.kind == REVERSAL or row.reversed_by is not None:
        return "cancelled"
    if row.kind == PENDING and row.settled_by is None:
        return "announced" if credit and row.effective_at > now else "pending"
    if row.kind == PENDING and row.settled_kind == VOID:
        return "expired" if row.settled_reason == EXPIRED else "cancelled"
    if row.code == EXPIRY:
        return "expired"
    return "available" if credit or row.code == WAIVER else "spent"
