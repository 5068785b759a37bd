"""Lines about posts and visits: each with its rule, its limit, its evidence; the visits of a
day as one line on the page, each by itself in the file and through the API. F17, F65, F66."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import ledger, outbox
from app.db import db
from app.people.models import Person
from app.play import accounts, rules, statement
from app.referrals import service as referrals
from app.rewards import service as rewards
from tests.conftest import START, House
from tests.play.kit import DAY, HOUR, Posts, member, pass_time, verified
from tests.play.test_statement_pages import amounts, entries

EN = "?lang=en"


@dataclass
class Reader(Posts):
    """A member who publishes, and reads her statement."""

    browser: FlaskClient

    @property
    def person(self) -> Person:
        return db.session.get_one(Person, self.person_id)

    def sign_in(self) -> None:
        """Again: a session does not last through the days that pass in a test."""
        self.browser = self.house.browser(self.person)

    def page(self, path: str = f"/play{EN}") -> str:
        response = self.browser.get(path)
        assert response.status_code == 200
        return response.get_data(as_text=True)

    def lines(self) -> list[statement.Line]:
        """What the page shows among what has moved."""
        with self.house.app.test_request_context(f"/{EN}"):
            return statement.statement(self.person_id, language="en").lines

    def table(self) -> list[dict[str, str]]:
        body = self.page(f"/play/entries.csv{EN}").removeprefix("\ufeff")
        return [*csv.DictReader(io.StringIO(body), delimiter=";")]

    def hire(self) -> None:
        """Somebody applied by the member's link and was met."""
        referral_id = self.house.referral(self.person)
        referrals.set_stage(
            referral_id, "interview", actor_id=self.person_id, actor_role="recruiter"
        )
        outbox.drain()


@pytest.fixture
def play(house: House) -> Iterator[Reader]:
    person_id = member(house)
    yield Reader(house, person_id, house.browser(db.session.get_one(Person, person_id)))
    assert verified()


def on_the_way(page: str) -> list[tuple[str, str, int]]:
    """Date, words and points of what waits."""
    inside = page.partition('<ol class="waiting">')[2].partition("</ol>")[0]
    found = re.findall(
        r'datetime="([\d-]{10}).*?<b>(?:<a [^>]*>)?([^<]*)<.*?<data value="(\d+)"',
        inside,
        re.DOTALL,
    )
    return [(date, words, int(number)) for date, words, number in found]


def test_it_tells_a_post_by_its_title_its_rule_and_its_receipt(play: Reader) -> None:
    share_id = play.post(own=60)
    outbox.drain()
    page = play.page()
    assert entries(page) == ["Your own words", "Post"] or entries(page) == [
        "Post",
        "Your own words",
    ]
    assert sorted(amounts(page)) == [5, 10]
    assert page.count("“La halle de Saint-Aubry”, LinkedIn") == 2
    assert "Rule “Post”, version 1: 10 points. At most 3 times a week." in page
    assert "Rule “Your own words”, version 1: 5 points. At most once a day." in page
    assert f'<a href="/shares/{share_id}">Published on 17 November 2026, 10:00</a>' in page
    assert f'<a href="/shares/{share_id}">60% of the text is your own</a>' in page
    assert page.count("the rule, automatically") == 2


def test_it_tells_rules_by_their_french_names_to_a_french_reader(play: Reader) -> None:
    play.visit(play.post(own=60))
    outbox.drain()
    page = play.page("/play?lang=fr")
    assert sorted(entries(page)) == ["Publication", "Vos propres mots"]
    assert "Visite comptée" in page.partition('<ol class="waiting">')[2].partition("</ol>")[0]


