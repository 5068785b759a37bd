"""The statement: balances, what is on the way, every line with its reason, and the file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock, ledger, outbox
from app.ledger.chain import Transfer
from app.people import service as people
from app.people.models import Person
from app.play import accounts, awards, statement
from app.referrals import service as referrals
from app.rewards import service as rewards
from app.web import sheets
from tests.conftest import START, House

EN = "?lang=en"


@dataclass
class Play:
    """One member with points of every kind, and a colleague whose lines must not be seen."""

    house: House
    member: Person
    hr: Person
    browser: FlaskClient

    @property
    def account(self) -> uuid.UUID:
        return accounts.open_for(self.member.id)

    def award(self, amount: int = 10, at: dt.datetime | None = None) -> Transfer:
        return ledger.transfer("award", f"t-{uuid.uuid4()}", self.account, amount, effective_at=at)

    def hire(self, **fields: Any) -> None:
        """Somebody applied by the member's link, was met and hired; the second part waits."""
        referral_id = self.house.referral(self.member, **fields)
        for stage, more in (("interview", {}), ("hired", {"starts_on": dt.date(2026, 11, 16)})):
            referrals.set_stage(
                referral_id, stage, actor_id=self.hr.id, actor_role="recruiter", **more
            )
        outbox.drain()

    def reward(self, title: str = "Un livre au choix", cost: int = 80) -> uuid.UUID:
        return rewards.create_reward(
            title=title, description="", cost=cost, stock=None, pay_class="gift in kind",
            deliverer_id=self.hr.id, actor_id=self.hr.id,
        ).id  # fmt: skip

    def page(self, path: str = "/play", status: int = 200, **headers: str) -> str:
        response = self.browser.get(path, headers=headers)
        assert response.status_code == status
        return response.get_data(as_text=True)


def joined(house: House, name: str, *roles: str) -> Person:
    person = house.person(name, *roles, joined=False)
    people.join(person.id)
    accounts.open_for(person.id)
    return person


@pytest.fixture
def play(house: House) -> Play:
    member, hr = (
        joined(house, "Maëlle Kerjan"),
        joined(house, "Pauline Delmotte", "hr", "recruiter"),
    )
    ledger.transfer("award", "noise", accounts.open_for(joined(house, "Hugo Meynard").id), 7777)
    return Play(house, member, hr, house.browser(member))


def entries(page: str) -> list[str]:
    """The titles of the lines of a page."""
    return re.findall(r'class="entry-what"><b>([^<]*)</b>', page)


def amounts(page: str) -> list[int]:
    """The amounts of the lines of a page."""
    inside = page.partition('<ol class="entries">')[2]
    return [int(n) for n in re.findall(r'class="entry-amount"(?:><data)? value="(-?\d+)"', inside)]


def test_it_shows_three_balances_and_what_is_on_the_way(play: Play) -> None:
    play.hire()
    page = play.page(f"/play{EN}")
    figures = re.findall(r'class="balance-figure[^"]*">([^<]*)<', page)
    assert figures == ["280", "200", "280"]
    on_the_way = page.partition('<ol class="waiting">')[2].partition("</ol>")[0]
    assert "Hire, second part" in on_the_way
    assert '<time datetime="2027-02-14' in on_the_way
    assert "90 days after the start" in on_the_way
    assert "next date, 14 Feb 2027" in page


def test_it_never_mixes_what_waits_with_what_is_there(play: Play) -> None:
    play.hire()
    page = play.page(f"/play{EN}")
    assert entries(page) == ["Hire", "Interview", "Application received"]
    clock.travel(dt.timedelta(days=100))
    awards.announce_due()
    outbox.drain()
    play.browser = play.house.browser(play.member)  # a session does not last a hundred days
    later = play.page(f"/play{EN}")
    assert "Hire, second part" in entries(later)
    assert "On hold at first, available since" in later
    assert '<ol class="waiting">' not in later


