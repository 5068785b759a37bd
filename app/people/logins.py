"""Signed-in devices: how one begins, how it is renewed, and how it ends.

The browser keeps a random token, the row its hash. `sessions` reads the row at every request,
so an end is an end. How long a device stays signed in depends on what its person may do now
(`limits_of`); a change of what they may do brings the device a new token at its next page.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, event, select, update

from app import audit, clock
from app.crypto import token_hash
from app.db import db, transaction
from app.errors import NotFound
from app.people.errors import NoSuchPerson
from app.people.factor_policy import due_at, is_staff
from app.people.models import METHODS, Login, Person, RoleGrant
from app.people.provider_settings import refuse_password


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a device stays signed in: without use, and at the longest."""

    idle: dt.timedelta
    longest: dt.timedelta


# A phone that shares a story once a month stays signed in; who may see applications or change
# the books signs in every working day (OWASP: hours for what is worth more).
MEMBERS = Limits(dt.timedelta(days=30), dt.timedelta(days=90))
TEAM = Limits(dt.timedelta(hours=12), dt.timedelta(days=14))


def limits_of(roles: Collection[str]) -> Limits:
    """By what the person may do now."""
    return TEAM if is_staff(roles) else MEMBERS


_FAMILIES = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh login and its plain token, which is shown to the browser alone."""

    login_id: uuid.UUID
    person_id: uuid.UUID
    token: str
    asks_factor: bool = False
    """The person is asked to set up a second factor, which the team's pages will need."""


def browser_family(user_agent: str) -> str:
    """'Firefox, Linux': what a person needs to recognise a device, and no more (rule I3)."""
    family = next((name for mark, name in _FAMILIES if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (family, system) if part)


def start_login(
    person_id: uuid.UUID,
    browser: str,
    method: str,
    *,
    verified: bool = False,
    lifetime: dt.timedelta | None = None,
) -> SignedIn:
    """Sign a device in; `browser` is its own description, `verified` says that a second factor
    was shown, `lifetime` ends it earlier than our own limits would. Raises `NoSuchPerson`,
    `PasswordClosed`."""
    if method not in METHODS:
        raise ValueError(f"no such way to sign in: {method}")
    token, now = secrets.token_urlsafe(32), clock.now()
    with transaction() as session:
        person = session.get(Person, person_id)
        if person is None or person.departed_at is not None:
            raise NoSuchPerson
        refuse_password(session, person, method)
        longest = limits_of(person.roles).longest
        login = Login(
            person_id=person_id,
            token_hash=token_hash(token),
            browser=browser_family(browser)[:60],
            method=method,
            created_at=now,
            seen_at=now,
            expires_at=now + min(longest, lifetime or longest),
            verified_at=now if verified else None,
            factor_due_at=None if verified else due_at(session, person, method),
            confirmed_at=now,
        )
        session.add(login)
        session.flush()
    return SignedIn(login.id, person_id, token, login.factor_due_at is not None)


def renew_login(login_id: uuid.UUID, before: str | None = None) -> str | None:
    """A new token for a device that stays signed in; the one before opens nothing any more.

    With `before`, the token's hash, only while it is still that one: of two requests at the
    same moment one renews. None where nothing was renewed.
    """
    token = secrets.token_urlsafe(32)
    with transaction() as session:
        login = session.scalar(
            select(Login).where(Login.id == login_id, Login.ended_at.is_(None)).with_for_update()
        )
        if login is None or before not in (None, login.token_hash):
            return None
        person = session.get_one(Person, login.person_id)
        login.previous_hash, login.token_hash = login.token_hash, token_hash(token)
        login.renewal_due = False
        if login.verified_at is None:
            login.factor_due_at = due_at(session, person, login.method)
    return token


def was_renewed(token: str) -> bool:
    """Whether a token that opens nothing is the one before of a device that is signed in."""
    found = select(Login.id).where(
        Login.previous_hash == token_hash(token), Login.ended_at.is_(None)
    )
    return db.session.scalar(found.limit(1)) is not None


@event.listens_for(RoleGrant, "after_insert")
@event.listens_for(RoleGrant, "after_update")
@event.listens_for(RoleGrant, "after_delete")
def _renew_at_change_of_rights(mapper: Any, connection: Connection, grant: RoleGrant) -> None:
    """Whoever gives or takes a role: the person's devices get new tokens at their next page."""
    connection.execute(
        update(Login)
        .where(Login.person_id == grant.person_id, Login.ended_at.is_(None))
        .values(renewal_due=True)
    )


def sign_out(login_id: uuid.UUID) -> None:
    """End one login; harmless when it has ended."""
    with transaction() as session:
        session.execute(
            update(Login)
            .where(Login.id == login_id, Login.ended_at.is_(None))
            .values(ended_at=clock.now())
        )


def end_login(person_id: uuid.UUID, login_id: uuid.UUID) -> None:
    """End one of the person's own devices. Raises `NotFound` for anybody else's."""
    with transaction() as session:
        owner = session.scalar(select(Login.person_id).where(Login.id == login_id))
        if owner != person_id:
            raise NotFound(_l("There is no such device among yours."))
        sign_out(login_id)
        audit.record("login.ended", "person", person_id, actor_id=person_id)


def end_all_logins(person_id: uuid.UUID, but: uuid.UUID | None = None) -> None:
    """End every device of a person, except the login `but`."""
    still = [Login.person_id == person_id, Login.ended_at.is_(None)]
    if but is not None:
        still.append(Login.id != but)
    with transaction() as session:
        session.execute(update(Login).where(*still).values(ended_at=clock.now()))


def end_logins_by(person_id: uuid.UUID, method: str, *, but: uuid.UUID | None = None) -> None:
    """End every device of a person that was signed in one way, except the login `but`."""
    with transaction() as session:
        session.execute(
            update(Login)
            .where(
                Login.person_id == person_id,
                Login.method == method,
                Login.ended_at.is_(None),
                Login.id != but if but else Login.id.is_not(None),
            )
            .values(ended_at=clock.now())
        )


def touch_login(login_id: uuid.UUID, seen_before: dt.datetime) -> None:
    """Note that a device was used, unless another request has noted it since."""
    with transaction() as session:
        session.execute(
            update(Login)
            .where(Login.id == login_id, Login.seen_at <= seen_before)
            .values(seen_at=clock.now())
        )
