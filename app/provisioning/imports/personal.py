"""What files of people leave behind, and how it is erased."""

from __future__ import annotations

from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.crypto import CannotDecrypt
from app.db import db, gather
from app.personal_data import PERSON, Names, Subject, deletes, holds, rows
from app.provisioning.imports import spool
from app.provisioning.imports.models import ImportedPerson, PeopleImport, PeopleImportLine

_BRINGING = _l("to bring in those who may be invited, and to undo a file that was wrong")


def _forget_files(session: Session, subject: Subject) -> None:
    """Who started an import is forgotten; and what the files say, see `_search`."""
    session.execute(
        update(PeopleImport).where(PeopleImport.started_by == subject.id).values(started_by=None)
    )


def _search(subjects: list[Subject]) -> None:
    """What names the subjects in files and in refused lines, read once for all of them."""
    names = Names(subjects)
    for file in spool.folder().iterdir():
        blank(file, names)
    for row in db.session.scalars(select(PeopleImport)):
        if names.are_in(row.origin):
            row.origin = "…"
    refused = select(PeopleImportLine).where(
        PeopleImportLine.person_id.is_(None), PeopleImportLine.value.is_not(None)
    )
    for line in db.session.scalars(refused.execution_options(yield_per=500)):
        if _is_about(line, names):
            line.value = None


def blank(file: Path, names: Names) -> None:
    """Overwrite the lines of a file in which somebody is named with spaces, so that the others
    stay where the import looks for them."""
    try:
        with file.open("r+b") as content:
            at = content.tell()
            while line := content.readline():
                if names.are_in(line.decode("utf-8", errors="replace")):
                    content.seek(at)
                    content.write(b" " * len(line.rstrip(b"\r\n")))
                    content.seek(at + len(line))
                at = content.tell()
    except FileNotFoundError:
        return


def _forget_lines(session: Session, subject: Subject) -> None:
    """Lines about the person."""
    session.execute(delete(PeopleImportLine).where(PeopleImportLine.person_id == subject.id))


def _is_about(row: PeopleImportLine, names: Names) -> bool:
    try:
        return row.value is not None and names.are_in(row.value)
    except CannotDecrypt:
        return False


def declare() -> None:
    """Say it."""
    holds(
        "imports.known",
        ImportedPerson,
        title=_l("That a file of your organisation names you"),
        purpose=_BRINGING,
        basis="interest",
        source="employer",
        recipients=("administrators",),
        exports={PERSON: rows(ImportedPerson, ImportedPerson.person_id)},
        erasures={PERSON: deletes(ImportedPerson, ImportedPerson.person_id)},
    )
    holds(
        "imports.lines",
        PeopleImportLine,
        PeopleImport,
        title=_l("What files of your organisation changed in your entry"),
        purpose=_BRINGING,
        basis="interest",
        source="employer",
        recipients=("administrators",),
        exports={
            PERSON: rows(
                PeopleImportLine,
                PeopleImportLine.person_id,
                hides=("id", "import_id", "digest", "before", "position"),
            )
        },
        erasures={PERSON: _erase},
    )


def _erase(session: Session, subject: Subject) -> None:
    _forget_lines(session, subject)
    _forget_files(session, subject)
    gather(_search, subject)
