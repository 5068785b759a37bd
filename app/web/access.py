"""Who may use a route, declared beside it and checked in one place.

Every view carries exactly one rule. A view without one is refused at run time and fails a
test. Who the reader is comes from `app.people` through `set_reader_loader`, because the
frame does not know people.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from app.errors import Forbidden, NotProven, Unauthorized

View = TypeVar("View", bound=Callable[..., object])

SCOPES = (
    "read", "stories:write", "shares:write", "offers:write", "referrals:write", "rewards:write",
    "redemptions:write", "rules:write", "people:write", "connections:write", "ledger:read", "scim",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is asking. `scopes` is None for a browser session, a set for a bearer token. `withheld`
    are roles that wait for a second factor, and so are not among `roles`.

    `roles` are held for the whole organisation. `reach` says of every role how far it goes: the
    segments it was given for, or None for everywhere; a role that is in `reach` alone counts only
    where a route says that it knows reach.
    """

    person_id: uuid.UUID
    roles: frozenset[str]
    language: str
    scopes: frozenset[str] | None = None
    login_id: uuid.UUID | None = None
    withheld: frozenset[str] = frozenset()
    reach: Mapping[str, frozenset[uuid.UUID] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """`who`: 'public', 'signed' (a signature in the request itself), 'signed-in', 'role', 'api'.
    `within`: a role that was given for a segment counts, and the view keeps to its reach."""

    who: str
    roles: frozenset[str] = frozenset()
    scope: str | None = None
    within: bool = False


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


def role(*roles: str, within: bool = False) -> Callable[[View], View]:
    """A browser session whose person holds one of `roles`; `within` says that the view asks
    `reach` how far, so that a role given for a segment is enough."""
    return _declare(Rule("role", frozenset(roles), within=within))


def api(scope: str, *roles: str, within: bool = False) -> Callable[[View], View]:
    """A bearer token with `scope`, whose person holds one of `roles` (any role when empty);
    `within` as for `role`."""
    return _declare(Rule("api", frozenset(roles), scope, within))


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


def may_open(path: str) -> bool:
    """Whether this reader's role lets them read a page of ours, for links that lead there."""
    rule, who = rule_of(_endpoint(path)), reader()
    if rule is None or rule.who in ("signed", "api"):
        return False
    if rule.who == "public":
        return True
    return who is not None and (not rule.roles or bool(rule.roles & _counting(rule, who)))


def _endpoint(path: str) -> str | None:
    """What answers an address, looked up once for each."""
    known: dict[str, str | None] = current_app.extensions.setdefault("portevoix-endpoints", {})
    if path not in known:
        try:
            known[path] = current_app.url_map.bind("").match(path, method="GET")[0]
        except HTTPException:
            known[path] = None
    return known[path]


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
    if rule.roles & who.withheld and not rule.roles & who.roles:
        raise NotProven(_l("Show your second factor first."))
    if rule.roles and not rule.roles & _counting(rule, who):
        raise Forbidden(_l("Your role does not allow this."))
    return None


def _counting(rule: Rule, who: Reader) -> frozenset[str]:
    return who.roles | frozenset(who.reach) if rule.within else who.roles


def reach(*roles: str) -> frozenset[uuid.UUID] | None:
    """How far the reader goes by the best of `roles`: None for everywhere, else the segments
    within which they may see and act. Whatever lies outside does not exist for them."""
    who = me()
    if who.roles & {*roles}:
        return None
    found: set[uuid.UUID] = set()
    for name in roles:
        found |= who.reach.get(name) or frozenset()
    return frozenset(found)


def _check_token(rule: Rule, who: Reader) -> None:
    if who.scopes is None:
        raise Unauthorized(_l("A bearer token is needed here."))
    if rule.scope not in who.scopes:
        raise Forbidden(_l("This token does not have the scope %(scope)s.", scope=rule.scope))


def forget() -> None:
    """Nothing of the request before: a context may serve several (the console, a test)."""
    for name in (
        "reader", "reader_kind", "me", "language", "organisation", "segments_of", "_flask_babel",
        "csrf_token",
    ):  # fmt: skip
        g.pop(name, None)


def start(app: Flask) -> None:
    """Check every request before its view."""
    app.before_request(forget)
    app.before_request(check)
