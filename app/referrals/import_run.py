"""Carrying out an import: row by row, in small transactions, as often as it takes.

Each connection is worked on by one process at a time (a lease); imports of one connection
run in the order in which they were started. Every chunk writes its offers, its lines of the
report and its count in one transaction that also proves the lease, so an import that was
killed goes on where it stopped, and a process that lost its lease changes nothing more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from app import audit, clock, outbox
from app.db import JSONDict, db, new_id, transaction
from app.integrations.csv_feed import read_csv
from app.integrations.postings import (
    FeedError,
    FeedReading,
    FeedSettings,
    Note,
    Posting,
    Rejected,
    Status,
    Workplace,
)
from app.integrations.registry import CONNECTORS
from app.outbox.models import Lease
from app.referrals import import_postings, offers
from app.referrals.connections import CSV
from app.referrals.fetching import MAX_BYTES
from app.referrals.models import Connection, Offer, OfferImport, OfferImportLine
from app.web import current_settings

CONFIRMED: Final = "offers.import_confirmed"
CHUNK: Final = 50
LEASE: Final = dt.timedelta(seconds=30)
LOOK_AGAIN: Final = dt.timedelta(seconds=15)
EQUAL_RUNS: Final = 2
UNFINISHED: Final = ("queued", "running")
UNREADABLE: Final = ("empty", "truncated", "html")
"""Faults that look like a bad day of the source rather than a wrong file."""

_NOTES_LIMIT: Final = 1_000
_KEEP_ALIVE_SECONDS: Final = 15
_COUNTS: Final = {
    outcome: f"{outcome}_count"
    for outcome in ("created", "updated", "unchanged", "refused", "closed")
}

Item = Rejected | Posting | Note


class LeaseLost(Exception):
    """Another process works on this connection now; whatever this one began is undone."""


# --- one at a time -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Turn:
    """The right to work on one connection, for `LEASE` from its last proof."""

    name: str
    holder: str

    def take(self) -> bool:
        """Get the turn unless somebody else holds it."""
        now = clock.now()
        with transaction() as session:
            row = session.get(Lease, self.name, with_for_update=True, populate_existing=True)
            if row is None:
                return self._begin(now)
            if row.until > now:
                return False
            row.holder, row.until = self.holder, now + LEASE
        return True

    def _begin(self, now: dt.datetime) -> bool:
        session = db.session()
        try:
            with session.begin_nested():
                session.add(Lease(name=self.name, holder=self.holder, until=now + LEASE))
        except IntegrityError:  # somebody else was faster by a moment
            return False
        return True

    def prove(self) -> None:
        """Lengthen the turn inside the transaction of the work it covers. Raises `LeaseLost`."""
        result = cast(
            "CursorResult[tuple[()]]",
            db.session.execute(
                update(Lease)
                .where(Lease.name == self.name, Lease.holder == self.holder)
                .values(until=clock.now() + LEASE)
            ),
        )
        if not result.rowcount:
            raise LeaseLost

    def give_back(self) -> None:
        with transaction() as session:
            session.execute(
                delete(Lease).where(Lease.name == self.name, Lease.holder == self.holder)
            )


def _lease_name(connection_id: uuid.UUID) -> str:
    return f"import:{connection_id.hex}"


@contextmanager
def _turn(connection_id: uuid.UUID) -> Iterator[_Turn | None]:
    """The turn on a connection, or None when it is somebody else's."""
    turn = _Turn(_lease_name(connection_id), f"{os.getpid()}:{secrets.token_hex(12)}")
    if not turn.take():
        yield None
        return
    try:
        yield turn
    finally:
        turn.give_back()


def is_at_work(connection_id: uuid.UUID) -> bool:
    """Whether some process is importing into this connection right now."""
    until = db.session.scalar(select(Lease.until).where(Lease.name == _lease_name(connection_id)))
    return until is not None and until > clock.now()


