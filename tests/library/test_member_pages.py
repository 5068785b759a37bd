"""The shelf, the page of a story, the public page (F1, F2)."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jinja2
import pytest
from flask import g
from flask.testing import FlaskClient
from PIL import Image

from app import clock
from app.library import neighbours, service, views
from app.library.material import Material
from app.library.neighbours import Section
from app.people.models import Person
from app.web import access
from tests.conftest import START
from tests.library.conftest import Desk

DAY = dt.timedelta(days=1)
FULL: dict[str, Any] = {
    "kind": "story", "body": "Lundi, **six heures**.\n\n<script>alert(1)</script>",
    "topics": ["Chantiers"], "url": "https://halvenne.example/portiques",
    "captions": ["Tout tient."], "alt": "Une halle en bois.", "networks": ["linkedin", "email"],
    "translations": {"en": {"title": "Thirty-eight metres", "body": "Monday.", "alt": "A hall."}},
}  # fmt: skip


@pytest.fixture
def browser(desk: Desk, maelle: Person) -> FlaskClient:
    return desk.house.browser(maelle)


@pytest.fixture
def full(desk: Desk) -> uuid.UUID:
    return desk.story(picture_id=desk.picture(), **FULL)


@pytest.fixture(autouse=True)
def _own_neighbours(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands beside a story is the test's own."""
    monkeypatch.setattr(neighbours, "_beside", [])


