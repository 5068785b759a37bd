"""The rules of points: in plain words for members, in full for those who answer for them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from app.db import transaction
from app.errors import InvalidInput
from app.people import service as people
from app.play import rules
from app.play.models import FACTS, SHARE_FACTS, RuleVersion
from app.sharing import reach
from tests.conftest import START, House


@pytest.fixture
def browser(house: House) -> FlaskClient:
    person = house.person("Maëlle Kerjan", joined=False)
    people.join(person.id)
    return house.browser(person)


def part(page: str, title: str) -> str:
    """What stands under one title of the page."""
    return page.partition(f">{title}</h2>")[2].partition("</section>")[0]


def test_it_says_in_plain_words_what_counts_today(browser: FlaskClient) -> None:
    today = part(browser.get("/play/rules?lang=en").get_data(as_text=True), "Today")
    assert re.findall(r"<h3>([^<]*)</h3>", today) == [
        "Application received", "Interview", "Hire", "Post", "Your own words", "Counted visit",
    ]  # fmt: skip
    text = re.sub(r"<[^>]*>", "", today)
    assert "200 points at once, and 200 points once 90 days have passed" in text
    assert "Version 1, since 17 November 2025" in text
    assert "10 points. At most 3 times a week." in text
    assert "5 points. At most once a day." in text
    assert "2 points. At most 20 times a day. On hold for 7 days while it is checked" in text
    assert "stays online for 24 hours at least" in text
    assert "40% of the text or more is your own" in text


def test_it_keeps_past_versions_and_announces_the_next(browser: FlaskClient) -> None:
    rules.start_version("interview", name_fr="Entretien", name_en="Interview", amount=60)
    rules.start_version(
        "interview", name_fr="Entretien", name_en="Interview", amount=70,
        starts_at=START + dt.timedelta(days=14),
    )  # fmt: skip
    page = browser.get("/play/rules?lang=en").get_data(as_text=True)
    found = {
        title: re.findall(
            r'<data[^>]* value="(\d+)"',
            part(page, title).rpartition("Interview")[2].partition("</li>")[0],
        )
        for title in ("Today", "Coming", "Before")
    }
    assert found == {"Today": ["60"], "Coming": ["70"], "Before": ["50"]}
    assert "Version 1, from 17 November 2025 to 17 November 2026" in page
    assert "Version 3, from 1 December 2026 on" in page


def test_it_says_when_nothing_counts(browser: FlaskClient) -> None:
    with transaction() as session:
        session.execute(delete(RuleVersion))
    assert "nothing earns points" in browser.get("/play/rules?lang=en").get_data(as_text=True)


@pytest.mark.parametrize("role", ["hr", "lead", "admin", "auditor"])
def test_it_shows_every_version_to_those_who_answer_for_them(house: House, role: str) -> None:
    rules.start_version("hire", name_fr="Embauche", name_en="Hire", amount=300)
    client = house.browser(house.person("Inès Tavarès", role, joined=False))
    page = client.get("/studio/rules?lang=en").get_data(as_text=True)
    assert (page.count("<tr>"), page.count("<tr data-row>")) == (6 + 1, 6)
    stamps = re.findall(r'class="stamp[^>]*>(?:<svg.*?</svg>)? ?([^<]*)<', page)
    assert sorted(stamps) == [*["In force"] * 6, "Past"]
    limits = re.findall(r'data-label="Limit">([^<]*)<', page)
    assert sorted(limits) == [
        "At most 20 times a day.", "At most 3 times a week.", "At most once a day.", *["none"] * 4,
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["recruiter", "curator", "contributor", "sponsor"])
def test_it_is_closed_to_other_roles(house: House, role: str) -> None:
    client = house.browser(house.person("Théo Rossignac", role, joined=False))
    assert client.get("/studio/rules").status_code == 403


# ---- What a rule can be


@pytest.mark.parametrize(
    "fact",
    [*reach.METRICS, *reach.DECLARABLE, "like", "likes", "followers", "views", "review", "shares",
     "share ", "", "VISIT"],
)  # fmt: skip
def test_no_rule_can_name_a_figure_of_a_network_or_a_review(app: Flask, fact: str) -> None:
    """Rules N1 and N3: what may be worth points is a closed list of acts."""
    before = rules.versions()
    with pytest.raises(InvalidInput) as refused:
        rules.start_version(fact, name_fr="Règle", name_en="Rule", amount=1)
    assert [*refused.value.errors] == ["fact"]
    assert rules.versions() == before


def test_the_closed_list_and_the_figures_of_networks_have_nothing_in_common() -> None:
    assert FACTS == ("application", "interview", "hire", "share", "own-words", "visit")
    assert not {*FACTS} & {*reach.METRICS, *reach.DECLARABLE}


@pytest.mark.parametrize(
    ("fact", "terms", "wrong"),
    [
        ("share", {"amount": -1}, ["amount"]),
        ("share", {"amount": 10**7}, ["amount"]),
        ("hire", {"amount": 1, "held_amount": -1}, ["held_amount"]),
        ("hire", {"amount": 1, "hold_days": -1}, ["hold_days"]),
        ("share", {"amount": 1, "held_amount": 1}, ["held_amount"]),
        ("share", {"amount": 1, "cap": 0, "cap_period": "day"}, ["cap"]),
        ("share", {"amount": 1, "cap": 3}, ["cap_period"]),
        ("share", {"amount": 1, "cap_period": "week"}, ["cap_period"]),
        ("share", {"amount": 1, "cap": 3, "cap_period": "month"}, ["cap_period"]),
        ("hire", {"amount": 1, "cap": 3, "cap_period": "week"}, ["cap"]),
        ("share", {"amount": 1, "name_fr": " "}, ["name_fr"]),
        ("share", {"amount": 1, "name_en": "x" * 121}, ["name_en"]),
    ],
)
def test_it_refuses_a_version_that_makes_no_sense_and_says_where(
    app: Flask, fact: str, terms: dict[str, Any], wrong: list[str]
) -> None:
    before = rules.versions()
    with pytest.raises(InvalidInput) as refused:
        rules.start_version(fact, **{"name_fr": "Règle", "name_en": "Rule"} | terms)
    assert [*refused.value.errors] == wrong
    assert rules.versions() == before


def test_a_new_organisation_gets_the_rules_of_posts_with_their_limits(any_app: Flask) -> None:
    found = rules.all_in_force(FACTS, START)
    assert {
        fact: (r.amount, r.held_amount, r.hold_days, r.cap, r.cap_period)
        for fact, r in found.items()
        if r.is_about_posts
    } == {
        "share": (10, 0, 0, 3, "week"),
        "own-words": (5, 0, 0, 1, "day"),
        "visit": (0, 2, 7, 20, "day"),
    }


def test_an_existing_organisation_gets_them_from_now_on_and_keeps_its_own(any_app: Flask) -> None:
    with transaction() as session:
        session.execute(delete(RuleVersion).where(RuleVersion.fact.in_(SHARE_FACTS)))
    rules.start_version("hire", name_fr="Embauche", name_en="Hire", amount=999)
    kept = [rule for rule in rules.versions() if not rule.is_about_posts]
    for _ in range(2):
        rules.ensure_defaults(START - dt.timedelta(days=900))
    new = [rule for rule in rules.versions() if rule.is_about_posts]
    assert [(rule.fact, rule.version, rule.starts_at) for rule in new] == [
        ("own-words", 1, START), ("share", 1, START), ("visit", 1, START),
    ]  # fmt: skip
    assert [rule for rule in rules.versions() if not rule.is_about_posts] == kept


def test_it_changes_nothing_from_the_pages_of_members(browser: FlaskClient) -> None:
    assert browser.post("/play/rules").status_code == 405
    assert browser.post("/studio/rules").status_code == 403