# --- reading -----------------------------------------------------------------------------


def feed_settings(connection: Connection, origin: str) -> FeedSettings:
    """What the administrator said about this connection's feed."""
    said = connection.settings
    return FeedSettings(
        contract_names=_names(said, "contract_names"),
        workplace_names=_names(said, "workplace_names"),
        workplace_words={
            word: cast(Workplace, place)
            for word, place in _words(said, "workplace_words").items()
            if place in get_args(Workplace)
        },
        status_words={
            word: cast(Status, status)
            for word, status in _words(said, "status_words").items()
            if status in get_args(Status)
        },
        base_url=origin if origin.startswith(("https://", "http://")) else None,
        max_bytes=MAX_BYTES,
    )


def _names(said: JSONDict, name: str) -> tuple[str, ...]:
    value = said.get(name)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def _words(said: JSONDict, name: str) -> dict[str, str]:
    value = said.get(name)
    pairs = value.items() if isinstance(value, dict) else ()
    return {k: v for k, v in pairs if isinstance(k, str) and isinstance(v, str)}


def read(connection: Connection, data: bytes, mapping: JSONDict | None, origin: str) -> FeedReading:
    """What the file says. Raises `FeedError`. An empty mapping takes the columns we recognise."""
    settings = feed_settings(connection, origin)
    if connection.kind == CSV:
        columns = {str(field): str(header) for field, header in (mapping or {}).items()}
        return read_csv(data, columns or None, settings)
    return CONNECTORS[connection.kind].read_feed(data, settings)


def items_of(reading: FeedReading) -> list[Item]:
    """Everything the report tells of, in an order that is the same whenever it is read again."""
    return [*reading.rejected, *reading.postings, *reading.notes[:_NOTES_LIMIT]]


# --- running -----------------------------------------------------------------------------


def run(import_id: uuid.UUID) -> bool:
    """Carry an import out, or what is left of it, after those started before it.

    False when another process works on the same connection: nothing was done, ask again.
    An import that is finished, failed or not confirmed is left alone.
    """
    connection_id = _connection_of(import_id)
    if connection_id is None:
        return True
    with _turn(connection_id) as turn:
        if turn is None:
            return False
        alive = _Alive(import_id)
        for waiting in _queue(connection_id, import_id):
            _carry_out(waiting, turn, alive)
    _call_next(connection_id, import_id)
    return True


def _connection_of(import_id: uuid.UUID) -> uuid.UUID | None:
    return db.session.scalar(
        select(OfferImport.connection_id).where(
            OfferImport.id == import_id, OfferImport.state.in_(UNFINISHED)
        )
    )


def _queue(connection_id: uuid.UUID, last: uuid.UUID) -> list[uuid.UUID]:
    """This import and the unfinished ones started before it, oldest first."""
    rows = db.session.scalars(
        select(OfferImport.id)
        .where(
            OfferImport.connection_id == connection_id,
            OfferImport.state.in_(UNFINISHED),
            OfferImport.id <= last,
        )
        .order_by(OfferImport.id)
    )
    return list(rows)


class _Alive:
    """Tells the outbox, now and then, that the job which waits for this import is at work."""

    def __init__(self, import_id: uuid.UUID) -> None:
        self._key = str(import_id)
        self._told_at = clock.monotonic()

    def tell(self) -> None:
        if clock.monotonic() - self._told_at > _KEEP_ALIVE_SECONDS:
            outbox.keep_alive(CONFIRMED, "import_id", self._key)
            self._told_at = clock.monotonic()


@dataclass(frozen=True, slots=True)
class _Job:
    """One import under way."""

    id: uuid.UUID
    connection: Connection
    turn: _Turn
    alive: _Alive
    language: str


