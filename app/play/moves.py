"""What moved a balance, in the order in which it was written.

The ledger tells one line for each fact. Points on hold move the balance on the day they become
available, and a reward that is called off moves it twice; a reader who adds up needs a line for
each of these, on its own day.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Row, Select, Table, and_, case, not_, or_, select

from app.db import db, read_id
from app.ledger import queries as books
from app.ledger.codes import (
    CODES,
    EXPIRED,
    EXPIRY,
    PENDING,
    POST,
    POSTED,
    REVERSAL,
    VOID,
    WAIVER,
)
from app.ledger.models import LedgerEntry, LedgerNote, LedgerTransfer
from app.ledger.queries import Only
from app.play import facts
from app.play.facts import Fact, Rules
from app.play.share_awards import VISIT, day_of

_LAST = 2**62
_CREDITS: Final = [code for code, rule in CODES.items() if rule.credits]
_EPOCH: Final = dt.datetime.min.replace(tzinfo=dt.UTC)

RELEASED, RETURNED, NEVER = "released", "returned", "never"


@dataclass(frozen=True, slots=True)
class Move(Fact):
    """One line of the page. `amount` is what it did to the balance, `moved_at` when.

    `phase`: 'released' (points on hold became available), 'returned' (a reserved reward gave its
    points back), 'never' (points on hold that came to nothing), or empty. `balance_after` is None
    for what left the balance as it was. `is_own`: the person did it, not the team.
    """

    moved_at: dt.datetime = _EPOCH
    phase: str = ""
    is_own: bool = False


_transfer = cast(Table, LedgerTransfer.__table__)
_note = cast(Table, LedgerNote.__table__)
_entry = cast(Table, LedgerEntry.__table__)
_fact = _transfer.alias("fact")
_end = _transfer.alias("settled")
_undo = _transfer.alias("reversed")

_STATE: Final = case(
    (or_(_fact.c.kind == REVERSAL, _undo.c.id.is_not(None)), "cancelled"),
    (and_(_fact.c.kind == PENDING, _end.c.id.is_(None)), "pending"),
    (and_(_end.c.kind == VOID, _end.c.reason == EXPIRED), "expired"),
    (_end.c.kind == VOID, "cancelled"),
    (_fact.c.code == EXPIRY, "expired"),
    (_fact.c.code.in_([*_CREDITS, WAIVER]), "available"),
    else_="spent",
)


def _told(transfer: Any) -> ColumnElement[bool]:
    """Whether a transfer has a line: neither points that go on hold, which stand among what is
    on the way, nor the handing over of a reward whose points have left already."""
    comes_in = transfer.code.in_(_CREDITS)
    return or_(
        transfer.kind.in_((POSTED, VOID, REVERSAL)),
        and_(transfer.kind == POST, comes_in),
        and_(transfer.kind == PENDING, not_(comes_in)),
    )


def _conditions(only: Only, moved: Any) -> Iterator[ColumnElement[bool]]:
    """The filter; a period asks for what moved in it."""
    if only.codes:
        yield _fact.c.code.in_(only.codes)
    if only.rule_versions is not None:
        yield _fact.c.rule_version.in_(only.rule_versions)
    if only.subject:
        yield _fact.c.subject == only.subject
    if only.states:
        yield _STATE.in_(only.states)
    if only.since is not None:
        yield moved.created_at >= only.since
    if only.until is not None:
        yield moved.created_at < only.until


def _page(
    account_id: uuid.UUID, after: int | None, limit: int, only: Only | None
) -> Select[*tuple[Any, ...]]:
    """One page, cut before anything is joined to it where nothing has to be looked up first."""
    mine = (
        select(_transfer)
        .where(
            _transfer.c.account_id == account_id,
            _transfer.c.sequence < (_LAST if after is None else after),
            _told(_transfer.c),
        )
        .order_by(_transfer.c.account_id.desc(), _transfer.c.sequence.desc())
    )
    moved = (mine if only else mine.limit(limit)).subquery("moved").c
    fact_id = case((moved.settles_id.is_(None), moved.id), else_=moved.settles_id)
    return (
        select(
            moved.sequence, moved.id, moved.kind, moved.actor_code, moved.actor_id,
            moved.created_at.label("moved_at"),
            *_fact.c["reference", "code", "amount", "effective_at", "due_at", "rule_version",
                     "subject"],
            _entry.c.amount.label("own"), _entry.c.available_after, _note.c.words,
            _STATE.label("state"),
            case((_end.c.reason.is_not(None), _end.c.reason), else_=_fact.c.reason).label("cause"),
            _end.c.id.label("settled_by"), _end.c.created_at.label("settled_at"),
            _undo.c.id.label("reversed_by"), _undo.c.created_at.label("reversed_at"),
            _fact.c.actor_code.label("first_actor"),
        )
        .join(_fact, _fact.c.id == fact_id)
        .join(_entry, and_(_entry.c.transfer_id == moved.id, _entry.c.leg == 1))
        .outerjoin(_end, _end.c.settles_id == _fact.c.id)
        .outerjoin(_undo, _undo.c.reverses_id == _fact.c.id)
        .outerjoin(_note, _note.c.transfer_id == _fact.c.id)
        .where(*(_conditions(only, moved) if only else ()))
        .order_by(moved.sequence.desc())
        .limit(limit)
    )  # fmt: skip


def moves(
    account_id: uuid.UUID,
    person_id: uuid.UUID,
    *,
    after: int | None = None,
    limit: int = books.MAX_LINES,
    only: Only | None = None,
) -> list[Move]:
    """What moved a member's balance, newest first; `after` is the `sequence` of the last line
    seen. One statement."""
    rows = db.session.execute(_page(account_id, after, limit, only))
    return [_move(row, str(person_id)) for row in rows]


def _move(row: Row[*tuple[Any, ...]], person_id: str) -> Move:
    phase = _phase(row)
    amount = _amount(row)
    still = phase == NEVER or row.code == WAIVER
    settles = row.kind in (POST, VOID)
    return Move(
        row.sequence, row.id, row.reference, row.code, row.state, amount, row.effective_at,
        row.reversed_at or row.settled_at or row.moved_at, row.due_at, read_id(row.rule_version),
        read_id(row.subject), row.actor_code if phase == RETURNED else row.first_actor,
        row.cause or "", row.words or "", None if still else row.available_after,
        _owed(row), row.kind == REVERSAL, row.reversed_by is not None and not settles,
        row.settled_by is not None,
        moved_at=row.moved_at, phase=phase, is_own=row.actor_id == person_id,
    )  # fmt: skip


def _phase(row: Row[*tuple[Any, ...]]) -> str:
    if row.kind == POST:
        return RELEASED
    if row.kind != VOID:
        return ""
    return NEVER if CODES[row.code].credits else RETURNED


def _amount(row: Row[*tuple[Any, ...]]) -> int:
    """What it did to the balance; of what did nothing, the points it is about."""
    if row.kind == REVERSAL and row.code != WAIVER:
        return int(row.own)
    gains = (CODES[row.code].credits or row.code == WAIVER) != (row.kind == REVERSAL)
    return int(row.amount if gains or _phase(row) == RETURNED else -row.amount)


def _owed(row: Row[*tuple[Any, ...]]) -> int:
    """What a reversal could not take back."""
    undone = row.kind == REVERSAL and CODES[row.code].credits
    return int(row.amount + row.own) if undone else 0


# ---- Visits of a day as one, without breaking the sum


def gathered(found: Sequence[Move], rules: Rules) -> list[Move]:
    """The same lines, with visits of one post and day as one where nothing else came between
    them; the balance of each line leads to that of the next."""
    told: list[Move] = []
    for (_day, visits, _place), run in groupby(found, key=lambda move: _run(move, rules)):
        alike = [*run]
        told += _summed(alike, rules) if visits else alike
    return told


def _run(move: Move, rules: Rules) -> tuple[dt.date, bool, int]:
    """What stands together: counted visits of one day; any other line by itself."""
    rule = facts.post_rule(move, rules)
    visits = (
        rule is not None
        and rule.fact == VISIT
        and not move.is_reversal
        and (move.balance_after is not None)
    )
    return day_of(move.moved_at), visits, 0 if visits else move.sequence


def _summed(run: list[Move], rules: Rules) -> list[Move]:
    """Visits of several posts take turns, so the balance is told as if each post's came in one
    go: the first line's is the run's, every further one what the lines above leave."""
    balance = run[0].balance_after or 0
    told = []
    for fact in facts.gathered(run, rules):
        if isinstance(fact, Move):
            told.append(replace(fact, balance_after=balance))
            balance -= fact.amount
    return told
