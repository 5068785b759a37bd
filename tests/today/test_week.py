"""The editors' week: each story on its day, empty days said, what waits, what was carried."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from app import clock
from app.db import transaction
from app.library import service as library
from app.library.models import Story
from app.library.week import monday_of, week_name
from app.people.models import Person
from app.referrals.models import ClickCount
from app.sharing.carried import carried
from app.sharing.models import Share
from tests.conftest import START, House

MONDAY = dt.date(2026, 11, 16)  # START is the Tuesday after it


@pytest.fixture
def editor(house: House) -> Person:
    return house.person("Inès Carrère", "curator", language="en")


def _story(editor: Person, title: str, **fields: Any) -> uuid.UUID:
    made = library.create_story(
        {"kind": "story", "language": "en", "title": title, "summary": f"About {title}.",
         "body": "Words.", "topics": ["Worksites"], **fields},
        editor.id,
    )  # fmt: skip
    return made.id


def _published(editor: Person, title: str, **fields: Any) -> uuid.UUID:
    story_id = _story(editor, title, **fields)
    library.publish_story(story_id, editor.id)
    return story_id


def _days(page: str) -> list[str]:
    """What stands under each of the five working days, and under the weekend."""
    inside = page[page.index('<ol class="week">') : page.index("</ol>", page.index('class="week"'))]
    return inside.split('<li class="day')[1:]


def test_each_story_stands_on_its_day(house: House, editor: Person) -> None:
    _published(editor, "Online now")
    _published(editor, "Thursday morning", visible_from=START + dt.timedelta(days=2))
    _story(editor, "Meant for Friday", visible_from=START + dt.timedelta(days=3))
    _published(editor, "Next week", visible_from=START + dt.timedelta(days=8))
    browser = house.browser(editor)
    days = _days(browser.get("/studio").text)
    assert [("Online now" in d, "Thursday morning" in d, "Meant for Friday" in d) for d in days] == [
        (False, False, False), (True, False, False), (False, False, False),
        (False, True, False), (False, False, True), (False, False, False),
    ]  # fmt: skip
    assert "Next week" in "".join(_days(browser.get("/studio?week=2026-W48").text))


def test_only_a_working_day_to_come_is_empty(house: House, editor: Person) -> None:
    _published(editor, "Online now")
    days = _days(house.browser(editor).get("/studio").text)
    assert ["Nothing on this day." in day for day in days] == [
        False, False, True, True, True, False,
    ]  # fmt: skip


def test_a_draft_is_offered_for_an_empty_day_and_keeps_it(house: House, editor: Person) -> None:
    draft = _story(editor, "Our offcuts")
    browser = house.browser(editor)
    assert f"/studio/stories/{draft}?day=2026-11-19" in browser.get("/studio").text
    form = browser.get(f"/studio/stories/{draft}?day=2026-11-19").text
    assert "2026-11-19T08:30" in form
    with transaction() as session:
        assert session.get_one(Story, draft).visible_from is None
    assert "2026-11-01T08:30" not in browser.get(f"/studio/stories/{draft}?day=2026-11-01").text
    assert browser.get(f"/studio/stories/{draft}?day=tomorrow").status_code == 200


def test_what_was_carried_is_a_total_and_never_who(house: House, editor: Person) -> None:
    story = _published(editor, "Carried far")
    people = [house.person(f"Person {number}") for number in range(6)]
    with transaction() as session:
        for number, person in enumerate(people):
            share = Share(
                id=uuid.uuid4(), person_id=person.id, story_id=story, network="copy", language="en",
                format="text", post_text="x", status="intent", link_id=uuid.uuid4(),
            )  # fmt: skip
            session.add(share)
            session.add(
                ClickCount(link_id=share.link_id, verdict="person", count=number + 1,
                           last_at=clock.now())
            )  # fmt: skip
            session.add(
                ClickCount(link_id=share.link_id, verdict="robot", count=50, last_at=clock.now())
            )
    page = house.browser(editor).get("/studio").text
    assert "carried by 6 people" in page and "21" in page
    assert "Person 3" not in page
    assert carried([story])[story].visits == 21


def test_a_few_people_are_not_counted_out(house: House, editor: Person) -> None:
    story = _published(editor, "Carried by one")
    one = house.person("Maëlle Kerjan")
    with transaction() as session:
        session.add(
            Share(id=uuid.uuid4(), person_id=one.id, story_id=story, network="copy", language="en",
                  format="text", post_text="x", status="intent", link_id=uuid.uuid4())
        )  # fmt: skip
    assert carried([story])[story].people is None
    assert "a few people" in house.browser(editor).get("/studio").text


def test_a_topic_that_grew_old_says_so(house: House, editor: Person) -> None:
    clock.freeze(START - dt.timedelta(days=30))
    _published(editor, "Long ago")
    clock.freeze(START)
    page = house.browser(editor).get("/studio").text
    assert 'class="stale"' in page and "30 days" in page


@pytest.mark.parametrize(
    ("asked", "monday"),
    [
        ("2026-W47", MONDAY), ("2027-W01", dt.date(2027, 1, 4)), ("2026-W60", MONDAY),
        ("", MONDAY), ("0001-W01", dt.date(1, 1, 1)), ("x" * 400, MONDAY),
    ],
)  # fmt: skip
def test_an_address_names_a_week(asked: str, monday: dt.date) -> None:
    assert monday_of(asked, START.date()) == monday
    assert monday_of(week_name(monday), START.date()) == monday


@pytest.mark.parametrize("asked", ["0001-W01", "9999-W52", "2026-W99", "%00", "2026-W47-1"])
def test_an_odd_week_is_the_present_one(house: House, editor: Person, asked: str) -> None:
    page = house.browser(editor).get("/studio", query_string={"week": asked})
    assert page.status_code == 200 and 'aria-current="date"' in page.text


def test_others_of_the_team_go_to_their_own_place(house: House) -> None:
    browser = house.browser(house.person("Sofiane Belkhir", "recruiter"))
    assert browser.get("/studio").headers["Location"] == "/studio/referrals"
    sponsor = house.browser(house.person("Clémence Roux", "sponsor"))
    assert sponsor.get("/studio").headers["Location"] == "/studio/administration"
    assert house.browser(house.person("Maëlle Kerjan")).get("/studio").status_code == 403


def test_it_asks_little_whatever_the_week_holds(
    house: House, editor: Person, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    for number in range(12):
        _published(editor, f"Online {number}")
        _story(editor, f"Draft {number}")
    browser = house.browser(editor)
    browser.get("/studio")
    assert count_queries(lambda: browser.get("/studio")) <= 18