def test_it_opens_each_line_to_its_rule_its_evidence_and_by_whom(play: Play) -> None:
    play.hire(first_name="Nadia", last_name="Ferrand", visibility="all")
    page = play.page(f"/play{EN}")
    assert "Rule “Interview”, version 1: 50 points." in page
    assert "Nadia F. · Conduite de travaux" in page
    assert "Your link “Anywhere”" in page
    assert "the rule, automatically" in page
    assert re.search(r'<a href="/referrals/[0-9a-f-]+">Your link', page)


def test_it_keeps_the_name_of_who_chose_not_to_be_seen(play: Play) -> None:
    play.house.referral(play.member, first_name="Nadia", last_name="Ferrand", visibility="none")
    assert "Nadia" not in play.page()


def test_it_tells_a_reward_by_its_name_and_leads_to_the_receipt(play: Play) -> None:
    play.award(500)
    kept = rewards.redeem(play.member.id, play.reward("Un livre au choix")).id
    back = rewards.redeem(play.member.id, play.reward("Une tasse")).id
    rewards.cancel(back, play.member.id)
    page = play.page(f"/play{EN}")
    assert entries(page) == ["Une tasse", "Une tasse", "Un livre au choix", "Points"]
    assert f'href="/play/redemptions/{kept}"' in page
    assert amounts(page) == [80, -80, -80, 500]
    assert "The points are back" in page
    assert "Cancelled on 17 November 2026." in page
    rewards.fulfil(kept, play.hr.id)
    assert "Handed over on 17 November 2026." in play.page(f"/play{EN}")


def test_it_answers_a_correction_with_the_line_it_corrects(play: Play) -> None:
    made = play.award(40)
    rewards.redeem(play.member.id, play.reward(cost=30))
    ledger.reverse(made.id, "undo-1", "duplicate")
    page = play.page(f"/play{EN}")
    assert entries(page)[0] == "Correction"
    assert "a line is never erased, it is compensated" in page
    assert "30 points were no longer there" in page
    assert "Taken back on 17 November 2026 by a line of its own." in page


def test_it_gives_the_words_of_a_person_who_decided(play: Play) -> None:
    made = ledger.transfer(
        "adjustment", "by-hand", play.account, 15, actor=ledger.by_person(play.hr.id)
    )
    ledger.annotate(made.id, "Merci pour la visite <b>du lycée</b>.")
    page = play.page(f"/play{EN}")
    assert "Merci pour la visite &lt;b&gt;du lycée&lt;/b&gt;." in page
    assert "<dd>the team</dd>" in page


