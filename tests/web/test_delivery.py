"""What is sent is small, whole and never mistaken for something else."""

from __future__ import annotations

import gzip
import re

import brotli
import pytest
from backports import zstd
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.referrals import links
from app.web import access, delivery
from app.web.pages import STATIC, static_url
from tests.conftest import House

UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress, "zstd": zstd.decompress}
BROWSER = "gzip, deflate, br, zstd"
STYLE = "css/components.css"
LONG = "Trente-huit mètres de lamellé-collé. " * 200


def get(client: FlaskClient, path: str, coding: str = "", **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if coding:
        given["Accept-Encoding"] = coding
    return client.get(path, headers=given)


def whole(answer: TestResponse) -> bytes:
    """The body as it is read, whatever it travelled in."""
    coding = answer.headers.get("Content-Encoding")
    return UNPACK[coding](answer.get_data()) if coding else answer.get_data()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def page(app: Flask) -> FlaskClient:
    """A visitor, and pages of every make at /made?as=..."""
    made = {
        "long": lambda: Response(LONG, content_type="text/html; charset=utf-8"),
        "short": lambda: Response("<p>Oui.</p>"),
        "stream": lambda: Response(iter([LONG, LONG]), content_type="text/html; charset=utf-8"),
        "picture": lambda: Response(LONG, content_type="image/webp"),
        "part": lambda: Response(LONG, 206, content_type="text/html"),
        "kept": lambda: Response(LONG, headers={"Cache-Control": "no-transform"}),
        "json": lambda: Response(f'"{LONG}"', content_type="application/json"),
        "refused": lambda: Response(LONG, 422, content_type="text/html"),
    }

    def answer() -> Response:
        response = made[request.args["as"]]()
        response.vary.add("HX-Request")
        if "etag" in request.args:
            response.set_etag(request.args["etag"])
        return response

    app.add_url_rule("/made", view_func=access.public(answer))
    return app.test_client()


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (BROWSER, "br"), ("gzip", "gzip"), ("gzip, br", "br"), ("br;q=0.1, gzip", "gzip"),
        ("*", "br"), ("", None), ("identity", None), ("br;q=0, gzip;q=0", None), ("deflate", None),
    ],
)  # fmt: skip
def test_a_static_file_comes_as_the_browser_reads_it(
    client: FlaskClient, accepted: str, coding: str | None
) -> None:
    answer = get(client, static_url(STYLE), accepted)
    assert answer.headers.get("Content-Encoding") == coding
    assert whole(answer) == (STATIC / STYLE).read_bytes()
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Cache-Control"] == delivery.FOR_EVER
    assert answer.content_length == len(answer.get_data())
    if coding:
        assert answer.content_length < len(whole(answer)) / 4


def test_a_file_is_kept_for_ever_under_its_own_hash_alone(client: FlaskClient) -> None:
    assert get(client, static_url(STYLE)).cache_control.immutable
    other = re.sub(r"=\w+", "=0123456789", static_url(STYLE))
    assert get(client, other).headers["Cache-Control"] == "no-cache"
    assert get(client, f"/static/{STYLE}").headers["Cache-Control"] == delivery.A_MONTH


@pytest.mark.parametrize("coding", ["br", "gzip", ""])
def test_an_unchanged_file_is_not_sent_again(client: FlaskClient, coding: str) -> None:
    etag = get(client, static_url(STYLE), coding).headers["ETag"]
    again = get(client, static_url(STYLE), coding, If_None_Match=etag)
    assert (again.status_code, again.get_data()) == (304, b"")
    assert (again.headers["ETag"], again.headers["Vary"]) == (etag, "Accept-Encoding")
    packed_otherwise = get(client, static_url(STYLE), "br" if coding != "br" else "gzip")
    assert packed_otherwise.headers["ETag"] != etag
    assert get(client, static_url(STYLE), coding, If_None_Match='"other"').status_code == 200


def test_a_part_is_a_part_of_the_plain_file(client: FlaskClient) -> None:
    part = get(client, static_url(STYLE), Range="bytes=10-19")
    assert part.status_code == 206
    assert part.get_data() == (STATIC / STYLE).read_bytes()[10:20]
    assert "Content-Encoding" not in part.headers
    packed = get(client, static_url(STYLE), "br", Range="bytes=10-19")
    assert packed.status_code == 200
    assert whole(packed) == (STATIC / STYLE).read_bytes()


@pytest.mark.parametrize("name", ["fonts/instrument-sans.woff2", "favicon.svg"])
def test_what_would_not_shrink_is_left_alone(client: FlaskClient, name: str) -> None:
    answer = get(client, static_url(name), BROWSER)
    assert answer.get_data() == (STATIC / name).read_bytes()
    assert {"Content-Encoding", "Vary"}.isdisjoint(answer.headers.keys())


