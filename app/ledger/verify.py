"""The proof read again: every digest, every balance, every sum, every seal.

`verify` reads one snapshot of the whole ledger in the order of accounts and their chains,
some rows at a time, and stops at the first thing that is not as the verbs would have
written it. The order of reading is fixed, so one ledger always names the same difference:

1. each member's chain: every transfer is entered again in memory and its entries compared,
   place, amounts, balances and digest; then the account's row with the last entry;
2. what belongs to nothing: entries and transfers without their owner, settlements and
   reversals that name the wrong transfer, the list of open transfers;
3. the seals.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, false, func, null, or_, select

from app.db import db
from app.errors import DomainError
from app.ledger import chain
from app.ledger.books import Account, Journal, system_account
from app.ledger.chain import Transfer
from app.ledger.codes import (
    CODES,
    EFFECTS,
    MEMBER,
    PENDING,
    POST,
    POSTED,
    RECOVERABLE,
    REVERSAL,
    SYSTEM,
    VOID,
)
from app.ledger.seals import Seal, SealDigest
from app.ledger.statements import (
    ACCOUNT,
    BALANCES,
    ENTRY,
    ENTRY_NAMES,
    OPEN,
    SEAL,
    SEAL_HEAD,
    TRANSFER,
)

_AT_ONCE = 1000
_Values = Sequence[Any]


class Difference(NamedTuple):
    """The first thing that is wrong: `what` differs in the row `id` of `table`.

    An entry's id is its transfer's id, a slash and the number of the leg. `account_id` and
    `sequence` are the place in a member's chain, where there is one.
    """

    what: str
    table: str
    id: str
    account_id: uuid.UUID | None = None
    sequence: int | None = None
    expected: str = ""
    found: str = ""


@dataclass(slots=True)
class Verification:
    """What was read (everything, when `ok`). `totals`: the sum of the entries by kind of
    account, in points; they add up to zero."""

    accounts: int = 0
    transfers: int = 0
    entries: int = 0
    seals: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    first_difference: Difference | None = None

    @property
    def ok(self) -> bool:
        """True when nothing differs."""
        return self.first_difference is None


def verify() -> Verification:
    """Read the whole ledger as it is committed now, and say whether it holds."""
    seen = Verification()
    with _snapshot() as connection:
        differences = itertools.chain(
            _members(connection, seen), _strays(connection, seen), _seals(connection, seen)
        )
        try:
            seen.first_difference = next(differences, None)
        except (TypeError, ValueError) as error:
            # A value that is not even of its type: what was read last tells where.
            seen.first_difference = Difference("unreadable value", "", "", found=str(error)[:200])
    return seen


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """A connection of its own that sees one instant, whatever is posted meanwhile. SQLite
    gives that to every transaction, PostgreSQL when it is asked."""
    options: dict[str, Any] = {"yield_per": _AT_ONCE}
    if db.engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with db.engine.connect() as connection:
        yield connection.execution_options(**options)


def _read(connection: Connection, rows: Select[Any]) -> Iterable[_Values]:
    return connection.execute(rows)


def _different(
    what: str,
    table: str,
    row_id: object,
    place: tuple[uuid.UUID, int] | None,
    expected: object,
    found: object,
) -> Difference:
    shown = [v.hex() if isinstance(v, bytes) else str(v) for v in (expected, found)]
    return Difference(what, table, str(row_id), *(place or (None, None)), *shown)


# 1. The chains.

_ACCOUNT = ("id", "kind", *BALANCES, "opened_at")
_ACCOUNTS = select(*ACCOUNT.c[_ACCOUNT])
_CHAINS = (
    select(*ACCOUNT.c[_ACCOUNT], *TRANSFER.c[chain.TRANSFER], *ENTRY.c[ENTRY_NAMES])
    .outerjoin(TRANSFER, TRANSFER.c.account_id == ACCOUNT.c.id)
    .outerjoin(ENTRY, ENTRY.c.transfer_id == TRANSFER.c.id)
    .where(ACCOUNT.c.kind == MEMBER)
    .order_by(ACCOUNT.c.id, TRANSFER.c.sequence, TRANSFER.c.id, ENTRY.c.leg)
)
_AT_TRANSFER = len(_ACCOUNT)
_AT_ENTRY = _AT_TRANSFER + len(chain.TRANSFER)
_account_of = itemgetter(0)
_transfer_of = itemgetter(_AT_TRANSFER)
_KINDS = {system_account(kind): kind for kind in SYSTEM}


def _members(connection: Connection, seen: Verification) -> Iterator[Difference]:
    for _, of_account in itertools.groupby(_read(connection, _CHAINS), _account_of):
        member = None
        for transfer_id, legs in itertools.groupby(of_account, _transfer_of):
            entries = list(legs)
            if member is None:
                member = _Member(connection, entries[0], seen)
                yield from member.begin()
            if transfer_id is not None:
                yield from member.read(entries)
        if member is not None:
            yield from member.finish()
    if sum(seen.totals.values()):
        yield Difference("sum of all entries", "ledger_entry", "", expected="0")


class _Member:
    """One member's chain, entered again beside what is stored."""

    def __init__(self, connection: Connection, row: _Values, seen: Verification) -> None:
        self._seen = seen
        self._journal = Journal()
        self._stored: dict[uuid.UUID, Account] = {}
        self._member = self._open(row)
        owing = _ACCOUNTS.where(ACCOUNT.c.id == self._member.recoverable_id)
        if self._member.recoverable_id is not None:
            for other in connection.execute(owing):
                self._open(other)
        self._journal.accounts[self._member.id].recoverable_id = self._member.recoverable_id

    def _open(self, row: _Values) -> Account:
        """Keep the account as it is stored, and begin it again."""
        stored = Account(*row[: _AT_TRANSFER - 1])
        start = chain.genesis(stored.id, stored.kind, row[_AT_TRANSFER - 1])
        self._stored[stored.id] = stored
        self._journal.accounts[stored.id] = Account(
            stored.id, stored.kind, 0, 0, 0, 0, 0, start, None
        )
        return stored

    def begin(self) -> Iterator[Difference]:
        """The account of what is owed must be there, and be one."""
        owing = self._member.recoverable_id
        if owing is None:
            return
        kind = self._stored[owing].kind if owing in self._stored else "none"
        if kind != RECOVERABLE:
            place = (self._member.id, self._member.version)
            yield _different("kind", "ledger_account", owing, place, RECOVERABLE, kind)

    def read(self, rows: list[_Values]) -> Iterator[Difference]:
        """Compare one transfer and its entries."""
        transfer = Transfer(*rows[0][_AT_TRANSFER:_AT_ENTRY])
        stored = [tuple(row[_AT_ENTRY:]) for row in rows if row[_AT_ENTRY] is not None]
        self._seen.transfers += 1
        self._seen.entries += len(stored)
        yield from self._enter(transfer)
        if self._journal.opened:
            # It is owed by nobody: the member's row has lost the account.
            place = (self._member.id, transfer.sequence)
            yield _different("recoverable_id", "ledger_account", self._member.id, place, "", None)
        yield from self._compare(transfer, stored)
        for entry in stored:
            kind = _KINDS.get(entry[2]) or self._stored[entry[2]].kind
            self._seen.totals[kind] = self._seen.totals.get(kind, 0) + entry[4]

    def _enter(self, transfer: Transfer) -> Iterator[Difference]:
        journal, place = self._journal, (self._member.id, transfer.sequence)
        journal.transfers, journal.entries = [], []
        if (transfer.code, transfer.kind) not in EFFECTS:
            what = "kind" if transfer.code in CODES else "code"
            found = getattr(transfer, what)
            yield _different(what, "ledger_transfer", transfer.id, place, "a declared one", found)
        expected = journal.next_sequence(self._member.id)
        if transfer.sequence != expected:
            yield _different(
                "sequence", "ledger_transfer", transfer.id, place, expected, transfer.sequence
            )
        try:
            journal.enter(transfer)
        except DomainError as refused:
            yield _different(
                refused.code, "ledger_transfer", transfer.id, place, "", transfer.amount
            )

    def _compare(
        self, transfer: Transfer, stored: Sequence[tuple[Any, ...]]
    ) -> Iterator[Difference]:
        again = {entry[1]: entry for entry in self._journal.entries}
        found = {entry[1]: entry for entry in stored}
        for leg in sorted(again.keys() | found.keys()):
            row_id, place = f"{transfer.id}/{leg}", (self._member.id, transfer.sequence)
            if leg not in found:
                yield Difference("missing entry", "ledger_entry", row_id, *place)
            elif leg not in again:
                yield Difference("unexpected entry", "ledger_entry", row_id, *place)
            elif again[leg] != found[leg]:
                columns = zip(ENTRY_NAMES, again[leg], found[leg], strict=True)
                what, *values = next(c for c in columns if c[1] != c[2])
                yield _different(what, "ledger_entry", row_id, place, *values)

    def finish(self) -> Iterator[Difference]:
        """Compare the accounts' rows with their last entries."""
        for account_id, again in self._journal.accounts.items():
            self._seen.accounts += 1
            stored = self._stored.get(account_id)
            for name in BALANCES:
                expected, found = getattr(again, name), getattr(stored, name, None)
                if expected != found:
                    place = (self._member.id, self._member.version)
                    yield _different(name, "ledger_account", account_id, place, expected, found)


