"""A form that came without a session: what may be kept of it, and where it stood.

What was typed must survive signing in, and nothing may be sent by itself. The frame says here
what a kept form is; who keeps it (`app.people.parking`) is told through `set_keeper`, because
the frame knows neither people nor tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.web import access
from app.web.refilling import CSRF_FIELD, Fields

View = TypeVar("View", bound=Callable[..., object])

MOST_BYTES = 64 * 1024
LONGEST_PATH = 500
_SECRET = re.compile(
    r"passwor[dt]|passwd|passphrase|secret|token|credential|api_?key|^current$|^code$|^otp$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it came: the page it stood on, the path it went to, its texts in their order.
    `is_whole` is false where a file or a secret has to be given again."""

    page: str
    action: str
    fields: Fields
    is_whole: bool

    @property
    def is_too_long(self) -> bool:
        size = sum(len(name.encode()) + len(value.encode()) for name, value in self.fields)
        return size > MOST_BYTES


_keeper: Callable[[Typed], None] | None = None


def set_keeper(keeper: Callable[[Typed], None]) -> None:
    """Say who keeps the forms that came without a session."""
    global _keeper
    _keeper = keeper


def keep(typed: Typed) -> None:
    """Hand a form to its keeper."""
    if _keeper is not None:
        _keeper(typed)


def stands_at(page: Callable[[Mapping[str, str]], str]) -> Callable[[View], View]:
    """Declare the page of a form whose answers stand at another address than the form."""

    def declare(view: View) -> View:
        view.__dict__["form_page"] = page
        return view

    return declare


def is_secret(name: str) -> bool:
    """Whether a field's name says that it holds what must be stored nowhere."""
    return _SECRET.search(name) is not None


def typed() -> Typed | None:
    """The form of this request; None when it is none of a signed-in page, or none of ours."""
    rule = access.rule_of(request.endpoint)
    if request.method != "POST" or rule is None or rule.who not in ("signed-in", "role"):
        return None
    try:
        given = list(request.form.items(multi=True))
    except HTTPException:
        return None
    if not (_is_from_here() and _was_given_out()):
        return None
    fields = [(name, value) for name, value in given if not is_secret(name)]
    files = any(file.filename for file in request.files.values())
    hides = any(is_secret(name) and name != CSRF_FIELD for name, _value in given)
    return Typed(page(), request.path, fields, not files and not hides)


def _is_from_here() -> bool:
    """The browser's own word on where the form came from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _was_given_out() -> bool:
    """Whether the form carries a token that we signed, for whichever session: a stranger who
    was never let in has none, and so fills no table."""
    token = request.form.get(CSRF_FIELD) or request.headers.get("X-CSRFToken", "")
    keys = [current_app.secret_key, *current_app.config.get("SECRET_KEY_FALLBACKS", ())]
    for key in keys:
        try:
            URLSafeTimedSerializer(key, salt="wtf-csrf-token").loads(token)
        except BadData:
            continue
        return True
    return False


# --- where it stood ----------------------------------------------------------------------


def page() -> str:
    """The path of the page that this form stood on, or of the nearest one that opens."""
    view = current_app.view_functions.get(request.endpoint or "")
    declared = getattr(view, "form_page", None)
    if callable(declared) and (found := str(declared(request.form))):
        return found
    return _openable(_own_path(request.headers.get("HX-Current-URL") or request.referrer))


def _own_path(address: str | None) -> str:
    """The path and query of one of our addresses, "" for anybody else's."""
    parts = urlsplit(address or "")
    if parts.netloc != request.host or not parts.path.startswith("/"):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _openable(found: str) -> str:
    """An address that a browser may open: where it cannot, the one above it."""
    found = found if len(found) <= LONGEST_PATH and found.isprintable() else ""
    found = found or request.path
    while not _opens(found.partition("?")[0]):
        found = found.partition("?")[0].rpartition("/")[0] or "/"
    return found


def _opens(path: str) -> bool:
    """Whether `path` is a page of the house: only those have forms that are kept."""
    if path == "/":
        return True
    try:
        endpoint, _args = current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except RequestRedirect:
        return False
    except HTTPException:
        return False
    rule = access.rule_of(endpoint)
    return rule is not None and rule.who in ("signed-in", "role")
