"""Signed-in devices: how one begins, and how it ends.

The browser keeps a random token, the row its hash. A row lives for 30 days at most and
ends after 7 days without use; `sessions` reads it at every request, so an end is an end.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from app import audit, clock
from app.crypto import token_hash
from app.db import transaction
from app.errors import NotFound
from app.people.errors import NoSuchPerson
from app.people.models import METHODS, Login, Person

LONGEST = dt.timedelta(days=30)
LONGEST_IDLE = dt.timedelta(days=7)

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


def browser_family(user_agent: str) -> str:
    """'Firefox, Linux': what a person needs to recognise a device, and no more (rule I3)."""
    family = next((name for mark, name in _FAMILIES if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (family, system) if part)


def start_login(person_id: uuid.UUID, browser: str, method: str) -> SignedIn:
    """Sign a device in; `browser` is its own description. Raises `NoSuchPerson`."""
    if method not in METHODS:
        raise ValueError(f"no such way to sign in: {method}")
    token, now = secrets.token_urlsafe(32), clock.now()
    with transaction() as session:
        person = session.get(Person, person_id)
        if person is None or person.departed_at is not None:
            raise NoSuchPerson
        login = Login(
            person_id=person_id,
            token_hash=token_hash(token),
            browser=browser_family(browser)[:60],
            method=method,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
        session.add(login)
        session.flush()
    return SignedIn(login.id, person_id, token)


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


def touch_login(login_id: uuid.UUID, seen_before: dt.datetime) -> None:
    """Note that a device was used, unless another request has noted it since."""
    with transaction() as session:
        session.execute(
            update(Login)
            .where(Login.id == login_id, Login.seen_at <= seen_before)
            .values(seen_at=clock.now())
        )
