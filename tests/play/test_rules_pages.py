"""The rules of points: in plain words for members, in full for those who answer for them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from app.db import transaction
from app.people import service as people
from app.play import rules
from app.play.models import RuleVersion
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
    assert re.findall(r"<h3>([^<]*)</h3>", today) == ["Application received", "Hire", "Interview"]
    text = re.sub(r"<[^>]*>", "", today)
    assert "200 points at once, and 200 points once 90 days have passed" in text
    assert "Version 1, since 17 November 2025" in text


def test_it_keeps_past_versions_and_announces_the_next(browser: FlaskClient) -> None:
    rules.start_version("interview", name_fr="Entretien", name_en="Interview", amount=60)
    rules.start_version(
        "interview", name_fr="Entretien", name_en="Interview", amount=70,
        starts_at=START + dt.timedelta(days=14),
    )  # fmt: skip
    page = browser.get("/play/rules?lang=en").get_data(as_text=True)
    found = {
        title: re.findall(r'<data[^>]* value="(\d+)"', part(page, title).rpartition("Interview")[2])
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
    assert page.count("<tr>") == 1 + 4
    assert [page.count(word) for word in ("In force", "Past", "Coming")] == [3, 1, 0]


@pytest.mark.parametrize("role", ["recruiter", "curator", "contributor", "sponsor"])
def test_it_is_closed_to_other_roles(house: House, role: str) -> None:
    client = house.browser(house.person("Théo Rossignac", role, joined=False))
    assert client.get("/studio/rules").status_code == 403


def test_it_changes_nothing_from_the_pages(house: House, browser: FlaskClient) -> None:
    assert browser.post("/play/rules").status_code == 405
    staff = house.browser(house.person("Inès Tavarès", "admin", joined=False))
    assert staff.post("/studio/rules").status_code == 405
