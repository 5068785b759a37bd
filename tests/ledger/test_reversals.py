"""Undoing: what is there is taken, what is missing is owed, nothing goes below zero."""

from __future__ import annotations

import uuid

import pytest

from app import ledger
from tests.ledger.world import HUMAN, award, have, indebted, member, reference, rows

pytestmark = pytest.mark.usefixtures("books")


def undo(transfer_id: uuid.UUID) -> ledger.Transfer:
    return ledger.reverse(transfer_id, reference("undo"), "undone")


def test_a_reversal_lowers_points_and_status() -> None:
    account_id = member(30)
    made = undo(award(account_id, 100).id)
    assert have(account_id) == (30, 0, 0, 30, 0)
    assert (made.kind, made.code, made.amount, made.reason) == ("reversal", "award", 100, "undone")


def test_what_was_spent_is_owed() -> None:
    account_id = member()
    given = award(account_id, 100)
    ledger.transfer("redemption", reference(), account_id, 60)
    undo(given.id)
    assert have(account_id) == (0, 0, 0, 0, 60)


def test_reserved_points_are_not_taken_back() -> None:
    account_id = member()
    given = award(account_id, 100)
    kept = ledger.reserve(reference(), account_id, 70)
    undo(given.id)
    assert have(account_id) == (0, 0, 70, 0, 70)
    ledger.post(kept.id, reference())
    assert have(account_id) == (0, 0, 0, 0, 70)


def test_debts_add_up() -> None:
    account_id = indebted(40)
    other = award(account_id, 100)
    ledger.transfer("redemption", reference(), account_id, 60)
    undo(other.id)
    assert have(account_id) == (0, 0, 0, 0, 100)


def test_a_later_award_repays_first() -> None:
    account_id = indebted(40)
    award(account_id, 25)
    assert have(account_id) == (0, 0, 0, 25, 15)
    award(account_id, 25)
    assert have(account_id) == (10, 0, 0, 50, 0)
    award(account_id, 25)
    assert have(account_id) == (35, 0, 0, 75, 0)


def test_a_repayment_is_a_line_of_its_own() -> None:
    account_id = indebted(40)
    award(account_id, 100, subject="referral-7")
    repaid, given = ledger.entries(account_id, limit=2)
    assert (given.code, given.amount, given.state) == ("award", 100, "available")
    assert (repaid.code, repaid.amount, repaid.subject) == ("recovery", -40, "referral-7")
    assert repaid.available_after == 60


def test_a_hold_repays_when_it_is_posted() -> None:
    account_id = indebted(40)
    held = ledger.hold("award", reference(), account_id, 100, None)
    assert have(account_id) == (0, 100, 0, 0, 40)
    ledger.post(held.id, reference())
    assert have(account_id) == (60, 0, 0, 100, 0)


def test_points_that_come_back_from_a_redemption_do_not_repay() -> None:
    """Only awards are netted: the order would have been delivered all the same."""
    account_id = member()
    given = award(account_id, 100)
    kept = ledger.reserve(reference(), account_id, 70)
    undo(given.id)
    ledger.void(kept.id, reference(), "cancelled")
    assert have(account_id) == (70, 0, 0, 0, 70)


def test_a_named_human_waives_what_is_owed() -> None:
    account_id = indebted(40)
    ledger.transfer("waiver", reference(), account_id, 30, actor=HUMAN)
    assert have(account_id) == (0, 0, 0, 0, 10)
    before = rows()
    with pytest.raises(ledger.AboveDebt) as refused:
        ledger.transfer("waiver", reference(), account_id, 11, actor=HUMAN)
    assert refused.value.details == {"owed": 10, "amount": 11}
    assert rows() == before


def test_a_waiver_can_be_undone() -> None:
    account_id = indebted(40)
    waived = ledger.transfer("waiver", reference(), account_id, 40, actor=HUMAN)
    undo(waived.id)
    assert have(account_id) == (0, 0, 0, 0, 40)


def test_it_waives_nothing_for_who_owes_nothing() -> None:
    with pytest.raises(ledger.AboveDebt):
        ledger.transfer("waiver", reference(), member(10), 1, actor=HUMAN)


def test_a_redemption_that_is_undone_gives_the_points_back() -> None:
    account_id = member(100)
    kept = ledger.reserve(reference(), account_id, 80)
    ledger.post(kept.id, reference())
    undo(kept.id)
    assert have(account_id) == (100, 0, 0, 100, 0)


def test_a_post_stands_for_what_it_made_final() -> None:
    account_id = member()
    held = ledger.hold("award", reference(), account_id, 50, None)
    posted = ledger.post(held.id, reference())
    made = undo(posted.id)
    assert made.reverses_id == held.id
    assert have(account_id) == (0, 0, 0, 0, 0)


def test_a_human_correction_can_be_undone() -> None:
    account_id = member(100)
    more = ledger.transfer("adjustment", reference(), account_id, 30, actor=HUMAN)
    less = ledger.transfer("deduction", reference(), account_id, 50, actor=HUMAN)
    undo(less.id)
    undo(more.id)
    assert have(account_id) == (100, 0, 0, 100, 0)


def test_it_undoes_only_what_has_moved() -> None:
    account_id = member(100)
    waiting = ledger.hold("award", reference(), account_id, 50, None)
    gone = ledger.hold("award", reference(), account_id, 50, None)
    void = ledger.void(gone.id, reference(), "mistake")
    reversal = undo(award(account_id, 5).id)
    before = rows()
    for transfer_id in (waiting.id, gone.id, void.id, reversal.id):
        with pytest.raises(ledger.NotReversible):
            undo(transfer_id)
    with pytest.raises(ledger.TransferNotFound):
        undo(uuid.uuid4())
    assert rows() == before


def test_it_undoes_once() -> None:
    account_id = member(100)
    given = award(account_id, 20)
    undo(given.id)
    with pytest.raises(ledger.AlreadyReversed):
        undo(given.id)
    assert have(account_id) == (100, 0, 0, 100, 0)