def test_it_shows_months_and_goes_back_without_missing_a_line(play: Play) -> None:
    for n in range(95):
        clock.freeze(START - dt.timedelta(days=95 - n))
        play.award(n + 1)
    clock.freeze(START)
    seen: list[int] = []
    path: str | None = f"/play{EN}"
    while path:
        page = play.page(path)
        seen += amounts(page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else None
    assert seen == [*range(95, 0, -1)]
    first = play.page(f"/play{EN}")
    assert re.findall(r'<h2 id="t-2026[^>]*>([^<]*)<', first) == ["November", "October"]
    assert "Back to today" not in first
    assert "Back to today" in page


def test_it_says_what_to_do_when_there_is_nothing_yet(play: Play) -> None:
    page = play.page(f"/play{EN}")
    assert "Nothing here yet" in page
    assert 'href="/play/rules"' in page
    assert entries(page) == []


def test_it_shows_the_shelf_beside(play: Play) -> None:
    play.reward("Un livre au choix")
    page = play.page(f"/play{EN}")
    assert "The shelf" in page
    assert "Un livre au choix" in page
    assert "/play/deliveries" not in page
    assert "/play/deliveries" in play.house.browser(play.hr).get("/play").get_data(as_text=True)


def test_it_hides_the_lines_of_others(play: Play) -> None:
    play.award(10)
    assert "7,777" not in play.page(f"/play{EN}")
    assert "7777" not in play.page("/play/entries.csv")


@pytest.mark.parametrize("path", ["/play", "/play/entries.csv", "/play/rules"])
def test_it_is_for_members(play: Play, path: str) -> None:
    assert play.house.app.test_client().get(path).status_code == 303
    stranger = play.house.person("Léo Marin", "hr", joined=False)
    assert play.house.browser(stranger).get(path).status_code == 403


def test_it_answers_htmx_with_a_fragment_and_a_browser_with_a_page(play: Play) -> None:
    assert "<!doctype html>" in play.page()
    assert "<!doctype html>" not in play.page("/play", **{"HX-Request": "true"})


@pytest.mark.parametrize("after", ["x", "-1", "1" * 30, "²"])
def test_it_refuses_a_place_that_it_never_gave(play: Play, after: str) -> None:
    play.page(f"/play?after={after}", 422)


def test_it_speaks_french_too(play: Play) -> None:
    play.hire()
    page = play.page("/play?lang=fr")
    assert '<html lang="fr">' in page
    assert "Entretien" in entries(page)


def test_it_costs_the_same_few_statements_however_long(
    play: Play, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    """Reader, organisation; account, balance, lines, open ones, rules, referrals, rewards told;
    the shelf, deliveries: eleven, with lines of every kind."""
    counted = []
    for _ in range(2):
        play.hire()
        for _n in range(6):
            rewards.redeem(play.member.id, play.reward(cost=1))
        play.page()
        counted.append(count_queries(play.page))
    assert counted[0] == counted[1] <= 15


# ---- The file


def table(play: Play, query: str = EN) -> list[dict[str, str]]:
    body = play.page(f"/play/entries.csv{query}")
    assert body.startswith("\ufeff")
    return [*csv.DictReader(io.StringIO(body.removeprefix("\ufeff")), delimiter=";")]


def test_it_downloads_every_line_with_its_reason(play: Play) -> None:
    play.hire()
    rows = table(play)
    assert [row["Points"] for row in rows] == ["200", "200", "50", "30"]
    assert [row["State"] for row in rows] == ["on hold", *["available"] * 3]
    assert rows[0]["Due on"] == "2027-02-14T00:00:00Z"
    assert rows[-1]["Rule"] == "Application received, 1"
    assert rows[-1]["Date"] == "2026-11-17T09:00:00Z"
    assert rows[-1]["Balance after"] == "30"
    assert len({row["Line"] for row in rows}) == 4


def test_it_downloads_more_lines_than_a_page_holds(
    play: Play, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    ledger.award_many("many", [ledger.Award(play.account, n + 1) for n in range(450)])
    assert sorted(int(row["Points"]) for row in table(play)) == [*range(1, 451)]
    # Who reads and the organisation, then account and lines for each two hundred.
    assert count_queries(lambda: play.page("/play/entries.csv")) <= 8


def test_it_explains_the_columns_of_the_file_beside_its_link(play: Play) -> None:
    play.award(10)
    page = play.page(f"/play{EN}")
    assert 'href="/play/entries.csv"' in page
    for name in table(play)[0]:
        assert f"<dt>{name}</dt>" in page


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+33 6", "'+33 6"), ("-80", "'-80"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("  =1", "'  =1"), ("\r\n=1", "'\r\n=1"), ("＝1", "'＝1"),
        ("Léo - Lorient", "Léo - Lorient"), (-80, -80), (None, ""), ("", ""),
    ],
)  # fmt: skip
def test_it_writes_nothing_that_a_spreadsheet_would_run(cell: Any, written: Any) -> None:
    assert sheets.neutral(cell) == written


def test_it_neutralises_what_others_typed_in_the_file(play: Play) -> None:
    play.award(500)
    rewards.redeem(play.member.id, play.reward("=cmd|' /C calc'!A0"))
    assert table(play)[0]["What happened"] == "'=cmd|' /C calc'!A0"


def test_it_says_nothing_of_somebody_who_never_joined(play: Play) -> None:
    stranger = play.house.person("Léo Marin", joined=False)
    assert statement.lines(stranger.id, language="en") == ([], None)
    assert statement.pending(stranger.id, language="en") == []
    assert statement.statement(stranger.id, language="en").balance.available == 0
