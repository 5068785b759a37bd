"""Ideas of what to pass on: to those who said yes, once a week at most, on working days (W9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app import clock, mail, outbox
from app.db import transaction
from app.people import service as people
from app.people.models import Person
from app.sharing import ideas, stop
from tests.conftest import START, House
from tests.sharing import kit


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What left, as it was handed to the transport."""
    found: list[dict[str, Any]] = []
    real = mail.send

    def note(to: str, name: str, template: str, language: str, **context: Any) -> None:
        if template == "share-ideas":
            found.append({"to": to, **context})
        real(to, name, template, language, **context)

    monkeypatch.setattr(ideas.mail, "send", note)
    return found


def _asks(house: House, name: str = "Maëlle Kerjan") -> Person:
    person = kit.kept(house.person(name).id)
    people.give_consent(person.id, "ideas")
    return person


def _morning(day: int = 0) -> None:
    clock.freeze(START + dt.timedelta(days=day))
    with transaction():
        outbox.record("periodic.sharing.ideas")
    outbox.drain()


def test_only_those_who_said_yes_get_it_and_it_can_be_stopped_in_one_press(
    house: House, sent: list[dict[str, Any]]
) -> None:
    asked = _asks(house)
    house.person("Théo Rossignac")
    story_id = kit.story(house)
    _morning()
    assert [m["to"] for m in sent] == [asked.email]
    assert sent[0]["stories"][0][1].endswith(f"/library/{story_id}#composer")
    path = sent[0]["unsubscribe_url"].split("8000", 1)[1]
    browser = house.app.test_client()
    page = browser.get(path)
    assert page.status_code == 200 and "Set-Cookie" not in page.headers
    _next_week_with_news(house)
    assert len(sent) == 2, "looking changes nothing"
    assert browser.post(path).status_code == 200
    _next_week_with_news(house, week=2)
    assert len(sent) == 2
    assert browser.get("/choices/wrong").status_code == 404


def _next_week_with_news(house: House, week: int = 1) -> None:
    clock.freeze(START + dt.timedelta(days=7 * week))
    kit.story(house, title=f"Nouvelle n° {week}")
    _morning(7 * week)


def test_it_is_one_a_week_and_never_without_news(house: House, sent: list[dict[str, Any]]) -> None:
    _asks(house)
    _morning()
    assert sent == []
    kit.story(house)
    _morning()
    kit.story(house, title="Une autre")
    _morning(1)
    assert len(sent) == 1
    _morning(8)
    assert len(sent) == 1, "nothing new since"


def test_it_is_silent_at_weekends_and_while_sharing_is_stopped(
    house: House, sent: list[dict[str, Any]]
) -> None:
    _asks(house)
    kit.story(house)
    _morning(4)  # START is a Tuesday
    assert sent == []
    stop.stop(house.person("Paul Lead", "lead").id)
    _morning(6)
    assert sent == []


def test_a_person_who_left_gets_nothing(house: House, sent: list[dict[str, Any]]) -> None:
    gone = _asks(house)
    kit.story(house)
    people.leave(gone.id)
    _morning()
    assert sent == []
