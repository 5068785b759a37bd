"""The proof: whatever was changed behind the verbs' back is found and named."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Row, Table, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from app import clock, ledger
from app.db import UTCDateTime, db
from app.ledger import chain
from app.ledger.codes import MEMBER, RECOVERABLE
from app.ledger.statements import (
    ACCOUNT,
    ENTRY,
    OPEN,
    SEAL,
    SEAL_HEAD,
    TRANSFER,
)
from app.ledger.verify import _Member
from tests.ledger.world import (
    DAY,
    HUMAN,
    START,
    award,
    busy_ledger,
    indebted,
    member,
    rows,
    whole,
)

TABLES = (ACCOUNT, TRANSFER, ENTRY, OPEN, SEAL, SEAL_HEAD)
#: What says where a row belongs: when it is changed the row is found to miss or to be amiss,
#: but the place that is named is another one.
KEYS = {"id", "transfer_id", "account_id", "leg", "sequence"}


@contextmanager
def tampering() -> Iterator[Connection]:
    """A hand in the database that no constraint holds back, as far as the database lets it."""
    db.session.remove()
    with db.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        if connection.dialect.name == "sqlite":
            # Outside a transaction, or they would do nothing.
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute("PRAGMA ignore_check_constraints=ON")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        yield connection
        connection.commit()
    db.engine.dispose()


def changed(value: Any, column: Any) -> Any:
    """The smallest other value."""
    if value is None:
        if isinstance(column.type, UTCDateTime):
            return START
        made = {int: 1, str: "x", bytes: bytes(32), uuid.UUID: uuid.uuid4()}
        return made[column.type.python_type]
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int ^ 1)
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, dt.datetime):
        return value + dt.timedelta(microseconds=1)
    if isinstance(value, dt.date):
        return value - dt.timedelta(days=1)
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1)
    return value + 1


def all_rows(table: Table) -> list[Row[Any]]:
    with db.engine.connect() as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key)))


def this(table: Table, row: Row[Any]) -> Any:
    return [column == getattr(row, column.name) for column in table.primary_key]


def replace(table: Table, row: Row[Any], column: str, value: Any) -> bool:
    """Change one value; False when the database itself refuses."""
    try:
        with tampering() as connection:
            where = this(table, row)
            done = connection.execute(update(table).where(*where).values({column: value}))
            assert done.rowcount == 1
    except IntegrityError:
        return False
    return True


def found() -> ledger.Difference:
    seen = ledger.verify()
    assert not seen.ok
    assert seen.first_difference is not None
    assert ledger.verify().first_difference == seen.first_difference
    return seen.first_difference


def place_of(transfer_id: uuid.UUID) -> tuple[uuid.UUID, int]:
    with db.engine.connect() as connection:
        row = connection.execute(
            select(*TRANSFER.c["account_id", "sequence"]).where(TRANSFER.c.id == transfer_id)
        ).one()
    return row[0], row[1]


@pytest.mark.usefixtures("any_ledger")
def test_it_counts_what_it_read() -> None:
    busy_ledger()
    seen = whole()
    assert (seen.transfers, seen.entries) == rows()[:2]
    assert (seen.accounts, seen.seals) == (6, 1)
    assert sum(seen.totals.values()) == 0
    assert seen.totals["redeemed"] == 3 * 120
    assert seen.totals["waived"] == -15


@pytest.mark.usefixtures("any_ledger")
def test_an_empty_ledger_is_whole() -> None:
    assert whole() == ledger.Verification()


@pytest.mark.usefixtures("any_ledger")
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_changed_value_is_found(table: Table) -> None:
    """Every column, in the first, a middle and the newest row."""
    busy_ledger()
    stored = all_rows(table)
    for column in table.columns:
        tried = [
            row
            for row in (stored[0], stored[len(stored) // 2], stored[-1])
            if _change_and_put_back(table, row, column)
        ]
        assert tried, f"the database let nobody change {column.name}"
    whole()


def _change_and_put_back(table: Table, row: Row[Any], column: Column[Any]) -> bool:
    value, place = changed(getattr(row, column.name), column), _place(table, row)
    if not replace(table, row, column.name, value):
        return False
    difference = found()
    if place is not None and column.name not in KEYS:
        assert (difference.account_id, difference.sequence) == place
    put_back(table, row, column.name, value)
    return True


def _place(table: Table, row: Row[Any]) -> tuple[uuid.UUID, int] | None:
    if table is TRANSFER:
        return place_of(row.id)
    return place_of(row.transfer_id) if table is ENTRY else None


def put_back(table: Table, row: Row[Any], column: str, value: Any) -> None:
    with tampering() as connection:
        where = [
            key == (value if key.name == column else getattr(row, key.name))
            for key in table.primary_key
        ]
        connection.execute(update(table).where(*where).values({column: getattr(row, column)}))


@pytest.mark.usefixtures("any_ledger")
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_removed_row_is_found(table: Table) -> None:
    busy_ledger()
    stored = all_rows(table)
    for row in {*stored[:: max(1, len(stored) // 12)], stored[-1]}:
        place = place_of(row.transfer_id) if table is ENTRY else None
        with tampering() as connection:
            connection.execute(delete(table).where(*this(table, row)))
        difference = found()
        if place is not None:
            assert (difference.account_id, difference.sequence) == place
            assert difference.id == f"{row.transfer_id}/{row.leg}"
            assert difference.what == "missing entry"
        with tampering() as connection:
            connection.execute(insert(table), dict(row._mapping))
    whole()


def entries_of(transfer_id: uuid.UUID) -> list[dict[str, Any]]:
    with db.engine.connect() as connection:
        legs = connection.execute(select(ENTRY).where(ENTRY.c.transfer_id == transfer_id))
        return [dict(leg._mapping) for leg in legs]


def remove(line: ledger.Transfer) -> list[dict[str, Any]]:
    """Take a whole line out: the transfer and its entries, which are answered."""
    legs = entries_of(line.id)
    with tampering() as connection:
        connection.execute(delete(ENTRY).where(ENTRY.c.transfer_id == line.id))
        connection.execute(delete(TRANSFER).where(TRANSFER.c.id == line.id))
    return legs


def add(line: ledger.Transfer, legs: list[dict[str, Any]]) -> None:
    with tampering() as connection:
        connection.execute(insert(TRANSFER), dict(zip(chain.TRANSFER, line, strict=False)))
        connection.execute(insert(ENTRY), legs)


@pytest.mark.usefixtures("any_ledger")
def test_a_removed_line_is_found_the_newest_included() -> None:
    """Transfer, entries and all: the next line, or the account's own row, tells."""
    account_id = member()
    lines = [award(account_id, n) for n in range(1, 6)]
    for line in lines:
        legs = remove(line)
        difference = found()
        assert difference.account_id == account_id
        if line is lines[-1]:
            assert (difference.table, difference.what) == ("ledger_account", "available")
        else:
            assert (difference.what, difference.sequence) == ("sequence", line.sequence + 1)
        add(line, legs)
    whole()


