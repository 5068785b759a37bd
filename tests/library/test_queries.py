"""Lists of stories: found by words, narrowed, paged once (F1, F2)."""

from __future__ import annotations

import datetime as dt

import pytest

from app import clock
from app.errors import InvalidInput
from app.library import queries, service
from app.library.errors import UnknownStory
from app.library.queries import StoryFilter, Viewer
from tests.conftest import START
from tests.library.conftest import Desk

DAY = dt.timedelta(days=1)


def titles(told_in: str = "fr", **filters: str) -> list[str]:
    found = queries.shelf(StoryFilter(**filters), told_in)  # type: ignore[arg-type]
    return [row.title for row in found.items]


def test_members_see_what_is_published_and_inside_its_window(any_desk: Desk) -> None:
    any_desk.draft(title="Brouillon")
    any_desk.story(title="Demain", visible_from=START + DAY)
    any_desk.story(title="Bref", expires_at=START + DAY)
    gone = any_desk.story(title="Retiré")
    service.withdraw_story(gone, any_desk.curator.id)
    any_desk.story(title="Toujours")
    assert titles() == ["Toujours", "Bref"]
    clock.freeze(START + DAY)
    assert titles() == ["Toujours", "Demain"]


def test_it_is_told_in_the_readers_language_where_there_is_one(any_desk: Desk) -> None:
    any_desk.story(
        title="Mètres", body="x" * 1300, translations={"en": {"title": "Metres", "body": "y"}}
    )
    any_desk.story(title="Bois")
    assert titles("en") == ["Bois", "Metres"]
    assert titles("fr") == ["Bois", "Mètres"]
    assert [row.minutes for row in queries.shelf(StoryFilter(), "fr").items] == [0, 2]
    assert [row.minutes for row in queries.shelf(StoryFilter(), "en").items] == [0, 1]
    assert [row.language for row in queries.latest(2, "en")] == ["fr", "en"]


def test_it_finds_words_of_every_language_without_accents(any_desk: Desk) -> None:
    any_desk.story(title="Ingénieure de neige", topics=["Métiers"], body="Une avalanche.",
                   translations={"en": {"title": "Snow engineer"}})  # fmt: skip
    any_desk.story(title="Menuisier")
    for words in ("INGENIEURE", "neige ingenieure", "snow", "metiers", "avalanche"):
        assert titles(q=words) == ["Ingénieure de neige"]
    assert titles(q="neige menuisier") == []
    assert titles(q="%") == titles(q="_") == titles()


def test_it_is_narrowed_by_topic_kind_language_and_network(any_desk: Desk) -> None:
    any_desk.story(title="Un", kind="news", topics=["Vie de la maison"], networks=["x", "linkedin"])
    any_desk.story(title="Two", language="en", networks=["email"])
    any_desk.story(title="Trois", translations={"en": {"title": "Three"}})
    assert titles(kind="news") == ["Un"]
    assert titles(topic="Vie de la maison") == titles(topic="vie-de-la-maison") == ["Un"]
    assert titles(language="en") == ["Trois", "Two"]
    assert titles(network="linkedin") == ["Trois", "Un"]
    assert titles(network="x") == ["Trois", "Un"]
    assert titles(network="email") == ["Trois", "Two"]
    assert titles(network="qr", kind="news") == []


