"""Topics that members follow (F6): their own choice, from the library and from their page."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from app import outbox
from app.db import db
from app.library import follows
from app.library.errors import UnknownTopic
from app.library.models import TopicFollow
from app.people import service as people
from app.people.errors import NotMember
from app.people.models import Person
from tests.library.conftest import Desk
from tests.library.test_member_pages import text, titles


@pytest.fixture
def shelved(desk: Desk) -> Desk:
    desk.story(title="Chantier", topics=["Chantiers"], body="Un.")
    desk.story(title="Forêt", topics=["Forêt & bois"], body="Deux.")
    desk.story(title="Sans", body="Trois.")
    return desk


@pytest.fixture
def browser(shelved: Desk, maelle: Person) -> FlaskClient:
    return shelved.house.browser(maelle)


def names(person: Person) -> list[str]:
    db.session.rollback()
    return [topic.name for topic in follows.followed(person.id)]


def test_following_twice_is_following_once(any_desk: Desk) -> None:
    maelle = any_desk.house.person("Maëlle Kerjan")
    any_desk.story(topics=["Forêt & bois"], body="Un.")
    for name in ("Forêt & bois", "foret-bois"):
        assert follows.follow(maelle.id, name).is_followed
    assert names(maelle) == ["Forêt & bois"]
    for _turn in range(2):
        assert not follows.unfollow(maelle.id, "foret-bois").is_followed
    assert names(maelle) == []


def test_two_presses_at_once_make_one_row(any_desk: Desk) -> None:
    maelle = any_desk.house.person("Maëlle Kerjan").id
    any_desk.story(topics=["Bois"], body="Un.")
    db.session.remove()

    def press() -> None:
        with any_desk.house.app.app_context():
            follows.follow(maelle, "bois")

    with ThreadPoolExecutor(6) as threads:
        for press_made in [threads.submit(press) for _turn in range(6)]:
            press_made.result()
    assert [topic.code for topic in follows.followed(maelle)] == ["bois"]


def test_only_members_follow_and_only_what_exists(any_desk: Desk) -> None:
    any_desk.story(topics=["Bois"], body="Un.")
    stranger = any_desk.house.person("Hugo Meynard", joined=False)
    with pytest.raises(NotMember):
        follows.follow(stranger.id, "bois")
    for name in ("jamais", "", "\x00", "a" * 900):
        with pytest.raises(UnknownTopic):
            follows.follow(any_desk.house.person("Maëlle Kerjan").id, name)


def test_what_was_followed_goes_when_the_member_leaves(any_desk: Desk) -> None:
    any_desk.story(topics=["Bois"], body="Un.")
    left, departed, stays = (any_desk.house.person(n).id for n in ("Léa Roy", "Théo Le", "Zoé Ba"))
    for person_id in (left, departed, stays):
        follows.follow(person_id, "bois")
    people.leave(left)
    people.depart(departed)
    outbox.drain()
    assert [row.person_id for row in db.session.scalars(db.select(TopicFollow))] == [stays]


def test_the_library_narrows_to_my_topics_in_its_address(
    browser: FlaskClient, maelle: Person
) -> None:
    assert "You follow no topic yet" in text(browser, "/library?topics=mine&lang=en")
    assert "topics=mine" not in text(browser, "/library?lang=en")
    follows.follow(maelle.id, "chantiers")
    page = text(browser, "/library?lang=en")
    assert 'href="/library?lang=en&amp;topics=mine"' in page
    assert titles(text(browser, "/library?topics=mine")) == ["Chantier"]
    follows.follow(maelle.id, "foret-bois")
    assert titles(text(browser, "/library?topics=mine")) == ["Forêt", "Chantier"]
    assert titles(text(browser, "/library?topics=mine&q=chantier")) == ["Chantier"]
    assert titles(text(browser, "/library?topics=other")) == ["Sans", "Forêt", "Chantier"]


def test_one_follows_from_the_chip_of_the_library_without_a_script(
    browser: FlaskClient, maelle: Person
) -> None:
    page = text(browser, "/library?topic=foret-bois&lang=en")
    form = re.search(r'<form class="follow".*?</form>', page, re.DOTALL)
    assert form is not None
    assert 'action="/me/topics"' in form[0]
    assert 'aria-pressed="false"' in form[0]
    back = "/library?topic=foret-bois&lang=en"
    answer = browser.post("/me/topics", data={"topic": "foret-bois", "next": back})
    assert (answer.status_code, answer.headers["Location"]) == (303, back)
    assert names(maelle) == ["Forêt & bois"]
    assert 'aria-pressed="true"' in text(browser, back)
    answer = browser.post("/me/topics/foret-bois/withdrawal", data={"next": "//elsewhere.example"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me/topics")
    assert names(maelle) == []


def test_with_a_script_the_button_turns_round_in_its_place(
    browser: FlaskClient, maelle: Person
) -> None:
    heads = {"HX-Request": "true"}
    part = browser.post("/me/topics", data={"topic": "chantiers"}, headers=heads)
    shown = part.get_data(as_text=True)
    assert part.status_code == 200
    assert 'hx-delete="/me/topics/chantiers"' in shown
    assert 'aria-pressed="true"' in shown
    assert "<html" not in shown
    part = browser.delete("/me/topics/chantiers", headers=heads)
    assert 'hx-post="/me/topics"' in part.get_data(as_text=True)
    assert names(maelle) == []
    assert browser.delete("/me/topics/chantiers").status_code == 204
    assert browser.delete("/me/topics/jamais").status_code == 404
    assert browser.post("/me/topics", data={}).status_code == 404


def test_ones_page_leads_to_every_topic(browser: FlaskClient, maelle: Person) -> None:
    assert 'href="/me/topics"' in text(browser, "/me?lang=en")
    follows.follow(maelle.id, "chantiers")
    page = text(browser, "/me/topics?lang=en")
    assert re.findall(r'id="follow-([a-z-]+)" aria-pressed="(\w+)"', page) == [
        ("chantiers", "true"), ("foret-bois", "false"),
    ]  # fmt: skip
    assert len(set(re.findall(r'\bid="([^"]+)"', page))) == len(re.findall(r'\bid="([^"]+)"', page))


def test_what_one_follows_is_seen_by_nobody_else(shelved: Desk, maelle: Person) -> None:
    follows.follow(maelle.id, "chantiers")
    other = shelved.house.browser(shelved.house.person("Hugo Meynard", "admin", "curator"))
    for path in ("/me/topics", "/library", "/", "/library?topic=chantiers"):
        assert 'aria-pressed="true"' not in text(other, path)
    studio = text(other, "/studio/topics?lang=en")
    assert "follow" not in studio.casefold()
