"""The statement narrowed by what stands in its address: state, kind, time, one fact."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock, ledger, outbox
from app.ledger.queries import Only
from app.people import service as people
from app.play import accounts, awards, share_awards, statement, wanted
from app.play.wanted import Wanted
from app.referrals import service as referrals
from app.rewards import service as rewards
from tests.conftest import START, House
from tests.play.kit import DAY, Posts

STATES = ("available", "pending", "spent", "cancelled", "expired")


class Life:
    """A member with lines of every state and kind."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.hr = house.person("Pauline Delmotte", "hr", "recruiter", joined=False)
        self.me = house.person("Maëlle Kerjan", joined=False, language="en")
        people.join(self.me.id)
        self.account = accounts.open_for(self.me.id)
        self.posts = Posts(house, self.me.id)
        self._live()

    def _live(self) -> None:
        shared = self.posts.post(START - 40 * DAY, own=60)
        for n in range(3):
            self.posts.visit(shared, START - (40 - n) * DAY)
            self.posts.visit(shared, START - n * DAY)
        referral = self.house.referral(self.me)
        for stage, more in (("interview", {}), ("hired", {"starts_on": dt.date(2026, 11, 16)})):
            referrals.set_stage(
                referral, stage, actor_id=self.hr.id, actor_role="recruiter", **more
            )
        outbox.drain()
        share_awards.announce_due()
        outbox.drain()
        reward = self._reward()
        kept, given, given_up = (rewards.redeem(self.me.id, reward) for _ in range(3))
        rewards.fulfil(given.id, self.hr.id)
        rewards.cancel(given_up.id, self.me.id)
        self.reserved = kept.id
        by = ledger.by_person(self.hr.id)
        ledger.transfer("adjustment", "thanks", self.account, 7, actor=by)
        mistake = ledger.transfer("adjustment", "oops", self.account, 3, actor=by)
        ledger.reverse(mistake.id, reference="oops-undo", reason="mistake")

    def _reward(self) -> Any:
        return rewards.create_reward(
            title="Un livre", description="", cost=20, stock=None, pay_class="voucher",
            deliverer_id=self.hr.id, actor_id=self.hr.id,
        ).id  # fmt: skip

    def browser(self) -> FlaskClient:
        return self.house.browser(self.me)

    def lines(self, **asked: Any) -> list[statement.Line]:
        return statement.lines(
            self.me.id, language="en", limit=200, wanted=Wanted(**asked)
        )[0]  # fmt: skip


@pytest.fixture
def life(house: House) -> Life:
    return Life(house)


def test_each_state_of_the_ledger_is_found_as_it_is_told(any_house: House) -> None:
    """The conditions in the database and the words of a line never part."""
    life = Life(any_house)
    everything = ledger.entries(life.account, limit=200)
    for state in STATES:
        found = ledger.entries(life.account, limit=200, only=Only(states=(state,)))
        as_told = [e.id for e in everything if _told(e.state) == state]
        assert [e.id for e in found] == as_told
        assert found or state == "expired"
    apart = [Only(states=(state,)) for state in STATES]
    assert sum(len(ledger.entries(life.account, limit=200, only=o)) for o in apart) == len(
        everything
    )


def _told(state: str) -> str:
    return "pending" if state == "announced" else state


def test_the_four_answers_share_the_lines_out(life: Life) -> None:
    every = {line.id for line in life.lines()}
    parts = [{line.id for line in life.lines(state=state)} for state in wanted.STATES]
    assert set.union(*parts) == every
    assert all(not a & b for a, b in itertools.combinations(parts, 2))
    assert all(line.amount < 0 for line in life.lines(state="out"))
    assert {line.state for line in life.lines(state="out")} == {"spent", "pending"}
    assert all(line.amount > 0 for line in life.lines(state="in"))
    assert {line.state for line in life.lines(state="waiting")} == {"pending"}


def test_the_kinds_share_them_out_as_well(life: Life) -> None:
    kinds = {kind: life.lines(kind=kind) for kind in wanted.KINDS}
    assert {line.id for lines in kinds.values() for line in lines} == {
        line.id for line in life.lines()
    }
    assert {line.fact for line in kinds["posts"]} == {"share", "own-words", "visit"}
    assert {line.fact for line in kinds["referrals"]} == {"application", "interview", "hire"}
    assert {line.code for line in kinds["rewards"]} == {"redemption"}
    assert {line.code for line in kinds["other"]} == {"adjustment"}


def test_a_month_and_a_year_begin_on_the_organisations_clock(life: Life) -> None:
    october = life.lines(period="2026-10")
    assert {line.effective_at.month for line in october} == {10}
    assert {line.id for line in life.lines(period="2026")} == {line.id for line in life.lines()}
    assert life.lines(period="2025") == []
    only = Wanted(period="2026-12").only()
    assert only is not None
    assert (only.since, only.until) == (
        dt.datetime(2026, 11, 30, 23, tzinfo=dt.UTC), dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC),
    )  # fmt: skip


