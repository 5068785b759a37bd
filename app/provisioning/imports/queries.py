"""Reads for the pages of imports: plain rows, keysets."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from itertools import islice
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select

from app import outbox
from app.db import JSONDict, db
from app.errors import Sentence
from app.people.models import Person
from app.people.text import is_nowhere
from app.provisioning.imports import service, spool, states, words
from app.provisioning.imports.columns import Choice, choose
from app.provisioning.imports.lines import Records, head_of
from app.provisioning.imports.models import PeopleImport, PeopleImportLine
from app.provisioning.imports.planning import CHANGED, CREATED, REFUSED, SAME
from app.provisioning.imports.reading import clean
from app.provisioning.imports.running import ABSENT, ASKED, CHECK, MANAGERS, NOTE, RUN
from app.settings.models import Entity
from app.web.cursors import Beside, beside, encode_cursor

PAGE: Final = 30
LINES: Final = 100
_FIRST_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import as pages show it. Counts are lines, `done` of `total` are dealt with; `offset` of
    `size` bytes are read."""

    id: uuid.UUID
    origin: str
    started_by_name: str | None
    state: str
    phase: str
    error: str | None
    headers: list[str]
    mapping: JSONDict
    ignored_columns: list[str]
    is_full: bool
    size: int
    total: int
    done: int
    offset: int
    foreseen: JSONDict | None
    created_count: int
    changed_count: int
    same_count: int
    refused_count: int
    source_count: int
    absent_count: int
    departed_count: int
    undone_count: int
    kept_count: int
    created_at: dt.datetime
    finished_at: dt.datetime | None
    undone_at: dt.datetime | None

    @property
    def is_at_work(self) -> bool:
        return self.state in states.AT_WORK

    @property
    def can_undo(self) -> bool:
        written = self.created_count + self.changed_count
        return service.can_undo(self.state, self.created_at, written)

    @property
    def undo_until(self) -> dt.datetime:
        return self.created_at + service.UNDO_WITHIN

    @property
    def error_sentence(self) -> Sentence:
        return words.fault(self.error)

    @property
    def step(self) -> str:
        """What is being done, for the progress of a page."""
        return MANAGERS if self.state == states.RUNNING and self.phase == MANAGERS else self.state

    @property
    def asks_twice(self) -> bool:
        """Whether letting go of everybody missing needs a second yes."""
        return self.absent_count > service.ASKS_TWICE * self.source_count