def _carry_out(import_id: uuid.UUID, turn: _Turn, alive: _Alive) -> None:
    row = db.session.execute(
        select(
            OfferImport.connection_id, OfferImport.file, OfferImport.mapping, OfferImport.origin
        ).where(OfferImport.id == import_id)
    ).one()
    connection = db.session.get(Connection, row.connection_id)
    if connection is None:
        return
    job = _Job(import_id, connection, turn, alive, current_settings().locale)
    try:
        reading = read(connection, row.file or b"", row.mapping, row.origin)
    except FeedError as error:
        _fail(job, error)
        return
    _begin(job, reading)
    for chunk in _chunks(_unreported(job, items_of(reading))):
        _apply(job, chunk)
        alive.tell()
    _settle_absent(job, reading)
    _finish(job)


def _fail(job: _Job, error: FeedError) -> None:
    """The file as a whole is no use: everything stays as it was."""
    with transaction() as session:
        job.turn.prove()
        session.execute(
            update(OfferImport)
            .where(OfferImport.id == job.id)
            .values(
                state="failed",
                error=f"{error.code}:{error.detail}".rstrip(":")[:60],
                suspicious=error.code if error.code in UNREADABLE else None,
                finished_at=clock.now(),
                file=None,
            )
        )
        audit.record("offers.import_failed", "offer_import", job.id, code=error.code)


def _begin(job: _Job, reading: FeedReading) -> None:
    with transaction() as session:
        job.turn.prove()
        session.execute(
            update(OfferImport)
            .where(OfferImport.id == job.id)
            .values(
                state="running",
                total=len(reading.rejected) + len(reading.postings),
                ignored_columns=list(reading.ignored_columns),
            )
        )


def _unreported(job: _Job, items: list[Item]) -> list[tuple[int, Item]]:
    """The numbered items that an earlier, interrupted run has not dealt with."""
    reported = set(
        db.session.scalars(select(OfferImportLine.line).where(OfferImportLine.import_id == job.id))
    )
    return [(n, item) for n, item in enumerate(items, start=1) if n not in reported]


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the report."""

    line: int
    file_line: int | None
    outcome: str
    code: str | None
    value: str | None
    offer_id: uuid.UUID | None = None


def _apply(job: _Job, chunk: Sequence[tuple[int, Item]]) -> None:
    """One chunk: its offers, its lines and its count together."""
    with transaction():
        job.turn.prove()
        postings = [item for _, item in chunk if isinstance(item, Posting)]
        known = import_postings.known(job.connection, postings)
        lines = [_line(job, n, item, known) for n, item in chunk]
        _report(job, lines, rows=sum(not isinstance(item, Note) for _, item in chunk))


def _line(job: _Job, n: int, item: Item, known: dict[str, Offer]) -> _Line:
    if isinstance(item, Rejected):
        return _Line(n, item.line, "refused", item.code, item.value)
    if isinstance(item, Note):
        return _Line(n, item.line or None, "note", item.code, item.value)
    taken = _take(job, item, known.get(item.external_id))
    offer_id = taken.offer.id if taken.offer else None
    return _Line(n, None, taken.outcome, taken.code, item.external_id, offer_id)


def _take(job: _Job, posting: Posting, offer: Offer | None) -> import_postings.Taken:
    """One posting; what the database refuses is that row's fault alone."""
    try:
        with db.session.begin_nested():
            return import_postings.take(job.connection, posting, offer, job.language)
    except IntegrityError:
        return import_postings.Taken("refused", "conflict", None)
    except DataError:
        return import_postings.Taken("refused", "unstorable", None)


def _report(job: _Job, lines: Sequence[_Line], rows: int = 0) -> None:
    """Write lines of the report and add them to the counts, inside a transaction."""
    session = db.session()
    session.execute(
        insert(OfferImportLine),
        [
            {
                "id": new_id(), "import_id": job.id, "line": row.line, "file_line": row.file_line,
                "outcome": row.outcome, "code": row.code, "value": (row.value or "")[:200] or None,
                "offer_id": row.offer_id,
            }
            for row in lines
        ],
    )  # fmt: skip
    found = Counter(row.outcome for row in lines)
    counted = {
        column: getattr(OfferImport, column) + found[outcome]
        for outcome, column in _COUNTS.items()
        if found[outcome]
    }
    session.execute(
        update(OfferImport)
        .where(OfferImport.id == job.id)
        .values(done=OfferImport.done + rows, **counted)
    )