# 2. What belongs to nothing.

_named = TRANSFER.alias("named")
_owner = ACCOUNT.alias("owner")
_settled = TRANSFER.alias("settled")
_to_named = func.coalesce(TRANSFER.c.settles_id, TRANSFER.c.reverses_id)
_settling = TRANSFER.c.kind.in_((POST, VOID))
_reversing = TRANSFER.c.kind == REVERSAL
_unsettled = and_(
    TRANSFER.c.kind == PENDING,
    ~select(_settled.c.id).where(_settled.c.settles_id == TRANSFER.c.id).exists(),
)
_posted = or_(
    _named.c.kind == POSTED,
    and_(
        _named.c.kind == PENDING,
        select(_settled.c.id)
        .where(_settled.c.settles_id == _named.c.id, _settled.c.kind == POST)
        .exists(),
    ),
)
_same_fact = and_(
    _named.c.account_id == TRANSFER.c.account_id,
    _named.c.code == TRANSFER.c.code,
    _named.c.amount == TRANSFER.c.amount,
    _named.c.sequence < TRANSFER.c.sequence,
)
#: What each kind must name. `coalesce` makes of "nothing to compare" a plain no.
_names_rightly = or_(
    and_(~_settling, ~_reversing, _to_named.is_(None)),
    and_(
        _settling,
        TRANSFER.c.reverses_id.is_(None),
        func.coalesce(and_(_same_fact, _named.c.kind == PENDING), false()),
    ),
    and_(
        _reversing,
        TRANSFER.c.settles_id.is_(None),
        func.coalesce(and_(_same_fact, _posted), false()),
    ),
)


