"""The first steps of an administrator: found out from what is there, and gone when done."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from app import clock
from app.library import service as library
from app.people import service as people
from app.people.models import Person
from app.referrals import offers
from app.today import first_steps
from app.web import current_settings
from tests.conftest import House

STORY = {"kind": "story", "language": "en", "title": "A start", "summary": "One.", "body": "Words."}


@pytest.fixture
def admin(house: House) -> Person:
    return house.person("Nora Petit", "admin", language="en")


def done(page: str) -> list[bool]:
    """Which of the steps the page calls done, in order."""
    shown = re.search(r'<ol class="first-steps">(.*?)</ol>', page, re.DOTALL)
    assert shown is not None
    return ["stamp-ok" in step for step in shown[1].split("<li>")[1:]]


def test_a_fresh_house_has_everything_to_do(house: House, admin: Person) -> None:
    page = house.browser(admin).get("/studio").text
    assert "An empty week" in page
    assert "A full week" not in page
    assert done(page) == [False] * 7


def test_each_act_is_seen_by_itself(house: House, admin: Person) -> None:
    library.create_story(STORY, admin.id)
    offers.create_offer({"title": "Conduite"}, actor_id=None)
    people.invite(house.person("Théo", joined=False).id)
    assert done(house.browser(admin).get("/studio").text) == [
        False, False, False, False, True, True, True,
    ]  # fmt: skip


def test_only_administrators_of_a_fresh_house_see_it(house: House, admin: Person) -> None:
    curator = house.person("Inès", "curator", language="en")
    assert "first-steps" not in house.browser(curator).get("/studio").text
    clock.travel(first_steps.FRESH + dt.timedelta(days=1))
    assert first_steps.first_steps(current_settings(), admin.id) == []


def test_it_goes_when_all_is_done(
    house: House, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(first_steps.first_steps(current_settings(), admin.id)) == 7
    step = first_steps.Step("Done", "", is_done=True)
    monkeypatch.setattr(first_steps, "_steps", lambda *_given: [step])
    assert first_steps.first_steps(current_settings(), admin.id) == []


def test_a_sunday_after_a_week_without_a_story_is_no_full_week(house: House, admin: Person) -> None:
    assert "An empty week" in house.browser(admin).get("/studio?week=2026-W46").text
