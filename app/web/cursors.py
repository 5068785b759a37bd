"""Places in a list, as programs and addresses carry them: opaque, and checked when they come back.

Lists are paged by keysets: the place is the order's own values of the last row, (time, id).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask_babel import lazy_gettext as _l

from app.errors import InvalidInput

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Beside(Generic[Row]):
    """A part of a list; the places of the parts beside it, None where there is none."""

    rows: list[Row]
    previous: str | None = None
    next: str | None = None


def beside(
    found: Sequence[Row],
    limit: int,
    place_of: Callable[[Row], str],
    *,
    after: object = None,
    backwards: bool = False,
) -> Beside[Row]:
    """What was `found` after one place of a list, or `backwards` before another: at most one row
    more than the `limit`, the nearest to that place first."""
    more, rows = len(found) > limit, list(found[:limit])
    if not rows:
        return Beside([])
    if backwards:
        rows.reverse()
    return Beside(
        rows,
        previous=place_of(rows[0]) if (more if backwards else after) else None,
        next=place_of(rows[-1]) if more or backwards else None,
    )


def encode_cursor(*values: object) -> str:
    """An opaque place in a list."""
    text = json.dumps([v.isoformat() if isinstance(v, dt.datetime) else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> tuple[dt.datetime, uuid.UUID] | None:
    """The place a cursor stands for: (time, id). Raises `InvalidInput` for anything else."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, key = json.loads(raw)
        when = dt.datetime.fromisoformat(at)
        return (when if when.tzinfo else when.replace(tzinfo=dt.UTC)), uuid.UUID(key)
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable() from error


def decode_key(cursor: str) -> uuid.UUID:
    """The place of a list whose order has no time. Raises `InvalidInput` for anything else."""
    try:
        (key,) = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return uuid.UUID(key)
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable() from error


def unreadable() -> InvalidInput:
    """A place that we never gave."""
    sentence = _l("This place in the list cannot be read.")
    return InvalidInput(sentence, {"after": sentence})
