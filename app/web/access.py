"""Who may use a route, declared beside it and checked in one place.

Every view carries exactly one rule. A view without one is refused at run time and fails a
test. Who the reader is comes from `app.people` through `set_reader_loader`, because the
frame does not know people.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.errors import Forbidden, Unauthorized

View = TypeVar("View", bound=Callable[..., object])

SCOPES = (
    "read", "stories:write", "shares:write", "offers:write", "referrals:write", "rewards:write",
    "redemptions:write", "rules:write", "people:write", "connections:write", "ledger:read", "scim",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is asking. `scopes` is None for a browser session, a set for a bearer token."""

    person_id: uuid.UUID
    roles: frozenset[str]
    language: str
    scopes: frozenset[str] | None = None
    login_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`who`: 'public', 'signed' (a signature in the request itself), 'signed-in', 'role', 'api'."""

    who: str
    roles: frozenset[str] = frozenset()
    scope: str | None = None


_loader: Callable[[], Reader | None] = lambda: None  # noqa: E731


def set_reader_loader(loader: Callable[[], Reader | None]) -> None:
    """Say how the reader of a request is found."""
    global _loader
    _loader = loader


def _declare(rule: Rule) -> Callable[[View], View]:
    def declare(view: View) -> View:
        view.__dict__["access"] = rule
        return view

    return declare


def public(view: View) -> View:
    """Anybody, without an account; the view stores nothing on their device."""
    return _declare(Rule("public"))(view)


def signed(view: View) -> View:
    """Whoever can sign: the view itself checks a signature or a private address."""
    return _declare(Rule("signed"))(view)


def signed_in(view: View) -> View:
    """Any person of the directory with a session, member or not (joining, leaving)."""
    return _declare(Rule("signed-in"))(view)


def role(*roles: str) -> Callable[[View], View]:
    """A browser session whose person holds one of `roles`."""
    return _declare(Rule("role", frozenset(roles)))


def api(scope: str, *roles: str) -> Callable[[View], View]:
    """A bearer token with `scope`, whose person holds one of `roles` (any role when empty)."""
    return _declare(Rule("api", frozenset(roles), scope))


def comes_back_at(path: str) -> Callable[[View], View]:
    """Where a reader who must sign in first goes on, for a view that cannot be opened twice and
    whose address nobody should keep."""

    def declare(view: View) -> View:
        view.__dict__["comes_back_at"] = path
        return view

    return declare


def way_back() -> str:
    """Where this reader goes on after signing in: this page, unless its view says another."""
    view = current_app.view_functions.get(request.endpoint or "")
    declared = getattr(view, "comes_back_at", None)
    if isinstance(declared, str):
        return declared
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    if parts.netloc == request.host and parts.path.startswith("/"):
        return parts.path + (f"?{parts.query}" if parts.query else "")  # not the fragment
    return request.full_path.rstrip("?")


def rule_of(endpoint: str | None) -> Rule | None:
    """The rule declared beside an endpoint; Flask's static files are public."""
    if endpoint == "static":
        return Rule("public")
    view = current_app.view_functions.get(endpoint or "")
    rule = getattr(view, "access", None)
    return rule if isinstance(rule, Rule) else None


def reader() -> Reader | None:
    """Who is asking, found once a request."""
    if "reader" not in g:
        g.reader = _loader()
    found: Reader | None = g.reader
    return found


def me() -> Reader:
    """The reader of a route that requires one."""
    found = reader()
    if found is None:
        raise Unauthorized(_l("Please sign in."))
    return found


def check() -> ResponseReturnValue | None:
    """Refuse what the route's rule does not allow."""
    if request.endpoint is None:
        return None
    rule = rule_of(request.endpoint)
    if rule is None:
        raise Forbidden(_l("This page is closed."))
    if rule.who in ("public", "signed"):
        return None
    who = me()
    if rule.who == "api":
        _check_token(rule, who)
    elif who.scopes is not None:
        raise Unauthorized(_l("Please sign in."))
    if rule.roles and not rule.roles & who.roles:
        raise Forbidden(_l("Your role does not allow this."))
    return None


def _check_token(rule: Rule, who: Reader) -> None:
    if who.scopes is None:
        raise Unauthorized(_l("A bearer token is needed here."))
    if rule.scope not in who.scopes:
        raise Forbidden(_l("This token does not have the scope %(scope)s.", scope=rule.scope))


def forget() -> None:
    """Nothing of the request before: a context may serve several (the console, a test)."""
    for name in ("reader", "me", "language", "organisation", "_flask_babel", "csrf_token"):
        g.pop(name, None)


def start(app: Flask) -> None:
    """Check every request before its view."""
    app.before_request(forget)
    app.before_request(check)
