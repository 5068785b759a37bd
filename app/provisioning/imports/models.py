"""Files that brought people in: the runs, what became of each line, who came by file."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Encrypted, JSONDict, Model, primary_key, utc_column


class PeopleImport(Model):
    """One file, from its upload to its undoing.

    `state` is one of `states.ALL`; `phase` says which part of the work is under way. `done` lines
    are dealt with, up to byte `offset` of the file, line `at_line`. `headers` are the titles of
    the columns, made unique; `mapping` says which field each serves. `foreseen` are the counts
    of the dry run. The file itself stands in the data folder until `file_gone_at`.
    """

    __tablename__ = "people_import"
    __retention__ = retention.SECURITY_LOG
    __table_args__ = (Index("ix_people_import_state", "state"),)

    id: Mapped[uuid.UUID] = primary_key()
    origin: Mapped[str] = mapped_column(String(200))
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    phase: Mapped[str] = mapped_column(String(20), default="")
    error: Mapped[str | None] = mapped_column(String(60))
    separator: Mapped[str] = mapped_column(String(1))
    headers: Mapped[list[str]]
    header_key: Mapped[str] = mapped_column(String(64))
    mapping: Mapped[JSONDict]
    ignored_columns: Mapped[list[str]]
    language: Mapped[str] = mapped_column(String(5))
    is_full: Mapped[bool] = mapped_column(default=False)
    size: Mapped[int]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    offset: Mapped[int] = mapped_column(default=0)
    at_line: Mapped[int] = mapped_column(default=0)
    foreseen: Mapped[JSONDict | None]
    created_count: Mapped[int] = mapped_column(default=0)
    changed_count: Mapped[int] = mapped_column(default=0)
    same_count: Mapped[int] = mapped_column(default=0)
    refused_count: Mapped[int] = mapped_column(default=0)
    source_count: Mapped[int] = mapped_column(default=0)
    absent_count: Mapped[int] = mapped_column(default=0)
    departed_count: Mapped[int] = mapped_column(default=0)
    undone_count: Mapped[int] = mapped_column(default=0)
    kept_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = utc_column(index=True)
    finished_at: Mapped[dt.datetime | None]
    undone_at: Mapped[dt.datetime | None]
    file_gone_at: Mapped[dt.datetime | None]


class PeopleImportLine(Model):
    """What became of one line of a file, or of one person because of it.

    `phase` is "check" (the dry run) or "run". `position` counts lines with content from 1,
    `line` is where it stands in the file. `before` holds, as JSON, what was there before, and
    with `digest` (of what the import wrote) lets the line be undone; `undo` says what became of
    that. Written encrypted, and gone after thirty days.
    """

    __tablename__ = "people_import_line"
    __retention__ = retention.IMPORT_REPORT
    __table_args__ = (
        Index("ix_people_import_line_outcome", "import_id", "phase", "outcome", "position"),
        Index("ix_people_import_line_position", "import_id", "phase", "position"),
        Index("ix_people_import_line_person", "person_id", "import_id"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    import_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people_import.id"))
    phase: Mapped[str] = mapped_column(String(5))
    position: Mapped[int]
    line: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(12))
    field: Mapped[str | None] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(40))
    value: Mapped[str | None] = mapped_column(Encrypted)
    person_id: Mapped[uuid.UUID | None]
    before: Mapped[str | None] = mapped_column(Encrypted)
    digest: Mapped[str | None] = mapped_column(String(32))
    undo: Mapped[str | None] = mapped_column(String(10))


class ImportedPerson(Model):
    """A person whom a file brought or knew, and the first file that did: absence from a full
    file speaks of these people only."""

    __tablename__ = "imported_person"
    __retention__ = retention.DIRECTORY
    __table_args__ = (Index("ix_imported_person_import", "import_id"),)

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    import_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("people_import.id"))


class ImportMapping(Model):
    """The columns as they were chosen the last time for a file with the same titles."""

    __tablename__ = "import_mapping"
    __retention__ = retention.PROGRAMME

    header_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    mapping: Mapped[JSONDict]
    updated_at: Mapped[dt.datetime] = utc_column()
