"""Who is asking: a browser by its login, a program by its bearer token.

The cookie holds a random token and nothing about the person. Its login is read at every
request, in one statement with name and roles, so ending a device, leaving or departing
works at once. Public pages read nothing and store nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g, request, session
from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError

from app import clock
from app.crypto import token_hash
from app.db import db
from app.errors import Unauthorized
from app.people import kinds, names
from app.people.logins import SignedIn, limits_of, renew_login, touch_login, was_renewed
from app.people.models import (
    AccessToken,
    Login,
    Membership,
    Person,
    RoleGrant,
    effective_roles,
)
from app.people.tokens import usable_scopes
from app.prepared import Reading
from app.web import access
from app.web.access import Reader
from app.web.pages import is_htmx

log = logging.getLogger(__name__)

KEY = "login"
ENDED = "ended"
"""A token that opens nothing any more: it tells whose form came too late."""
HALF = "half"
"""A sign-in that waits for its code (`app.people.steps`)."""
PARKED = "parked"
"""What a form that came too late waits under (`app.people.parking`)."""
TOUCH_EVERY = dt.timedelta(minutes=5)
PROGRAM_PATHS = ("/api/", "/scim/")


# One row for each granted role, one without a role where none was granted.
_PERSON = (
    Person.id, Person.kind, Person.language, Membership.joined_at, Membership.left_at,
    RoleGrant.role, RoleGrant.segment_id,
)  # fmt: skip
_LOGIN = Reading(
    select(
        *_PERSON, Person.name, Person.email,
        Login.id.label("login_id"), Login.created_at, Login.seen_at, Login.expires_at,
        Login.verified_at, Login.factor_due_at, Login.renewal_due,
    )
    .select_from(Login)
    .join(Person, Person.id == Login.person_id)
    .outerjoin(Membership, Membership.person_id == Person.id)
    .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
    .where(
        Login.token_hash == bindparam("token_hash"),
        Login.ended_at.is_(None),
        Person.departed_at.is_(None),
    )
)  # fmt: skip
_TOKEN = (
    select(*_PERSON, AccessToken.scopes, AccessToken.expires_at)
    .select_from(AccessToken)
    .join(Person, Person.id == AccessToken.person_id)
    .outerjoin(Membership, Membership.person_id == Person.id)
    .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
    .where(
        AccessToken.token_hash == bindparam("token_hash"),
        AccessToken.revoked_at.is_(None),
        Person.departed_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Me:
    """The reader as templates show them."""

    id: uuid.UUID
    name: str
    email: str
    language: str
    roles: frozenset[str]

    @property
    def display_name(self) -> str:
        return self.name

    @property
    def given_name(self) -> str:
        return names.given_name(self.name)

    @property
    def short_name(self) -> str:
        return names.short_name(self.name)

    @property
    def initials(self) -> str:
        return names.initials(self.name)

    @property
    def avatar(self) -> int:
        return names.avatar(self.id)

    @property
    def is_member(self) -> bool:
        return "member" in self.roles


def begin(signed_in: SignedIn) -> None:
    """Give this browser a session of its own: of the one before, nothing survives but the way
    to a form that waits for its author."""
    _clear()
    session[KEY] = signed_in.token
    session.permanent = True
    _forget_reader()


def hold(token: str) -> None:
    """Keep the way to a sign-in that waits for its code, until the browser is closed."""
    session[HALF] = token


def held() -> object:
    """The token of a sign-in that waits for its code in this browser, if any."""
    return session.get(HALF)


def end() -> None:
    """Take the session from this browser; the login itself is ended by a service."""
    session.clear()
    _forget_reader()


def _clear() -> None:
    parked = session.get(PARKED)
    session.clear()
    if parked is not None:
        session[PARKED] = parked


def _forget_reader() -> None:
    g.pop("reader", None)
    g.pop("me", None)


def load_reader() -> Reader | None:
    """The reader of this request. Raises `Unauthorized` for a bearer token that is not good."""
    if request.path.startswith(PROGRAM_PATHS):
        return _from_bearer()
    return _from_cookie()


def _from_cookie() -> Reader | None:
    token = session.get(KEY)
    if not isinstance(token, str):
        return None
    rows = _LOGIN.all({"token_hash": token_hash(token)})
    now = clock.now()
    first, held = (rows[0], _held(rows)) if rows else (None, frozenset[str]())
    if first is None or _is_past(first, held, now):
        _no_login(token)
        return None
    waiting = first.verified_at is None and _is_over(first.factor_due_at)
    withheld = held - {"member"} if waiting else frozenset()
    reach = _reach(rows, held - withheld)
    roles = _everywhere(reach)
    g.me = Me(first.id, first.name, first.email, first.language, roles)
    _note_use(first.login_id, first.seen_at, now)
    if first.renewal_due and _is_page():
        renew(first.login_id, token_hash(token))
    return Reader(
        first.id, roles, first.language, None, first.login_id, withheld=withheld, reach=reach
    )


def _held(rows: Sequence[Any]) -> frozenset[str]:
    """The roles of the reader, within what their kind may hold."""
    first = rows[0]
    g.reader_kind = first.kind
    given = effective_roles({row.role for row in rows if row.role}, _is_member(first))
    return kinds.within(first.kind, given)


def _reach(rows: Sequence[Any], roles: Collection[str]) -> dict[str, frozenset[uuid.UUID] | None]:
    """How far each role goes: None for everywhere, which taking part always does."""
    found: dict[str, frozenset[uuid.UUID] | None] = {}
    for role in roles:
        segments = {row.segment_id for row in rows if row.role == role}
        found[role] = frozenset(segments) if segments and None not in segments else None
    return found


def _everywhere(reach: Mapping[str, frozenset[uuid.UUID] | None]) -> frozenset[str]:
    return frozenset(role for role, segments in reach.items() if segments is None)


def _is_past(row: Any, roles: frozenset[str], now: dt.datetime) -> bool:
    """Whether a device was signed in for too long, or not used for too long."""
    limits = limits_of(roles)
    ends_at: dt.datetime = min(row.expires_at, row.created_at + limits.longest)
    return ends_at <= now or bool(row.seen_at <= now - limits.idle)


def _no_login(token: str) -> None:
    """Forget a token that opens nothing. One that was renewed meanwhile is left alone: the
    answer that brings the new one is on its way to the same browser."""
    if not was_renewed(token):
        _clear()
        session[ENDED] = token


def _is_page() -> bool:
    """A page that a person opened: nothing else of this browser is on its way with it."""
    return request.method == "GET" and not is_htmx()


def renew(login_id: uuid.UUID, before: str | None = None) -> None:
    """Give this browser a new token, at a change of what its person may do or shows. A busy
    database is no reason to keep a reader out: the next page does it."""
    try:
        token = renew_login(login_id, before)
    except OperationalError:
        log.warning("a login could not be renewed")
        return
    if token is not None:
        session[KEY] = token


def _is_member(row: object) -> bool:
    joined_at, left_at = getattr(row, "joined_at", None), getattr(row, "left_at", None)
    return joined_at is not None and left_at is None


def _note_use(login_id: uuid.UUID, seen_at: dt.datetime, now: dt.datetime) -> None:
    """At most every five minutes; a busy database is no reason to keep a reader waiting out."""
    if now - seen_at < TOUCH_EVERY:
        return
    try:
        touch_login(login_id, seen_at)
    except OperationalError:
        log.warning("the use of a login could not be noted")


def _from_bearer() -> Reader | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    rows = db.session.execute(_TOKEN, {"token_hash": token_hash(token.strip())}).all()
    if scheme.lower() != "bearer" or not rows or _is_over(rows[0].expires_at):
        g.reader = None  # the error page must not ask again
        raise Unauthorized(_l("This token is unknown, expired or revoked."))
    first = rows[0]
    held = _held(rows)
    reach = _reach(rows, held)
    scopes = usable_scopes(first.scopes, held)
    return Reader(first.id, _everywhere(reach), first.language, scopes, reach=reach)


def _is_over(expires_at: dt.datetime | None) -> bool:
    return expires_at is not None and expires_at <= clock.now()


def _mark(response: Response) -> Response:
    """Say how to come in (RFC 6750), and keep personal pages out of shared caches."""
    if response.status_code == 401 and request.path.startswith(PROGRAM_PATHS):
        reason = ', error="invalid_token"' if "Authorization" in request.headers else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="portevoix"{reason}'
    if g.get("reader") is not None and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def start(app: Flask) -> None:
    """Tell the frame how readers are found, and templates who `me` is."""
    access.set_reader_loader(load_reader)
    app.after_request(_mark)

    @app.context_processor
    def me() -> dict[str, object]:
        return {"me": g.get("me")}
