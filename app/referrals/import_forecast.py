"""What confirming an import would do, counted beforehand without changing anything.

It is counted by the same decisions as the import itself, against the offers as they stand now.
What only the moment of writing shows (two people at once, a value that no column takes) is
not foreseen; the report tells it.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from app.db import db
from app.errors import Sentence
from app.integrations.postings import FeedReading
from app.referrals import import_postings, import_run, import_words
from app.referrals.import_postings import Standing
from app.referrals.models import Connection, Offer

MOST_ROWS: Final = 2_000
MOST_BYTES: Final = 2 * 1024 * 1024
"""A longer file is not counted beforehand: a page should not keep its reader waiting."""

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Forecast:
    """Rows by what would become of them. `refused` are reasons with how many rows each;
    `absent` open offers are not in the file, and `doubt` says why they would stay open
    (None: they would be closed)."""

    created: int
    updated: int
    unchanged: int
    closed: int
    refused: list[tuple[Sentence, int]]
    absent: int
    doubt: Sentence | None

    @property
    def refused_count(self) -> int:
        return sum(number for _reason, number in self.refused)


def is_short(rows: int, size: int) -> bool:
    """Whether a file of so many rows and bytes is counted beforehand."""
    return rows <= MOST_ROWS and size <= MOST_BYTES


def forecast(connection: Connection, import_id: uuid.UUID, reading: FeedReading) -> Forecast:
    """What this file would do to the offers as they stand now."""
    found = list(_outcomes(connection, reading))
    outcomes = Counter(outcome for outcome, _code in found)
    refused = Counter(row.code for row in reading.rejected)
    refused.update(str(code) for outcome, code in found if outcome == "refused")
    absent = len(import_run.absent(connection, reading.seen_ids))
    doubt = import_run.doubt_of(reading, absent, sum(map(_was_open, found)))
    believed = import_run.is_believed(connection.id, import_id, reading, doubt)
    return Forecast(
        created=outcomes["created"],
        updated=outcomes["updated"],
        unchanged=outcomes["unchanged"],
        closed=outcomes["closed"],
        refused=[(import_words.reason(code), n) for code, n in refused.most_common()],
        absent=absent,
        doubt=None if believed else import_words.doubt(doubt),
    )


def _outcomes(connection: Connection, reading: FeedReading) -> Iterator[tuple[str, str | None]]:
    for start in range(0, len(reading.postings), _AT_ONCE):
        postings = reading.postings[start : start + _AT_ONCE]
        standing = _standing(connection, [posting.external_id for posting in postings])
        for posting in postings:
            yield import_postings.foresee(posting, standing.get(posting.external_id))


def _standing(connection: Connection, ids: list[str]) -> Mapping[str, Standing]:
    """The offers we have under these references, unlocked."""
    rows = db.session.execute(
        select(Offer.external_id, Offer.status, Offer.closed_reason, Offer.content_hash).where(
            Offer.source == connection.kind,
            Offer.connection_id == connection.id,
            Offer.external_id.in_(ids),
        )
    )
    return {str(row[0]): Standing(row[1], row[2], row[3]) for row in rows}


def _was_open(found: tuple[str, str | None]) -> bool:
    """An offer of the file that is open before the import, as the import itself counts it."""
    outcome, code = found
    return (outcome in ("updated", "unchanged") and code is None) or outcome == "closed"
