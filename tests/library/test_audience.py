"""Whom a story is meant for, and how far a writer's role reaches (F99, F100)."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import outbox
from app.errors import InvalidInput
from app.library import follows, queries, service
from app.library.errors import NotYours, UnknownStory
from app.library.queries import StoryFilter, Viewer
from app.people import audiences, saved_views, segments_reach
from app.people.audiences import KEPT, SEEN
from app.people.models import Person
from app.prepared import Reading
from tests.conftest import masked
from tests.library.conftest import Desk, facts
from tests.people.test_segment_rules import rule, said
from tests.people.test_segments import made
from tests.sharing.kit import accept, connect

LIST = "/studio/stories"


def site(name: str) -> uuid.UUID:
    return made(rule(said("site", "is", name)), name=f"Site {name}")


@pytest.fixture
def brest(desk: Desk) -> uuid.UUID:
    return site("Brest")


@pytest.fixture
def lorient(desk: Desk) -> uuid.UUID:
    return site("Lorient")


def limited(desk: Desk, role: str, *segments: uuid.UUID, name: str = "Yann Prigent") -> Person:
    """Somebody whose role was given for these segments alone."""
    person = desk.house.person(name, language="en", site="Brest")
    for segment in segments:
        segments_reach.give_role(person.id, role, segment, actor_id=None)
    return person


def segments(story_id: uuid.UUID, purpose: str) -> set[uuid.UUID]:
    return set(audiences.ids_of(story_id, purpose))


# --- whom it is meant for ----------------------------------------------------------------


SURFACES = (
    "/", "/library", "/library?q=secret", "/library?topic=chantiers", "/library?topics=mine",
    "/library?kind=news", "/library?language=fr", "/library?network=x", "/welcome", "/shares",
)  # fmt: skip


def test_a_member_outside_meets_it_nowhere(desk: Desk, brest: uuid.UUID) -> None:
    inside = desk.house.person("Anne Brestoise", site="Brest", language="en")
    outside = desk.house.person("Théo Lorientais", site="Lorient", language="en")
    for person in (inside, outside):
        accept(person.id)
        connect(person.id)
    desk.story(title="Pour tous", body="Ici.", topics=["Bois"])
    story = desk.story(
        title="Secret de Brest", body="Ici.", topics=["Chantiers"], kind="news",
        audience=[str(brest)],
    )  # fmt: skip
    follows.follow(inside.id, "chantiers")
    follows.follow(outside.id, "chantiers")
    outbox.drain()
    met = {path for path in SURFACES if "Secret de Brest" in _page(desk, inside, path)}
    assert met == {*SURFACES} - {"/shares"}
    for path in SURFACES:
        page = _page(desk, outside, path)
        assert "Secret de Brest" not in page, path
        assert str(story) not in page, path
    assert "Chantiers" in _page(desk, inside, "/library?language=fr").split("Choose my topics")[0]
    _answers_as_for_unknown(desk.house.browser(outside), story)
    slug = desk.row(story).slug
    assert desk.house.app.test_client().get(f"/s/{slug}").status_code == 200  # public stays public


def _page(desk: Desk, person: Person, path: str) -> str:
    answer = desk.house.browser(person).get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def _answers_as_for_unknown(browser: FlaskClient, story: uuid.UUID) -> None:
    unknown = uuid.uuid4()
    told = [browser.get(f"/library/{key}") for key in (story, unknown)]
    assert [answer.status_code for answer in told] == [404, 404]
    assert len({masked(answer.text, story, unknown) for answer in told}) == 1
    for path in ("/shares", "/sharing/preview", "/sharing/drafts"):
        wish = {"words": "Chapeau.", "network": "linkedin"}
        told = [browser.post(path, data=wish | {"story_id": str(k)}) for k in (story, unknown)]
        assert [answer.status_code for answer in told] == [404, 404], path
        assert len({masked(answer.text, story, unknown) for answer in told}) == 1, path


def test_a_withdrawn_one_says_nothing_to_those_outside(desk: Desk, brest: uuid.UUID) -> None:
    inside = desk.house.person("Anne Brestoise", site="Brest")
    outside = desk.house.person("Théo Lorientais", site="Lorient")
    story = desk.story(audience=[str(brest)])
    service.withdraw_story(story, desk.curator.id)
    assert desk.house.browser(inside).get(f"/library/{story}").status_code == 410
    assert desk.house.browser(outside).get(f"/library/{story}").status_code == 404


def test_it_shows_the_same_on_both_databases(any_desk: Desk) -> None:
    brest, lorient = site("Brest"), site("Lorient")
    any_desk.story(title="Tous", topics=["Bois"])
    first = any_desk.story(title="Brest", topics=["Mer"], audience=[str(brest)])
    any_desk.story(title="Les deux", topics=["Mer"], audience=[str(brest), str(lorient)])

    def shelf(*mine: uuid.UUID, **filters: Any) -> list[str]:
        return [c.title for c in queries.shelf(StoryFilter(**filters), "fr", mine=mine).items]

    assert shelf() == ["Tous"]
    assert shelf(lorient) == ["Les deux", "Tous"]
    assert shelf(brest, topic="mer") == ["Les deux", "Brest"]
    assert [card.title for card in queries.latest(1, mine=[brest])] == ["Les deux"]
    assert {t.name: t.count for t in queries.shown_topics([lorient])} == {"Bois": 1, "Mer": 1}
    assert {t.name: t.count for t in queries.shown_topics()} == {"Bois": 1}
    assert [card.title for card in queries.cards_of([first], "fr", mine=[brest])] == ["Brest"]
    assert queries.cards_of([first], "fr") == []
    whole = Viewer(any_desk.curator.id, frozenset({"curator"}))
    rows = queries.studio(StoryFilter(), whole).rows
    assert {row.title: row.audience for row in rows} == {
        "Tous": (), "Brest": ("Site Brest",), "Les deux": ("Site Brest", "Site Lorient"),
    }  # fmt: skip


def test_it_ends_where_hardly_anything_is_meant_for_the_reader(
    any_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library of others' stories is looked through in bounded parts; nothing is missed."""
    brest = site("Brest")
    oldest = any_desk.story(title="Le plus ancien")
    for number in range(5):
        any_desk.story(title=f"Brest {number}", audience=[str(brest)])
    monkeypatch.setattr(queries, "LOOKED", 3)
    monkeypatch.setattr(queries, "_SHELF", Reading(queries._shelf(3)))
    first = queries.shelf(StoryFilter(), "fr")
    assert (first.items, first.is_cut, first.looked_through) == ([], True, 3)
    second = queries.shelf(StoryFilter(), "fr", first.next)
    assert [card.id for card in second.items] == [oldest]
    assert not queries.shelf(StoryFilter(), "fr", second.next).items
    assert len(queries.shelf(StoryFilter(), "fr", mine=[brest], limit=2).items) == 2


