"""Importing offers from a file: look first, confirm, then watch it being done.

A file is stored with its run until the run has ended, so that a browser may be closed and a
process may die in between. A tracking system's file needs no choices; a spreadsheet's columns
are mapped by hand once, starting from what we recognise.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select, update

from app import audit, clock, outbox
from app.db import JSONDict, db, transaction
from app.errors import DomainError, InvalidInput, NotFound, Sentence
from app.integrations.csv_feed import REQUIRED_FIELDS, CsvShape, sniff
from app.integrations.postings import FeedError, FeedReading, Posting
from app.integrations.text import clean_text
from app.people.models import Person
from app.referrals import connections, fetching, import_forecast, import_run, import_words
from app.referrals.connections import CSV
from app.referrals.fetching import MAX_BYTES
from app.referrals.import_forecast import Forecast
from app.referrals.models import Connection, Offer, OfferImport, OfferImportLine
from app.web.cursors import Beside, beside, encode_cursor

OUTCOMES: Final = ("created", "updated", "unchanged", "refused", "closed", "kept", "note")
PREVIEW_ROWS: Final = 10
_PREVIEW_BYTES: Final = 256 * 1024
_ORIGIN_LIMIT: Final = 300


class UnknownImport(NotFound):
    """No such import."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such import."))


class ImportNotOpen(DomainError):
    """The import has gone on: what was asked made sense in an earlier state only."""

    code = "import-not-open"

    def __init__(self) -> None:
        super().__init__(_l("This import has gone on meanwhile. Look at where it stands now."))


class ImportBusy(DomainError):
    """Another import works on the same connection and takes long."""

    code = "import-busy"

    def __init__(self) -> None:
        super().__init__(_l("Another import of this connection is still running. Try again later."))


# --- reads -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A run as pages show it. Counts are rows of the file; `done` of `total` are dealt with."""

    id: uuid.UUID
    connection_id: uuid.UUID | None
    connection_name: str
    kind: str
    origin: str
    started_by_name: str | None
    state: str
    error: str | None
    mapping: JSONDict
    ignored_columns: list[str]
    total: int
    done: int
    created_count: int
    updated_count: int
    unchanged_count: int
    refused_count: int
    closed_count: int
    suspicious: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @property
    def kind_name(self) -> str:
        return connections.kind_name(self.kind)

    @property
    def is_address(self) -> bool:
        return self.origin.startswith(("https://", "http://"))

    @property
    def is_running(self) -> bool:
        return self.state in import_run.UNFINISHED

    @property
    def error_sentence(self) -> Sentence:
        code, _, detail = (self.error or "").partition(":")
        return import_words.fault(code, detail)

    @property
    def suspicion_sentence(self) -> Sentence:
        return import_words.suspicion(self.suspicious)


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a report. `position` is its place there, `line` where its row stands in the
    file, None where the reader does not tell."""

    position: int
    line: int | None
    outcome: str
    code: str | None
    value: str | None
    offer_id: uuid.UUID | None
    offer_title: str | None

    @property
    def reason(self) -> Sentence:
        return import_words.reason(self.code)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, for the console: counts, and every refused row with its reason.

    `error` is the code of a file that could not be used at all (then nothing changed),
    `suspicious` why absence closed nothing.
    """

    id: uuid.UUID
    state: str
    total: int
    created: int
    updated: int
    unchanged: int
    refused: int
    closed: int
    kept: int
    error: str | None
    error_sentence: Sentence | None
    suspicious: str | None
    suspicious_sentence: Sentence | None
    refused_lines: list[LineRow] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.error is None


_ROW: Final = (
    OfferImport.id, OfferImport.connection_id, Connection.name.label("connection_name"),
    OfferImport.kind, OfferImport.origin, Person.name.label("started_by_name"),
    OfferImport.state, OfferImport.error, OfferImport.mapping, OfferImport.ignored_columns,
    OfferImport.total, OfferImport.done, OfferImport.created_count, OfferImport.updated_count,
    OfferImport.unchanged_count, OfferImport.refused_count, OfferImport.closed_count,
    OfferImport.suspicious, OfferImport.created_at, OfferImport.finished_at,
)  # fmt: skip


