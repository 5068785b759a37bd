"""Reading what waits, and what became of it: pages by key, newest first."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, false, func, or_, select, true

from app import clock
from app.approvals.kinds import Kind, Payload, decided_by, kind_of
from app.approvals.models import EXPIRED, ApprovalRequest
from app.db import db
from app.web.cursors import Beside, beside, encode_cursor

PAGE: Final = 50
WAITING, MINE, OVER = "waiting", "mine", "over"
VIEWS: Final = (WAITING, MINE, OVER)
"""What the list shows: what waits, what the reader asked for, what came to its end."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request as a reader is shown it. `outcome` None: it waits. `may_decide` and
    `may_withdraw` say what this reader may do about it now."""

    id: uuid.UUID
    kind: Kind
    words: str
    link: str
    requested_by: uuid.UUID
    requested_at: dt.datetime
    expires_at: dt.datetime
    decided_by: uuid.UUID | None
    decided_at: dt.datetime | None
    outcome: str | None
    may_decide: bool
    may_withdraw: bool
    is_subject: bool


def _readable(person_id: uuid.UUID, roles: Collection[str]) -> ColumnElement[bool]:
    """What somebody may know of: what they could decide, and what they asked for."""
    return or_(
        ApprovalRequest.requested_by == person_id,
        ApprovalRequest.kind.in_(decided_by(roles)),
    )


def _open() -> ColumnElement[bool]:
    return ApprovalRequest.outcome.is_(None) & (ApprovalRequest.expires_at > clock.now())


def count_for(person_id: uuid.UUID, roles: Collection[str]) -> int:
    """How much waits for this very person to decide."""
    codes = decided_by(roles)
    if not codes:
        return 0
    theirs = (
        ApprovalRequest.kind.in_(codes),
        ApprovalRequest.requested_by != person_id,
        or_(ApprovalRequest.subject_id.is_(None), ApprovalRequest.subject_id != person_id),
    )
    return db.session.scalar(select(func.count()).where(_open(), *theirs)) or 0


def page(
    person_id: uuid.UUID,
    roles: Collection[str],
    *,
    view: str = WAITING,
    kind: str = "",
    after: str | None = None,
    before: str | None = None,
) -> Beside[Row]:
    """What a reader may know of after one place of the list, or before another. Raises
    `InvalidInput` for a place that is none."""
    conditions = {
        WAITING: _open(),
        MINE: ApprovalRequest.requested_by == person_id,
        OVER: ~_open(),
    }
    wanted = select(ApprovalRequest).where(
        _readable(person_id, roles),
        conditions.get(view, false()),
        ApprovalRequest.kind == kind if kind else true(),
    )
    part = beside(
        wanted,
        (ApprovalRequest.requested_at, ApprovalRequest.id),
        lambda some: db.session.scalars(some).all(),
        lambda row: encode_cursor(row.requested_at, row.id),
        after=after,
        before=before,
        limit=PAGE,
    )
    return Beside(told(part.rows, person_id, roles), part.previous, part.next)


def told(
    rows: Iterable[ApprovalRequest], person_id: uuid.UUID, roles: Collection[str]
) -> list[Row]:
    """Requests in words, kind by kind, for one reader."""
    rows = list(rows)
    words = in_words(rows)
    return [_row(row, words[row.id], person_id, {*roles}) for row in rows]


def in_words(rows: Collection[ApprovalRequest]) -> dict[uuid.UUID, str]:
    """What each of some requests is about; each kind is asked once. An erasure leaves nothing
    that could be told."""
    found = {row.id: str(_("For somebody who was erased.")) for row in rows if not row.payload}
    for code in {row.kind for row in rows if row.payload}:
        same = [row for row in rows if row.kind == code and row.payload]
        payloads: list[Payload] = [dict(row.payload) for row in same]
        sentences = kind_of(code).describe(payloads)
        found |= {row.id: text for row, text in zip(same, sentences, strict=True)}
    return found


def _row(row: ApprovalRequest, words: str, reader: uuid.UUID, roles: set[str]) -> Row:
    kind, is_open = kind_of(row.kind), row.outcome is None and row.expires_at > clock.now()
    is_mine = row.requested_by == reader
    may_decide = is_open and not is_mine and row.subject_id != reader and bool(kind.roles & roles)
    return Row(
        row.id, kind, words, kind.link(dict(row.payload)) if kind.link and row.payload else "",
        row.requested_by, row.requested_at, row.expires_at, row.decided_by, row.decided_at,
        None if is_open else (row.outcome or EXPIRED),
        may_decide, is_open and is_mine, row.subject_id == reader,
    )  # fmt: skip


def request(request_id: uuid.UUID) -> ApprovalRequest | None:
    """One request as it is kept."""
    return db.session.get(ApprovalRequest, request_id)


def open_payloads(kind: str, subject_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Payload]]:
    """What of one kind waits about some people, in one read."""
    if not subject_ids:
        return {}
    rows = db.session.execute(
        select(ApprovalRequest.subject_id, ApprovalRequest.payload)
        .where(_open(), ApprovalRequest.kind == kind, ApprovalRequest.subject_id.in_(subject_ids))
        .order_by(ApprovalRequest.id)
    )
    found: dict[uuid.UUID, list[Payload]] = {}
    for subject_id, payload in rows:
        if subject_id is not None:
            found.setdefault(subject_id, []).append(dict(payload))
    return found
