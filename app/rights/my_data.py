"""My data: everything that is kept about one person or candidate, read at the press.

It is told in the reader's language, each part with where it comes from, what for, on which
ground, how long, and who receives it (rule E5). No secret is in it (hashes, tokens), and nobody
else. The JSON is written part by part, so that it takes the same memory however much there is.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from app import clock, personal_data
from app.db import db
from app.personal_data import BASES, RECIPIENTS, SOURCES, Holding, Row
from app.rights.field_words import UNREAD, word_for
from app.rights.retention_words import kept_for

SHOWN: Final = 30
"""Records of one part that a page shows; the file has all of them."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")

FIRST: Final = ("people.entry", "referrals.candidate")

Record = tuple[tuple[str, str], ...]
"""What a page shows of one row: names and values, in words."""


@dataclass(frozen=True, slots=True)
class Part:
    """One declaration with its records. `has_more`: the file has more than the page shows."""

    key: str
    title: str
    purpose: str
    basis: str
    source: str
    recipients: str
    kept: str
    stays: str
    records: tuple[Record, ...]
    has_more: bool


def parts(kind: str, subject_id: uuid.UUID) -> list[Part]:
    """What a page shows: who one is, the other parts that hold something, then the empty ones."""
    found = [_part(kind, holding, subject_id) for holding in _exported(kind)]
    return sorted(found, key=lambda part: (not part.records, part.key not in FIRST))


def _exported(kind: str) -> list[Holding]:
    return [holding for holding in personal_data.holdings(kind) if kind in holding.exports]


def _rows(kind: str, holding: Holding, subject_id: uuid.UUID) -> Iterator[Row]:
    return iter(holding.exports[kind](db.session(), subject_id))


def _part(kind: str, holding: Holding, subject_id: uuid.UUID) -> Part:
    some = list(islice(_rows(kind, holding, subject_id), SHOWN + 1))
    return Part(
        key=holding.key,
        title=str(holding.title),
        purpose=str(holding.purpose),
        basis=str(BASES[holding.basis]),
        source=str(SOURCES[holding.source]),
        recipients=_recipients(holding),
        kept=kept_for(holding.retention),
        stays=str(holding.stays or ""),
        records=tuple(_record(row) for row in some[:SHOWN]),
        has_more=len(some) > SHOWN,
    )


def _recipients(holding: Holding) -> str:
    return ", ".join(str(RECIPIENTS[code]) for code in holding.recipients)


def _record(row: Row) -> Record:
    return tuple(
        (word_for(name), text)
        for name, value in row.items()
        if name not in UNREAD and (text := in_words(value))
    )


def in_words(value: object) -> str:
    """A value for a reader; "" for one that says nothing."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, dict):
        return ", ".join(f"{word_for(str(k))}: {in_words(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(each) for each in value)
    text = str(value)
    if _INSTANT.fullmatch(text):
        return str(format_datetime(dt.datetime.fromisoformat(text), "medium"))
    if _DAY.fullmatch(text):
        return str(format_date(dt.date.fromisoformat(text), "long"))
    return text


# --- the file ----------------------------------------------------------------------------


def as_json(kind: str, subject_id: uuid.UUID) -> Iterator[str]:
    """The file, piece by piece: when it was made, then one member for each part."""
    yield f'{{\n"made_at": {_json(personal_data.plain(clock.now()))},\n"data": {{'
    for number, holding in enumerate(_exported(kind)):
        yield ("," if number else "") + f"\n{_json(holding.key)}: {{\n"
        for name, value in _told(holding).items():
            yield f"{_json(name)}: {_json(value)},\n"
        yield '"rows": ['
        yield from _listed(_rows(kind, holding, subject_id))
        yield "]\n}"
    yield "\n}\n}\n"


def _told(holding: Holding) -> dict[str, str]:
    return {
        "title": str(holding.title),
        "purpose": str(holding.purpose),
        "legal_basis": str(BASES[holding.basis]),
        "source": str(SOURCES[holding.source]),
        "recipients": _recipients(holding),
        "kept": kept_for(holding.retention),
        "after_an_erasure": str(holding.stays or ""),
    }


def _listed(rows: Iterable[Row]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield ("," if number else "") + "\n" + _json(row)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
