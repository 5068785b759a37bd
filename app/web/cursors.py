"""Places in a list, as programs and addresses carry them: opaque, and checked when they come back.

Lists are paged by keysets: the place is the order's own values of the last row, (time, id).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.db import db
from app.errors import InvalidInput

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Beside(Generic[Row]):
    """A part of a list; the places of the parts beside it, None where there is none."""

    rows: list[Row]
    previous: str | None = None
    next: str | None = None


def beside(
    query: Select[*tuple[Any, ...]],
    keys: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    read: Callable[[Select[*tuple[Any, ...]]], Sequence[Row]],
    place_of: Callable[[Row], str],
    *,
    after: str | None,
    before: str | None,
    limit: int,
    rising: bool = False,
) -> Beside[Row]:
    """The part of a list after one place of it, or before another. The list stands in the order of
    its `keys`, the greatest first unless they are `rising`; a place is what `encode_cursor` made
    of them. Where nothing stands before a place any more it is the list's beginning. Raises
    `InvalidInput` for a place that is none."""
    backwards = bool(before) and not after
    upwards = rising != backwards
    place = after or before
    part = query.where(beyond(place, keys, rising=upwards)) if place else query
    part = part.order_by(*(keys if upwards else (key.desc() for key in keys)))
    found = read(part.limit(limit + 1))
    more, rows = len(found) > limit, list(found[:limit])
    if backwards and not rows:
        return beside(
            query, keys, read, place_of, after=None, before=None, limit=limit, rising=rising
        )
    if not rows:
        return Beside([])
    if backwards:
        rows.reverse()
    return Beside(
        rows,
        previous=place_of(rows[0]) if (more if backwards else after) else None,
        next=place_of(rows[-1]) if more or backwards else None,
    )


def of_model(
    query: Select[Row],
    keys: Sequence[InstrumentedAttribute[Any]],
    *,
    after: str | None,
    before: str | None = None,
    limit: int,
) -> Beside[Row]:
    """Like `beside`, for a list of whole objects that bear their `keys`, the greatest first."""

    def place_of(row: Row) -> str:
        return encode_cursor(*(getattr(row, key.key) for key in keys))

    def read(part: Select[*tuple[Any, ...]]) -> Sequence[Row]:
        return db.session.scalars(part).all()

    return beside(query, keys, read, place_of, after=after, before=before, limit=limit)


def first_part(found: Sequence[Row], limit: int, place_of: Callable[[Row], str]) -> Beside[Row]:
    """The beginning of a list of which `limit` rows and, where there are more, one beyond them
    were read already."""
    rows = list(found[:limit])
    return Beside(rows, next=place_of(rows[-1]) if len(found) > limit else None)


def throughout(part_after: Callable[[str | None], Beside[Row]]) -> Iterator[Row]:
    """A whole list, read part by part, for an export."""
    after: str | None = None
    while True:
        part = part_after(after)
        yield from part.rows
        after = part.next
        if after is None:
            return


def beyond(
    place: str,
    keys: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    *,
    rising: bool = False,
) -> ColumnElement[bool]:
    """What stands after a place in a list whose `keys` fall (or rise). Raises `InvalidInput` for a
    place that is none."""
    here, there = tuple_(*keys), tuple_(*_bound(place, keys))
    return here > there if rising else here < there


def _bound(place: str, keys: Sequence[Any]) -> list[ColumnElement[Any]]:
    """The values of a place with the types of their columns, so that every database compares them
    as it compares these."""
    try:
        texts = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
        values = [_READ[key.type.python_type](text) for key, text in zip(keys, texts, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise unreadable() from error
    return [literal(value, key.type) for key, value in zip(keys, values, strict=True)]


def _moment(text: str) -> dt.datetime:
    when = dt.datetime.fromisoformat(text)
    return when.astimezone(dt.UTC) if when.tzinfo else when.replace(tzinfo=dt.UTC)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(text)
    return int(text)


_READ: Final[Mapping[type, Callable[[str], Any]]] = {
    dt.datetime: _moment, uuid.UUID: uuid.UUID, int: _number,
}  # fmt: skip


def encode_cursor(*values: object) -> str:
    """An opaque place in a list."""
    text = json.dumps([v.isoformat() if isinstance(v, dt.datetime) else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


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
