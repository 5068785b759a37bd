"""Statements that the driver runs: the same values, counts and errors as SQLAlchemy's own."""

from __future__ import annotations

import datetime as dt
import sqlite3
import uuid
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app import ledger
from app.db import db, new_id, transaction
from app.ledger import chain
from app.ledger.statements import (
    ACCOUNT,
    ADD_TRANSFER,
    LOCK,
    MOVE,
    TRANSFER,
    TRANSFER_ONCE,
    posting,
)
from tests.ledger.world import START, award, have, indebted, member, reference

pytestmark = pytest.mark.usefixtures("any_ledger")

EXACT = START.replace(second=7, microsecond=1)
THERE = dt.datetime(2026, 7, 14, 1, 2, 3, 400_500, tzinfo=dt.timezone(dt.timedelta(hours=2)))
ROWS: list[dict[str, Any]] = [
    {},
    {"amount": 2**62, "sequence": 2**53 + 1},
    {"amount": -1, "sequence": 40_000},
    {"effective_at": THERE, "created_at": EXACT, "due_at": START},
    {"actor_id": "é'\"%s$1?", "reason": "", "subject": "x", "rule_version": "rule-1"},
]


def _transfer(account_id: uuid.UUID, **given: Any) -> chain.Transfer:
    row: dict[str, Any] = {
        "id": new_id(), "reference": reference(), "code": "award", "kind": "posted",
        "account_id": account_id, "sequence": 1, "amount": 5, "effective_at": START,
        "created_at": START, "actor_code": "rule",
    }  # fmt: skip
    return chain.Transfer(**(row | given))


def _stored(transfer_id: uuid.UUID) -> Any:
    """The row as the driver itself gives it, without what makes it one of its kind."""
    own = {"id", "reference", "account_id"}
    names = ", ".join(name for name in chain.TRANSFER if name not in own)
    key: Any = transfer_id.hex if db.engine.dialect.name == "sqlite" else transfer_id
    mark = "?" if db.engine.dialect.name == "sqlite" else "%s"
    sql = f"SELECT {names} FROM ledger_transfer WHERE id = {mark}"
    return tuple(db.session.connection().exec_driver_sql(sql, (key,)).one())


@pytest.mark.parametrize("given", ROWS)
def test_it_stores_what_sqlalchemy_stores(given: dict[str, Any]) -> None:
    settled = award(member(), 1)
    ours = _transfer(member(), settles_id=settled.id, **given)
    theirs = _transfer(member(), reverses_id=settled.id, **given)
    with transaction() as session:
        ADD_TRANSFER.run(session.connection(), list(ours[:-1]))
        row = dict(zip(chain.TRANSFER, theirs, strict=False))
        session.connection().execute(insert(TRANSFER), row)
    mine, other = list(_stored(ours.id)), list(_stored(theirs.id))
    settles = chain.TRANSFER.index("settles_id") - 3
    assert mine[settles] == other[settles + 1] != mine[settles + 1]
    assert other[settles] is None
    del mine[settles : settles + 2], other[settles : settles + 2]
    assert mine == other
    columns = TRANSFER.c[chain.TRANSFER]
    read = db.session.execute(select(*columns).where(TRANSFER.c.id == ours.id)).one()
    assert tuple(read) == ours[:-1]


def test_it_reads_what_sqlalchemy_reads() -> None:
    for account_id in (member(10**9), indebted(7)):
        columns = ACCOUNT.c[
            "kind", "available", "pending", "reserved", "status_points", "version",
            "head_digest", "recoverable_id",
        ]  # fmt: skip
        read = db.session.execute(select(*columns).where(ACCOUNT.c.id == account_id)).one()
        with transaction() as session:
            found = LOCK.row(session.connection(), [account_id])
        assert found == list(read)
        assert (found[-1] is None) == (have(account_id)[-1] == 0)


def test_it_finds_nothing_where_nothing_is() -> None:
    with transaction() as session:
        assert LOCK.row(session.connection(), [new_id()]) is None
        row = [1, 0, 0, 0, 1, b"x" * 32, None, new_id()]
        assert MOVE.run(session.connection(), row) == 0


def test_it_counts_the_rows_that_it_wrote() -> None:
    row = _transfer(member())
    with transaction() as session:
        assert TRANSFER_ONCE.run(session.connection(), list(row[:-1])) == 1
        assert TRANSFER_ONCE.run(session.connection(), list(row[:-1])) == 0
        session.rollback()


def test_it_is_undone_with_the_transaction() -> None:
    account_id = member(10)

    def use_case() -> None:
        with transaction() as session:
            row = [99, 0, 0, 99, 1, b"x" * 32, None, account_id]
            assert MOVE.run(session.connection(), row) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_case()
    assert have(account_id) == (10, 0, 0, 10, 0)


def test_a_refused_row_is_sqlalchemys_error() -> None:
    row = _transfer(member())

    def twice(again: chain.Transfer) -> None:
        with transaction() as session:
            ADD_TRANSFER.run(session.connection(), list(row[:-1]))
            ADD_TRANSFER.run(session.connection(), list(again[:-1]))

    for again in (row, row._replace(id=new_id(), account_id=new_id(), reference=reference())):
        with pytest.raises(IntegrityError) as refused:
            twice(again)
        assert not refused.value.connection_invalidated
        assert row.reference not in str(refused.value.statement)


def test_a_posting_is_one_statement_where_the_database_can() -> None:
    with transaction() as session:
        connection = session.connection()
        known = [posting(connection, legs) is not None for legs in (1, 2, 3)]
    assert known == ([False] * 3 if db.engine.dialect.name == "sqlite" else [True, True, False])


def test_a_lost_connection_is_given_up() -> None:
    account_id = member(10)

    def use_case() -> None:
        with transaction() as session:
            _cut(session.connection())
            award(account_id, 1)

    with pytest.raises(DBAPIError) as lost:
        use_case()
    assert lost.value.connection_invalidated
    award(account_id, 5)
    assert have(account_id)[0] == 15


def _cut(connection: Connection) -> None:
    if _is_server():
        (own,) = connection.exec_driver_sql("SELECT pg_backend_pid()").one()
        with db.engine.connect() as other:
            other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (own,))
    else:
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr]


def test_a_row_that_stays_locked_is_sqlalchemys_error() -> None:
    account_id = member()

    def impatient() -> None:
        with transaction() as session:
            session.connection().exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
            award(account_id, 1)

    if _is_server():
        with db.engine.begin() as other:
            LOCK.row(other, [account_id])
            with pytest.raises(OperationalError):
                impatient()
    award(account_id, 3)
    assert have(account_id)[0] == 3


def test_a_database_that_stays_busy_is_sqlalchemys_error(ledger_url: str) -> None:
    if not _is_server():
        with transaction() as session:
            session.connection().exec_driver_sql("PRAGMA busy_timeout = 20")
        writer = sqlite3.connect(ledger_url.removeprefix("sqlite:///"), isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            ledger.open_account()
        writer.execute("ROLLBACK")
        writer.close()
    assert have(member(3))[0] == 3


def _is_server() -> bool:
    return db.engine.dialect.name == "postgresql"
