"""Reading the ledger: balances, a member's statement, what falls due.

Every read costs the same after ten years: balances stand on the account's row, a statement
is read backwards by the place in the account's chain, and open transfers have their list.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
)

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
from app.prepared import Reading

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


class Only(NamedTuple):
    """Which lines of a statement; what is empty leaves none out. `states` as in `Line`, `since`
    and `until` (not included) bound the time a line took effect."""

    codes: tuple[str, ...] = ()
    rule_versions: tuple[str, ...] | None = None
    subject: str = ""
    states: tuple[str, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None


_SETTLED = TRANSFER.alias("settled")
_SETTLED_ENTRY = ENTRY.alias("settled_entry")
_REVERSED = TRANSFER.alias("reversed")
_NOTE = cast(Table, LedgerNote.__table__)


def _statement(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """One page of a statement. It is cut before anything is joined to it, so its cost does not
    depend on what the database believes about the length of a history."""
    fact = (
        select(TRANSFER)
        .where(
            TRANSFER.c.account_id == bindparam("account_id"),
            TRANSFER.c.settles_id.is_(None),
            TRANSFER.c.sequence < bindparam("before"),
            *conditions,
        )
        .order_by(TRANSFER.c.account_id.desc(), TRANSFER.c.sequence.desc())
        .limit(bindparam("limit", type_=Integer, literal_execute=True))
        .subquery("fact")
    )
    return (
        select(
            *fact.c[
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
        .join(ENTRY, and_(ENTRY.c.transfer_id == fact.c.id, ENTRY.c.leg == 1))
        .outerjoin(_SETTLED, _SETTLED.c.settles_id == fact.c.id)
        .outerjoin(
            _SETTLED_ENTRY,
            and_(_SETTLED_ENTRY.c.transfer_id == _SETTLED.c.id, _SETTLED_ENTRY.c.leg == 1),
        )
        .outerjoin(_REVERSED, _REVERSED.c.reverses_id == fact.c.id)
        .outerjoin(_NOTE, _NOTE.c.transfer_id == fact.c.id)
        .order_by(fact.c.sequence.desc())
    )  # fmt: skip


_STATEMENT = Reading(_statement())

# The six words of a line as conditions; `_state` says the same of a row that was read.
_end = TRANSFER.alias("end_of")
_ended = select(_end.c.id).where(_end.c.settles_id == TRANSFER.c.id)
_undone = or_(
    TRANSFER.c.kind == REVERSAL,
    select(_end.c.id).where(_end.c.reverses_id == TRANSFER.c.id).exists(),
)
_waits = and_(TRANSFER.c.kind == PENDING, ~_ended.exists())
_voided = _ended.where(_end.c.kind == VOID)
_ran_out = _voided.where(_end.c.reason == EXPIRED).exists()
_counts = and_(~_undone, ~_waits, ~_voided.exists())
_gains = TRANSFER.c.code.in_([c for c, rule in CODES.items() if rule.credits or c == WAIVER])
_STATES: dict[str, ColumnElement[bool]] = {
    "pending": _waits,
    "available": and_(_counts, _gains),
    "spent": and_(_counts, ~_gains, TRANSFER.c.code != EXPIRY),
    "cancelled": or_(_undone, and_(_voided.exists(), ~_ran_out)),
    "expired": and_(~_undone, or_(_ran_out, TRANSFER.c.code == EXPIRY)),
}


def _conditions(only: Only) -> Iterator[ColumnElement[bool]]:
    if only.codes:
        yield TRANSFER.c.code.in_(only.codes)
    if only.rule_versions is not None:
        yield TRANSFER.c.rule_version.in_(only.rule_versions)
    if only.subject:
        yield TRANSFER.c.subject == only.subject
    if only.states:
        yield or_(*(_STATES[state] for state in only.states if state in _STATES))
    if only.since is not None:
        yield TRANSFER.c.effective_at >= only.since
    if only.until is not None:
        yield TRANSFER.c.effective_at < only.until


_DEBT = ACCOUNT.alias("debt")
_BALANCE = (
    select(
        *ACCOUNT.c["available", "pending", "reserved", "status_points"],
        func.coalesce(_DEBT.c.available, 0),
    )
    .outerjoin(_DEBT, _DEBT.c.id == ACCOUNT.c.recoverable_id)
    .where(ACCOUNT.c.kind == MEMBER)
)
_ONE_BALANCE = Reading(_BALANCE.where(ACCOUNT.c.id == bindparam("account_id")))
_DUE = select(
    *TRANSFER.c["id", "account_id", "code", "amount"],
    OPEN.c.due_at,
    *TRANSFER.c["subject", "rule_version"],
).join(OPEN, OPEN.c.transfer_id == TRANSFER.c.id)
_WAITING = Reading(
    _DUE.where(OPEN.c.account_id == bindparam("account_id"))
    .order_by(OPEN.c.due_at.is_(None), OPEN.c.due_at, TRANSFER.c.id)
    .limit(bindparam("limit", type_=Integer, literal_execute=True))
)


def balance(account_id: uuid.UUID) -> Balance:
    """What a member has. Raises `AccountNotFound`."""
    row = _ONE_BALANCE.first({"account_id": account_id})
    if row is None:
        raise AccountNotFound
    return Balance._make(row)


def balances(account_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Balance]:
    """The balances of the people of one page."""
    rows = db.session.execute(
        _BALANCE.add_columns(ACCOUNT.c.id).where(ACCOUNT.c.id.in_(account_ids))
    )
    return {row[5]: Balance._make(row[:5]) for row in rows}


def entries(
    account_id: uuid.UUID, after: int | None = None, limit: int = 50, only: Only | None = None
) -> list[Line]:
    """A member's statement, newest first. `after` is the `sequence` of the last line seen;
    `only` leaves lines out."""
    page = {
        "account_id": account_id,
        "before": _LAST if after is None else after,
        "limit": min(limit, MAX_LINES),
    }
    now = clock.now()
    rows: Iterable[Any] = (
        db.session.execute(_statement(*_conditions(only)), page) if only else _STATEMENT.all(page)
    )
    return [_line(row, now) for row in rows]


def _before(
    instant: dt.datetime, after: ColumnElement[Any], whose: ColumnElement[bool]
) -> ScalarSelect[Any]:
    """A balance after the last entry of an account before an instant, found by its place in the
    account's chain."""
    return (
        select(after)
        .join(TRANSFER, and_(TRANSFER.c.id == ENTRY.c.transfer_id, ENTRY.c.leg == 1))
        .where(whose, TRANSFER.c.created_at < instant)
        .order_by(TRANSFER.c.account_id.desc(), TRANSFER.c.sequence.desc())
        .limit(1)
        .correlate(ACCOUNT)
        .scalar_subquery()
    )