# --- what is no longer there -------------------------------------------------------------


def _settle_absent(job: _Job, reading: FeedReading) -> None:
    """Close what the source no longer has, unless the file is too odd to be believed."""
    missing = absent(job.connection, reading.seen_ids)
    doubt = doubt_of(reading, len(missing), _stayed(job))
    digest = _digest(reading, doubt)
    believed = _already_closing(job) or is_believed(job.connection.id, job.id, reading, doubt)
    with transaction() as session:
        job.turn.prove()
        session.execute(
            update(OfferImport)
            .where(OfferImport.id == job.id)
            .values(suspicious=None if believed else doubt, feed_digest=digest)
        )
    for chunk in _chunks(missing):
        _absent(job, chunk, closing=believed)
        job.alive.tell()


def absent(connection: Connection, seen: frozenset[str]) -> list[tuple[uuid.UUID, str]]:
    """The open offers of this source that the file does not speak of."""
    rows = db.session.execute(
        select(Offer.id, Offer.external_id)
        .where(
            Offer.source == connection.kind,
            Offer.connection_id == connection.id,
            Offer.status == "open",
            Offer.external_id.is_not(None),
        )
        .order_by(Offer.id)
    )
    return [(row.id, row.external_id) for row in rows if row.external_id not in seen]


def is_believed(
    connection_id: uuid.UUID, import_id: uuid.UUID, reading: FeedReading, doubt: str | None
) -> bool:
    """Whether absence would close: nothing is odd, or two files before said the same odd thing."""
    return doubt is None or _said_before(connection_id, import_id, _digest(reading, doubt))


def doubt_of(reading: FeedReading, missing: int, stayed: int) -> str | None:
    """Why absence from this file proves nothing; None when it does. `missing` offers are open
    and not in it, `stayed` were open and are in it.

    A file that is whole and not much shorter than what is open is believed. "More than half"
    is counted against the offers that were open before this run.
    """
    codes = {note.code for note in reading.notes}
    if not reading.seen_ids:
        return "empty"
    if codes & {"fewer-rows-than-announced", "unfinished-last-row", "unclosed-quote"}:
        return "truncated"
    if not reading.complete and missing:
        return "incomplete"
    if len(reading.seen_ids) * 2 < missing + stayed:
        return "shrunk"
    return None


def _stayed(job: _Job) -> int:
    """How many offers of the file were open before this run."""
    line = OfferImportLine
    return (
        db.session.scalar(
            select(func.count())
            .select_from(line)
            .where(
                line.import_id == job.id,
                (line.outcome.in_(("updated", "unchanged")) & line.code.is_(None))
                | ((line.outcome == "closed") & (line.code == "closed-at-source")),
            )
        )
        or 0
    )


def _digest(reading: FeedReading, doubt: str | None) -> str:
    """Names the set of offers a file speaks of."""
    text = "\n".join((doubt or "", *sorted(reading.seen_ids)))
    return hashlib.sha256(text.encode()).hexdigest()


def _already_closing(job: _Job) -> bool:
    """An interrupted run of this import had begun to close: what it decided stands."""
    return _closings(job, "absent")


def _closings(job: _Job, code: str) -> bool:
    found = select(OfferImportLine.id).where(
        OfferImportLine.import_id == job.id, OfferImportLine.code == code
    )
    return db.session.execute(found.limit(1)).first() is not None


