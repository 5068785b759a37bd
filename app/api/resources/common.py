"""What resources share: identifiers, pages, who is staff."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask_babel import lazy_gettext as _l

from app.errors import NotFound
from app.web.access import Reader

STAFF = frozenset({"recruiter", "admin", "hr"})
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


def is_staff(reader: Reader) -> bool:
    """May read every referral, whatever its candidate lets the referrer see."""
    return bool(STAFF & reader.roles)