@pytest.mark.usefixtures("any_ledger")
def test_a_line_that_no_verb_wrote_is_found() -> None:
    account_id = member()
    line = award(account_id, 50)
    forged = line._replace(id=uuid.uuid4(), reference="forged", sequence=2)
    legs = [leg | {"transfer_id": forged.id} for leg in entries_of(line.id)]
    legs[0] |= {"sequence": 2, "available_after": 100, "status_after": 100}
    add(forged, legs)
    difference = found()
    assert (difference.what, difference.id) == ("digest", f"{forged.id}/1")
    assert (difference.account_id, difference.sequence) == (account_id, 2)


@pytest.mark.usefixtures("any_ledger")
@pytest.mark.parametrize("newest", [False, True])
def test_two_swapped_lines_are_found(newest: bool) -> None:
    account_id = member()
    lines = [award(account_id, 10) for _ in range(6)]
    first, second = lines[-2:] if newest else lines[1:3]
    balances = ("available_after", "pending_after", "reserved_after", "status_after", "digest")
    legs = {line.id: entries_of(line.id) for line in (first, second)}
    with tampering() as connection:
        for line, place in ((first, -1), (second, first.sequence), (first, second.sequence)):
            connection.execute(
                update(TRANSFER).where(TRANSFER.c.id == line.id).values(sequence=place)
            )
        for line, other_line in ((first, second), (second, first)):
            values = {k: v for k, v in legs[other_line.id][0].items() if k in balances}
            connection.execute(
                update(ENTRY)
                .where(ENTRY.c.transfer_id == line.id, ENTRY.c.leg == 1)
                .values(sequence=other_line.sequence, **values)
            )
    difference = found()
    assert (difference.account_id, difference.sequence) == (account_id, first.sequence)
    assert (difference.what, difference.id) == ("digest", f"{second.id}/1")


