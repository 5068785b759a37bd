"""A topic has a name in each language; readers see theirs, and either one finds it (F6, G4)."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock
from app.db import db
from app.errors import InvalidInput
from app.library import content, follows, queries, service, topics, week
from app.library.errors import UnknownTopic
from app.library.models import Story, Topic
from app.library.queries import StoryFilter, Viewer
from app.people.models import Person
from tests.library.conftest import Desk
from tests.library.test_member_pages import text

LIST = "/studio/topics"


def topic_id(name: str) -> uuid.UUID:
    db.session.rollback()
    found = topics.find(db.session(), name)
    assert found is not None
    return found.id


def name(desk: Desk, topic: str, english: str, language: str = "fr") -> uuid.UUID:
    found = topic_id(topic)
    topics.say_names(found, language=language, other_name=english, actor_id=desk.curator.id)
    return found


@pytest.fixture
def named(any_desk: Desk) -> Desk:
    """Stories on two topics; one of them has an English name, too."""
    any_desk.story(title="Un chantier", topics=["Chantiers"], body="Un.")
    any_desk.story(title="Une forêt", topics=["Forêt"], body="Deux.")
    name(any_desk, "Chantiers", "Worksites")
    return any_desk


def shelf(**given: str) -> list[str]:
    db.session.rollback()
    return [card.title for card in queries.shelf(StoryFilter(**given), "fr").items]


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("fr", ["Chantiers", "Forêt"]),
        ("en", ["Forêt", "Worksites"]),
        (None, ["Chantiers", "Forêt"]),
    ],
)
def test_each_reader_sees_the_name_of_their_language_in_its_order(
    named: Desk, language: str | None, shown: list[str]
) -> None:
    maelle = named.house.person("Maëlle Kerjan").id
    for code in ("chantiers", "foret"):
        follows.follow(maelle, code)
    lists = (
        follows.followed(maelle, language), follows.choices(maelle, language),
        queries.shown_topics((), language), queries.all_topics(None, language),
    )  # fmt: skip
    assert [[topic.name for topic in rows] for rows in lists] == [shown] * 4
    assert [name for _code, name in queries.topic_choices(language)] == shown
    fresh = week.freshness(clock.now(), None, language)
    assert sorted(topic.name for topic in fresh) == shown
    viewer = Viewer(named.curator.id, frozenset({"curator"}), language=language)
    rows = queries.studio(StoryFilter(), viewer).rows
    assert sorted(name for row in rows for name in row.topics) == shown
    assert {topics.name_in(t, language) for t in db.session.scalars(select(Topic))} == {*shown}


def test_a_name_in_the_readers_own_language_stays(named: Desk) -> None:
    named.story(title="Hello", topics=["People"], body="Three.")
    name(named, "People", "Personnes", language="en")
    assert [t.name for t in queries.all_topics(None, "fr")] == ["Chantiers", "Forêt", "Personnes"]
    assert [t.name for t in queries.all_topics(None, "en")] == ["Forêt", "People", "Worksites"]
    beside = {t.name: t.other_name for t in queries.all_topics(None, "en")}
    assert beside == {"Forêt": "", "People": "Personnes", "Worksites": "Chantiers"}


def test_cards_name_topics_for_their_reader_whatever_the_language_of_the_story(named: Desk) -> None:
    for language, reads, shown in (
        ("en", "", "Worksites"), ("fr", "", "Chantiers"), ("fr", "en", "Worksites"),
    ):  # fmt: skip
        found = queries.shelf(StoryFilter(topic="chantiers"), language, reads=reads).items
        assert [card.topics for card in found] == [(shown,)]


@pytest.mark.parametrize("typed", ["chantiers", "Chantiers", "worksites", "WORKSITES"])
def test_either_name_finds_stories_and_is_followed(named: Desk, typed: str) -> None:
    maelle = named.house.person("Maëlle Kerjan").id
    assert shelf(topic=typed) == shelf(q=typed) == ["Un chantier"]
    assert follows.follow(maelle, typed, "en").name == "Worksites"
    assert [t.code for t in follows.followed(maelle)] == ["chantiers"]
    seen = follows.topic(typed, "en")
    assert seen is not None
    assert seen.name == "Worksites"
    assert follows.unfollow(maelle, typed, "fr").name == "Chantiers"
    assert follows.followed(maelle) == []


def test_a_word_of_the_other_name_is_enough_to_find_it(named: Desk) -> None:
    name(named, "Forêt", "Forest & climate")
    assert shelf(q="clim") == shelf(q="forest deux") == ["Une forêt"]
    assert shelf(q="forest chantier") == []
    name(named, "Forêt", "")
    assert shelf(q="clim") == []


def test_a_story_on_either_name_is_on_the_same_topic(named: Desk) -> None:
    made = named.draft(title="Deux noms", topics=["Worksites", "chantiers", "Neuf"])
    row = named.row(made)
    assert sorted(topic.name for topic in row.topics) == ["Chantiers", "Neuf"]
    assert content.content_of(row).topics == ("Chantiers", "Neuf")
    before = row.version
    service.change_story(made, {"topics": ["neuf", "Worksites"]}, named.contributor.id)
    assert named.row(made).version == before
    assert len(db.session.scalars(select(Topic)).all()) == 3


def test_two_topics_never_share_a_name(named: Desk) -> None:
    for taken in ("Forêt", "foret"):
        with pytest.raises(InvalidInput) as refused:
            name(named, "Chantiers", taken)
        assert [*refused.value.errors] == ["other_name"]
    with pytest.raises(InvalidInput):
        name(named, "Forêt", "worksites")
    name(named, "Chantiers", "Chantiers !")  # its own, written otherwise
    assert topic_id("chantiers") == topic_id("Chantiers !")
    with pytest.raises(UnknownTopic):
        topics.say_names(uuid.uuid4(), language="fr", other_name="x", actor_id=None)


def test_a_program_reads_the_first_name_and_may_write_either(named: Desk) -> None:
    ines = named.house.caller(named.house.person("Nolwenn Riou", "curator"))
    made = ines.post("/stories", {"title": "Neuf", "summary": "x", "topics": ["Worksites"]})
    assert made["topics"] == ["Chantiers"]
    for asked in ("Worksites", "Chantiers"):
        found = ines.get(f"/stories?topic={asked}")["items"]
        assert [story["title"] for story in found] == ["Neuf", "Un chantier"]


def test_an_address_by_either_name_shows_what_it_chose(
    desk: Desk, ines: FlaskClient, maelle: Person
) -> None:
    name(desk, "Chantiers", "Worksites")
    for typed in ("chantiers", "Worksites"):
        page = text(ines, f"/studio/stories?topic={typed}&lang=en")
        assert '<option value="chantiers" selected>Worksites</option>' in page
        page = text(desk.house.browser(maelle), f"/library?topic={typed}&lang=en")
        assert re.search(r'aria-current="true"[^>]*>Worksites<', page)


# --- the studio --------------------------------------------------------------------------


@pytest.fixture
def ines(desk: Desk) -> FlaskClient:
    """A curator's browser, in English."""
    desk.story(title="Un chantier", topics=["Chantiers"], body="Un.")
    return desk.house.browser(desk.curator)