def test_every_story_comes_once_page_by_page(any_desk: Desk) -> None:
    for number in range(7):
        any_desk.story(title=f"Récit {number}")  # all in the same instant
    seen: list[str] = []
    after = None
    while True:
        page = queries.shelf(StoryFilter(), "fr", after, 3)
        seen += [row.title for row in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [f"Récit {number}" for number in reversed(range(7))]


def test_a_narrowed_shelf_is_looked_through_in_bounded_parts_and_whole(
    any_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rare word costs the same in a library of any size; nothing is missed, nothing twice."""
    monkeypatch.setattr(queries, "SEARCHED", 4)
    for number in range(11):
        any_desk.story(title=f"Récit {number}", kind="news" if number % 5 == 0 else "story")
    parts, after = [], None
    while True:
        page = queries.shelf(StoryFilter(kind="news"), "fr", after, 3)
        parts.append(([card.title for card in page.items], page.is_cut))
        after = page.next
        if after is None:
            break
    assert parts == [(["Récit 10"], True), (["Récit 5"], True), (["Récit 0"], False)]
    assert not queries.shelf(StoryFilter(), "fr", None, 3).is_cut
    assert queries.shelf(StoryFilter(q="jamais"), "fr").items == []


def test_a_full_part_of_a_narrowed_shelf_goes_on_where_it_stopped(
    any_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SEARCHED", 5)
    for number in range(12):
        any_desk.story(title=f"Récit {number}")
    seen: list[str] = []
    after: str | None = None
    for _turn in range(20):
        page = queries.shelf(StoryFilter(q="récit"), "fr", after, 2)
        seen += [card.title for card in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [f"Récit {number}" for number in reversed(range(12))]


def test_topics_are_those_of_the_newest_stories(
    any_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_TALKED_ABOUT", 2)
    for topics in (["Ancien"], ["Bois"], ["Bois", "Gens"]):
        any_desk.story(topics=topics)
    assert [topic.name for topic in queries.shown_topics()] == ["Bois", "Gens"]


def test_cards_come_in_the_order_they_are_asked_for_and_only_shown_ones(any_desk: Desk) -> None:
    one, two, hidden = any_desk.story(), any_desk.story(), any_desk.draft()
    found = queries.cards_of([one, hidden, two], "fr")
    assert [card.id for card in found] == [one, two]
    assert queries.cards_of([], "fr") == []


@pytest.mark.parametrize("cursor", ["x", "%00", "WzEsMl0", "W10", "eyJhIjoxfQ", "bnVsbA", "é" * 9])
def test_a_place_that_nobody_gave_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        queries.shelf(StoryFilter(), "fr", cursor)


def test_topics_are_counted_over_what_is_shown(any_desk: Desk) -> None:
    any_desk.story(topics=["Bois", "Métiers"])
    any_desk.story(topics=["Bois"])
    any_desk.draft(topics=["Secret"])
    assert [(t.name, t.count) for t in queries.shown_topics()] == [("Bois", 2), ("Métiers", 1)]
    assert {t.name: t.count for t in queries.all_topics()} == {"Bois": 2, "Métiers": 1, "Secret": 1}


def test_the_studio_tells_states_apart(any_desk: Desk) -> None:
    any_desk.draft(title="Brouillon")
    any_desk.story(title="Demain", visible_from=START + DAY)
    any_desk.story(title="Là", topics=["Bois"], translations={"en": {"title": "There"}})
    gone = any_desk.story(title="Retiré")
    service.withdraw_story(gone, any_desk.curator.id)
    over = any_desk.story(title="Fini", expires_at=START + DAY / 2)
    clock.freeze(START + DAY / 2)
    viewer = Viewer(any_desk.curator.id, frozenset({"curator"}))

    def listed(status: str) -> list[str]:
        rows = queries.studio(StoryFilter(status=status), viewer).rows
        return [row.title for row in rows]

    assert listed("draft") == ["Brouillon"]
    assert listed("scheduled") == ["Demain"]
    assert listed("published") == ["Là"]
    assert listed("expired") == ["Fini"]
    assert listed("withdrawn") == ["Retiré"]
    assert len(listed("")) == 5
    rows = queries.studio(StoryFilter(q="la bois"), viewer).rows
    assert (rows[0].languages, rows[0].topics, rows[0].author_name) == (
        ("fr", "en"), ("Bois",), "Gaël Lebrun",
    )  # fmt: skip
    assert queries.story_by_slug(any_desk.row(over).slug).id == over


def test_drafts_are_for_their_author_and_for_curators(any_desk: Desk) -> None:
    mine, public = any_desk.draft(title="Mien"), any_desk.story(title="Public")
    other = any_desk.house.person("Hugo Meynard", "contributor", joined=False)

    def seen(person_id: object, *roles: str) -> set[str]:
        viewer = Viewer(person_id, frozenset(roles))  # type: ignore[arg-type]
        rows = queries.api_stories(StoryFilter(), viewer).rows
        return {row.texts[0].title for row in rows}

    assert seen(any_desk.contributor.id, "contributor") == {"Mien", "Public"}
    assert seen(any_desk.curator.id, "curator") == {"Mien", "Public"}
    assert seen(other.id, "contributor") == {"Public"}
    assert seen(other.id, "member") == {"Public"}
    with pytest.raises(UnknownStory):
        queries.story_for(mine, Viewer(other.id, frozenset({"contributor"})))
    assert queries.story_for(public, Viewer(other.id, frozenset({"member"}))).id == public
