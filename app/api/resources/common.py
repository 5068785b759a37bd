"""What resources share: identifiers, pages, what waits for a second person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Response, jsonify
from flask_babel import lazy_gettext as _l

from app import mail
from app.approvals import Submitted
from app.errors import NotFound

Json = dict[str, object]


def as_id(text: str) -> uuid.UUID:
    """An identifier from an address; anything else is simply not found."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound(_l("There is no such thing here.")) from error


def page(items: Sequence[object], next_cursor: str | None, limit: int) -> Json:
    """The envelope of a list."""
    return {"items": items, "next": next_cursor, "limit": limit}


def waits(made: Submitted) -> Response:
    """202: the act waits for a second person, as the organisation's rule asks."""
    url = mail.url("/studio/approvals?view=mine")
    answer = jsonify({"waits_for": "second-person", "request_id": str(made.request_id), "url": url})
    answer.status_code = 202
    return answer
