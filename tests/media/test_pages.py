"""Pictures as browsers get them."""

from __future__ import annotations

import io

import pytest
from flask import Flask, render_template_string
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from app.media import service
from app.media.models import Picture
from tests.media import hostile as h


@pytest.fixture
def row(app: Flask) -> Picture:
    return service.add(h.jpeg(1400, 700), actor_id=None)


def test_it_serves_every_size_to_anybody(app: Flask, row: Picture) -> None:
    browser = app.test_client()
    urls = service.urls(row)
    for address in [urls.jpeg, *(part.split()[0] for part in urls.srcset.split(", "))]:
        answer = browser.get(address)
        assert answer.status_code == 200
        image = Image.open(io.BytesIO(answer.data))
        assert answer.content_type == f"image/{image.format.lower()}"  # type: ignore[union-attr]
        assert f"-{image.width}." in address


def test_it_may_be_kept_for_ever_and_run_nothing(app: Flask, row: Picture) -> None:
    browser = app.test_client()
    answer = browser.get(service.urls(row).src)
    directives = {part.strip() for part in answer.headers["Cache-Control"].split(",")}
    assert directives == {"public", "immutable", "max-age=31536000"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Set-Cookie" not in answer.headers
    again = browser.get(service.urls(row).src, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    page = browser.get("/sign-in")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_it_has_nothing_under_any_other_name(app: Flask, row: Picture) -> None:
    browser = app.test_client()
    digest = row.digest
    for name in (
        f"{digest}-999.webp", f"{digest}-1400.jpg", f"{digest}-320.png", f"{digest}-320",
        f"{digest.upper()}-320.webp", f"{'0' * 64}-320.webp", f"{digest[:63]}-320.webp",
        f"{digest}-0320.webp", f"{digest}-320.webp.part", f".{digest}-320.webp",
        "../portevoix.db", "..%2fportevoix.db", "%2e%2e/secret_key", f"{digest}-320.webp%00.jpg",
        "", "x",
    ):  # fmt: skip
        answer = browser.get(f"/media/{name}")
        assert answer.status_code == 404, name
        assert "immutable" not in answer.headers.get("Cache-Control", "")
    assert browser.post(f"/media/{digest}-320.webp").status_code in (400, 405)


def test_it_tells_templates_the_addresses(app: Flask, row: Picture) -> None:
    urls = service.urls(row)
    at = f"/media/{row.digest}"
    assert urls.srcset == (
        f"{at}-320.webp 320w, {at}-640.webp 640w, {at}-1200.webp 1200w, {at}-1400.webp 1400w"
    )
    assert (urls.src, urls.jpeg) == (f"{at}-1200.webp", f"{at}-1200.jpg")
    shown = service.picture(row.id)
    assert shown is not None and service.urls(shown) == urls


def test_it_prints_a_picture_that_keeps_its_room(app: Flask, row: Picture) -> None:
    page = (
        '{% from "_macros/media.html" import picture %}'
        '{{ picture(p, alt, sizes="40rem", class="wide") }}{{ picture(p, "", first=true) }}'
    )
    alt = 'A "boat" <b>& its crew</b>'
    with app.test_request_context():
        html = render_template_string(page, p=row, alt=alt)
    first, second = (node.attributes for node in LexborHTMLParser(html).css("img"))
    urls = service.urls(row)
    assert first == {
        "class": "wide", "src": urls.src, "srcset": urls.srcset, "sizes": "40rem", "width": "1400",
        "height": "700", "alt": alt, "loading": "lazy", "decoding": "async",
    }  # fmt: skip
    assert second["fetchpriority"] == "high" and "loading" not in second
    assert second["alt"] == "" and second["sizes"] == "100vw" and "class" not in second
    assert "style" not in html