def test_every_file_has_a_kind_of_its_own() -> None:
    found = {path.suffix for path in STATIC.rglob("*") if path.is_file()}
    assert {".css", ".js", ".svg", ".woff2"} <= found <= delivery.KINDS.keys()


@pytest.mark.parametrize(
    "path",
    ["nothing.css", "../README.md", "css/../../README.md", "%2e%2e/README.md", "css", "", "a\0b"],
)
def test_nothing_else_is_a_static_file(client: FlaskClient, path: str) -> None:
    answer = get(client, f"/static/{path}", BROWSER)
    assert answer.status_code == 404
    assert b"Portevoix is" not in whole(answer)


def test_a_static_file_says_what_every_answer_says(client: FlaskClient) -> None:
    answer = get(client, static_url(STYLE), BROWSER)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (BROWSER, "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("", None),
        ("*;q=0", None),
        ("br;q=0", None),
        ("br;q=0, *", None),
        ("gzip, *;q=0", "gzip"),
    ],
)
@pytest.mark.parametrize("made", ["long", "json"])
def test_a_page_is_packed_as_it_leaves(
    page: FlaskClient, made: str, accepted: str, coding: str | None
) -> None:
    answer = get(page, f"/made?as={made}", accepted)
    assert answer.headers.get("Content-Encoding") == coding
    assert LONG.encode() in whole(answer)
    assert {"HX-Request", "Accept-Encoding"} <= {*answer.vary}
    assert answer.content_length == len(answer.get_data())


@pytest.mark.parametrize("made", ["short", "stream", "picture", "part", "kept", "refused"])
def test_the_rest_leaves_as_it_is(page: FlaskClient, made: str) -> None:
    packed, plain = (get(page, f"/made?as={made}", coding) for coding in (BROWSER, ""))
    assert "Content-Encoding" not in packed.headers
    assert packed.get_data() == plain.get_data() != b""
    assert packed.vary.to_header() == "HX-Request"


def test_an_unchanged_page_is_not_sent_again(page: FlaskClient) -> None:
    first = get(page, "/made?as=long&etag=one", "br")
    etag = first.headers["ETag"]
    assert etag != get(page, "/made?as=long&etag=one").headers["ETag"]
    again = get(page, "/made?as=long&etag=one", "br", If_None_Match=etag)
    assert (again.status_code, again.get_data()) == (304, b"")
    assert get(page, "/made?as=long&etag=two", "br", If_None_Match=etag).status_code == 200


def test_head_says_what_get_says(page: FlaskClient) -> None:
    for path in ("/made?as=long", static_url(STYLE)):
        got, asked = (
            page.open(path, method=method, headers={"Accept-Encoding": BROWSER})
            for method in ("GET", "HEAD")
        )
        assert asked.get_data() == b""
        for name in ("Content-Length", "Content-Encoding", "Vary", "Content-Type"):
            assert asked.headers[name] == got.headers[name]


@pytest.fixture
def signed_in(house: House) -> FlaskClient:
    return house.browser(house.person())


@pytest.mark.parametrize(
    ("site", "is_packed"),
    [
        ("same-origin", True),
        ("none", True),
        (None, True),
        ("cross-site", False),
        ("same-site", False),
    ],
)
def test_another_site_cannot_measure_a_signed_in_page(
    signed_in: FlaskClient, site: str | None, is_packed: bool
) -> None:
    from_where = {"Sec_Fetch_Site": site} if site else {}
    answer = get(signed_in, "/", BROWSER, **from_where)
    assert answer.status_code == 200
    assert ("Content-Encoding" in answer.headers) is is_packed
    assert b"csrf" in whole(answer).lower()


def test_a_visitor_led_here_by_another_site_gets_it_small(page: FlaskClient) -> None:
    answer = get(page, "/made?as=long", BROWSER, Sec_Fetch_Site="cross-site")
    assert answer.headers["Content-Encoding"] == "zstd"


def test_a_redirect_without_a_body_says_nothing_that_only_documents_need(house: House) -> None:
    link = links.link_for(house.person("Maëlle Kerjan").id, house.offer(), "link")
    client = house.app.test_client()
    answer = client.get(f"/r/{link.code}")
    assert answer.status_code == 302
    assert "Content-Security-Policy" not in answer.headers
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    page = client.get("/")  # a redirect with words is a document
    assert page.status_code in (302, 303) and page.headers["Content-Security-Policy"]