def test_the_library_asks_once_more_for_the_readers_segments(
    desk: Desk, brest: uuid.UUID, count_queries: Any
) -> None:
    desk.story(title="Une", audience=[str(brest)])
    desk.story(title="Autre")
    browser = desk.house.browser(desk.house.person("Anne Brestoise", site="Brest"))
    browser.get("/library")
    assert count_queries(lambda: browser.get("/library")) <= 8
    browser.get("/")
    assert count_queries(lambda: browser.get("/")) <= 17


# --- the editor --------------------------------------------------------------------------


def test_the_editor_says_whom_it_is_for_and_who_keeps_it(
    desk: Desk, brest: uuid.UUID, lorient: uuid.UUID
) -> None:
    browser = desk.house.browser(desk.curator)
    page = browser.get(f"{LIST}/new").text
    assert "Everybody" in page
    assert "Who keeps it" in page
    fields = {
        "language": "fr", "title_fr": "Une halle", "body_fr": "Ici.", "act": "publish",
        "audience": ["", str(brest)], "keepers": ["", str(lorient)],
    }  # fmt: skip
    kept = uuid.UUID(browser.post(LIST, data=fields).headers["Location"].rsplit("/", 1)[1])
    assert (segments(kept, SEEN), segments(kept, KEPT)) == ({brest}, {lorient})
    assert re.search(
        rf'name="audience" value="{brest}" checked', browser.get(f"{LIST}/{kept}").text
    )
    assert "For Site Brest" in browser.get(LIST).text
    assert "Only for Site Brest." in browser.get(f"{LIST}/{kept}/preview").text
    wrong = browser.post(f"{LIST}/{kept}", data=fields | {"audience": ["", str(uuid.uuid4())]})
    assert wrong.status_code == 422
    assert 'href="#audience"' in wrong.text
    assert segments(kept, SEEN) == {brest}
    version = desk.row(kept).version
    browser.post(f"{LIST}/{kept}", data=fields | {"audience": [""], "act": "save"})
    assert segments(kept, SEEN) == set()
    assert desk.row(kept).version == version + 1
    assert facts("story.audience_changed") == [{"story_id": str(kept)}]
    browser.post(f"{LIST}/{kept}", data=fields | {"audience": [""], "act": "save"})
    assert desk.row(kept).version == version + 1


