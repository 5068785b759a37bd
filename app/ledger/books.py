"""Accounts held under lock, and the rows that one use case writes into the books.

A posting is four statements, or two where the database can take three as one: lock,
transfer, entries, balances. `statements` holds them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain as strung
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from app.db import new_id
from app.ledger import chain, statements
from app.ledger.chain import Leg, Transfer
from app.ledger.codes import (
    CODES,
    EFFECTS,
    MEMBER,
    PENDING,
    RECOVERABLE,
    REVERSAL,
    SYSTEM,
    Effect,
)
from app.ledger.errors import AboveDebt, AccountNotFound, InsufficientPoints
from app.prepared import Prepared

_NAMESPACE = uuid.UUID("5b0f3d0e-6f0a-5c1e-9b57-3d2f1c7a4e90")
_SYSTEM = {kind: uuid.uuid5(_NAMESPACE, kind) for kind in SYSTEM}

_LOCKED_AT_ONCE = 500
_balances = attrgetter(*statements.BALANCES, "id")
_as_number = attrgetter("int")


def system_account(kind: str) -> uuid.UUID:
    """The identifier of the one account of this kind, the same in every installation."""
    return _SYSTEM[kind]


@dataclass(slots=True)
class Account:
    """An account as it stands under our lock."""

    id: uuid.UUID
    kind: str
    available: int
    pending: int
    reserved: int
    status_points: int
    version: int
    head_digest: bytes
    recoverable_id: uuid.UUID | None

    def move(self, effect: Effect, amount: int, missing: int) -> None:
        """Change the balances; `missing` is what a reversal does not find."""
        self.available += effect.available * amount + missing
        self.pending += effect.pending * amount
        self.reserved += effect.reserved * amount
        self.status_points += effect.status * amount

    def leg(self, number: int, amount: int) -> Leg:
        """One more entry in the chain, with the balances as they stand after it. Its digest
        is linked when all legs are known."""
        self.version += 1
        return Leg(
            number,
            self.id,
            self.version,
            amount,
            self.available,
            self.pending,
            self.reserved,
            self.status_points,
        )


class Journal:
    """Accounts in memory and what transfers do to them: pure, so that `verify` can enter
    everything again and compare."""

    def __init__(self) -> None:
        self.accounts: dict[uuid.UUID, Account] = {}
        self.moved: dict[uuid.UUID, Account] = {}
        self.opened: list[dict[str, object]] = []
        self.transfers: list[Transfer] = []
        self.entries: list[tuple[Any, ...]] = []

    def next_sequence(self, member_id: uuid.UUID) -> int:
        """The place that the next transfer of a held member takes."""
        return self.accounts[member_id].version + 1

    def owed(self, member_id: uuid.UUID) -> int:
        """What a held member still owes, in points."""
        recoverable_id = self.accounts[member_id].recoverable_id
        return self.accounts[recoverable_id].available if recoverable_id else 0

    def enter(self, transfer: Transfer) -> None:
        """Give the transfer its entries and move the balances.

        Raises `InsufficientPoints` or `AboveDebt` and then leaves everything as it was.
        """
        member, amount = self.accounts[transfer.account_id], transfer.amount
        effect = EFFECTS[transfer.code, transfer.kind]
        debt = self._debt(transfer, member)
        missing = max(0, -effect.available * amount - member.available)
        if missing and transfer.kind != REVERSAL:
            raise InsufficientPoints(member.available, amount)
        member.move(effect, amount, missing)
        self._append(transfer, member, effect.own * amount + missing, debt - missing)

    def _debt(self, transfer: Transfer, member: Account) -> int:
        """The signed amount of the entry on what is owed, by the code alone."""
        if CODES[transfer.code].target != RECOVERABLE:
            return 0
        if transfer.kind == REVERSAL:
            return -transfer.amount
        owed = self.owed(member.id)
        if transfer.amount > owed:
            raise AboveDebt(owed, transfer.amount)
        return transfer.amount

    def _owing(self, member: Account, opened_at: dt.datetime) -> Account:
        """The account of what the member owes, opened when it is first needed."""
        if member.recoverable_id:
            return self.accounts[member.recoverable_id]
        row = account_row(RECOVERABLE, opened_at)
        self.opened.append(row)
        account = Account(*(row[name] for name in ("id", "kind", *statements.BALANCES)))  # type: ignore[arg-type]
        self.accounts[account.id] = account
        member.recoverable_id = account.id
        return account

    def _append(self, transfer: Transfer, member: Account, own: int, debt: int) -> None:
        """The entries: `own` on the member's account, `debt` on what is owed, the rest on the
        system's side; and the digests over all of them."""
        chained, legs = [member], [member.leg(1, own)]
        if debt:
            owing = self._owing(member, transfer.created_at)
            owing.available -= debt
            chained.append(owing)
            legs.append(owing.leg(2, debt))
        if own + debt:
            system_id = _SYSTEM[CODES[transfer.code].system_side]
            legs.append(Leg(len(legs) + 1, system_id, None, -(own + debt)))
        covered = chain.content(transfer, legs)
        for account, leg in zip(chained, legs, strict=False):
            self.moved[account.id] = account
            digest = chain.link(account.head_digest, account.id, account.version, covered)
            account.head_digest = digest
            self.entries.append((transfer.id, *leg, digest))
        if len(legs) > len(chained):
            self.entries.append((transfer.id, *legs[-1], None))
        self.transfers.append(transfer)


