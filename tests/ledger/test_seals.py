"""The daily seal: of days that are over, once, chained, whatever was committed late."""

from __future__ import annotations

import datetime as dt

import pytest

from app import clock, ledger
from app.ledger.statements import SEAL, SEAL_HEAD
from tests.ledger.world import DAY, START, award, count, indebted, member, whole

pytestmark = pytest.mark.usefixtures("books")
TODAY = START.date()


def next_day() -> dt.date:
    """Let the day end; the day that is over."""
    over = clock.now().date()
    clock.travel(DAY)
    return over


def test_it_seals_what_moved_and_who_did_not() -> None:
    busy, silent = member(10), member()
    award(busy, 5)
    seal = ledger.seal_day(next_day())
    assert (seal.day, seal.entries, seal.accounts) == (TODAY, 2, 2)
    assert seal.made_at == clock.now()
    assert len(seal.digest) == 32
    assert ledger.balance(silent).available == 0
    assert whole().seals == 1


def test_it_seals_a_day_once() -> None:
    member(10)
    first = ledger.seal_day(next_day())
    award(member(), 5)
    assert ledger.seal_day(first.day) == first
    assert (count(SEAL), count(SEAL_HEAD)) == (1, 1)


@pytest.mark.parametrize("ahead", [0, 1, 400])
def test_it_refuses_a_day_that_is_not_over(ahead: int) -> None:
    with pytest.raises(ledger.DayNotOver) as refused:
        ledger.seal_day(TODAY + ahead * DAY)
    assert refused.value.status == 409
    assert count(SEAL) == 0


def test_the_next_seal_covers_only_what_is_new() -> None:
    busy, other = member(10), member(10)
    first = ledger.seal_day(next_day())
    award(busy, 5)
    award(busy, 6)
    second = ledger.seal_day(next_day())
    assert (first.entries, first.accounts) == (2, 2)
    assert (second.entries, second.accounts) == (2, 1)
    assert second.digest != first.digest
    assert ledger.balance(other).available == 10
    quiet = ledger.seal_day(next_day())
    assert (quiet.entries, quiet.accounts) == (0, 0)
    assert whole().seals == 3


def test_a_line_that_comes_late_is_in_the_next_seal() -> None:
    account_id = member(10)
    ledger.seal_day(next_day())
    now = clock.now()
    clock.travel(-DAY)
    award(account_id, 5)
    whole()
    clock.freeze(now)
    assert ledger.seal_day(next_day()).entries == 1
    whole()


def test_a_day_that_was_missed_is_covered_by_the_next() -> None:
    member(10)
    missed = next_day()
    later = ledger.seal_day(next_day())
    assert ledger.seal_day(missed) == later
    assert count(SEAL) == 1


def test_it_seals_what_is_owed() -> None:
    indebted(40)
    assert ledger.seal_day(next_day()).accounts == 2
    whole()


def test_it_seals_an_empty_ledger() -> None:
    seal = ledger.seal_day(next_day())
    assert (seal.entries, seal.accounts) == (0, 0)
    assert whole().seals == 1