def text(browser: FlaskClient, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def titles(page: str) -> list[str]:
    found = re.findall(r"<h2 lang=\"[a-z]+\"><a href=\"/library/[^\"]+\">([^<]+)</a></h2>", page)
    return [str(title) for title in found]


# --- the shelf ---------------------------------------------------------------------------


def test_it_leads_with_pictures_and_narrows_by_the_address(
    desk: Desk, browser: FlaskClient, full: uuid.UUID
) -> None:
    desk.story(title="Menuisier", kind="news")
    page = text(browser, "/library")
    assert titles(page) == ["Menuisier", "Trente-huit mètres"]
    assert re.search(r'<img class="photo" src="/media/[^"]+webp" srcset=', page)
    assert 'alt=""' in page  # the title beside it says it
    assert titles(text(browser, "/library?topic=chantiers")) == ["Trente-huit mètres"]
    assert titles(text(browser, "/library?kind=news")) == ["Menuisier"]
    assert titles(text(browser, "/library?language=en")) == ["Thirty-eight metres"]
    assert titles(text(browser, "/library?network=qr")) == ["Menuisier"]
    assert titles(text(browser, "/library?q=METRES")) == ["Trente-huit mètres"]
    assert titles(text(browser, "/library?lang=en")) == ["Menuisier", "Thirty-eight metres"]
    assert "Nothing like this" in text(browser, "/library?q=xyz&lang=en")


def test_an_empty_shelf_says_so(browser: FlaskClient) -> None:
    assert "The shelf is still empty" in text(browser, "/library?lang=en")


def test_a_long_shelf_is_walked_through_once(
    desk: Desk, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE", 3)
    for number in range(7):
        desk.story(title=f"Récit {number}")
    seen: list[str] = []
    path = "/library"
    while path:
        page = text(browser, path)
        seen += titles(page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == [f"Récit {number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    "query", ["q=%00&topic=%00", "after=%00", "q=%F0%9F", "kind=poem&language=zz&network=n", "q=" + "a" * 900]
)  # fmt: skip
def test_it_never_breaks_on_an_address_that_nobody_gave(browser: FlaskClient, query: str) -> None:
    assert browser.get(f"/library?{query}").status_code in (200, 422)


def test_it_is_for_members(desk: Desk, full: uuid.UUID) -> None:
    stranger = desk.house.app.test_client()
    assert stranger.get("/library").status_code == 303
    recruiter = desk.house.browser(desk.house.person("Sofiane B", "recruiter", joined=False))
    assert recruiter.get("/library").status_code == 403
    assert recruiter.get(f"/library/{full}").status_code == 403


# --- one story ---------------------------------------------------------------------------


def test_it_reads_whole_and_says_until_when_and_where(
    browser: FlaskClient, desk: Desk, full: uuid.UUID
) -> None:
    service.change_story(full, {"expires_at": START + 20 * DAY}, desk.curator.id)
    page = text(browser, f"/library/{full}?lang=en&text=fr")
    assert '<h1 class="story-title" lang="fr">Trente-huit mètres</h1>' in page
    assert "<strong>six heures</strong>" in page
    assert "<script>alert" not in page
    assert 'alt="Une halle en bois."' in page
    assert "The whole story, 1 min" in page
    assert "Read it at halvenne.example" in page
    assert "Written by Gaël Lebrun." in page
    assert "It can be shared until 7 December 2026" in page
    assert "Meant for: LinkedIn, Mail." in page
    english = text(browser, f"/library/{full}?text=en")
    assert '<h1 class="story-title" lang="en">Thirty-eight metres</h1>' in english
    assert f'href="/library/{full}?text=fr" lang="fr"' in english


def test_what_it_is_not_open_to_members_is_not_shown(browser: FlaskClient, desk: Desk) -> None:
    draft, later = desk.draft(), desk.story(visible_from=START + DAY)
    for story_id in (draft, later, uuid.uuid4()):
        assert browser.get(f"/library/{story_id}").status_code == 404
    gone = desk.story()
    service.withdraw_story(gone, desk.curator.id)
    assert "withdrawn" in text(browser, f"/library/{gone}?lang=en", 410)


def test_an_expired_one_is_read_and_no_longer_shared(browser: FlaskClient, desk: Desk) -> None:
    asked: list[Material] = []
    neighbours.beside_story(lambda story: asked.append(story))  # type: ignore[func-returns-value]
    found = desk.story(expires_at=START + DAY)
    assert "Pas un boulon." in text(browser, f"/library/{found}")
    assert len(asked) == 1
    clock.freeze(START + DAY)
    page = text(browser, f"/library/{found}?lang=en")
    assert "no longer be shared" in page
    assert len(asked) == 1


@pytest.fixture
def composer(desk: Desk) -> Iterator[str]:
    """A template of a neighbour."""
    usual = desk.house.app.jinja_env.loader
    words = "<form class='composer'>{{ section.shown.words }} / {{ story.title }}</form>"
    assert usual is not None
    desk.house.app.jinja_env.loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader({"beside.html": words}), usual]
    )
    yield "beside.html"
    desk.house.app.jinja_env.loader = usual


def test_neighbours_draw_beside_it(browser: FlaskClient, full: uuid.UUID, composer: str) -> None:
    neighbours.beside_story(lambda story: Section(composer, {"words": story.starts[0].text}))
    neighbours.beside_story(lambda story: None)
    page = text(browser, f"/library/{full}")
    assert "<form class='composer'>Tout tient. / Trente-huit mètres</form>" in page


def test_a_form_that_came_back_stands_there_whatever_became_of_the_story(
    desk: Desk, maelle: Person, full: uuid.UUID, composer: str
) -> None:
    """Sharing shows the same page again: nothing that was typed is lost."""
    neighbours.beside_story(lambda story: Section(composer, {"words": "drawn"}))
    section = Section(composer, {"words": "typed"})

    def page(status: int) -> str:
        with desk.house.app.test_request_context(f"/library/{full}?lang=en"):
            access.forget()
            g.reader = access.Reader(maelle.id, frozenset({"member"}), "en")
            answer = views.story_page(full, "fr", status, section)
        assert answer.status_code == status
        return answer.get_data(as_text=True)

    again = page(422)
    assert "typed / Trente-huit mètres" in again
    assert "drawn" not in again
    service.withdraw_story(full, desk.curator.id)
    gone = page(410)
    assert "typed / Trente-huit mètres" in gone
    assert "six heures" not in gone


# --- the public page ---------------------------------------------------------------------


def test_anybody_reads_it_and_nothing_is_stored(desk: Desk, full: uuid.UUID) -> None:
    slug = desk.row(full).slug
    visitor = desk.house.app.test_client()
    answer = visitor.get(f"/s/{slug}", headers={"Accept-Language": "fr"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "csrf_token" not in page
    assert "<strong>six heures</strong>" in page
    assert "<script>alert" not in page
    assert "Gaël" not in page
    assert "X-Robots-Tag" not in answer.headers
    assert "Read on at halvenne.example" in visitor.get(f"/s/{slug}?lang=en").get_data(as_text=True)


def test_a_member_reads_it_without_their_session_being_touched(
    browser: FlaskClient, desk: Desk, full: uuid.UUID
) -> None:
    assert "Set-Cookie" not in browser.get(f"/s/{desk.row(full).slug}").headers


def test_networks_find_their_card_in_the_head(desk: Desk, full: uuid.UUID) -> None:
    slug = desk.row(full).slug
    page = desk.house.app.test_client().get(f"/s/{slug}?lang=en").get_data(as_text=True)
    base = desk.house.app.extensions["portevoix"].base_url
    head = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page))
    assert head["og:title"] == "Thirty-eight metres"
    assert head["og:description"] == "Monday."
    assert head["og:type"] == "article"
    assert head["og:site_name"] == "Halvenne"
    assert head["og:locale"] == "en_GB"
    assert head["og:url"] == f"{base}/s/{slug}?lang=en"
    assert head["og:image"].startswith(f"{base}/media/") and head["og:image"].endswith("-1200.jpg")
    assert (head["og:image:width"], head["og:image:height"]) == ("1200", "750")
    assert head["og:image:alt"] == "A hall."
    assert head["twitter:card"] == "summary_large_image"
    image = desk.house.app.test_client().get(head["og:image"].removeprefix(base))
    assert image.content_type == "image/jpeg"


def test_a_story_without_a_picture_is_shown_by_its_drawn_card(desk: Desk) -> None:
    made = desk.story(
        title="Ce que notre presqu’accident a changé", topics=["Sécurité"],
        translations={"en": {"title": "What our near miss changed"}},
    )  # fmt: skip
    slug, visitor = desk.row(made).slug, desk.house.app.test_client()

    def meta(language: str, name: str) -> str:
        page = visitor.get(f"/s/{slug}?lang={language}").get_data(as_text=True)
        found = re.search(rf'<meta property="og:image{name}" content="([^"]+)">', page)
        assert found is not None
        return found[1]

    seen = []
    for language in ("fr", "en"):
        address = urlsplit(meta(language, ""))
        card = visitor.get(address.path)
        assert (card.status_code, card.content_type) == (200, "image/png")
        assert "immutable" in card.headers["Cache-Control"]
        assert "Set-Cookie" not in card.headers
        assert Image.open(io.BytesIO(card.data)).size == (1200, 630)
        assert (meta(language, ":width"), meta(language, ":height")) == ("1200", "630")
        seen.append((address.path, card.data))
    assert len({data for _path, data in seen}) == 2
    assert meta("en", ":alt") == "What our near miss changed, Halvenne"
    old = seen[0][0]
    service.change_story(made, {"title": "Autre titre"}, desk.curator.id)
    moved = visitor.get(old)
    assert moved.status_code == 302
    assert visitor.get(moved.headers["Location"]).status_code == 200
    assert visitor.get(f"/s/{slug}/card-de-000000000000.png").status_code == 404
    service.withdraw_story(made, desk.curator.id)
    assert visitor.get(moved.headers["Location"]).status_code == 404


def test_it_is_gone_unknown_or_over_for_people_and_for_machines(desk: Desk) -> None:
    visitor = desk.house.app.test_client()
    draft, later = desk.draft(), desk.story(visible_from=START + DAY)
    for slug in (desk.row(draft).slug, desk.row(later).slug, "nothing", "%00", "x" * 3000):
        answer = visitor.get(f"/s/{slug}?lang=en")
        assert answer.status_code == 404
        assert "There is no such story" in answer.get_data(as_text=True)
    gone = desk.story(title="Un secret")
    slug = desk.row(gone).slug
    service.withdraw_story(gone, desk.curator.id)
    answer = visitor.get(f"/s/{slug}?lang=en")
    assert answer.status_code == 410
    assert "This story was withdrawn" in answer.get_data(as_text=True)
    assert "Un secret" not in answer.get_data(as_text=True)
    over = desk.story(expires_at=START + DAY / 2)
    clock.freeze(START + DAY / 2)
    answer = visitor.get(f"/s/{desk.row(over).slug}")
    assert answer.status_code == 200
    assert answer.headers["X-Robots-Tag"] == "noindex"


# --- what pages cost ---------------------------------------------------------------------


def test_pages_ask_little(
    desk: Desk, browser: FlaskClient, full: uuid.UUID, count_queries: Callable[..., int]
) -> None:
    for number in range(6):
        desk.story(title=f"Récit {number}", topics=[f"T{number}", "Bois"], captions=["a", "b"],
                   picture_id=desk.picture(f"#00664{number}"), alt="x")  # fmt: skip
    for path, budget in (("/library", 10), ("/library?topic=bois&q=recit", 10),
                         (f"/library/{full}", 12)):  # fmt: skip
        text(browser, path)
        assert count_queries(lambda path=path: text(browser, path)) <= budget
    slug = desk.row(full).slug
    visitor = desk.house.app.test_client()
    assert count_queries(lambda: visitor.get(f"/s/{slug}")) <= 7