def _said_before(connection_id: uuid.UUID, import_id: uuid.UUID, digest: str) -> bool:
    """Whether the two runs before this one said exactly the same odd thing."""
    before = db.session.scalars(
        select(OfferImport.feed_digest)
        .where(
            OfferImport.connection_id == connection_id,
            OfferImport.finished_at.is_not(None),
            OfferImport.id != import_id,
        )
        .order_by(OfferImport.finished_at.desc(), OfferImport.id.desc())
        .limit(EQUAL_RUNS)
    ).all()
    return len(before) == EQUAL_RUNS and all(known == digest for known in before)


def _absent(job: _Job, chunk: Sequence[tuple[uuid.UUID, str]], *, closing: bool) -> None:
    """Close these offers, or note that they were kept; a line each."""
    with transaction() as session:
        job.turn.prove()
        told = select(OfferImportLine.offer_id).where(
            OfferImportLine.import_id == job.id, OfferImportLine.outcome == "kept"
        )
        kept = set(session.scalars(told))
        first = 1 + (
            session.scalar(
                select(func.max(OfferImportLine.line)).where(OfferImportLine.import_id == job.id)
            )
            or 0
        )
        lines: list[_Line] = []
        for offer_id, external_id in chunk:
            if closing:
                offers.mark_closed(offers.load(offer_id), offers.BY_SOURCE)
            elif offer_id in kept:
                continue
            outcome, code = ("closed", "absent") if closing else ("kept", "kept")
            lines.append(_Line(first + len(lines), None, outcome, code, external_id, offer_id))
        if lines:
            _report(job, lines)


def close_kept(connection_id: uuid.UUID, import_id: uuid.UUID) -> int:
    """Close the offers an import kept open, on a person's word; how many were still open.

    Inside a transaction. Their lines of the report say so from then on.
    """
    session = db.session()
    lines = session.scalars(
        select(OfferImportLine)
        .where(OfferImportLine.import_id == import_id, OfferImportLine.outcome == "kept")
        .order_by(OfferImportLine.line)
    ).all()
    closed = 0
    for line in lines:
        if line.offer_id is not None:
            closed += offers.mark_closed(offers.load(line.offer_id), offers.BY_SOURCE)
        line.outcome, line.code = "closed", "absent"
    session.execute(
        update(OfferImport)
        .where(OfferImport.id == import_id)
        .values(closed_count=OfferImport.closed_count + len(lines), suspicious=None)
    )
    return closed


# --- the end -----------------------------------------------------------------------------


def _finish(job: _Job) -> None:
    now = clock.now()
    with transaction() as session:
        job.turn.prove()
        session.execute(
            update(OfferImport)
            .where(OfferImport.id == job.id)
            .values(state="done", finished_at=now, file=None)
        )
        session.execute(
            update(Connection).where(Connection.id == job.connection.id).values(synced_at=now)
        )
        _note(job)


def _note(job: _Job) -> None:
    """The audit log hears of an import once, with its counts."""
    row = db.session.execute(
        select(
            OfferImport.started_by, OfferImport.created_count, OfferImport.updated_count,
            OfferImport.closed_count, OfferImport.refused_count,
        ).where(OfferImport.id == job.id)
    ).one()  # fmt: skip
    audit.record(
        "offers.imported", "offer_import", job.id, actor_id=row.started_by,
        created=row.created_count, updated=row.updated_count, closed=row.closed_count,
        refused=row.refused_count,
    )  # fmt: skip


def _call_next(connection_id: uuid.UUID, done: uuid.UUID) -> None:
    """Whoever waited for this connection hears at once that it is free."""
    waiting = db.session.scalar(
        select(OfferImport.id)
        .where(
            OfferImport.connection_id == connection_id,
            OfferImport.state == "queued",
            OfferImport.id > done,
        )
        .order_by(OfferImport.id)
        .limit(1)
    )
    if waiting is not None:
        with transaction():
            outbox.record(CONFIRMED, import_id=str(waiting))