def test_a_form_that_does_not_ask_leaves_it_as_it_is(desk: Desk, brest: uuid.UUID) -> None:
    story = desk.story(by=desk.curator, audience=[str(brest)], keepers=[str(brest)])
    service.change_story(story, {"title": "Autrement"}, desk.curator.id)
    assert segments(story, SEEN) == segments(story, KEPT) == {brest}


def test_a_contributor_of_everything_hands_nothing_over(desk: Desk, brest: uuid.UUID) -> None:
    story = desk.draft(audience=[str(brest)], keepers=[str(brest)])
    assert (segments(story, SEEN), segments(story, KEPT)) == ({brest}, set())
    assert "Who keeps it" not in desk.house.browser(desk.contributor).get(f"{LIST}/{story}").text


@pytest.mark.parametrize("value", ["x", [1], [["x"]], {"a": "b"}, ["not-an-id"]])
def test_it_refuses_what_is_no_list_of_segments(desk: Desk, value: Any) -> None:
    with pytest.raises(InvalidInput) as told:
        desk.draft(audience=value)
    assert "audience" in told.value.errors


def test_nothing_is_left_of_a_draft_that_is_thrown_away(desk: Desk, brest: uuid.UUID) -> None:
    story = desk.draft(by=desk.curator, audience=[str(brest)], keepers=[str(brest)])
    service.discard(story, desk.curator.id)
    assert segments(story, SEEN) == segments(story, KEPT) == set()


# --- how far a role reaches --------------------------------------------------------------


def test_what_a_limited_role_writes_is_kept_by_its_segments_and_meant_for_them(
    desk: Desk, brest: uuid.UUID, lorient: uuid.UUID
) -> None:
    yann = limited(desk, "contributor", brest, lorient)
    whole = desk.draft(by=yann)
    assert segments(whole, SEEN) == segments(whole, KEPT) == {brest, lorient}
    part = desk.draft(by=yann, audience=["", str(brest)], keepers=[str(lorient)])
    assert segments(part, SEEN) == segments(part, KEPT) == {brest}
    with pytest.raises(InvalidInput):
        desk.draft(by=yann, audience=[str(made(None, name="Siège"))])
    with pytest.raises(NotYours):
        service.publish_story(part, yann.id)


