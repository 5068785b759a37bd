"""What a page says of itself: read in the background, from a real server, once (F1, F3)."""

from __future__ import annotations

import datetime as dt
import ipaddress
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask.testing import FlaskClient
from ssrfguard import Policy

from app import clock
from app.errors import InvalidInput
from app.integrations import fetching
from app.library import previews
from app.media import service as media
from tests.conftest import START
from tests.library.conftest import Desk, facts, photo, work

PAGE = """<!doctype html><html lang="fr"><head><title>Titre du document</title>
<meta property="og:title" content="Le douglas arrive par le rail">
<meta property="og:description" content="Soixante et un kilomètres, aucun camion.">
<meta property="og:site_name" content="Halvenne">
<meta property="og:image" content="/photo.jpg"></head><body><p>Bois</p></body></html>"""


class Site(BaseHTTPRequestHandler):
    """A web site of somebody else's."""

    asked: list[str] = []  # noqa: RUF012  (shared on purpose: each test has its own class)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        content, kind = {
            "/page": (PAGE.encode(), "text/html; charset=utf-8"),
            "/bare": (b"<title>Seul</title>", "text/html"),
            "/broken": (PAGE.replace("photo.jpg", "file.bin").encode(), "text/html; charset=utf-8"),
            "/photo.jpg": (photo(), "image/jpeg"),
            "/file.bin": (b"\x00" * 400, "image/jpeg"),
            "/data": (b"%PDF-1.7", "application/pdf"),
        }.get(self.path, (b"", ""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        return None


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The public internet is 127.0.0.2 for a while."""
    Site.asked = []
    server = ThreadingHTTPServer(("127.0.0.2", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    public = Policy(
        allowed_schemes=frozenset({"http"}),
        allowed_ports=frozenset({server.server_port}),
        allowed_networks=(ipaddress.ip_network("127.0.0.2/32"),),
    )
    monkeypatch.setattr(fetching, "PUBLIC", public)
    yield f"http://127.0.0.2:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def read(url: str) -> previews.Preview:
    preview_id = previews.want(url)
    work()
    found = previews.preview(preview_id)
    assert found is not None
    return found


def test_it_waits_then_tells_title_words_and_picture(desk: Desk, site: str) -> None:
    preview_id = previews.want(f"{site}/page")
    waiting = previews.preview(preview_id)
    assert waiting is not None and waiting.state == "waiting"
    assert Site.asked == []
    work()
    found = previews.preview(preview_id)
    assert found is not None
    assert (found.state, found.reason) == ("ready", None)
    assert found.title == "Le douglas arrive par le rail"
    assert found.description == "Soixante et un kilomètres, aucun camion."
    assert found.site_name == "Halvenne"
    picture = media.picture(found.picture_id)
    assert picture is not None and picture.width == 1600


def test_it_is_read_once_an_hour_whoever_asks(desk: Desk, site: str) -> None:
    first = read(f"{site}/bare")
    assert previews.want(f"{site}/bare") == first.id
    assert len(facts("story.preview_wanted")) == 1
    clock.freeze(START + dt.timedelta(hours=2))
    again = read(f"{site}/bare")
    assert (again.id, again.state, again.title) == (first.id, "ready", "Seul")
    assert Site.asked == ["/bare", "/bare"]


def test_a_picture_that_is_none_costs_nothing_else(desk: Desk, site: str) -> None:
    found = read(f"{site}/broken")
    assert (found.state, found.picture_id) == ("ready", None)
    assert found.title == "Le douglas arrive par le rail"


@pytest.mark.parametrize(("path", "reason"), [("/nowhere", "unreachable"), ("/data", "wrong-type")])
def test_it_says_why_nothing_could_be_read(desk: Desk, site: str, path: str, reason: str) -> None:
    found = read(site + path)
    assert (found.state, found.reason) == ("failed", reason)
    assert found.trouble
    assert previews.want(site + path) == found.id
    work()
    assert Site.asked.count(path) == 2


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://10.0.0.1/", "http://169.254.169.254/latest/meta-data/"]
)
def test_it_reads_no_address_of_our_own_network(desk: Desk, url: str) -> None:
    found = read(url)
    assert (found.state, found.reason) == ("failed", "refused-address")


def test_what_never_comes_back_is_told_as_failed(desk: Desk, site: str) -> None:
    preview_id = previews.want(f"{site}/page")
    clock.freeze(START + previews.GIVEN_UP)
    found = previews.preview(preview_id)
    assert found is not None
    assert (found.state, found.reason) == ("failed", "no-answer")
    assert previews.want(f"{site}/page") == preview_id
    work()
    found = previews.preview(preview_id)
    assert found is not None and found.state == "ready"


@pytest.mark.parametrize("url", ["", "halvenne", "file:///etc/passwd", "https://a:b@c.example/"])
def test_what_is_no_address_is_refused_at_its_field(desk: Desk, url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        previews.want(url)
    assert list(caught.value.errors) == ["url"]


def test_the_editor_waits_is_told_and_chooses_the_picture(desk: Desk, site: str) -> None:
    browser: FlaskClient = desk.house.browser(desk.curator)
    typed = {
        "act": "preview", "language": "fr", "kind": "article", "url": f"{site}/page",
        "title_fr": "", "summary_fr": "Mes mots à moi.", "title_en": "Mine",
        "caption_fr_0": "Une accroche.", "topics": "Bois",
    }  # fmt: skip
    page = browser.post("/studio/stories", data=typed).get_data(as_text=True)
    assert "We are reading this page" in page
    assert 'hx-trigger="every 2s"' in page
    assert "Mes mots à moi.</textarea>" in page
    work()
    poll = page.split('hx-post="')[1].split('"')[0]
    fragment = browser.post(
        poll, data={"language": "fr", "title_fr": "", "summary_fr": "Mes mots à moi."},
        headers={"HX-Request": "true"},
    ).get_data(as_text=True)  # fmt: skip
    assert 'id="place-title_fr" hx-swap-oob="true"' in fragment
    assert 'value="Le douglas arrive par le rail"' in fragment
    assert "place-summary_fr" not in fragment
    page = browser.post("/studio/stories", data=typed).get_data(as_text=True)
    assert 'value="Le douglas arrive par le rail"' in page
    assert "Mes mots à moi.</textarea>" in page
    assert "Une accroche.</textarea>" in page
    assert 'name="picture_id" value=""' in page
    adopted = browser.post("/studio/stories", data=typed | {"act": "adopt"}).get_data(as_text=True)
    assert 'name="picture_id" value=""' not in adopted
    assert 'value="Mine"' in adopted


def test_the_editor_is_told_what_is_wrong_with_the_address(desk: Desk) -> None:
    browser = desk.house.browser(desk.curator)
    answer = browser.post(
        "/studio/stories",
        data={"act": "preview", "language": "fr", "url": "nowhere", "title_fr": "Gardé"},
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="url-error"' in page
    assert 'value="Gardé"' in page
    assert browser.post(f"/studio/link-previews/{desk.curator.id}").status_code == 404