def test_a_curator_names_a_topic_in_the_other_language(
    desk: Desk, ines: FlaskClient, maelle: Person
) -> None:
    page = text(ines, LIST)
    path = f"{LIST}/{topic_id('chantiers')}"
    assert f'<a href="{path}">Name it<' in page
    form = text(ines, path)
    assert re.search(r'<option value="fr" selected>', form)
    answer = ines.post(path, data={"language": "fr", "other_name": "  Work  sites "})
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    assert ">Work sites</a></th>" in text(ines, LIST)
    assert f'<a href="{path}"><span lang="fr">Chantiers<' in text(ines, LIST)
    assert 'value="Work sites"' in text(ines, path)
    reader = desk.house.browser(maelle)
    for lang, shown in (("en", "Work sites"), ("fr", "Chantiers")):
        for path in (f"/library/{_story_id()}", "/library", "/me/topics"):
            assert shown in text(reader, f"{path}?lang={lang}")
    assert "Work sites" in text(reader, f"/s/{desk.row(_story_id()).slug}?lang=en")
    editor = text(ines, f"/studio/stories/{_story_id()}")
    assert re.search(r'name="topics"[^>]* value="Work sites"', editor)
    assert '<option value="Work sites">' in editor
    assert "Names of a topic changed" in text(_admin(desk), "/studio/audit?lang=en")


def _admin(desk: Desk) -> FlaskClient:
    return desk.house.browser(desk.house.person("Rozenn Le Gall", "admin", joined=False))


def _story_id() -> uuid.UUID:
    return db.session.scalars(select(Story.id)).one()


@pytest.mark.parametrize(
    ("language", "other", "field", "said"),
    [
        ("fr", "!!!", "other_name", "needs letters or digits"),
        ("fr", "a" * 61, "other_name", "At most 60 characters."),
        ("fr", "Work, sites", "other_name", "Leave out commas"),
        ("fr", "Métiers", "other_name", "Another topic has this name."),
        ("de", "Worksites", "language", "Choose the language of the name."),
    ],
)
def test_what_cannot_be_a_name_comes_back_with_its_field(
    desk: Desk, ines: FlaskClient, language: str, other: str, field: str, said: str
) -> None:
    desk.draft(topics=["Métiers"])
    path = f"{LIST}/{topic_id('chantiers')}"
    answer = ines.post(path, data={"language": language, "other_name": other})
    page = unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert said in page.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert f'value="{other}"' in page
    db.session.rollback()
    assert {t.other_name for t in db.session.scalars(select(Topic))} == {""}


def test_only_curators_of_everything_name_topics(desk: Desk, ines: FlaskClient) -> None:
    path = f"{LIST}/{topic_id('chantiers')}"
    writer = desk.house.browser(desk.contributor)
    assert "Name it" not in text(writer, LIST)
    assert writer.get(path).status_code == 403
    assert writer.post(path, data={"language": "fr", "other_name": "x"}).status_code == 403
    assert ines.get(f"{LIST}/{uuid.uuid4()}").status_code == 404
    assert ines.post(f"{LIST}/{uuid.uuid4()}", data={"language": "fr"}).status_code == 404