def test_a_limited_curator_sees_and_changes_only_what_hers_keep(
    desk: Desk, brest: uuid.UUID, lorient: uuid.UUID
) -> None:
    yann = limited(desk, "curator", brest)
    browser = desk.house.browser(yann)
    hers = desk.draft(by=desk.curator, title="La nôtre", body="Ici.", keepers=[str(brest)])
    desk.story(title="Pour tous", body="Ici.")
    theirs = desk.draft(by=desk.curator, title="La leur", body="Ici.", keepers=[str(lorient)])
    for path in (LIST, f"{LIST}?status=draft", f"{LIST}?q=la", "/studio", f"{LIST}?all=1"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "La nôtre" in page.text, path
        assert "La leur" not in page.text, path
        assert "Pour tous" not in page.text, path
    assert browser.get(f"{LIST}/{hers}").status_code == 200
    assert "Who keeps it" not in browser.get(f"{LIST}/{hers}").text
    changed = {"language": "fr", "title_fr": "La nôtre, mieux", "body_fr": "Ici.", "audience": ""}
    assert browser.post(f"{LIST}/{hers}", data=changed).status_code == 303
    assert segments(hers, SEEN) == set()  # for everybody, as the one who handed it over said
    assert browser.post(f"{LIST}/{hers}/publication").status_code == 303
    assert desk.row(hers).status == "published"
    assert browser.post(f"{LIST}/{hers}/withdrawal").status_code == 303
    assert desk.row(hers).status == "withdrawn"
    assert desk.row(theirs).status == "draft"
    assert browser.get("/studio/topics").status_code == 200
    assert browser.get("/studio/sharing").status_code == 403


def test_it_answers_for_what_lies_outside_as_for_nothing(
    desk: Desk, brest: uuid.UUID, lorient: uuid.UUID
) -> None:
    """Drafts and public stories of others, and of the whole organisation."""
    browser = desk.house.browser(limited(desk, "curator", brest))
    outside = [
        desk.draft(by=desk.curator, title="La leur", keepers=[str(lorient)]),
        desk.story(title="Pour tous", body="Ici."),
        desk.story(title="Pour Brest", body="Ici.", audience=[str(brest)]),
    ]
    fields = {"language": "fr", "title_fr": "Volée", "body_fr": "Ici.", "audience": str(brest)}
    acts = [
        ("GET", ""), ("GET", "/preview"), ("POST", ""), ("POST", "/publication"),
        ("POST", "/withdrawal"), ("POST", "/discarding"),
    ]  # fmt: skip
    for story in outside:
        unknown = uuid.uuid4()
        for method, act in acts:
            told = [
                browser.open(f"{LIST}/{key}{act}", method=method, data=dict(fields))
                for key in (story, unknown)
            ]
            assert [answer.status_code for answer in told] == [404, 404], (method, act)
            assert len({masked(answer.text, story, unknown) for answer in told}) == 1
        assert desk.row(story).texts[0].title != "Volée"
    assert {desk.row(story).status for story in outside} == {"draft", "published"}


def test_a_limited_curator_changes_her_part_of_an_audience(
    desk: Desk, brest: uuid.UUID, lorient: uuid.UUID
) -> None:
    yann = limited(desk, "curator", brest)
    story = desk.story(
        by=desk.curator, body="Ici.", keepers=[str(brest)], audience=[str(brest), str(lorient)]
    )
    page = desk.house.browser(yann).get(f"{LIST}/{story}").text
    assert f'value="{lorient}"' not in page
    assert "Site Lorient" in page  # named, and not hers to take away
    service.change_story(story, {"audience": []}, yann.id)
    assert segments(story, SEEN) == {lorient}
    service.change_story(story, {"audience": [str(brest)]}, yann.id)
    assert segments(story, SEEN) == {brest, lorient}
    assert segments(story, KEPT) == {brest}


def test_two_roles_each_keep_their_own_reach(
    desk: Desk, brest: uuid.UUID, lorient: uuid.UUID
) -> None:
    """A contributor of everything who is a curator of one part."""
    both = desk.house.person("Hugo Meynard", "contributor", language="en")
    segments_reach.give_role(both.id, "curator", brest, actor_id=None)
    hers = desk.draft(by=desk.curator, title="La nôtre", body="Ici.", keepers=[str(brest)])
    theirs = desk.draft(by=desk.curator, title="La leur", body="Ici.", keepers=[str(lorient)])
    public = desk.story(title="Pour tous", body="Ici.")
    own = desk.draft(by=both, title="La mienne", body="Ici.")
    page = desk.house.browser(both).get(LIST).text
    for title, is_there in (
        ("La nôtre", True), ("La leur", False), ("Pour tous", True), ("La mienne", True),
    ):  # fmt: skip
        assert (title in page) is is_there, title
    service.publish_story(hers, both.id)
    for story in (public, own):
        with pytest.raises(NotYours):
            service.withdraw_story(story, both.id)
    with pytest.raises(NotYours):
        service.publish_story(theirs, both.id)
    week = desk.house.browser(both).get("/studio").text
    assert week.count("/publication") == 0


def test_who_has_no_role_and_no_reach_writes_nothing(desk: Desk, brest: uuid.UUID) -> None:
    yann = limited(desk, "recruiter", brest)
    with pytest.raises(NotYours):
        desk.draft(by=yann)
    assert desk.house.browser(yann).get(LIST).status_code == 403


def test_saved_views_open_for_a_limited_role(desk: Desk, brest: uuid.UUID) -> None:
    yann = limited(desk, "curator", brest)
    found = saved_views.team_list("stories", frozenset(), ["curator"])
    saved_views.keep(found, yann.id, "Brouillons", "status=draft")
    assert "Brouillons" in desk.house.browser(yann).get(LIST).text


def test_a_proposal_is_told_to_those_whom_it_reaches(
    desk: Desk, brest: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.library import proposals

    limited(desk, "curator", brest)
    told: list[str] = []
    maelle = desk.house.person("Maëlle Kerjan", site="Brest")
    monkeypatch.setattr(proposals.mail, "send", lambda to, *rest, **more: told.append(to))
    story = proposals.propose(maelle.id, "https://halvenne.example/a")
    outbox.drain()
    assert told == [desk.curator.email]
    with pytest.raises(UnknownStory):
        service.change_story(story, {"title": "À moi"}, limited(desk, "curator", brest).id)
    service.change_story(story, {"keepers": [str(brest)]}, desk.curator.id)
    assert len(proposals._editors(story)) == 3