_of_transfer = select(*TRANSFER.c["id", "account_id", "sequence"]).order_by(TRANSFER.c.id)
#: What is wrong, the table, and how to find the first such row: id, account, place.
_STRAYS: list[tuple[str, str, Select[Any]]] = [
    (
        "entry without its transfer",
        "ledger_entry",
        select(*ENTRY.c["transfer_id", "account_id", "sequence"])
        .where(~select(TRANSFER.c.id).where(TRANSFER.c.id == ENTRY.c.transfer_id).exists())
        .order_by(ENTRY.c.transfer_id, ENTRY.c.leg),
    ),
    (
        "transfer without its member",
        "ledger_transfer",
        _of_transfer.where(
            ~select(ACCOUNT.c.id)
            .where(ACCOUNT.c.id == TRANSFER.c.account_id, ACCOUNT.c.kind == MEMBER)
            .exists()
        ),
    ),
    (
        "account of nobody",
        "ledger_account",
        select(ACCOUNT.c.id, ACCOUNT.c.id, ACCOUNT.c.version)
        .where(
            ACCOUNT.c.kind.not_in((MEMBER, *SYSTEM)),
            ACCOUNT.c.id.not_in(
                select(_owner.c.recoverable_id).where(_owner.c.recoverable_id.is_not(None))
            ),
        )
        .order_by(ACCOUNT.c.id),
    ),
    (
        "names the wrong transfer",
        "ledger_transfer",
        _of_transfer.outerjoin(_named, _named.c.id == _to_named).where(~_names_rightly),
    ),
    (
        "settled twice",
        "ledger_transfer",
        select(TRANSFER.c.settles_id, null(), null())
        .where(TRANSFER.c.settles_id.is_not(None))
        .group_by(TRANSFER.c.settles_id)
        .having(func.count() > 1),
    ),
    (
        "reversed twice",
        "ledger_transfer",
        select(TRANSFER.c.reverses_id, null(), null())
        .where(TRANSFER.c.reverses_id.is_not(None))
        .group_by(TRANSFER.c.reverses_id)
        .having(func.count() > 1),
    ),
    (
        "open transfer not listed as it is",
        "ledger_open",
        _of_transfer.outerjoin(OPEN, OPEN.c.transfer_id == TRANSFER.c.id).where(
            _unsettled,
            or_(
                OPEN.c.account_id.is_distinct_from(TRANSFER.c.account_id),
                OPEN.c.due_at.is_distinct_from(TRANSFER.c.due_at),
            ),
        ),
    ),
    (
        "listed as open and is not",
        "ledger_open",
        select(OPEN.c.transfer_id, OPEN.c.account_id, null())
        .where(
            ~select(TRANSFER.c.id).where(TRANSFER.c.id == OPEN.c.transfer_id, _unsettled).exists()
        )
        .order_by(OPEN.c.transfer_id),
    ),
]