STATES: Final = {
    "open": ("preview",),
    "working": import_run.UNFINISHED,
    "done": ("done",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
}
"""What a list of runs can be narrowed to; 'odd' is done, with something to look at."""
ODD: Final = "odd"


@dataclass(frozen=True, slots=True)
class ImportFilter:
    """What a list of runs shows. `q` looks in the name of the file or address."""

    state: str = ""
    connection_id: uuid.UUID | None = None
    q: str = ""


def _conditions(f: ImportFilter) -> Iterator[ColumnElement[bool]]:
    if f.state == ODD:
        yield OfferImport.suspicious.is_not(None)
    elif f.state in STATES:
        yield OfferImport.state.in_(STATES[f.state])
    if f.connection_id is not None:
        yield OfferImport.connection_id == f.connection_id
    for word in f.q.split()[:5]:
        yield OfferImport.origin.icontains(word, autoescape=True)


def list_imports(
    f: ImportFilter = ImportFilter(),
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = 30,
) -> Beside[ImportRow]:
    """The runs, newest first, after one place of the list or before another; without their
    files. Raises `InvalidInput` for a cursor that is none."""
    query = (
        select(*_ROW)
        .outerjoin(Connection, Connection.id == OfferImport.connection_id)
        .outerjoin(Person, Person.id == OfferImport.started_by)
        .where(*_conditions(f))
    )
    return beside(
        query,
        (OfferImport.id,),
        lambda part: [ImportRow(**row._mapping) for row in db.session.execute(part)],
        lambda row: encode_cursor(row.id),
        after=after,
        before=before,
        limit=limit,
    )


def get_import(import_id: uuid.UUID) -> ImportRow:
    """One run as it stands now. Raises `UnknownImport`."""
    row = db.session.execute(
        select(*_ROW)
        .outerjoin(Connection, Connection.id == OfferImport.connection_id)
        .outerjoin(Person, Person.id == OfferImport.started_by)
        .where(OfferImport.id == import_id)
    ).one_or_none()
    if row is None:
        raise UnknownImport
    return ImportRow(**row._mapping)


def list_lines(
    import_id: uuid.UUID,
    outcome: str | None = None,
    after: int = 0,
    limit: int | None = 100,
    code: str | None = None,
) -> list[LineRow]:
    """The lines of a report in order, after position `after`; those of one outcome, and of one
    reason (its code), if named."""
    query = (
        select(
            OfferImportLine.line.label("position"), OfferImportLine.file_line.label("line"),
            OfferImportLine.outcome,
            OfferImportLine.code, OfferImportLine.value, OfferImportLine.offer_id,
            Offer.title.label("offer_title"),
        )
        .outerjoin(Offer, Offer.id == OfferImportLine.offer_id)
        .where(OfferImportLine.import_id == import_id, OfferImportLine.line > after)
        .order_by(OfferImportLine.line)
        .limit(limit)
    )  # fmt: skip
    if outcome in OUTCOMES:
        query = query.where(OfferImportLine.outcome == outcome)
    if code in import_words.REASONS:
        query = query.where(OfferImportLine.code == code)
    return [LineRow(**row._mapping) for row in db.session.execute(query)]


def count_lines(import_id: uuid.UUID) -> dict[str, int]:
    """How many lines of each outcome a report has."""
    rows = db.session.execute(
        select(OfferImportLine.outcome, func.count())
        .where(OfferImportLine.import_id == import_id)
        .group_by(OfferImportLine.outcome)
    )
    return {row[0]: row[1] for row in rows}


def count_reasons(import_id: uuid.UUID, outcome: str) -> list[tuple[str, Sentence, int]]:
    """Why lines have an outcome: code, sentence and how many, the most frequent first."""
    number = func.count()
    rows = db.session.execute(
        select(OfferImportLine.code, number)
        .where(
            OfferImportLine.import_id == import_id,
            OfferImportLine.outcome == outcome,
            OfferImportLine.code.in_(tuple(import_words.REASONS)),
        )
        .group_by(OfferImportLine.code)
        .order_by(number.desc(), OfferImportLine.code)
    )
    return [(str(row[0]), import_words.reason(row[0]), row[1]) for row in rows]


def waits_for_another(row: ImportRow) -> bool:
    """Whether a confirmed import has to wait for its connection."""
    return row.state == "queued" and bool(
        row.connection_id and import_run.is_at_work(row.connection_id)
    )


def has_stopped(row: ImportRow) -> bool:
    """Whether a run that began is carried by nobody now; it may be asked to go on."""
    return row.state == "running" and not (
        row.connection_id and import_run.is_at_work(row.connection_id)
    )


def report(import_id: uuid.UUID) -> ImportReport:
    """What the import did. Raises `UnknownImport`."""
    row = get_import(import_id)
    return ImportReport(
        id=row.id,
        state=row.state,
        total=row.total,
        created=row.created_count,
        updated=row.updated_count,
        unchanged=row.unchanged_count,
        refused=row.refused_count,
        closed=row.closed_count,
        kept=count_lines(import_id).get("kept", 0),
        error=row.error.partition(":")[0] if row.error else None,
        error_sentence=row.error_sentence if row.error else None,
        suspicious=row.suspicious,
        suspicious_sentence=row.suspicion_sentence if row.suspicious else None,
        refused_lines=list_lines(import_id, "refused", limit=None),
    )


# --- from the file to the confirmation ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What confirming would do. `columns` are a spreadsheet's headers, in order; `mapping`
    says which of our fields they serve. `missing` are fields that must still be mapped,
    `forbidden` columns about persons that are never read. `rows` are the first postings as
    they will be read; `fault` is why they cannot be. `forecast` counts what would become of
    all rows, None for a file too long to count beforehand or one that cannot be read."""

    import_row: ImportRow
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    rows: tuple[Posting, ...] = ()
    fault: Sentence | None = None
    forecast: Forecast | None = None


def _unreadable(error: FeedError, name: str = "file") -> InvalidInput:
    return InvalidInput(
        _l("This file cannot be imported."), {name: import_words.fault(error.code, error.detail)}
    )


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            _l("This file cannot be imported."), {"file": import_words.fault("too-large")}
        )


def _new(
    connection: Connection, data: bytes, origin: str, actor_id: uuid.UUID | None, **values: object
) -> uuid.UUID:
    with transaction() as session:
        row = OfferImport(
            connection_id=connection.id,
            kind=connection.kind,
            origin=clean_text(origin, _ORIGIN_LIMIT) or connection.kind,
            started_by=actor_id,
            file=data,
            **{"mapping": {}, "ignored_columns": [], **values},
        )
        session.add(row)
        session.flush()
        return row.id


def start_import(
    kind_or_connection: str, data: bytes, origin: str, actor_id: uuid.UUID | None
) -> uuid.UUID:
    """Keep a file and look at it; the id of its run, in state 'preview'.

    `origin` is the file's name or the address it came from. Raises `InvalidInput` on the
    field `file` when it cannot be used at all, `connections.UnknownConnection`.
    """
    connection = connections.resolve(kind_or_connection)
    _check_size(data)
    try:
        if connection.kind == CSV:
            shape = sniff(data, import_run.feed_settings(connection, origin))
            values: JSONDict = {
                "mapping": dict(shape.mapping),
                "ignored_columns": list(shape.ignored_columns),
                "total": shape.rows,
            }
        else:
            reading = import_run.read(connection, data, None, origin)
            values = {"total": len(reading.postings) + len(reading.rejected)}
    except FeedError as error:
        raise _unreadable(error) from error
    return _new(connection, data, origin, actor_id, **values)


def _file_of(import_id: uuid.UUID) -> tuple[Connection, bytes, JSONDict, str]:
    """The connection, file, mapping and origin of a run that waits for its confirmation."""
    row = db.session.execute(
        select(
            OfferImport.state, OfferImport.file, OfferImport.mapping, OfferImport.origin,
            OfferImport.connection_id,
        ).where(OfferImport.id == import_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise UnknownImport
    connection = db.session.get(Connection, row.connection_id)
    if row.state != "preview" or row.file is None or connection is None:
        raise ImportNotOpen
    return connection, row.file, row.mapping, row.origin


def preview(import_id: uuid.UUID, mapping: Mapping[str, str] | None = None) -> Preview:
    """The first rows as they will be read, with a spreadsheet's columns mapped as given (by
    default as proposed). Raises `UnknownImport`, `ImportNotOpen`."""
    connection, data, proposed, origin = _file_of(import_id)
    row = get_import(import_id)
    if connection.kind != CSV:
        reading = import_run.read(connection, data, None, origin)
        return Preview(
            row,
            rows=reading.postings[:PREVIEW_ROWS],
            forecast=_forecast(row, connection, data, reading),
        )
    shape = sniff(_beginning(data), import_run.feed_settings(connection, origin))
    chosen = proposed if mapping is None else mapping
    return _preview_csv(row, connection, data, shape, _used(shape, chosen))


def _forecast(
    row: ImportRow, connection: Connection, data: bytes, reading: FeedReading
) -> Forecast | None:
    """What all rows would do, where the file is short enough for a page to count them."""
    if not import_forecast.is_short(row.total, len(data)):
        return None
    return import_forecast.forecast(connection, row.id, reading)


def _beginning(data: bytes) -> bytes:
    """Enough of a long file to show its first rows, cut at the end of a line."""
    if len(data) <= _PREVIEW_BYTES:
        return data
    return data[:_PREVIEW_BYTES].rpartition(b"\n")[0] or data


def _used(shape: CsvShape, mapping: Mapping[str, object]) -> dict[str, str]:
    """The part of a mapping that names our fields and this file's columns."""
    return {
        name: str(mapping[name])
        for name in import_words.FIELDS
        if str(mapping.get(name) or "") in shape.header
    }


