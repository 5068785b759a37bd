"""What resources share: identifiers, pages, what waits for a second person."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Response, jsonify
from flask_babel import lazy_gettext as _l

from app import mail
from app.approvals import Submitted
from app.errors import NotFound
from app.web.cursors import decode_key, encode_cursor, unreadable

Json = dict[str, object]
T = TypeVar("T")


def as_id(text: str) -> uuid.UUID:
    """An identifier from an address; anything else is simply not found."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound(_l("There is no such thing here.")) from error


def page(items: Sequence[object], next_cursor: str | None, limit: int) -> Json:
    """The envelope of a list."""
    return {"items": items, "next": next_cursor, "limit": limit}


def part_of(
    rows: Sequence[T],
    key: Callable[[T], uuid.UUID],
    query: Mapping[str, Any],
    show: Callable[[T], Json],
) -> Json:
    """A page of a list that stays short and is read whole. Raises `InvalidInput` for an `after`
    that is not, or no longer, a place of it."""
    limit, first = query["limit"], 0
    if after := query.get("after"):
        keys = [key(row) for row in rows]
        place = decode_key(after)
        if place not in keys:
            raise unreadable()
        first = keys.index(place) + 1
    found = rows[first : first + limit]
    more = first + limit < len(rows)
    return page(
        [show(row) for row in found], encode_cursor(key(found[-1])) if more else None, limit
    )


def waits(made: Submitted) -> Response:
    """202: the act waits for a second person, as the organisation's rule asks."""
    url = mail.url("/studio/approvals?view=mine")
    answer = jsonify({"waits_for": "second-person", "request_id": str(made.request_id), "url": url})
    answer.status_code = 202
    return answer
