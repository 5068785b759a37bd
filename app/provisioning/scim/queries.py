"""Reads for the administrators' pages: counts and dates, nobody's name but those whom an
administrator has to decide about."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app import clock
from app.db import db
from app.errors import NotFound
from app.people.models import Person
from app.provisioning.scim.activity import KINDS
from app.provisioning.scim.models import (
    ScimConnection,
    ScimCount,
    ScimGroup,
    ScimToken,
    ScimUser,
)

DAYS = 30
MOST_PROPOSED = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One connection of the list. `users` and `groups` are how many it keeps."""

    id: uuid.UUID
    name: str
    kind: str
    is_default: bool
    created_at: dt.datetime
    used_at: dt.datetime | None
    users: int
    groups: int
    refused: int


@dataclass(frozen=True, slots=True)
class Token:
    """When a token was made and last used (to five minutes)."""

    created_at: dt.datetime
    used_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A newcomer who may be somebody who left."""

    person_id: uuid.UUID
    name: str
    former_id: uuid.UUID
    former_name: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A connection with all that its page shows; counts are of the last 30 days."""

    row: Row
    tokens: list[Token]
    done: list[tuple[str, int]]
    refused: list[tuple[str, int]]
    proposals: list[Proposal]


def _counted(table: type[ScimUser | ScimGroup]) -> dict[uuid.UUID, int]:
    rows = db.session.execute(
        select(table.connection_id, func.count().label("number"))
        .where(table.deleted_at.is_(None))
        .group_by(table.connection_id)
    )
    return {row.connection_id: row.number for row in rows}


def _times() -> dict[uuid.UUID, dict[str, int]]:
    """How often what happened in the last 30 days, by connection."""
    rows = db.session.execute(
        select(ScimCount.connection_id, ScimCount.what, func.sum(ScimCount.times))
        .where(ScimCount.day > clock.today() - dt.timedelta(days=DAYS))
        .group_by(ScimCount.connection_id, ScimCount.what)
    )
    found: dict[uuid.UUID, dict[str, int]] = {}
    for connection_id, what, times in rows:
        found.setdefault(connection_id, {})[what] = int(times)
    return found


def _row(
    one: ScimConnection, users: dict[uuid.UUID, int], groups: dict[uuid.UUID, int],
    times: dict[str, int],
) -> Row:  # fmt: skip
    refused = sum(number for what, number in times.items() if what not in KINDS)
    return Row(
        one.id, one.name, one.kind, one.is_default, one.created_at, one.used_at,
        users.get(one.id, 0), groups.get(one.id, 0), refused,
    )  # fmt: skip


def connections() -> list[Row]:
    """Every connection, oldest first. There are few."""
    users, groups, times = _counted(ScimUser), _counted(ScimGroup), _times()
    found = db.session.scalars(select(ScimConnection).order_by(ScimConnection.id))
    return [_row(one, users, groups, times.get(one.id, {})) for one in found]


def connection(connection_id: uuid.UUID) -> Whole:
    """One connection. Raises `NotFound`."""
    one = db.session.get(ScimConnection, connection_id)
    if one is None:
        raise NotFound(_l("There is no such connection."))
    times = _times().get(connection_id, {})
    row = _row(one, _counted(ScimUser), _counted(ScimGroup), times)
    done = [(what, times[what]) for what in KINDS if what in times]
    refused = sorted((what, number) for what, number in times.items() if what not in KINDS)
    return Whole(row, _tokens(connection_id), done, refused, _proposals(connection_id))


def _tokens(connection_id: uuid.UUID) -> list[Token]:
    rows = db.session.execute(
        select(ScimToken.created_at, ScimToken.used_at)
        .where(ScimToken.connection_id == connection_id)
        .order_by(ScimToken.created_at.desc(), ScimToken.id.desc())
    )
    return [Token(created_at, used_at) for created_at, used_at in rows]


def _proposals(connection_id: uuid.UUID) -> list[Proposal]:
    former = aliased(Person)
    rows = db.session.execute(
        select(Person.id, Person.name, former.id, former.name)
        .select_from(ScimUser)
        .join(Person, Person.id == ScimUser.person_id)
        .join(former, former.id == ScimUser.former_id)
        .where(ScimUser.connection_id == connection_id, ScimUser.deleted_at.is_(None))
        .order_by(ScimUser.id.desc())
        .limit(MOST_PROPOSED)
    )
    return [Proposal(*row) for row in rows]
