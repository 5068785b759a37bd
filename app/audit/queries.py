"""Reading the audit trail: newest first, by keyset, for what a search asks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, select

from app.audit.areas import AREAS, SHOWN
from app.audit.models import AuditEntry
from app.db import JSONDict, db
from app.web.cursors import Beside, beside, encode_cursor

PAGE = 50


@dataclass(frozen=True, slots=True)
class Search:
    """`area` is one of `AREAS`, `action` one of its acts; "" and None ask for nothing. `since`
    and `before` are instants, the later one excluded."""

    area: str = ""
    action: str = ""
    actor_id: uuid.UUID | None = None
    target_kind: str = ""
    target_id: str = ""
    since: dt.datetime | None = None
    before: dt.datetime | None = None


class Row(NamedTuple):
    """One act; `actor_id` is None where the product itself acted."""

    id: uuid.UUID
    at: dt.datetime
    actor_id: uuid.UUID | None
    actor_role: str | None
    action: str
    target_kind: str
    target_id: str
    details: JSONDict


def find(
    search: Search, *, after: str | None = None, before: str | None = None, limit: int = PAGE
) -> Beside[Row]:
    """The rows after one place of the trail, or before another. Raises `InvalidInput` for a place
    that is none."""
    wanted = select(
        AuditEntry.id, AuditEntry.at, AuditEntry.actor_id, AuditEntry.actor_role,
        AuditEntry.action, AuditEntry.target_kind, AuditEntry.target_id, AuditEntry.details,
    ).where(*_conditions(search))  # fmt: skip
    return beside(
        wanted,
        (AuditEntry.at, AuditEntry.id),
        lambda part: [Row(*row) for row in db.session.execute(part)],
        lambda row: encode_cursor(row.at, row.id),
        after=after,
        before=before,
        limit=limit,
    )


def each(search: Search) -> Iterator[Row]:
    """All of them, page by page, for an export."""
    after: str | None = None
    while True:
        part = find(search, after=after, limit=500)
        yield from part.rows
        if part.next is None:
            return
        after = part.next


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    shown = AREAS.get(search.area, SHOWN)
    actions = shown & {search.action} if search.action else shown
    found: list[ColumnElement[bool]] = [AuditEntry.action.in_(sorted(actions))]
    if search.actor_id is not None:
        found.append(AuditEntry.actor_id == search.actor_id)
    if search.target_kind:
        found.append(AuditEntry.target_kind == search.target_kind)
    if search.target_id:
        found.append(AuditEntry.target_id == search.target_id)
    if search.since is not None:
        found.append(AuditEntry.at >= search.since)
    if search.before is not None:
        found.append(AuditEntry.at < search.before)
    return found
