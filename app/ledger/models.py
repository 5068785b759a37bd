"""Tables of the ledger: accounts, transfers, entries; seals; and what may be erased.

Transfers and entries never change and hold no name and no free words (rule E1): codes,
random identifiers, amounts. A human's words stand in `ledger_note`, which can be erased
without touching a balance or a digest.

Two rows are not immutable: an account carries its balances and the head of its chain, and
`ledger_open` lists the pending transfers that nothing has settled yet, so that finding the
due ones costs the same after ten years. Both can be rebuilt from the entries, and `verify`
compares them.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that matter, on both databases."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class LedgerAccount(Model):
    """Balances in points. `pending`: announced or on hold. `reserved`: pending debits,
    already out of `available`. On a `recoverable` account `available` is what is owed; it is
    opened when a reversal first finds too little, and the member's row then names it.

    `version` is the number of chained entries, so (id, version) names the last entry that
    the balances count; `head_digest` is that entry's digest. System accounts keep zeros.
    """

    __tablename__ = "ledger_account"
    __retention__ = retention.LEDGER
    __table_args__ = (
        CheckConstraint("available >= 0", "available_not_negative"),
        CheckConstraint("pending >= 0", "pending_not_negative"),
        CheckConstraint("reserved >= 0", "reserved_not_negative"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(12))
    available: Mapped[int] = mapped_column(BigInteger, default=0)
    pending: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    status_points: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    head_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    recoverable_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_account.id"))
    opened_at: Mapped[dt.datetime] = utc_column()


class LedgerTransfer(Model):
    """One move of points. Immutable. `account_id` is the member's account it concerns,
    `sequence` the place of its entry there. `reference` makes a replay harmless.

    `settles_id` names the pending transfer that a post or a void settles, `reverses_id`
    the transfer that a reversal undoes; each happens once.
    """

    __tablename__ = "ledger_transfer"
    __retention__ = retention.LEDGER
    __table_args__ = (
        UniqueConstraint("account_id", "sequence"),
        _partial(
            "uq_ledger_transfer_settles", "settles_id", where="settles_id IS NOT NULL", unique=True
        ),
        _partial(
            "uq_ledger_transfer_reverses",
            "reverses_id",
            where="reverses_id IS NOT NULL",
            unique=True,
        ),
        _partial(
            "ix_ledger_transfer_group", "group_reference", where="group_reference IS NOT NULL"
        ),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[uuid.UUID] = primary_key()
    reference: Mapped[str] = mapped_column(String(120), unique=True)
    code: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_account.id"))
    sequence: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    effective_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime]
    actor_code: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str | None] = mapped_column(String(64))
    settles_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    reason: Mapped[str | None] = mapped_column(String(20))
    due_at: Mapped[dt.datetime | None]
    rule_version: Mapped[str | None] = mapped_column(String(64))
    subject: Mapped[str | None] = mapped_column(String(64))
    group_reference: Mapped[str | None] = mapped_column(String(100))


class LedgerEntry(Model):
    """One leg of a transfer on one account; leg 1 is the member's. Immutable.

    `amount` is signed; the legs of a transfer add up to zero. A chained entry has its
    place in the account's chain, the balances after it, and its digest; a leg on a system
    account has none of these.

    `account_id` carries no foreign key on purpose: PostgreSQL would lock the issuer's one
    row for every posting. `verify` finds an entry without its account.
    """

    __tablename__ = "ledger_entry"
    __retention__ = retention.LEDGER
    __table_args__ = (
        # Members' entries are found through their transfers; only what is owed needs its own
        # way in, so an ordinary posting touches no second index.
        _partial(
            "uq_ledger_entry_owed",
            "account_id",
            "sequence",
            where="leg > 1 AND sequence IS NOT NULL",
            unique=True,
        ),
        {"sqlite_with_rowid": False},
    )

    transfer_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ledger_transfer.id"), primary_key=True
    )
    leg: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[uuid.UUID]
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    available_after: Mapped[int | None] = mapped_column(BigInteger)
    pending_after: Mapped[int | None] = mapped_column(BigInteger)
    reserved_after: Mapped[int | None] = mapped_column(BigInteger)
    status_after: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class LedgerOpen(Model):
    """A pending transfer that nothing has settled yet; `due_at` null waits for a human."""

    __tablename__ = "ledger_open"
    __retention__ = retention.LEDGER

    transfer_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ledger_transfer.id"), primary_key=True
    )
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_account.id"), index=True)
    due_at: Mapped[dt.datetime | None] = mapped_column(index=True)


class LedgerNote(Model):
    """A human's words about a transfer. Erasable: no digest covers them."""

    __tablename__ = "ledger_note"
    __retention__ = retention.MEMBERSHIP

    transfer_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("ledger_transfer.id"), primary_key=True
    )
    words: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = utc_column()


class LedgerSeal(Model):
    """One closed day: a digest over the heads of all accounts that moved since the seal
    before, chained to it. `entries` and `accounts` count what this seal newly covers."""

    __tablename__ = "ledger_seal"
    __retention__ = retention.LEDGER

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    entries: Mapped[int] = mapped_column(BigInteger)
    accounts: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_at: Mapped[dt.datetime] = utc_column()


class LedgerSealHead(Model):
    """The head of one account's chain as a seal saw it.

    A seal lists versions rather than dates, so an entry that was committed late, or under
    a clock that went back, is simply part of the next seal.
    """

    __tablename__ = "ledger_seal_head"
    __retention__ = retention.LEDGER
    __table_args__ = (Index("ix_ledger_seal_head_day", "day", "account_id", unique=True),)

    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[dt.date] = mapped_column(ForeignKey("ledger_seal.day"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
