"""What went wrong is said calmly, in the reader's language, with what was kept and one way on."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from app import create_app
from app.web import access, errors
from tests.conftest import House, settings_for

STATUSES = (400, 403, 404, 405, 409, 410, 413, 415, 422, 429)


@pytest.fixture
def client(house: House) -> FlaskClient:
    """A visitor of a product with a few broken places."""

    @access.public
    def refused(status: int) -> None:
        abort(status)

    @access.public
    def broken() -> None:
        raise RuntimeError("the roof is open")

    house.app.add_url_rule("/refused/<int:status>", "refused", refused, methods=["GET", "POST"])
    house.app.add_url_rule("/broken", "broken", broken, methods=["GET", "POST"])
    house.app.add_url_rule("/api/v1/broken", "api_broken", broken)
    house.app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return house.app.test_client()


def _page(answer: object) -> LexborHTMLParser:
    return LexborHTMLParser(answer.get_data(as_text=True))  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_kind_of_trouble_has_words_of_its_own(
    client: FlaskClient, status: int, language: str
) -> None:
    answer = client.get(f"/refused/{status}", headers={"Accept-Language": language})
    assert answer.status_code == status
    page = _page(answer)
    assert page.css_first("html").attributes["lang"] == language
    assert len(page.css("h1")) == 1 and len(page.css_first("h1").text()) > 10
    assert page.css_first(".mishap-lead") is not None
    assert page.css_first(".mishap-flare") is not None
    assert "Set-Cookie" not in answer.headers


def test_a_form_that_is_refused_says_where_its_words_are(client: FlaskClient) -> None:
    for status in (413, 429):
        answer = client.post(f"/refused/{status}", headers={"Accept-Language": "en"})
        assert "go back one page" in _page(answer).css_first(".mishap-facts").text()


def test_our_own_fault_has_a_number_that_is_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get("/broken?x=1", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    page = _page(answer)
    number = page.css_first(".mishap code").text()
    assert re.fullmatch(r"[0-9A-F]{8}", number)
    assert [r for r in caplog.records if number in r.getMessage()]
    assert "roof" not in answer.text and "Traceback" not in answer.text
    again = page.css_first(".mishap a.button")
    assert again is not None and again.attributes["href"] == "/broken?x=1"
    program = client.get("/api/v1/broken")
    assert program.content_type == "application/problem+json"
    assert re.fullmatch(r"[0-9A-F]{8}", program.json["detail"])


def test_it_is_said_even_when_the_page_itself_is_broken(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("no page either")

    monkeypatch.setattr(errors, "render_template", fail)
    answer = client.get("/broken", headers={"Accept-Language": "en"})
    assert answer.status_code == 500 and answer.content_type.startswith("text/plain")
    assert "Something broke on our side" in answer.text


def test_a_member_stays_in_the_house(house: House, client: FlaskClient) -> None:
    me = house.browser(house.person(language="en"))
    answer = me.get("/offers/0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4")
    page = _page(answer)
    assert answer.status_code == 404 and page.css_first("nav.places") is not None
    assert page.css_first(".mishap a.button").attributes["href"] == "/"
    assert me.get("/studio/people").status_code == 403


def test_a_database_that_is_away_is_a_pause(tmp_path: Path) -> None:
    app: Flask = create_app(settings_for(tmp_path, DATABASE_URL="postgresql://127.0.0.1:9/none"))
    answer = app.test_client().get("/o/some-offer?x=1", headers={"Accept-Language": "en"})
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    page = _page(answer)
    assert page.css_first(".mishap a.button").attributes["href"] == "/o/some-offer?x=1"
    assert "Wait a few seconds" in answer.text and "psycopg" not in answer.text