def available_at(account_id: uuid.UUID, instants: Sequence[dt.datetime]) -> list[int]:
    """What a member could spend at some instants, as the entries say; one statement."""
    if not instants:
        return []
    after = ENTRY.c.available_after
    found = [_before(at, after, TRANSFER.c.account_id == account_id) for at in instants]
    return [balance or 0 for balance in db.session.execute(select(*found)).one()]


def moved_since(after: uuid.UUID | None, limit: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """(transfer, member's account) of what was written after a transfer, in the order of its
    identifiers, which rise with the time of writing."""
    found = select(*TRANSFER.c["id", "account_id"]).order_by(TRANSFER.c.id).limit(limit)
    if after is not None:
        found = found.where(TRANSFER.c.id > after)
    return [(row.id, row.account_id) for row in db.session.execute(found)]


def status_at(account_ids: Collection[uuid.UUID], instant: dt.datetime) -> dict[uuid.UUID, int]:
    """The status points of some members just before an instant, as their entries say; each
    found by its place in the member's chain, however long the history."""
    mine = TRANSFER.c.account_id == ACCOUNT.c.id
    before = _before(instant, ENTRY.c.status_after, mine)
    rows = db.session.execute(
        select(ACCOUNT.c.id, before.label("points")).where(ACCOUNT.c.id.in_(account_ids))
    )
    return {row.id: row.points or 0 for row in rows}


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
    rows = _WAITING.all({"account_id": account_id, "limit": limit})
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
