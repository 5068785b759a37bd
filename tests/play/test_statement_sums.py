"""The page of the statement adds up: from balance to balance, and never backwards in time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise

import pytest

from app import clock, ledger, outbox
from app.play import awards, share_awards, statement
from app.rewards import service as rewards
from tests.conftest import START, House
from tests.play.kit import DAY
from tests.play.test_statement_filters import Life


@dataclass(frozen=True)
class Row:
    """One line as it stands on the page; `balance` is None where the page shows a dot."""

    day: dt.date
    amount: int
    balance: int | None


@dataclass(frozen=True)
class Shown:
    """One month of the page, newest first."""

    rows: list[Row]
    opening: int


def months(page: str) -> list[Shown]:
    found = []
    for section in page.split('<ol class="entries">')[1:]:
        foot = re.search(r'class="statement-foot">.*?<data value="(\d+)"', section)
        assert foot is not None
        found.append(Shown([_row(e) for e in section.split('<li class="entry')[1:]], int(foot[1])))
    return found


def _row(entry: str) -> Row:
    date = re.search(r'<time datetime="(\d{4}-\d\d-\d\dT[^"]+)"', entry)
    amount = re.search(r'class="entry-amount"(?:><data)? value="(-?\d+)"', entry)
    balance = re.search(r'class="entry-balance" value="(\d+)"', entry)
    assert date and amount
    assert bool(balance) != ("entry-still" in entry)
    return Row(
        dt.datetime.fromisoformat(date[1]), int(amount[1]), int(balance[1]) if balance else None
    )


def read(life: Life) -> list[statement.Line]:
    """The lines of the page in English."""
    with life.house.app.test_request_context("/play?lang=en"):
        return statement.statement(life.me.id, language="en").lines


@pytest.fixture
def life(any_house: House) -> Life:
    """Held, posted, voided, reserved, given back and reversed lines, over three months."""
    life = Life(any_house)
    clock.travel(20 * DAY)
    rewards.cancel(life.reserved, life.me.id)  # reserved in November, back in December
    taken = ledger.transfer("award", "taken-back", life.account, 500)
    held = ledger.announce("award", "held-void", life.account, 60, due_at=clock.now() + 40 * DAY)
    ledger.announce("award", "still-held", life.account, 33, due_at=clock.now() + 400 * DAY)
    rewards.redeem(life.me.id, life._reward())
    clock.travel(30 * DAY)
    ledger.void(held.id, "held-void-end", "not-confirmed")
    spent = ledger.balance(life.account).available - 90
    ledger.transfer("deduction", "less", life.account, spent, actor=ledger.by_person(life.hr.id))
    ledger.reverse(taken.id, "taken-back-end", "mistake")  # 90 are there, 410 are owed
    ledger.transfer("award", "repays", life.account, 100)
    clock.travel(50 * DAY)
    awards.announce_due()
    share_awards.announce_due()
    outbox.drain()
    ledger.transfer("award", "after-all", life.account, 700)
    return life


def test_each_month_leads_from_its_opening_to_its_closing_balance(life: Life) -> None:
    found = months(life.browser().get("/play?lang=en").get_data(as_text=True))
    assert len(found) >= 3
    closing = ledger.balance(life.account).available
    for month in found:
        moved = [row for row in month.rows if row.balance is not None]
        assert moved[0].balance == closing
        for row, before in pairwise(moved):
            assert row.balance == row.amount + (before.balance or 0)
        assert moved[-1].balance == moved[-1].amount + month.opening
        closing = month.opening
    assert closing == 0


def test_dates_never_go_backwards_from_the_oldest_line(life: Life) -> None:
    found = months(life.browser().get("/play?lang=en").get_data(as_text=True))
    days = [row.day for month in found for row in month.rows]
    assert days == sorted(days, reverse=True)
    assert days[0] > days[-1]


def test_what_was_on_hold_stands_on_the_day_it_became_available(life: Life) -> None:
    lines = read(life)
    released = [line for line in lines if line.phase == "released"]
    assert {line.fact for line in released} == {"visit", "hire"}
    hire = next(line for line in released if line.fact == "hire")
    assert hire.moved_at == clock.now() and hire.earned_at.date() == START.date()
    with life.house.app.test_request_context("/play?lang=en"):
        assert hire.note.startswith("Now available, earned on 17 November 2026")
    page = life.browser().get("/play?lang=en").get_data(as_text=True)
    assert "available since" in page and "on hold until" not in page


def test_what_never_counted_is_struck_and_leaves_the_balance_out(life: Life) -> None:
    lines = read(life)
    never = [line for line in lines if line.is_void]
    assert [(line.amount, line.balance_after) for line in never] == [(60, None)]
    assert 33 not in {line.amount for line in lines}
    assert 33 in {line.amount for line in statement.pending(life.me.id, language="en")}


def test_a_correction_takes_what_was_there_and_names_the_rest(life: Life) -> None:
    lines = read(life)
    correction = next(line for line in lines if line.amount == -90)
    assert correction.title == "Correction"
    assert "410 points were no longer there" in correction.reason


def test_a_reward_called_off_gives_its_points_back_by_a_line_of_its_own(life: Life) -> None:
    found = [line for line in read(life) if line.phase == "returned"]
    assert [line.amount for line in found] == [20, 20]
    assert {line.by for line in found} == {"you"}


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_first_of_a_month_is_said_as_the_language_says_it(life: Life, lang: str) -> None:
    page = life.browser().get(f"/play?lang={lang}").get_data(as_text=True)
    assert ("1er décembre 2026" if lang == "fr" else "1 December 2026") in page
    assert "1 décembre" not in page
