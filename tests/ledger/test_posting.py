"""Awards, holds, redemptions: what each verb does to a balance."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app import clock, ledger
from app.ledger.codes import MAX_AMOUNT, RECOVERABLE
from app.ledger.statements import ACCOUNT
from tests.ledger.world import DAY, HUMAN, award, have, indebted, member, reference, rows

pytestmark = pytest.mark.usefixtures("books")


def test_it_credits_an_award_at_once() -> None:
    account_id = member()
    made = award(account_id, 200, rule_version="rule-3", subject="referral-9")
    assert have(account_id) == (200, 0, 0, 200, 0)
    assert (made.code, made.kind, made.sequence, made.amount) == ("award", "posted", 1, 200)
    assert made.created_at == made.effective_at == clock.now()
    assert not made.replayed


def test_it_keeps_members_apart() -> None:
    mine, theirs = member(), member(70)
    award(mine, 10)
    assert have(mine)[0] == 10
    assert have(theirs)[0] == 70


def test_it_takes_the_largest_amount_many_times() -> None:
    account_id = member()
    for _ in range(5):
        award(account_id, MAX_AMOUNT)
    assert have(account_id)[0] == 5 * MAX_AMOUNT


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT + 1, True, 1.5, "10", None])
def test_it_refuses_what_is_not_a_number_of_points(amount: Any) -> None:
    account_id, before = member(), rows()
    with pytest.raises(ledger.InvalidAmount) as refused:
        award(account_id, amount)
    assert (refused.value.status, refused.value.code) == (422, "invalid-amount")
    with pytest.raises(ledger.InvalidAmount):
        ledger.award_many(reference(), [ledger.Award(account_id, amount)])
    assert rows() == before


def test_it_refuses_an_account_that_is_not_a_members() -> None:
    from app.db import db

    owing = indebted()
    recoverable = db.session.scalar(ACCOUNT.select().where(ACCOUNT.c.kind == RECOVERABLE))
    assert have(owing)[4] == 40
    before = rows()
    for account_id in (uuid.uuid4(), ledger.system_account("issuer"), recoverable):
        with pytest.raises(ledger.AccountNotFound):
            award(account_id, 10)
        with pytest.raises(ledger.AccountNotFound):
            ledger.award_many(reference(), [ledger.Award(account_id, 10)])
        with pytest.raises(ledger.AccountNotFound):
            ledger.balance(account_id)
    assert rows() == before


def test_it_writes_declared_codes_only() -> None:
    account_id = member(10)
    for code in ("bonus", "recovery", ""):
        with pytest.raises(ValueError, match="cannot begin"):
            ledger.transfer(code, reference(), account_id, 1)
    with pytest.raises(ValueError, match="cannot begin"):
        ledger.hold("adjustment", reference(), account_id, 1, None, actor=HUMAN)
    with pytest.raises(ValueError, match="cannot begin"):
        ledger.reserve(reference(), account_id, 1, code="expiry")


def test_only_what_gives_points_is_held_and_only_what_takes_them_reserved() -> None:
    account_id = member(10)
    with pytest.raises(ValueError, match="gives points"):
        ledger.reserve(reference(), account_id, 1, code="award")
    with pytest.raises(ValueError, match="does not give points"):
        ledger.hold("redemption", reference(), account_id, 1, None)
    with pytest.raises(ValueError, match="does not give points"):
        ledger.announce("redemption", reference(), account_id, 1, clock.now() + DAY)


def test_an_instant_has_a_zone() -> None:
    account_id, naive = member(), dt.datetime(2026, 11, 17)
    paris = dt.timezone(dt.timedelta(hours=1))
    for refused in (
        lambda: award(account_id, 1, effective_at=naive),
        lambda: ledger.hold("award", reference(), account_id, 1, naive),
        lambda: ledger.award_many(
            reference(), [ledger.Award(account_id, 1)] * 4, effective_at=naive
        ),
    ):
        with pytest.raises(ValueError, match="without its zone"):
            refused()
    there = dt.datetime(2026, 11, 17, 1, tzinfo=paris)
    assert award(account_id, 1, effective_at=there).effective_at == there
    ledger.award_many(reference(), [ledger.Award(account_id, 1)] * 4, effective_at=there)
    assert {line.effective_at for line in ledger.entries(account_id)} == {there}


@pytest.mark.parametrize("code", ["adjustment", "deduction", "waiver"])
def test_only_a_named_human_corrects(code: str) -> None:
    account_id = member(10)
    for actor in (ledger.BY_RULE, ledger.BY_SYSTEM, ledger.Actor("person")):
        with pytest.raises(ValueError, match="named human"):
            ledger.transfer(code, reference(), account_id, 1, actor=actor)


def test_a_human_corrects_without_touching_status_points() -> None:
    account_id = member(100)
    ledger.transfer("adjustment", reference(), account_id, 30, actor=HUMAN)
    ledger.transfer("deduction", reference(), account_id, 50, actor=HUMAN)
    assert have(account_id) == (80, 0, 0, 100, 0)
    with pytest.raises(ledger.InsufficientPoints):
        ledger.transfer("deduction", reference(), account_id, 81, actor=HUMAN)


@pytest.mark.parametrize(
    "text",
    [
        "nadia@mail.example",
        "Nadia Ferrand",
        "",
        "é",
        "x" * 121,
        "a\nb",
        "https://example.org/nadia",
        "+33612345678",
    ],
)
def test_it_has_no_place_for_a_name_or_an_address(text: str) -> None:
    """Rule E1."""
    account_id = member()
    with pytest.raises(ValueError, match="not an identifier"):
        ledger.transfer("award", text, account_id, 1)
    for name in ("subject", "rule_version"):
        with pytest.raises(ValueError, match="not an identifier"):
            award(account_id, 1, **{name: text})
    with pytest.raises(ValueError, match="not an identifier"):
        award(account_id, 1, actor=ledger.Actor("person", text))


def test_points_on_hold_become_available() -> None:
    account_id = member()
    held = ledger.hold("award", reference(), account_id, 50, clock.now() + 7 * DAY)
    assert have(account_id) == (0, 50, 0, 0, 0)
    posted = ledger.post(held.id, reference())
    assert have(account_id) == (50, 0, 0, 50, 0)
    assert (posted.kind, posted.settles_id, posted.amount) == ("post", held.id, 50)


def test_a_withdrawn_hold_leaves_nothing() -> None:
    account_id = member()
    held = ledger.announce("award", reference(), account_id, 50, clock.now() + 90 * DAY)
    assert held.effective_at == held.due_at
    ledger.void(held.id, reference(), "undone")
    assert have(account_id) == (0, 0, 0, 0, 0)


def test_a_void_has_a_declared_reason() -> None:
    held = ledger.hold("award", reference(), member(), 50, None)
    with pytest.raises(ValueError, match="declared reason"):
        ledger.void(held.id, reference(), "because I say so")


def test_reserved_points_cannot_be_spent_twice() -> None:
    account_id = member(100)
    ledger.reserve(reference(), account_id, 80)
    assert have(account_id) == (20, 0, 80, 100, 0)
    with pytest.raises(ledger.InsufficientPoints) as refused:
        ledger.reserve(reference(), account_id, 21)
    assert (refused.value.status, refused.value.code) == (409, "insufficient-points")
    assert refused.value.details == {"available": 20, "amount": 21}
    assert have(account_id) == (20, 0, 80, 100, 0)


def test_points_on_hold_cannot_be_spent() -> None:
    account_id = member()
    ledger.hold("award", reference(), account_id, 50, None)
    with pytest.raises(ledger.InsufficientPoints):
        ledger.reserve(reference(), account_id, 1)


def test_a_fulfilled_redemption_is_spent_and_keeps_status_points() -> None:
    """F64: status points never fall by spending."""
    account_id = member(100)
    ledger.post(ledger.reserve(reference(), account_id, 80).id, reference())
    assert have(account_id) == (20, 0, 0, 100, 0)


def test_a_cancelled_redemption_comes_back_whole() -> None:
    account_id = member(100)
    ledger.void(ledger.reserve(reference(), account_id, 80).id, reference(), "out-of-stock")
    assert have(account_id) == (100, 0, 0, 100, 0)


def test_expiry_takes_points_and_no_status() -> None:
    account_id = member(100)
    ledger.transfer("expiry", reference(), account_id, 100, actor=ledger.BY_SYSTEM)
    assert have(account_id) == (0, 0, 0, 100, 0)


def test_a_pending_transfer_is_settled_once() -> None:
    account_id = member(100)
    for pending in (
        ledger.hold("award", reference(), account_id, 50, None),
        ledger.reserve(reference(), account_id, 80),
    ):
        ledger.post(pending.id, reference())
        before = have(account_id)
        with pytest.raises(ledger.AlreadySettled) as refused:
            ledger.post(pending.id, reference())
        assert refused.value.status == 409
        with pytest.raises(ledger.AlreadySettled):
            ledger.void(pending.id, reference(), "mistake")
        assert have(account_id) == before


def test_it_settles_only_what_is_pending() -> None:
    account_id = member(100)
    posted = award(account_id, 10)
    for transfer_id in (posted.id, uuid.uuid4()):
        with pytest.raises(ledger.TransferNotFound):
            ledger.post(transfer_id, reference())
        with pytest.raises(ledger.TransferNotFound):
            ledger.void(transfer_id, reference(), "mistake")


def test_a_settlement_tells_what_it_was_about() -> None:
    held = ledger.hold(
        "award", reference(), member(), 50, None, rule_version="rule-2", subject="referral-5"
    )
    posted = ledger.post(held.id, reference(), actor=HUMAN)
    assert (posted.rule_version, posted.subject) == ("rule-2", "referral-5")
    assert (posted.actor_code, posted.actor_id) == ("person", HUMAN.id)