def _preview_csv(
    row: ImportRow, connection: Connection, data: bytes, shape: CsvShape, mapping: dict[str, str]
) -> Preview:
    missing = tuple(name for name in REQUIRED_FIELDS if name not in mapping)
    reading: FeedReading | None = None
    fault: Sentence | None = None
    try:
        if not missing:
            counted = import_forecast.is_short(row.total, len(data))
            part = data if counted else _beginning(data)
            reading = import_run.read(connection, part, dict(mapping), row.origin)
    except FeedError as error:
        fault = import_words.fault(error.code, error.detail)
    used = set(mapping.values())
    return Preview(
        row,
        columns=shape.header,
        sample=shape.sample,
        mapping=mapping,
        ignored=tuple(c for c in shape.header if c and c not in used),
        forbidden=shape.forbidden_columns,
        missing=missing,
        rows=reading.postings[:PREVIEW_ROWS] if reading else (),
        fault=fault,
        forecast=_forecast(row, connection, data, reading) if reading else None,
    )


def check_mapping(import_id: uuid.UUID, mapping: Mapping[str, str]) -> dict[str, str]:
    """The mapping as it will be used. Raises `InvalidInput` by field."""
    connection, data, _proposed, origin = _file_of(import_id)
    if connection.kind != CSV:
        return {}
    shape = sniff(_beginning(data), import_run.feed_settings(connection, origin))
    used = _used(shape, mapping)
    errors: dict[str, Sentence] = {
        name: import_words.fault("missing-column", name)
        for name in REQUIRED_FIELDS
        if name not in used
    }
    for name, column in used.items():
        if column in shape.forbidden_columns:
            errors[name] = _l("This column is about persons and is never read.")
    if errors:
        raise InvalidInput(_l("Some columns need another look."), errors)
    return used