def _strays(connection: Connection, seen: Verification) -> Iterator[Difference]:
    for what, table, rows in _STRAYS:
        for row_id, account_id, sequence in _read(connection, rows.limit(1)):
            yield Difference(what, table, str(row_id), account_id, sequence)
    yield from _system_accounts(connection, seen)


def _system_accounts(connection: Connection, seen: Verification) -> Iterator[Difference]:
    """Each is there once, under its own identifier, as it was opened: they keep no balance."""
    rows = connection.execute(_ACCOUNTS.where(ACCOUNT.c.kind.in_(SYSTEM)).order_by(ACCOUNT.c.id))
    found: dict[str, _Values] = {}
    for row in rows:
        if row.id != system_account(row.kind):
            yield Difference("account of nobody", "ledger_account", str(row.id))
        found[row.kind] = row
    for kind in SYSTEM if seen.accounts else ():
        account_id = system_account(kind)
        if kind not in found:
            yield Difference("missing account", "ledger_account", str(account_id))
            continue
        start = chain.genesis(account_id, kind, found[kind][-1])
        opened = dict(zip(BALANCES, (0, 0, 0, 0, 0, start, None), strict=True))
        for name, stored in zip(BALANCES, found[kind][2:-1], strict=True):
            if stored != opened[name]:
                yield _different(name, "ledger_account", account_id, None, opened[name], stored)


# 3. The seals.

_before = SEAL_HEAD.alias("before")
_owed_entry = ENTRY.alias("owed_entry")
_HEADS = (
    select(
        *SEAL.c[Seal._fields],
        *SEAL_HEAD.c["account_id", "version", "digest"],
        select(func.max(_before.c.version))
        .where(
            _before.c.account_id == SEAL_HEAD.c.account_id,
            _before.c.version < SEAL_HEAD.c.version,
        )
        .scalar_subquery(),
        *ACCOUNT.c["kind", "opened_at"],
        func.coalesce(ENTRY.c.digest, _owed_entry.c.digest),
    )
    .outerjoin(SEAL_HEAD, SEAL_HEAD.c.day == SEAL.c.day)
    .outerjoin(ACCOUNT, ACCOUNT.c.id == SEAL_HEAD.c.account_id)
    .outerjoin(
        TRANSFER,
        and_(
            TRANSFER.c.account_id == SEAL_HEAD.c.account_id,
            TRANSFER.c.sequence == SEAL_HEAD.c.version,
        ),
    )
    .outerjoin(ENTRY, and_(ENTRY.c.transfer_id == TRANSFER.c.id, ENTRY.c.leg == 1))
    .outerjoin(
        _owed_entry,
        and_(
            _owed_entry.c.account_id == SEAL_HEAD.c.account_id,
            _owed_entry.c.sequence == SEAL_HEAD.c.version,
            _owed_entry.c.leg > 1,
        ),
    )
    .order_by(SEAL.c.day, SEAL_HEAD.c.account_id)
)


def _seals(connection: Connection, seen: Verification) -> Iterator[Difference]:
    before = b""
    for day, of_day in itertools.groupby(_read(connection, _HEADS), itemgetter(0)):
        seal, digest = None, SealDigest(before, day)
        for row in of_day:
            seal = Seal(*row[: len(Seal._fields)])
            yield from _head(digest, row[len(Seal._fields) :])
        if seal is None:
            continue
        seen.seals += 1
        again = (digest.entries, digest.accounts, digest.finish(seal.made_at))
        for what, expected in zip(("entries", "accounts", "digest"), again, strict=True):
            stored = getattr(seal, what)
            if stored != expected:
                yield _different(what, "ledger_seal", day, None, expected, stored)
        before = seal.digest
    unsealed = select(SEAL_HEAD.c.account_id, SEAL_HEAD.c.version).where(
        SEAL_HEAD.c.day.not_in(select(SEAL.c.day))
    )
    for account_id, version in _read(connection, unsealed.limit(1)):
        yield Difference("head without its seal", "ledger_seal_head", f"{account_id}/{version}")


def _head(digest: SealDigest, row: _Values) -> Iterator[Difference]:
    """One sealed head beside the chain as it stands now."""
    account_id, version, sealed, sealed_before, kind, opened_at, entry = row
    if account_id is None:
        return
    now = chain.genesis(account_id, kind, opened_at) if version == 0 and opened_at else entry
    if now != sealed:
        row_id, place = f"{account_id}/{version}", (account_id, version)
        yield _different("sealed head", "ledger_seal_head", row_id, place, sealed, now)
    digest.add(account_id, version, sealed, sealed_before or 0)