def test_one_receipt_finds_its_line(life: Life) -> None:
    assert [line.amount for line in life.lines(about=life.reserved)] == [-20]


# ---- The page


def titles(page: str) -> list[str]:
    return re.findall(r'class="entry-what"><b>([^<]*)</b>', page)


def test_the_address_narrows_the_page_and_the_file_alike(life: Life) -> None:
    browser = life.browser()
    page = browser.get("/play?kind=rewards&state=out").get_data(as_text=True)
    assert titles(page) == ["Un livre", "Un livre"]
    assert '<option value="rewards" selected>' in page
    assert "Some of the lines" in page
    assert "/play/entries.csv?kind=rewards&amp;state=out" in page
    file = browser.get("/play/entries.csv?kind=rewards&state=out").get_data(as_text=True)
    rows = [*csv.reader(io.StringIO(file.lstrip("\ufeff")), delimiter=";")]
    assert len(rows) == 1 + 2


def test_what_is_on_the_way_follows_the_filter(life: Life) -> None:
    browser = life.browser()

    def awaited(query: str) -> list[int]:
        page = browser.get(f"/play?{query}").get_data(as_text=True)
        inside = page.partition('<ol class="waiting">')[2].partition("</ol>")[0]
        return [int(n) for n in re.findall(r'<data value="(\d+)"', inside)]

    assert sorted(awaited("")) == [2, 2, 2, 200]
    assert awaited("state=waiting&kind=referrals") == [200]
    assert awaited("kind=posts") == [2, 2, 2]
    assert awaited("state=in") == []
    assert awaited("kind=rewards") == []
    waiting = browser.get("/play?state=waiting").get_data(as_text=True)
    assert titles(waiting) == []


def test_it_says_when_nothing_fits_and_leads_back(life: Life) -> None:
    page = life.browser().get("/play?period=2024").get_data(as_text=True)
    assert "No such line" in page
    assert 'href="/play"' in page


@pytest.mark.parametrize(
    "query",
    ["state=x", "kind=%00", "period=2026-13", "period=11", "about=me", "state=in&state=out",
     "period=2099-01", "period=99999"],
)  # fmt: skip
def test_what_nobody_offers_is_left_aside(life: Life, query: str) -> None:
    assert life.browser().get(f"/play?{query}").status_code == 200


def test_a_cursor_that_was_never_given_is_told(life: Life) -> None:
    assert life.browser().get("/play?kind=posts&after=x").status_code == 422


def test_pages_of_a_filter_join_without_gap_or_repeat(life: Life) -> None:
    found: list[Any] = []
    after = None
    while True:
        lines, after = statement.lines(
            life.me.id, language="en", after=after, limit=2, wanted=Wanted(kind="posts")
        )
        found += [line.id for line in lines]
        if after is None:
            break
    assert found == [line.id for line in life.lines(kind="posts")]


def test_it_ends_a_month_with_what_could_be_spent_when_it_began(life: Life) -> None:
    clock.travel(30 * DAY)
    awards.announce_due()
    ledger.transfer("award", "december", life.account, 11)
    before = accounts.balance_of(life.me.id).available - 11
    page = life.browser().get("/play?lang=en").get_data(as_text=True)
    foot = re.search(r'Balance on 1 December 2026</span><data value="(\d+)"', page)
    assert foot and int(foot[1]) == before
    narrow = life.browser().get("/play?kind=posts&lang=en").get_data(as_text=True)
    assert "statement-foot" not in narrow


def test_what_came_since_yesterday_is_told_once_and_not_later(life: Life) -> None:
    ledger.transfer("award", "today", life.account, 9)
    page = life.browser().get("/play?lang=en").get_data(as_text=True)
    assert "more since yesterday" in page
    assert "balance-gain" in page
    clock.travel(2 * DAY)
    assert "balance-gain" not in life.browser().get("/play").get_data(as_text=True)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_line_opens_into_rule_version_dates_and_its_fact(life: Life, lang: str) -> None:
    page = life.browser().get(f"/play?lang={lang}").get_data(as_text=True)
    entries = re.findall(r'<li class="entry[ "].*?</li>', page, re.DOTALL)
    assert len(entries) >= 10
    rules_page = life.browser().get(f"/play/rules?lang={lang}").get_data(as_text=True)
    for entry in entries:
        assert entry.count("<dd>") >= 4
        assert "<dd></dd>" not in entry
        assert re.search(r'<time datetime="\d{4}', entry)
        versions = re.findall(r'href="/play/rules#(v-[0-9a-f-]+)"', entry)
        by_hand = bool(re.search(r"<b>(Correction|Given by a person|Don.* personne)</b>", entry))
        by_hand = by_hand or 'href="/play/redemptions/' in entry
        assert versions or by_hand
        assert all(f'id="{version}"' in rules_page for version in versions)
        assert re.search(r'href="/(shares|referrals|play/redemptions)/', entry) or by_hand
