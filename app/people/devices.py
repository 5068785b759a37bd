"""Devices that are signed in, and whether the person before one has just shown who they are."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from app import clock
from app.db import db, transaction
from app.people import passwords
from app.people.errors import check_form
from app.people.logins import limits_of
from app.people.models import Login

MOST = 200
FRESH = dt.timedelta(minutes=10)
"""How long "it is really me" lasts before what changes the ways in is asked for again."""


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in device; `browser` may be empty, `method` is one of `models.METHODS`."""

    id: uuid.UUID
    browser: str
    method: str
    created_at: dt.datetime
    seen_at: dt.datetime


def devices_of(person_id: uuid.UUID, roles: Collection[str]) -> list[Device]:
    """Those of a person with these roles that are signed in, the one used last first."""
    now, limits = clock.now(), limits_of(roles)
    rows = db.session.execute(
        select(Login.id, Login.browser, Login.method, Login.created_at, Login.seen_at)
        .where(
            Login.person_id == person_id,
            Login.ended_at.is_(None),
            Login.expires_at > now,
            Login.created_at > now - limits.longest,
            Login.seen_at > now - limits.idle,
        )
        .order_by(Login.seen_at.desc(), Login.id)
        .limit(MOST)
    )
    return [Device(*row) for row in rows]


def is_confirmed(login_id: uuid.UUID | None) -> bool:
    """Whether the person signed in, or showed who they are, within the last ten minutes."""
    at = db.session.scalar(select(Login.confirmed_at).where(Login.id == login_id))
    return at is not None and at > clock.now() - FRESH


def confirm(login_id: uuid.UUID | None, *, verified: bool = False) -> None:
    """The person has shown who they are; `verified` with a second factor."""
    now = clock.now()
    changed: dict[str, object] = {"confirmed_at": now}
    if verified:
        changed |= {"verified_at": now, "factor_due_at": None}
    with transaction() as session:
        session.execute(update(Login).where(Login.id == login_id).values(**changed))


def confirm_by_password(person_id: uuid.UUID, login_id: uuid.UUID | None, password: str) -> None:
    """Raises `InvalidInput` on the field `password`."""
    if not passwords.knows_password(person_id, password):
        raise check_form({"password": _l("This is not your present password.")})
    confirm(login_id)