def test_it_shows_visits_on_hold_by_post_and_day(play: Reader) -> None:
    first, second = play.post(), play.post(title="Une journée à la taille")
    play.visits(first, 3)
    play.visit(first, START - DAY)
    play.visit(second)
    outbox.drain()
    page = play.page()
    assert on_the_way(page) == [
        ("2026-11-23", "“La halle de Saint-Aubry”, LinkedIn, Counted visit", 2),
        ("2026-11-24", "“La halle de Saint-Aubry”, LinkedIn, 3 visits", 6),
        ("2026-11-24", "“Une journée à la taille”, LinkedIn, Counted visit", 2),
    ]
    assert "On hold for 7 days while it is checked, then yours." in page
    assert "next date, 23 Nov" in page
    assert entries(page) == ["Post", "Post"]


def test_it_shows_the_visits_of_a_post_and_day_as_one_line_that_opens(play: Reader) -> None:
    share_id = play.post()
    play.visits(share_id, 12)
    play.visit(share_id, START - 2 * DAY)
    outbox.drain()
    pass_time(8 * DAY)
    play.sign_in()
    page = play.page()
    assert sorted(zip(entries(page), amounts(page), strict=True)) == [
        ("12 visits", 24), ("Counted visit", 2), ("Post", 10),
    ]  # fmt: skip
    assert "Rule “Counted visit”, version 1: 12 times 2, 24 points. At most 20 times a day." in page
    assert f'<a href="/shares/{share_id}">12 visits on 17 November 2026</a>' in page
    assert f'<a href="/shares/{share_id}">Visit on 15 November 2026</a>' in page
    assert "On hold at first, available since 25 November 2026." in page


def test_it_gives_each_visit_by_itself_in_the_file_and_through_the_api(play: Reader) -> None:
    share_id = play.post()
    clicks = []
    for n in range(5):
        clicks.append(play.visit(share_id, START - (5 - n) * HOUR))
        outbox.drain()
    api = play.house.caller(play.person).get("/me/entries?lang=en")["items"]
    assert [(e["amount"], e["state"], e["code"]) for e in api] == [
        *[(2, "pending", "award")] * 5, (10, "available", "award"),
    ]  # fmt: skip
    assert [e["reference"] for e in api] == [
        *[f"visit-{click}" for click in reversed(clicks)], f"share-{share_id}",
    ]  # fmt: skip
    assert api[0]["rule"] == {"name": "Counted visit", "version": 1}
    assert api[0]["effective_at"] == api[0]["due_at"] == "2026-11-24T08:00:00Z"
    assert api[-1]["reason"] == "Rule “Post”, version 1: 10 points. At most 3 times a week."
    rows = play.table()
    assert [row["Evidence"] for row in rows[:5]] == ["Visit on 17 November 2026"] * 5
    assert {row["About"] for row in rows} == {"“La halle de Saint-Aubry”, LinkedIn"}


def test_it_says_how_many_came_above_a_limit(play: Reader) -> None:
    ids = []
    for n in range(5):
        ids.append(play.post(START - (5 - n) * HOUR, own=50))
        outbox.drain()
    play.visits(ids[0], 15)
    play.visits(ids[1], 11)
    outbox.drain()
    pass_time(8 * DAY)
    by_title = {line.title: line.reason for line in play.lines()}
    more = "more came above this limit and give nothing."
    assert by_title["Post"].endswith(f"At most 3 times a week. 2 {more}")
    assert by_title["Your own words"].endswith(f"At most once a day. 4 {more}")
    visits = [line for line in play.lines() if line.fact == "visit" and not line.is_void]
    assert sum(line.count for line in visits) == 20
    assert all(f"At most 20 times a day. 6 {more}" in line.reason for line in visits)


def test_it_answers_a_post_that_was_taken_back_with_a_line_of_its_own(play: Reader) -> None:
    share_id = play.post()
    outbox.drain()
    play.withdraw(share_id, HOUR)
    outbox.drain()
    page = play.page()
    assert entries(page) == ["Correction", "Post"]
    assert amounts(page) == [-10, 10]
    assert "Post · “La halle de Saint-Aubry”, LinkedIn" in page
    assert "The post was withdrawn within 24 hours." in page
    assert "Taken back on 17 November 2026 by a line of its own." in page


