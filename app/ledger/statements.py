"""The SQL that writes the books, made once: building it for each posting cost more than
running it. What the two databases do differently stands here and nowhere else.

- "Insert unless it is there" is spelled the same but has one class for each.
- PostgreSQL, a round trip away, takes a whole posting as one statement, and a bulk by COPY.
- SQLite, inside our process, takes statement after statement and row after row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import (
    Column,
    Connection,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    delete,
    exists,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.selectable import CTE

from app.ledger import chain
from app.ledger.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerOpen,
    LedgerSeal,
    LedgerSealHead,
    LedgerTransfer,
)
from app.prepared import Prepared

ACCOUNT = cast(Table, LedgerAccount.__table__)
TRANSFER = cast(Table, LedgerTransfer.__table__)
ENTRY = cast(Table, LedgerEntry.__table__)
OPEN = cast(Table, LedgerOpen.__table__)
SEAL = cast(Table, LedgerSeal.__table__)
SEAL_HEAD = cast(Table, LedgerSealHead.__table__)

#: A posting and what it repays have at most this many entries; more is a bulk.
FEW = 6
#: A bulk is written in parts of so many transfers: on SQLite so few that Python's collector
#: has nothing to walk through, on PostgreSQL enough to be worth the round trips.
BULK_PART = {"sqlite": 100, "postgresql": 2500}
#: What a posting changes on an account's row.
BALANCES = (
    "available",
    "pending",
    "reserved",
    "status_points",
    "version",
    "head_digest",
    "recoverable_id",
)
ENTRY_NAMES = ("transfer_id", *chain.LEG, "digest")

#: `key_share`: rows of other features may go on pointing at an account while it is locked.
_accounts = select(*ACCOUNT.c["id", "kind", *BALANCES]).with_for_update(key_share=True)
LOCK = Prepared(
    _accounts.with_only_columns(*ACCOUNT.c["kind", *BALANCES]).where(
        ACCOUNT.c.id == bindparam("key")
    ),
    ["key"],
)
LOCK_MANY = _accounts.where(ACCOUNT.c.id.in_(bindparam("keys", expanding=True))).order_by(
    ACCOUNT.c.id
)
FIND = select(*TRANSFER.c[chain.TRANSFER])
OPEN_ACCOUNTS = insert(ACCOUNT)
ADD_TRANSFER = Prepared(insert(TRANSFER), chain.TRANSFER)
AWAIT = Prepared(insert(OPEN), ["transfer_id", "account_id", "due_at"])
SETTLE = Prepared(delete(OPEN).where(OPEN.c.transfer_id == bindparam("key")), ["key"])


def _once(table: Table, dialect: str) -> Insert:
    """Insert unless a unique key is taken; the row count tells."""
    made = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return made.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def _move(prefix: str) -> Update:
    changes = {n: bindparam(f"{prefix}{n}", type_=ACCOUNT.c[n].type) for n in BALANCES}
    return update(ACCOUNT).where(ACCOUNT.c.id == bindparam(f"{prefix}id")).values(changes)


def _leg(number: int, transfer: CTE | None = None) -> Select[*tuple[Any, ...]]:
    """One entry as a row of parameters, of a transfer that was just inserted if it was."""
    values: list[Any] = [
        bindparam(f"{name}_{number}", type_=ENTRY.c[name].type) for name in ENTRY_NAMES
    ]
    return select(*values) if transfer is None else select(*values).select_from(transfer)


def _legs(count: int, transfer: CTE | None = None) -> Insert:
    """The few legs of a posting. (VALUES with several rows would be compiled anew each time,
    a union is compiled once.)"""
    rows = [_leg(number, transfer) for number in range(count)]
    return insert(ENTRY).from_select(ENTRY_NAMES, union_all(*rows) if count > 1 else rows[0])


def _posting(count: int) -> Update:
    """Transfer, entries and balances in one statement, which does nothing when the transfer
    is not new. Only PostgreSQL lets a query change several tables."""
    values = {n: bindparam(f"new_{n}", type_=TRANSFER.c[n].type) for n in chain.TRANSFER}
    row = postgresql.insert(TRANSFER).values(values).on_conflict_do_nothing()
    new = row.returning(TRANSFER.c.id).cte("new")
    entries = _legs(count, new).cte("entries")
    return _move("account_").where(exists(select(new.c.id))).add_cte(new, entries)


SEAL_ONCE = {name: _once(SEAL, name) for name in ("sqlite", "postgresql")}
ACCOUNT_ONCE = {name: _once(ACCOUNT, name) for name in ("sqlite", "postgresql")}
_LEG_NAMES = [f"{name}_{number}" for number in range(FEW) for name in ENTRY_NAMES]
_MOVE_NAMES = [f"account_{name}" for name in (*BALANCES, "id")]
TRANSFER_ONCE = Prepared(
    {name: _once(TRANSFER, name) for name in ("sqlite", "postgresql")}, chain.TRANSFER
)
MOVE = Prepared(_move("account_"), _MOVE_NAMES)
LEGS = [
    Prepared(_legs(count), _LEG_NAMES[: count * len(ENTRY_NAMES)]) for count in range(1, FEW + 1)
]
_POSTINGS = [
    Prepared(
        _posting(count),
        [f"new_{name}" for name in chain.TRANSFER]
        + _LEG_NAMES[: count * len(ENTRY_NAMES)]
        + _MOVE_NAMES,
    )
    for count in (1, 2)
]


def posting(connection: Connection, legs: int) -> Prepared | None:
    """The one statement for a posting of `legs` entries on one member, where there is one: it
    takes the transfer, its entries and the balances."""
    if connection.dialect.name == "postgresql" and legs <= len(_POSTINGS):
        return _POSTINGS[legs - 1]
    return None


_later = TRANSFER.alias()
#: The members of a bulk take their balances from the last entry that it wrote for them.
MOVE_GROUP = (
    update(ACCOUNT)
    .where(
        TRANSFER.c.group_reference == bindparam("group"),
        ENTRY.c.transfer_id == TRANSFER.c.id,
        ENTRY.c.leg == 1,
        ACCOUNT.c.id == TRANSFER.c.account_id,
        ~exists().where(
            _later.c.account_id == TRANSFER.c.account_id,
            _later.c.sequence == TRANSFER.c.sequence + 1,
        ),
    )
    .values(
        available=ENTRY.c.available_after,
        pending=ENTRY.c.pending_after,
        reserved=ENTRY.c.reserved_after,
        status_points=ENTRY.c.status_after,
        version=ENTRY.c.sequence,
        head_digest=ENTRY.c.digest,
    )
)


def insert_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Insert many rows whose values stand in the order of `names`, without SQLAlchemy's work
    for each row, which a bulk award of ten thousand people cannot afford."""
    if not rows:
        return
    columns = f"{table.name} ({', '.join(names)})"
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {columns} FROM STDIN", rows)
        return
    values = [
        _converted(connection, table.c[name], column)
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    ]
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {columns} VALUES ({marks})"  # nosec B608
    connection.exec_driver_sql(statement, list(zip(*values, strict=True)))


def _copy(connection: Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    driver = cast(Any, connection.connection.dbapi_connection)
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _converted(
    connection: Connection, column: Column[Any], values: Sequence[object]
) -> Sequence[object]:
    """The values as the driver wants them; what is the same in all rows is converted once."""
    dialect = connection.dialect
    convert = column.type.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    first = values[0]
    if all(value is first for value in values):
        return [convert(first)] * len(values)
    return [convert(value) for value in values]