class Book(Journal):
    """The journal of one use case, with its accounts locked and its rows written."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._first: Transfer | None = None

    def hold(self, member_id: uuid.UUID) -> Account:
        """Lock a member's account and what that member owes. Raises `AccountNotFound`.

        Everything locks the member first, so the account of what is owed needs no order.
        """
        account = self._held(member_id)
        if account.kind != MEMBER:
            raise AccountNotFound
        if account.recoverable_id:
            self._held(account.recoverable_id)
        return account

    def _held(self, account_id: uuid.UUID) -> Account:
        row = statements.LOCK.row(self._connection, [account_id])
        if row is None:
            raise AccountNotFound
        account = self.accounts[account_id] = Account(account_id, *row)
        return account

    def hold_many(self, member_ids: Collection[uuid.UUID]) -> None:
        """The same for many, always in the order of the identifiers: no two wait in a ring."""
        members = self._lock(member_ids)
        if len(members) < len(set(member_ids)) or any(m.kind != MEMBER for m in members):
            raise AccountNotFound
        self._lock([m.recoverable_id for m in members if m.recoverable_id])

    def _lock(self, ids: Collection[uuid.UUID]) -> list[Account]:
        ordered, found = sorted(set(ids), key=_as_number), []
        for start in range(0, len(ordered), _LOCKED_AT_ONCE):
            keys = ordered[start : start + _LOCKED_AT_ONCE]
            rows = self._connection.execute(statements.LOCK_MANY, {"keys": keys})
            found += [Account(*row) for row in rows]
        self.accounts.update((account.id, account) for account in found)
        return found

    def write(self) -> bool:
        """Write what was entered, balances included. False, and nothing is written, when the
        reference of the first transfer, or what it settles or reverses, is in the books."""
        first = self.transfers[0]
        alone = len(self.moved) == len(self.transfers) == 1
        at_once = statements.posting(self._connection, len(self.entries)) if alone else None
        if not (self._write_first() if at_once is None else self._write_posting(at_once)):
            return False
        if at_once is None:
            self._write_rest()
        if first.kind == PENDING:
            statements.AWAIT.run(self._connection, [first.id, first.account_id, first.due_at])
        elif first.settles_id:
            statements.SETTLE.run(self._connection, [first.settles_id])
        return True

    def write_part(self) -> bool:
        """Write and forget what was entered since the last part of a bulk; its balances come
        with `write_group`. False as in `write`, for the first part only."""
        if self._first is None and not self._write_first():
            return False
        rows = [transfer[:-1] for transfer in self.transfers if transfer is not self._first]
        insert = partial(statements.insert_rows, self._connection)
        insert(statements.TRANSFER, chain.TRANSFER, rows)
        insert(statements.ENTRY, statements.ENTRY_NAMES, self.entries)
        self.transfers, self.entries = [], []
        return True

    def write_group(self, group: str) -> None:
        """The balances of all members of a bulk, in one statement, and what they owe."""
        self._connection.execute(statements.MOVE_GROUP, {"group": group})
        self._move(account for account in self.moved.values() if account.kind == RECOVERABLE)

    def _write_first(self) -> bool:
        self._first = self.transfers[0]
        return statements.TRANSFER_ONCE.run(self._connection, _stored(self._first)) == 1

    def _write_posting(self, statement: Prepared) -> bool:
        (account,) = self.moved.values()
        row = [
            *_stored(self.transfers[0]),
            *strung.from_iterable(self.entries),
            *_balances(account),
        ]
        return statement.run(self._connection, row) == 1

    def _write_rest(self) -> None:
        if self.opened:
            self._connection.execute(statements.OPEN_ACCOUNTS, self.opened)
        for transfer in self.transfers[1:]:
            statements.ADD_TRANSFER.run(self._connection, _stored(transfer))
        legs = statements.LEGS[len(self.entries) - 1]
        legs.run(self._connection, list(strung.from_iterable(self.entries)))
        self._move(self.moved.values())

    def _move(self, accounts: Iterable[Account]) -> None:
        for account in accounts:
            statements.MOVE.run(self._connection, list(_balances(account)))


def _stored(transfer: Transfer) -> list[Any]:
    return list(transfer[:-1])


def account_row(
    kind: str, opened_at: dt.datetime, account_id: uuid.UUID | None = None
) -> dict[str, object]:
    """A new account's row, its chain begun."""
    account_id = account_id or new_id()
    return {
        "id": account_id,
        "kind": kind,
        "available": 0,
        "pending": 0,
        "reserved": 0,
        "status_points": 0,
        "version": 0,
        "head_digest": chain.genesis(account_id, kind, opened_at),
        "recoverable_id": None,
        "opened_at": opened_at,
    }
