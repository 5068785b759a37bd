"""Opened links, answered before Flask.

An opening by a visitor whose code this process remembers needs nothing of what Flask brings:
a verdict, a record in the spool, a redirect. All else goes on to Flask: a code that is not
remembered (there the database is asked, and the code is remembered from then on), a link that
is dead, a reader of ours with a session, any method but GET and HEAD. Answers are the same to
the letter: their headers are those that Flask gave to such an answer of this installation.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import uuid_utils
from flask import Flask, Response

from app import clock
from app.config import LANGUAGES, Settings
from app.referrals import clicks, visitors
from app.referrals.code_map import Lead
from app.referrals.hits import Door
from app.referrals.spool import encode
from app.web import later

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from app.web.later import Answer

PREFIX = "/r/"
STATUS = "302 FOUND"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_NOTHING: tuple[bytes, ...] = ()

# What the verdict looks at, as WSGI names it.
_READ = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in clicks.READ)


class FastPath:
    """A WSGI application around Flask's."""

    def __init__(self, app: Flask, door: Door, following: WSGIApplication) -> None:
        self._app = app
        self._settings: Settings = app.extensions["portevoix"]
        self._scheme = "https" if self._settings.is_https else None
        self._cookie = f"{app.config['SESSION_COOKIE_NAME']}="
        self._find = door.codes.get
        self._spool = door.spool
        self._following = following

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(PREFIX) and self._is_plain(environ):
            code = path[3:]
            lead = self._find(code)
            if lead is not None:
                return self._answer(environ, start_response, code, lead)
        return self._following(environ, start_response)

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        """A visitor's request without anything that only Flask knows how to answer."""
        return (
            environ["REQUEST_METHOD"] in ("GET", "HEAD")
            and self._cookie not in environ.get("HTTP_COOKIE", "")
            and environ.get("CONTENT_LENGTH", "") in ("", "0")
            and (self._scheme is None or environ["wsgi.url_scheme"] == self._scheme)
        )

    def _answer(
        self, environ: WSGIEnvironment, start_response: StartResponse, code: str, lead: Lead
    ) -> Iterable[bytes]:
        """Keep the opening, then lead on; with its click id if it was kept."""
        click, record = self._record(environ, lead)
        places = self._places(environ, code, lead, click)
        answer: Answer | None = environ.get(later.KEY)
        if answer is None:
            is_kept = self._spool.keep(record)
            start_response(STATUS, self._headers_to(places[is_kept]))
            return _NOTHING
        without, place = map(self._headers_to, places)
        self._spool.keep_then(
            record, lambda is_kept: answer(302, place if is_kept else without, b"")
        )
        return later.LATER

    def _headers_to(self, place: str) -> list[tuple[str, str]]:
        return [*self._headers, ("Location", place)]

    def _record(self, environ: WSGIEnvironment, lead: Lead) -> tuple[bytes, bytes]:
        """A new click id, and what is kept of the opening."""
        get, now = environ.get, clock.now()
        verdict, family = clicks.seen_as(
            environ["REQUEST_METHOD"], tuple([get(name) for name in _READ])
        )
        secret = visitors.secret_of_day(self._settings, now)
        key = clicks.visitor_digest(secret, get("REMOTE_ADDR") or "", family, lead.link_text)
        click: bytes = uuid_utils.uuid7().bytes
        at = (now - _EPOCH) // _MICROSECOND
        return click, encode(click, lead.link, lead.share, at, verdict, key)

    def _places(
        self, environ: WSGIEnvironment, code: str, lead: Lead, click: bytes
    ) -> tuple[str, str]:
        """Where to go on without a click id, and with it."""
        if lead.target.offer_id is None:
            return lead.place, lead.place
        query = environ.get("QUERY_STRING")
        language = _asked_language(query) if query else None
        rest = f"&lang={language}" if language else ""
        without = f"{lead.place}?r={code}"
        return without + rest, f"{without}&k={clicks.signed(click, lead.link)}{rest}"

    @cached_property
    def _headers(self) -> list[tuple[str, str]]:
        """What Flask adds to a redirect of a link, all but the place."""
        base = self._settings.base_url
        with self._app.test_request_context(f"{PREFIX}ABCDEFGHJK", base_url=base) as context:
            response = Response(status=302, headers={"Location": "/"})
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Robots-Tag"] = "noindex"
            response = self._app.process_response(response)
            said = response.get_wsgi_headers(context.request.environ)
            return [(name, value) for name, value in said if name != "Location"]


def _asked_language(query: str) -> str | None:
    asked = next((value for name, value in parse_qsl(query, True) if name == "lang"), None)
    return asked if asked in LANGUAGES else None
