"""On a home screen: what it shows, what it keeps, and that pages for strangers know nothing of
it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select

from app import create_app, outbox
from app.db import db
from app.library.models import Story
from app.library.proposals import MOST_A_DAY
from app.outbox.models import OutboxEvent
from app.settings import icons, save_organisation
from tests.conftest import House, settings_for

PRIVATE = re.compile(r"/(r|o|c|s|api|me|library|offers|play|studio)(/|\b)")


@pytest.fixture
def visitor(house: House) -> FlaskClient:
    return house.app.test_client()


def _manifest(client: FlaskClient, language: str) -> dict[str, object]:
    answer = client.get(f"/manifest.webmanifest?lang={language}")
    assert answer.content_type == "application/manifest+json"
    found = json.loads(answer.get_data())
    assert isinstance(found, dict)
    return found


def test_it_is_named_after_the_organisation_in_the_readers_language(visitor: FlaskClient) -> None:
    english, french = _manifest(visitor, "en"), _manifest(visitor, "fr")
    assert "Halvenne" in str(english["name"]) and english["lang"] == "en"
    assert french["lang"] == "fr"
    assert english["theme_color"] != "#000000" and str(english["theme_color"]).startswith("#")
    shortcuts = english["shortcuts"]
    assert isinstance(shortcuts, list)
    assert [s["url"] for s in shortcuts] == ["/library", "/offers", "/play"]


def test_its_icons_are_drawn_in_the_brand_and_kept_for_ever(
    house: House, visitor: FlaskClient
) -> None:
    listed = _manifest(visitor, "en")["icons"]
    assert isinstance(listed, list)
    assert {i["purpose"] for i in listed} == {"any", "maskable"}
    for told in listed:
        answer = visitor.get(told["src"])
        picture = Image.open(io.BytesIO(answer.get_data()))
        assert f"{picture.width}x{picture.height}" == told["sizes"]
        assert "immutable" in answer.headers["Cache-Control"]
    before = listed[0]["src"]
    save_organisation(name="Halvenne", brand="#aa3300")
    moved = visitor.get(before)
    assert moved.status_code == 302 and moved.headers["Location"] != before
    assert visitor.get("/icons/icon-9-abc.png").status_code == 404


def test_a_maskable_icon_keeps_its_sign_inside_the_safe_circle() -> None:
    picture = Image.open(io.BytesIO(icons.draw("maskable-512", "#00664a"))).convert("RGB")
    ground = picture.getpixel((0, 0))
    far = [
        (x, y)
        for x in range(0, 512, 4)
        for y in range(0, 512, 4)
        if picture.getpixel((x, y)) != ground and (x - 256) ** 2 + (y - 256) ** 2 > (0.4 * 512) ** 2
    ]
    assert far == []


def _shell(client: FlaskClient, language: str = "fr") -> dict[str, object]:
    answer = client.get(f"/sw.js?lang={language}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.content_type == "text/javascript; charset=utf-8"
    told = re.match(r"const SHELL = (\{.*\});\n", answer.get_data(as_text=True))
    assert told
    found = json.loads(told[1])
    assert isinstance(found, dict)
    return found


def test_the_worker_keeps_the_shell_and_nothing_of_anybody(visitor: FlaskClient) -> None:
    shell = _shell(visitor)
    files, pages = shell["files"], shell["pages"]
    assert isinstance(files, list) and isinstance(pages, list)
    assert pages == ["/offline?lang=fr", "/offline?lang=en"] or set(pages) == {
        "/offline?lang=fr", "/offline?lang=en",
    }  # fmt: skip
    for address in [*files, *pages]:
        answer = visitor.get(address)
        assert answer.status_code == 200, address
        assert "Set-Cookie" not in answer.headers
    assert [a for a in files if PRIVATE.match(a)] == []


def test_a_new_colour_or_language_is_a_new_worker(visitor: FlaskClient) -> None:
    before = _shell(visitor)["version"]
    assert _shell(visitor)["version"] == before
    assert _shell(visitor, "en")["version"] != before
    save_organisation(name="Halvenne", brand="#aa3300")
    assert _shell(visitor)["version"] != before


def test_the_page_without_a_network_is_in_both_languages(visitor: FlaskClient) -> None:
    for language in ("fr", "en"):
        answer = visitor.get(f"/offline?lang={language}")
        page = LexborHTMLParser(answer.get_data(as_text=True))
        assert page.css_first("html").attributes["lang"] == language
        assert page.css("form") == [] and page.css_first("h1") is not None
        needed = [n.attributes.get("href") or n.attributes.get("src") for n in page.css(
            "link[rel=stylesheet], link[rel=preload], script[src]")]  # fmt: skip
        kept = _shell(visitor, language)["files"]
        assert isinstance(kept, list)
        assert [address for address in needed if address not in kept] == []


def test_only_the_pages_of_members_name_the_manifest(house: House, visitor: FlaskClient) -> None:
    from app.referrals import links

    maelle = house.person()
    code = links.link_for(maelle.id, house.offer(), "link").code
    public = visitor.get(f"/r/{code}", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    for path in (public.headers["Location"], "/privacy", "/c", "/offline", "/sign-in"):
        page = LexborHTMLParser(visitor.get(path).get_data(as_text=True))
        assert page.css_first("link[rel=manifest]") is None, path
    mine = LexborHTMLParser(house.browser(maelle).get("/").get_data(as_text=True))
    named = mine.css_first("link[rel=manifest]")
    assert named is not None and str(named.attributes["href"]).startswith("/manifest.webmanifest")


# --- the share sheet ---------------------------------------------------------------------


def test_a_shared_page_leads_a_writer_to_a_new_story(house: House) -> None:
    ines = house.browser(house.person("Inès Roux", "contributor"))
    away = ines.get("/shared-in?title=Une+grue&text=Lisez+https://journal.example/grue?a=1")
    assert away.headers["Location"].startswith("/studio/stories/new?url=https")
    page = LexborHTMLParser(ines.get(away.headers["Location"]).get_data(as_text=True))
    field = page.css_first("input[name=url]")
    assert field is not None and field.attributes["value"] == "https://journal.example/grue?a=1"


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "file:///etc/passwd", "http://a@b/", ""])
def test_it_takes_no_address_that_is_none(house: House, bad: str) -> None:
    ines = house.browser(house.person("Inès Roux", "contributor"))
    page = LexborHTMLParser(ines.get("/studio/stories/new", query_string={"url": bad}).text)
    assert page.css_first("input[name=url]").attributes.get("value") in ("", None)


def test_a_member_suggests_a_page_once_and_the_editors_are_told(house: House) -> None:
    house.person("Inès Roux", "curator", email="ines@halvenne.example")
    maelle = house.person()
    me = house.browser(maelle)
    page = me.get(
        "/shared-in", query_string={"url": "https://journal.example/a", "title": "Une grue"}
    )
    assert "Une grue" in page.text
    typed = {"url": "https://journal.example/a", "title": "Une grue", "words": "On y voit Lorient."}
    for _again in range(2):
        assert me.post("/proposals", data=typed).status_code == 303
    outbox.drain()
    story = db.session.scalars(select(Story)).one()
    assert (story.status, story.author_id, story.url) == ("draft", maelle.id, typed["url"])
    mails = list((house.app.extensions["portevoix"].data_dir / "mail").glob("*.eml"))
    assert (
        sum(
            b"ines@halvenne.example" in m.read_bytes() and b"Kerjan" in m.read_bytes()
            for m in mails
        )
        == 1
    )
    told = db.session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "story.proposed")).one()
    assert "Lorient" not in json.dumps(told.payload)
    assert me.get(f"/library/{story.id}").status_code == 404, "nobody sees it before it is told"


def test_what_was_typed_comes_back_with_its_fault(house: House) -> None:
    me = house.browser(house.person())
    answer = me.post("/proposals", data={"url": "journal", "title": "", "words": "x" * 501})
    assert answer.status_code == 422 and "x" * 501 in answer.text


def test_ten_suggestions_a_day_are_enough(house: House) -> None:
    me = house.browser(house.person())
    for number in range(MOST_A_DAY):
        assert me.post("/proposals", data={"url": f"https://a.example/{number}"}).status_code == 303
    answer = me.post("/proposals", data={"url": "https://a.example/more", "words": "gardez"})
    assert answer.status_code == 429 and "gardez" in answer.text


def test_while_the_database_is_away_a_phone_keeps_what_it_has(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path, DATABASE_URL="postgresql://127.0.0.1:9/none"))
    client = app.test_client()
    for path in ("/sw.js", "/manifest.webmanifest"):
        assert client.get(path).status_code == 503, "a neutral worker would take the place of ours"
    page = LexborHTMLParser(client.get("/o/x").get_data(as_text=True))
    for node in page.css("link[rel=stylesheet]"):
        assert client.get(str(node.attributes["href"])).status_code == 200