@pytest.mark.usefixtures("any_ledger")
def test_the_first_of_several_is_named() -> None:
    people = sorted([member(10), member(20), member(30)], key=lambda a: a.int)
    lines = [award(account_id, n) for account_id in people for n in (1, 2, 3)]
    for line in lines[::-1]:
        with tampering() as connection:
            connection.execute(
                update(TRANSFER).where(TRANSFER.c.id == line.id).values(subject="changed")
            )
        difference = found()
        assert difference.id == f"{line.id}/1"
        assert (difference.account_id, difference.sequence) == (line.account_id, line.sequence)


@pytest.mark.usefixtures("any_ledger")
def test_a_changed_issuers_leg_is_found_through_the_member() -> None:
    line = award(member(), 50)
    with tampering() as connection:
        connection.execute(
            update(ENTRY).where(ENTRY.c.transfer_id == line.id, ENTRY.c.leg == 2).values(amount=-49)
        )
    difference = found()
    assert (difference.what, difference.id) == ("amount", f"{line.id}/2")
    assert (difference.expected, difference.found) == ("-50", "-49")


@pytest.mark.usefixtures("any_ledger")
def test_what_is_owed_is_proved_too() -> None:
    account_id = indebted(40)
    [owing] = [row for row in all_rows(ACCOUNT) if row.kind == RECOVERABLE]
    for column, value in (("available", 0), ("version", 0), ("kind", MEMBER), ("pending", 3)):
        before = getattr(owing, column)
        assert replace(ACCOUNT, owing, column, value)
        assert found().table in ("ledger_account", "ledger_entry")
        replace(ACCOUNT, owing, column, before)
    [mine] = [row for row in all_rows(ACCOUNT) if row.id == account_id]
    replace(ACCOUNT, mine, "recoverable_id", None)
    difference = found()
    assert (difference.id, difference.what) == (str(account_id), "recoverable_id")


@pytest.mark.usefixtures("any_ledger")
def test_an_orphan_is_found() -> None:
    account_id = member(10)
    line = award(account_id, 5)
    for table, change in (
        (ENTRY, {"transfer_id": uuid.uuid4(), "leg": 1, "account_id": account_id, "amount": 0}),
        (ACCOUNT, {"id": uuid.uuid4(), "kind": RECOVERABLE, "head_digest": bytes(32)}),
        (ACCOUNT, {"id": uuid.uuid4(), "kind": "issuer", "head_digest": bytes(32)}),
        (ACCOUNT, {"id": uuid.uuid4(), "kind": MEMBER, "head_digest": bytes(32)}),
        (OPEN, {"transfer_id": line.id, "account_id": account_id}),
    ):
        with tampering() as connection:
            connection.execute(insert(table).values(change))
        assert found().table == table.name
        key = next(iter(table.primary_key))
        with tampering() as connection:
            connection.execute(delete(table).where(key == change[key.name]))
    whole()


@pytest.mark.usefixtures("any_ledger")
def test_a_system_account_keeps_nothing() -> None:
    member(10)
    issuer = ledger.system_account("issuer")
    [row] = [row for row in all_rows(ACCOUNT) if row.id == issuer]
    for column, value in (("available", 5), ("version", 1), ("status_points", 1)):
        replace(ACCOUNT, row, column, value)
        assert (found().id, found().what) == (str(issuer), column)
        replace(ACCOUNT, row, column, getattr(row, column))
    with tampering() as connection:
        connection.execute(delete(ACCOUNT).where(ACCOUNT.c.id == issuer))
    assert (found().id, found().what) == (str(issuer), "missing account")