def confirm(
    import_id: uuid.UUID, mapping: Mapping[str, str] | None, actor_id: uuid.UUID | None
) -> None:
    """Let the import be carried out. Confirming twice is confirming once.

    Raises `InvalidInput` by field of the mapping, `UnknownImport`, `ImportNotOpen`.
    """
    if get_import(import_id).is_running:
        return
    proposed = get_import(import_id).mapping
    used = check_mapping(import_id, proposed if mapping is None else mapping)
    with transaction() as session:
        row = session.get(OfferImport, import_id, with_for_update=True, populate_existing=True)
        if row is None or row.state not in ("preview", "queued"):
            raise ImportNotOpen
        if row.state == "preview":
            row.state, row.mapping = "queued", dict(used)
            outbox.record(import_run.CONFIRMED, import_id=str(import_id))
            audit.record("offers.import_confirmed", "offer_import", import_id, actor_id=actor_id)


def cancel(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Give up an import that was not confirmed; its file goes at once. Twice is once."""
    with transaction() as session:
        row = session.get(OfferImport, import_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise UnknownImport
        if row.state == "cancelled":
            return
        if row.state != "preview":
            raise ImportNotOpen
        row.state, row.file, row.finished_at = "cancelled", None, clock.now()
        audit.record("offers.import_cancelled", "offer_import", import_id, actor_id=actor_id)


def resume(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Ask the workers to go on with an import that nobody carries any more."""
    with transaction() as session:
        state = session.scalar(select(OfferImport.state).where(OfferImport.id == import_id))
        if state is None:
            raise UnknownImport
        if state not in import_run.UNFINISHED:
            raise ImportNotOpen
        outbox.record(import_run.CONFIRMED, import_id=str(import_id))
        audit.record("offers.import_resumed", "offer_import", import_id, actor_id=actor_id)


def close_missing(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> int:
    """Close the offers that an odd file did not hold, on a person's word; how many.

    Raises `ImportNotOpen` when a newer import of the same connection has looked since.
    """
    with transaction() as session:
        row = session.execute(
            select(OfferImport.connection_id, OfferImport.state).where(OfferImport.id == import_id)
        ).one_or_none()
        if row is None:
            raise UnknownImport
        if row.state != "done" or _newest_done(row.connection_id) != import_id:
            raise ImportNotOpen
        closed = import_run.close_kept(row.connection_id, import_id)
        audit.record(
            "offers.absent_closed", "offer_import", import_id, actor_id=actor_id, closed=closed
        )
    return closed


def _newest_done(connection_id: uuid.UUID | None) -> uuid.UUID | None:
    return db.session.scalar(
        select(OfferImport.id)
        .where(OfferImport.connection_id == connection_id, OfferImport.state == "done")
        .order_by(OfferImport.finished_at.desc(), OfferImport.id.desc())
        .limit(1)
    )


# --- at once, for the console ------------------------------------------------------------


def import_now(
    source: str,
    *,
    data: bytes | None = None,
    url: str | None = None,
    origin: str = "",
    actor_id: uuid.UUID | None = None,
    wait_seconds: float = 600,
    on_wait: Callable[[], None] | None = None,
) -> ImportReport:
    """Import a file's bytes or what an address holds, here and now, and say what became of it.

    `source` is a kind or a connection. While another import works on the same connection
    this one waits (`on_wait` is called once). A file that cannot be used gives a report with
    an `error`; an address that gives nothing raises `fetching.FetchFailed`. Also raises
    `connections.UnknownConnection`, `ImportBusy`.
    """
    connection = connections.resolve(source)
    content = fetching.fetch(url, console=True) if url is not None else (data or b"")
    origin = origin or url or "console"
    if len(content) > MAX_BYTES:
        import_id = _new(connection, b"", origin, actor_id, state="failed", error="too-large")
        return report(import_id)
    import_id = _new(connection, content, origin, actor_id, state="queued")
    deadline = clock.monotonic() + wait_seconds
    while not import_run.run(import_id):
        if on_wait is not None:
            on_wait()
            on_wait = None
        if clock.monotonic() > deadline:
            _withdraw(import_id)
            raise ImportBusy
        db.session.rollback()
        clock.sleep(0.5)
    db.session.rollback()
    return report(import_id)


def _withdraw(import_id: uuid.UUID) -> None:
    """Nobody will come back for this run: it must not surprise whoever imports next."""
    with transaction() as session:
        session.execute(
            update(OfferImport)
            .where(OfferImport.id == import_id, OfferImport.state == "queued")
            .values(state="cancelled", file=None, finished_at=clock.now())
        )
