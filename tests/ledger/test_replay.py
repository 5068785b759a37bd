"""The same reference twice: found again when it says the same, refused when it does not."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest

from app import clock, ledger
from app.db import transaction
from tests.ledger.world import DAY, HUMAN, START, award, have, indebted, member, reference, rows

pytestmark = pytest.mark.usefixtures("books")

Verb = Callable[[uuid.UUID], ledger.Transfer]


def _post(account_id: uuid.UUID) -> ledger.Transfer:
    held = ledger.hold("award", "held", account_id, 50, START + DAY)
    return ledger.post(held.id, "same")


def _void(account_id: uuid.UUID) -> ledger.Transfer:
    held = ledger.reserve("held", account_id, 50)
    return ledger.void(held.id, "same", "cancelled")


def _reverse(account_id: uuid.UUID) -> ledger.Transfer:
    given = ledger.transfer("award", "given", account_id, 50)
    return ledger.reverse(given.id, "same", "undone")


VERBS: dict[str, Verb] = {
    "transfer": lambda a: ledger.transfer("award", "same", a, 50, subject="referral-1"),
    "announce": lambda a: ledger.announce("award", "same", a, 50, START + DAY),
    "hold": lambda a: ledger.hold("award", "same", a, 50, START + DAY, rule_version="rule-1"),
    "reserve": lambda a: ledger.reserve("same", a, 50),
    "waiver": lambda a: ledger.transfer("waiver", "same", a, 5, actor=HUMAN),
    "post": _post,
    "void": _void,
    "reverse": _reverse,
}


@pytest.mark.parametrize("name", VERBS)
def test_a_replay_changes_nothing(name: str) -> None:
    account_id = indebted(10) if name == "waiver" else member(60)
    first = VERBS[name](account_id)
    before, balance = rows(), have(account_id)
    clock.travel(dt.timedelta(hours=1))
    again = VERBS[name](account_id)
    assert (rows(), have(account_id)) == (before, balance)
    assert again.replayed
    assert not first.replayed
    assert again == first._replace(replayed=True)


@pytest.mark.parametrize(
    "other",
    [
        lambda a: ledger.transfer("award", "same", a, 51, subject="referral-1"),
        lambda a: ledger.transfer("award", "same", a, 50, subject="referral-2"),
        lambda a: ledger.transfer("award", "same", a, 50, subject="referral-1", rule_version="2"),
        lambda a: ledger.transfer("adjustment", "same", a, 50, subject="referral-1", actor=HUMAN),
        lambda a: ledger.transfer("award", "same", member(), 50, subject="referral-1"),
        lambda a: ledger.hold("award", "same", a, 50, None, subject="referral-1"),
        lambda a: ledger.reserve("same", a, 50, subject="referral-1"),
        lambda a: ledger.transfer(
            "award", "same", a, 50, subject="referral-1", effective_at=START - DAY
        ),
    ],
)
def test_another_content_under_the_same_reference_is_refused(other: Verb) -> None:
    account_id = member(60)
    VERBS["transfer"](account_id)
    before, balance = rows(), have(account_id)
    with pytest.raises(ledger.ReferenceReused) as refused:
        other(account_id)
    assert (refused.value.status, refused.value.code) == (409, "reference-reused")
    assert (rows(), have(account_id)) == (before, balance)


def test_a_settlement_under_a_used_reference_is_refused() -> None:
    account_id = member(60)
    held = ledger.hold("award", reference(), account_id, 50, None)
    given = VERBS["transfer"](account_id)
    before, balance = rows(), have(account_id)
    for settle in (
        lambda: ledger.post(held.id, "same"),
        lambda: ledger.void(held.id, "same", "mistake"),
        lambda: ledger.reverse(given.id, "same", "mistake"),
    ):
        with pytest.raises(ledger.ReferenceReused):
            settle()
    assert (rows(), have(account_id)) == (before, balance)


def test_a_post_and_a_void_are_not_the_same() -> None:
    held = ledger.hold("award", reference(), member(), 50, None)
    ledger.void(held.id, "same", "mistake")
    with pytest.raises(ledger.ReferenceReused):
        ledger.post(held.id, "same")
    with pytest.raises(ledger.ReferenceReused):
        ledger.void(held.id, "same", "undone")


def test_a_reservation_is_found_again_when_the_points_are_gone() -> None:
    account_id = member(80)
    first = ledger.reserve("same", account_id, 80)
    assert ledger.reserve("same", account_id, 80).id == first.id
    ledger.post(first.id, reference())
    assert ledger.reserve("same", account_id, 80).id == first.id
    with pytest.raises(ledger.ReferenceReused):
        ledger.reserve("same", account_id, 81)
    with pytest.raises(ledger.InsufficientPoints):
        ledger.reserve("other", account_id, 80)


def test_who_repeats_it_may_differ() -> None:
    held = ledger.hold("award", reference(), member(), 50, None)
    first = ledger.post(held.id, "same", actor=HUMAN)
    again = ledger.post(held.id, "same", actor=ledger.BY_SYSTEM)
    assert again == first._replace(replayed=True)


def test_an_instant_counts_when_it_is_told() -> None:
    account_id = member()
    told = ledger.transfer("award", "told", account_id, 5, effective_at=START - DAY)
    assert ledger.transfer("award", "told", account_id, 5, effective_at=START - DAY).id == told.id
    assert ledger.transfer("award", "told", account_id, 5).id == told.id
    with pytest.raises(ledger.ReferenceReused):
        ledger.transfer("award", "told", account_id, 5, effective_at=START)


def test_a_repayment_is_replayed_with_its_award() -> None:
    account_id = indebted(40)
    ledger.transfer("award", "same", account_id, 100)
    before, balance = rows(), have(account_id)
    ledger.transfer("award", "same", account_id, 100)
    assert (rows(), have(account_id)) == (before, balance)


def test_what_the_caller_undoes_is_undone_here() -> None:
    account_id, before = member(10), rows()

    def use_case() -> None:
        with transaction():
            award(account_id, 100)
            ledger.reserve(reference(), account_id, 60)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_case()
    assert have(account_id) == (10, 0, 0, 10, 0)
    assert rows() == before


def test_a_refusal_that_is_caught_leaves_no_half() -> None:
    account_id = member(10)
    with transaction():
        award(account_id, 5)
        for refused in (
            lambda: ledger.reserve(reference(), account_id, 60),
            lambda: ledger.transfer("waiver", reference(), account_id, 1, actor=HUMAN),
            lambda: ledger.transfer("award", "", account_id, 1),
            lambda: ledger.award_many(reference(), [ledger.Award(account_id, 0)]),
        ):
            with pytest.raises((ledger.InsufficientPoints, ledger.AboveDebt, ValueError,
                                ledger.InvalidAmount)):  # fmt: skip
                refused()
        award(account_id, 5)
    assert have(account_id) == (20, 0, 0, 20, 0)