_NAMES: Final = [name for name in ImportRow.__dataclass_fields__ if name != "started_by_name"]
_ROW: Final = (
    *(getattr(PeopleImport, name) for name in _NAMES), Person.name.label("started_by_name"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportFilter:
    """What a list of imports shows: one of `STATES`, and what `q` finds in the file's name."""

    state: str = ""
    q: str = ""


STATES: Final = {
    "open": (states.MAPPING, states.CHECKED),
    "working": states.AT_WORK,
    "done": (states.DONE,),
    "failed": (states.FAILED,),
    "over": (states.UNDONE, states.CANCELLED),
}


def _conditions(f: ImportFilter) -> Iterator[ColumnElement[bool]]:
    if f.state in STATES:
        yield PeopleImport.state.in_(STATES[f.state])
    for word in f.q.split()[:5]:
        yield PeopleImport.origin.icontains(word, autoescape=True)


def list_imports(
    f: ImportFilter = ImportFilter(),
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> Beside[ImportRow]:
    """The imports, the newest first, after one place of the list or before another. Raises
    `InvalidInput` for a cursor that is none."""
    query = (
        select(*_ROW).outerjoin(Person, Person.id == PeopleImport.started_by).where(*_conditions(f))
    )
    return beside(
        query,
        (PeopleImport.id,),
        lambda part: [ImportRow(**row._mapping) for row in db.session.execute(part)],
        lambda row: encode_cursor(row.id),
        after=after,
        before=before,
        limit=limit,
    )


def get_import(import_id: uuid.UUID) -> ImportRow:
    """One import as it stands now. Raises `UnknownImport`."""
    row = db.session.execute(
        select(*_ROW)
        .outerjoin(Person, Person.id == PeopleImport.started_by)
        .where(PeopleImport.id == import_id)
    ).one_or_none()
    if row is None:
        raise service.UnknownImport
    return ImportRow(**row._mapping)


def has_stopped(row: ImportRow) -> bool:
    """Whether an import that began is carried by nobody now; it may be asked to go on."""
    told = {"import_id": str(row.id)}
    return row.is_at_work and not outbox.is_under_way(ASKED, told, though_silent=False)


# --- columns -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnsPage:
    """The titles of a file, the first words under each, and what would be taken of them."""

    titles: list[str]
    examples: dict[str, str]
    choice: Choice

    @property
    def choices(self) -> list[str]:
        return [title for title in self.titles if title not in self.choice.forbidden]


def columns_page(row: ImportRow, mapping: Mapping[str, str] | None = None) -> ColumnsPage:
    """What a person needs to say which column is what; what is never read is not shown either."""
    choice = choose(row.headers, row.mapping if mapping is None else mapping)
    shown = [title for title in row.headers if title not in choice.forbidden]
    return ColumnsPage(row.headers, _examples(row, shown), choice)


def _examples(row: ImportRow, titles: list[str]) -> dict[str, str]:
    try:
        with spool.path_of(row.id).open("rb") as file:
            head = head_of(file)
            if head is None:
                return {}
            records = Records(file, head.separator, offset=head.offset, line=head.line)
            lines = [r.cells for r in islice(records, _FIRST_LINES) if not r.code]
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for at, title in enumerate(row.headers):
        said = [clean(cells[at])[:40] for cells in lines if at < len(cells) and cells[at].strip()]
        if title in titles and said:
            found[title] = said[0]
    return found


# --- lines -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a line: what the directory says, and what the file would have it say."""

    field: Sentence
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a report. `position` is its place there, `line` where it stands in the file."""

    id: uuid.UUID
    position: int
    line: int
    field: str | None
    code: str | None
    value: str | None
    person_id: uuid.UUID | None
    name: str | None
    undo: str | None
    changes: list[Change] = made(default_factory=list)

    @property
    def field_name(self) -> Sentence:
        return words.field_name(self.field)

    @property
    def reason(self) -> Sentence:
        return words.reason(self.code)

    @property
    def undo_reason(self) -> Sentence:
        return words.undo_reason(self.undo)


def phase_of(row: ImportRow) -> str:
    """Whose lines a page shows: those of the dry run until something was written."""
    return CHECK if row.state in states.OPEN else RUN


def list_lines(
    import_id: uuid.UUID,
    phase: str,
    *outcomes: str,
    after: int = 0,
    limit: int = LINES,
    kept: bool = False,
) -> list[LineRow]:
    """The lines of these outcomes in order, after a position; `kept` are those that could not be
    undone."""
    line = PeopleImportLine
    query = (
        select(
            line.id, line.position, line.line, line.field, line.code, line.value, line.person_id,
            Person.name, line.undo, line.before,
        )
        .outerjoin(Person, Person.id == line.person_id)
        .where(
            line.import_id == import_id, line.phase == phase, line.outcome.in_(outcomes),
            line.position > after,
        )
        .order_by(line.position)
        .limit(limit)
    )  # fmt: skip
    if kept:
        query = query.where(line.undo.is_not(None), line.undo != "done")
    names = _entity_names()
    rows = db.session.execute(query).all()
    return [LineRow(*row[:9], _changes(row[9], phase, names)) for row in rows]


def _entity_names() -> dict[str, str]:
    rows = db.session.execute(select(Entity.id, Entity.name).limit(500))
    return {str(id_): name for id_, name in rows}


def _changes(before: str | None, phase: str, entities: Mapping[str, str]) -> list[Change]:
    """What a line of the dry run's sample would write."""
    if phase != CHECK or not before:
        return []
    said: dict[str, list[Any]] = json.loads(before)

    def shown(value: Any) -> str:
        if isinstance(value, str) and is_nowhere(value):
            return str(_("no address"))
        return entities.get(str(value), str(value)) if value is not None else ""

    labels = {**words.FIELDS, "entity_id": words.FIELDS["entity"]}
    return [
        Change(labels.get(name, name), shown(old), shown(new)) for name, (old, new) in said.items()
    ]


def samples(row: ImportRow) -> dict[str, list[LineRow]]:
    """A few lines of each outcome of the dry run, with what changes."""
    return {
        outcome: list_lines(row.id, CHECK, outcome, limit=10)
        for outcome in (CREATED, CHANGED, SAME)
    }


def refused(row: ImportRow, after: int = 0, limit: int = LINES) -> list[LineRow]:
    """The refused lines, and what was left out of others."""
    return list_lines(row.id, phase_of(row), REFUSED, NOTE, after=after, limit=limit)


def all_refused(row: ImportRow) -> Iterator[LineRow]:
    """Every refused line, read a thousand at a time."""
    after = 0
    while lines := refused(row, after, 1_000):
        yield from lines
        after = lines[-1].position


def absent(row: ImportRow, after: int = 0, limit: int = LINES) -> list[LineRow]:
    """The people whom a full file did not speak of and whose departure nobody confirmed."""
    return list_lines(row.id, RUN, ABSENT, after=after, limit=limit)


def not_undone(row: ImportRow, after: int = 0, limit: int = LINES) -> list[LineRow]:
    """The entries that undoing left as they are, with the reason."""
    return list_lines(row.id, RUN, CREATED, CHANGED, after=after, limit=limit, kept=True)
