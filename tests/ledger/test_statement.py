"""What a member reads: one line for each fact, with its state; and what falls due."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import event

from app import clock, ledger
from app.db import db
from app.errors import InvalidInput
from tests.ledger.world import DAY, HUMAN, award, indebted, member, reference

pytestmark = pytest.mark.usefixtures("books")


def only(account_id: uuid.UUID) -> ledger.Line:
    [line] = ledger.entries(account_id)
    return line


def test_an_award_is_available() -> None:
    account_id = member()
    made = award(account_id, 100, rule_version="rule-1", subject="referral-1")
    line = only(account_id)
    assert (line.id, line.reference, line.amount, line.state) == (
        made.id, made.reference, 100, "available",
    )  # fmt: skip
    assert (line.rule_version, line.subject, line.actor_code) == ("rule-1", "referral-1", "rule")
    assert (line.available_after, line.settled_by, line.reversed_by) == (100, None, None)


def test_an_announced_award_waits_for_its_day_then_for_its_release() -> None:
    account_id = member()
    promised = ledger.announce("award", reference(), account_id, 100, clock.now() + 90 * DAY)
    assert only(account_id).state == "announced"
    clock.travel(90 * DAY)
    assert only(account_id).state == "pending"
    posted = ledger.post(promised.id, reference())
    line = only(account_id)
    assert (line.state, line.settled_by, line.changed_at) == ("available", posted.id, clock.now())
    assert (line.created_at, line.available_after) == (promised.created_at, 100)


def test_points_on_hold_are_one_line_from_first_to_last() -> None:
    account_id = member()
    kept = ledger.hold("award", reference(), account_id, 1, clock.now() + DAY)
    lost = ledger.hold("award", reference(), account_id, 2, None)
    late = ledger.hold("award", reference(), account_id, 3, clock.now() + DAY)
    assert [line.state for line in ledger.entries(account_id)] == ["pending"] * 3
    ledger.post(kept.id, reference())
    ledger.void(lost.id, reference(), "not-confirmed")
    ledger.void(late.id, reference(), "expired")
    lines = {line.id: line for line in ledger.entries(account_id)}
    assert len(lines) == 3
    assert lines[kept.id].state == "available"
    assert (lines[lost.id].state, lines[lost.id].reason) == ("cancelled", "not-confirmed")
    assert (lines[late.id].state, lines[late.id].reason) == ("expired", "expired")


def test_a_redemption_is_one_line_from_first_to_last() -> None:
    account_id = member(100)
    kept = ledger.reserve(reference(), account_id, 30)
    back = ledger.reserve(reference(), account_id, 20)
    assert [(n.amount, n.state) for n in ledger.entries(account_id)][:2] == [
        (-20, "pending"), (-30, "pending"),
    ]  # fmt: skip
    ledger.post(kept.id, reference())
    ledger.void(back.id, reference(), "out-of-stock")
    assert [(n.amount, n.state, n.reason) for n in ledger.entries(account_id)] == [
        (-20, "cancelled", "out-of-stock"), (-30, "spent", None), (100, "available", None),
    ]  # fmt: skip


def test_a_reversal_and_what_it_undoes_are_both_cancelled() -> None:
    account_id = member()
    given = award(account_id, 100)
    ledger.transfer("redemption", reference(), account_id, 60)
    undone = ledger.reverse(given.id, reference(), "undone")
    reversal, spent, first = ledger.entries(account_id)
    assert (reversal.amount, reversal.state, reversal.owed) == (-100, "cancelled", 60)
    assert (reversal.reason, reversal.available_after) == ("undone", 0)
    assert (spent.amount, spent.state) == (-60, "spent")
    assert (first.state, first.reversed_by, first.owed) == ("cancelled", undone.id, 0)


def test_expired_points_are_a_line() -> None:
    account_id = member(100)
    ledger.transfer("expiry", reference(), account_id, 40)
    line = ledger.entries(account_id)[0]
    assert (line.amount, line.state, line.available_after) == (-40, "expired", 60)


def test_a_waiver_is_a_line_that_moves_no_balance() -> None:
    account_id = indebted(40)
    ledger.transfer("waiver", reference(), account_id, 40, actor=HUMAN)
    line = ledger.entries(account_id)[0]
    assert (line.amount, line.state, line.available_after) == (40, "available", 0)
    assert line.actor_code == "person"


def test_it_carries_a_humans_words_until_they_are_erased() -> None:
    account_id, other = member(), member(10)
    ledger.annotate(award(account_id, 5).id, "Merci pour la visite du campus.")
    ledger.annotate(ledger.entries(other)[0].id, "Bravo.")
    ledger.annotate(ledger.entries(account_id)[0].id, "Merci.")
    assert only(account_id).words == "Merci."
    ledger.erase_notes(account_id)
    assert only(account_id).words is None
    assert only(other).words == "Bravo."
    with pytest.raises(ledger.TransferNotFound):
        ledger.annotate(uuid.uuid4(), "Nobody.")
    with pytest.raises(InvalidInput):
        ledger.annotate(ledger.entries(other)[0].id, "x" * 501)


def test_it_is_read_page_by_page_newest_first() -> None:
    account_id, noise = member(), member()
    for n in range(1, 26):
        held = ledger.hold("award", reference(), account_id, n, None)
        award(noise, 100)
        ledger.post(held.id, reference())
    pages, after = [], None
    while page := ledger.entries(account_id, after=after, limit=10):
        pages.append([line.amount for line in page])
        after = page[-1].sequence
    assert pages == [list(range(25, 15, -1)), list(range(15, 5, -1)), list(range(5, 0, -1))]


def test_a_page_has_a_largest_size() -> None:
    account_id = member()
    ledger.award_many("bonus", [ledger.Award(account_id, 1) for _ in range(210)])
    assert len(ledger.entries(account_id, limit=10_000)) == 200
    assert ledger.entries(uuid.uuid4()) == []


def test_a_page_is_one_statement_however_long_the_history() -> None:
    account_id = member(100)
    for _ in range(30):
        ledger.post(ledger.reserve(reference(), account_id, 1).id, reference())
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    ledger.entries(account_id)
    ledger.balance(account_id)
    assert len([text for text in seen if text.startswith("SELECT")]) == 2


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_everything_but_the_proof_finds_its_way_by_index() -> None:
    seen: list[tuple[str, object]] = []
    event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append((a[2], a[3])))
    account_id = member(100)
    kept = ledger.reserve(reference(), account_id, 10)
    ledger.post(kept.id, reference())
    ledger.reverse(kept.id, reference(), "mistake")
    ledger.entries(account_id, after=10)
    ledger.balance(account_id)
    ledger.waiting(account_id)
    ledger.due(10)
    ledger.find("nothing")
    with db.engine.connect() as connection:
        for statement, parameters in seen:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps = [row[3] for row in plan]
                # One page that was found by index may be walked through.
                scans = [s for s in steps if s.startswith("SCAN") and s != "SCAN fact"]
                assert scans == [], statement


def test_it_tells_what_falls_due() -> None:
    account_id, later = member(100), clock.now() + 30 * DAY
    ledger.reserve(reference(), account_id, 10)
    ledger.hold("award", reference(), account_id, 1, None)
    ledger.hold("award", reference(), account_id, 9, later)
    ids = [
        ledger.hold(
            "award", reference(), account_id, n, clock.now() + n * dt.timedelta(hours=1),
            subject=f"referral-{n}",
        ).id
        for n in (5, 3, 4)
    ]  # fmt: skip
    assert ledger.due(10) == []
    clock.travel(DAY)
    ready = ledger.due(10)
    assert [(d.id, d.amount, d.subject) for d in ready] == [
        (ids[1], 3, "referral-3"), (ids[2], 4, "referral-4"), (ids[0], 5, "referral-5"),
    ]  # fmt: skip
    assert ledger.due(2) == ready[:2]
    assert ledger.due(2, after=ready[1]) == ready[2:]
    ledger.post(ready[0].id, reference())
    ledger.void(ready[1].id, reference(), "undone")
    assert [d.id for d in ledger.due(10)] == [ids[0]]


def test_it_tells_what_a_member_waits_for() -> None:
    account_id, noise = member(100), member(100)
    ledger.reserve(reference(), noise, 10)
    ledger.reserve(reference(), account_id, 10)
    ledger.hold("award", reference(), account_id, 9, clock.now() + 2 * DAY)
    ledger.hold("award", reference(), account_id, 8, clock.now() + DAY)
    assert [(d.code, d.amount) for d in ledger.waiting(account_id)] == [
        ("award", 8), ("award", 9), ("redemption", 10),
    ]  # fmt: skip


def test_it_reads_the_balances_of_a_page_of_people() -> None:
    rich, owing = member(100), indebted(40)
    found = ledger.balances([rich, owing, uuid.uuid4()])
    assert found == {
        rich: ledger.Balance(100, 0, 0, 100, 0),
        owing: ledger.Balance(0, 0, 0, 0, 40),
    }


def test_a_transfer_is_found_by_its_reference() -> None:
    made = award(member(), 5)
    assert ledger.find(made.reference) == made
    assert ledger.find("never") is None