def test_it_says_why_a_visit_lost_its_place(play: Reader) -> None:
    share_id = play.post()
    play.visits(share_id, 20)
    outbox.drain()
    play.visit(share_id, START - 2 * HOUR)
    outbox.drain()
    page = play.page()
    assert "Above the limit: an earlier one became known later." in page
    assert '<s class="entry-amount"><data value="2">' in page


def test_it_hides_the_posts_of_others(play: Reader) -> None:
    other = Posts(play.house, member(play.house, "Hugo Meynard"))
    theirs = other.post(title="Le secret de Hugo")
    rule = rules.in_force("share", START)
    assert rule is not None
    ledger.transfer(
        "award", "stray", accounts.open_for(play.person_id), 10, subject=str(theirs),
        rule_version=str(rule.id),
    )  # fmt: skip
    page = play.page()
    assert entries(page) == ["Post"]
    assert "Hugo" not in page and str(theirs) not in page


def test_it_goes_back_through_many_visits_without_missing_one(play: Reader) -> None:
    ids = []
    for n in range(12):
        ids.append(play.post(START - (11 - n) * DAY, title=f"Récit {n}"))
        outbox.drain()
    for day in range(12):
        for n in range(20):
            at = START - day * DAY - n * dt.timedelta(minutes=7)
            play.visit(ids[(day + n % 3) % 12], at)
    play.hire()
    outbox.drain()
    pass_time(8 * DAY)
    seen: list[int] = []
    pages, path = 0, f"/play{EN}"
    play.sign_in()
    while path:
        page = play.page(path)
        assert len(entries(page)) <= 40
        seen += amounts(page)
        pages += 1
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert 1 < pages < 5
    assert sum(seen) == play.balance.available == 12 * 20 * 2 + 8 * 10 + 80
    assert len(play.table()) == 12 * 20 + 8 + 2


def test_it_says_how_many_points_on_the_way_it_does_not_list(
    play: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "MAX_WAITING", 6)
    play.visits(play.post(), 9)
    outbox.drain()
    page = play.page()
    assert [number for _date, _words, number in on_the_way(page)] == [12]
    assert "And 6 points more, on later dates." in page
    monkeypatch.setattr(statement, "MAX_WAITING", 9)
    assert "points more" not in play.page()


def test_it_costs_the_same_few_statements_with_posts_and_visits(
    play: Reader, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    """Eleven as before: what posts need is one read, and rules are read once by a process."""
    counted = []
    for n in range(2):
        for m in range(3):
            play.visits(play.post(START - n * DAY - m * HOUR, own=90), 4)
        play.hire()
        outbox.drain()
        ledger.award_many(f"some-{n}", [ledger.Award(accounts.open_for(play.person_id), 50)])
        reward = rewards.create_reward(
            title="Un livre", description="", cost=1, stock=None, pay_class="gift in kind",
            deliverer_id=play.person_id, actor_id=play.person_id,
        ).id  # fmt: skip
        rewards.redeem(play.person_id, reward)
        pass_time(8 * DAY)
        play.visit(play.post())
        outbox.drain()
        play.sign_in()
        play.page()
        counted.append(count_queries(play.page))
    assert counted[0] == counted[1] <= 16


def test_it_tells_today_of_a_days_visits_in_one_line(
    play: Reader, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    play.visits(play.post(), 15)
    outbox.drain()
    assert "Counted visit × 15, 30 points" in play.page(f"/{EN}")
    # The account, what is open, the posts; rules are known by now.
    with play.house.app.test_request_context(f"/{EN}"):
        assert count_queries(lambda: statement.pending(play.person_id, language="en")) <= 3


def test_a_subject_that_is_no_identifier_is_left_alone(play: Reader) -> None:
    ledger.transfer("award", "by-hand", accounts.open_for(play.person_id), 3, subject="a-letter")
    assert [line.about for line in play.lines()] == [""]
    assert uuid.UUID(str(play.lines()[0].id))
