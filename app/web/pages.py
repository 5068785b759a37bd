"""Rendering: one template for a page and for its fragment, and what every page needs."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, Response, current_app, make_response, redirect, render_template, request
from htmx_flask import Htmx

from app import clock
from app.config import LANGUAGES, Settings
from app.web.glossary import TERMS
from app.web.i18n import language

STATIC = Path(__file__).resolve().parent.parent.parent / "static"


def current_settings() -> Settings:
    """The settings this application was made with."""
    return cast(Settings, current_app.extensions["portevoix"])


def local_today() -> dt.date:
    """The day on the organisation's calendar."""
    return clock.today(current_settings().timezone)


@lru_cache(maxsize=512)
def _file_version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def static_url(name: str) -> str:
    """The address of a static file; it changes with the file, so it is cached for ever."""
    return f"/static/{name}?v={_file_version(name)}"


def is_htmx() -> bool:
    """True when HTMX wants a fragment: not for boosted links, not for a restored history."""
    hx = cast(Any, request).htmx
    return bool(hx) and not hx.boosted and not hx.history_restore_request


def render(page: str, status: int = 200, *, layout: str = "page", **context: object) -> Response:
    """The page for a browser, its main part for HTMX. `layout` is 'page' or 'public'."""
    name = "layout/bare.html" if is_htmx() else f"layout/{layout}.html"
    response = make_response(render_template(page, layout=name, **context), status)
    response.vary.update(["HX-Request", "HX-Boosted"])
    return response


def redirect_to(url: str) -> Response:
    """After a POST: a browser is sent on with 303, a script is told where to go: it would read
    the next page itself, and with it the messages meant for its reader."""
    if request.headers.get("X-Press") == "1":
        return Response(status=204, headers={"X-Go": url})
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": url})
    return cast(Response, redirect(url, 303))


def other_language_url() -> str:
    """This page in the other language, without anything stored on the device."""
    other = LANGUAGES[1] if language() == LANGUAGES[0] else LANGUAGES[0]
    args = {k: v for k, v in request.args.items() if k != "lang"} | {"lang": other}
    return f"{request.path}?{urlencode(args)}"


# Where one stands in a list; other filters make another list.
_PLACES = ("after", "before")


def url_with(**changes: str | None) -> str:
    """This address with some parameters changed, at the beginning of its list unless a place is
    given; filters live in the address."""
    args = {k: v for k, v in request.args.items() if k not in changes and k not in _PLACES}
    args |= {k: v for k, v in changes.items() if v}
    return f"{request.path}?{urlencode(args)}" if args else request.path


def start(app: Flask) -> None:
    """Give templates what they all use."""
    Htmx(app)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(static_url=static_url, url_with=url_with, terms=TERMS)

    @app.context_processor
    def shared() -> dict[str, object]:
        return {"lang": language(), "other_lang_url": other_language_url() if request else None}