@pytest.mark.usefixtures("any_ledger")
@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_value_that_is_not_even_of_its_type_is_found() -> None:
    award(member(), 10)
    with tampering() as connection:
        connection.exec_driver_sql("UPDATE ledger_transfer SET created_at = 'yesterday'")
    assert found().what == "unreadable value"


def forge(account_id: uuid.UUID) -> None:
    """What somebody does who knows the product: every digest of the account made anew."""
    with tampering() as connection:
        account = connection.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id)).one()
        head = chain.genesis(account.id, account.kind, account.opened_at)
        lines = connection.execute(
            select(*TRANSFER.c[chain.TRANSFER])
            .where(TRANSFER.c.account_id == account_id)
            .order_by(TRANSFER.c.sequence)
        ).all()
        for row in lines:
            line = ledger.Transfer(*row)
            legs = connection.execute(
                select(*ENTRY.c[chain.LEG])
                .where(ENTRY.c.transfer_id == line.id)
                .order_by(ENTRY.c.leg)
            )
            covered = chain.content(line, [chain.Leg(*leg) for leg in legs])
            head = chain.link(head, account_id, line.sequence, covered)
            connection.execute(
                update(ENTRY)
                .where(ENTRY.c.transfer_id == line.id, ENTRY.c.leg == 1)
                .values(digest=head)
            )
        connection.execute(
            update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(head_digest=head)
        )


@pytest.mark.usefixtures("any_ledger")
def test_a_forged_chain_is_caught_by_the_seal() -> None:
    account_id = member(10)
    line = award(account_id, 20)
    clock.travel(DAY)
    ledger.seal_day((clock.now() - DAY).date())
    award(account_id, 30)
    with tampering() as connection:
        connection.execute(
            update(TRANSFER).where(TRANSFER.c.id == line.id).values(subject="changed")
        )
    assert found().what == "digest"
    forge(account_id)
    difference = found()
    assert (difference.table, difference.what) == ("ledger_seal_head", "sealed head")
    assert (difference.account_id, difference.sequence) == (account_id, 2)


@pytest.mark.usefixtures("any_ledger")
def test_a_person_taken_out_whole_is_caught_by_the_seal() -> None:
    silent, busy = member(), member(10)
    clock.travel(DAY)
    ledger.seal_day((clock.now() - DAY).date())
    for account_id in (silent, busy):
        with tampering() as connection:
            mine = select(TRANSFER.c.id).where(TRANSFER.c.account_id == account_id)
            kept = {
                table: [dict(r._mapping) for r in connection.execute(select(table).where(where))]
                for table, where in (
                    (ACCOUNT, ACCOUNT.c.id == account_id),
                    (TRANSFER, TRANSFER.c.account_id == account_id),
                    (ENTRY, ENTRY.c.transfer_id.in_(mine)),
                )
            }
            connection.execute(delete(ENTRY).where(ENTRY.c.transfer_id.in_(mine)))
            connection.execute(delete(TRANSFER).where(TRANSFER.c.account_id == account_id))
            connection.execute(delete(ACCOUNT).where(ACCOUNT.c.id == account_id))
        difference = found()
        assert (difference.table, difference.account_id) == ("ledger_seal_head", account_id)
        with tampering() as connection:
            for table, stored in kept.items():
                if stored:
                    connection.execute(insert(table), stored)
    whole()


@pytest.mark.usefixtures("any_ledger")
def test_erasing_words_leaves_the_proof_whole() -> None:
    """Rules E2 and E3."""
    account_id = member()
    line = award(account_id, 10, actor=HUMAN)
    ledger.annotate(line.id, "Maëlle a présenté trois personnes.")
    before = rows()
    ledger.erase_notes(account_id)
    assert rows() == before
    whole()


@pytest.mark.usefixtures("any_ledger")
def test_it_reads_one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A posting while the proof is being read is not half seen."""
    people = [member(10) for _ in range(3)]
    finish = _Member.finish

    def post_meanwhile(self: _Member) -> Iterator[ledger.Difference]:
        monkeypatch.setattr(_Member, "finish", finish)
        for account_id in people:
            award(account_id, 5)
        return finish(self)

    monkeypatch.setattr(_Member, "finish", post_meanwhile)
    assert whole().transfers == 3
    assert whole().transfers == 6
