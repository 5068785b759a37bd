"""What files of people leave behind, and how it is erased."""

from __future__ import annotations

from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.crypto import CannotDecrypt
from app.personal_data import PERSON, Subject, deletes, holds, rows
from app.provisioning.imports import spool
from app.provisioning.imports.models import ImportedPerson, PeopleImport, PeopleImportLine

_BRINGING = _l("to bring in those who may be invited, and to undo a file that was wrong")


def _forget_files(session: Session, subject: Subject) -> None:
    """Lines that name the subject are overwritten with spaces, so that the others stay where the
    import looks for them; who started an import is forgotten."""
    for file in spool.folder().iterdir():
        blank(file, subject)
    session.execute(
        update(PeopleImport).where(PeopleImport.started_by == subject.id).values(started_by=None)
    )
    for row in session.scalars(select(PeopleImport)):
        if subject.is_named_in(row.origin):
            row.origin = "…"


def blank(file: Path, subject: Subject) -> None:
    """Overwrite the lines of a file that name the subject."""
    try:
        with file.open("r+b") as content:
            at = content.tell()
            while line := content.readline():
                if subject.is_named_in(line.decode("utf-8", errors="replace")):
                    content.seek(at)
                    content.write(b" " * len(line.rstrip(b"\r\n")))
                    content.seek(at + len(line))
                at = content.tell()
    except FileNotFoundError:
        return


def _forget_lines(session: Session, subject: Subject) -> None:
    """Lines about the person, and lines that were refused and name them."""
    session.execute(delete(PeopleImportLine).where(PeopleImportLine.person_id == subject.id))
    query = select(PeopleImportLine).where(
        PeopleImportLine.person_id.is_(None), PeopleImportLine.value.is_not(None)
    )
    for row in session.scalars(query.execution_options(yield_per=500)):
        if _is_named(row, subject):
            row.value = None


def _is_named(row: PeopleImportLine, subject: Subject) -> bool:
    try:
        return row.value is not None and subject.is_named_in(row.value)
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
