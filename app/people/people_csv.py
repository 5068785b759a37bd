"""Reading people from a CSV file of an HR tool: new entries and changes, never departures.

Separated by semicolons, commas or tabs, in UTF-8 (with or without its mark) or windows-1252,
with French or English column names. Columns that are not needed are named and dropped
before anything is written (rule M4). A line with a fault is reported by its number and left
out; the others go on. The same file read twice changes nothing the second time.
"""

from __future__ import annotations

import csv
import io
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.config import LANGUAGES
from app.db import transaction
from app.errors import DomainError, InvalidInput
from app.people.directory import Profile, add_person, update_person
from app.people.errors import Departed, check_form
from app.people.models import Person
from app.people.queries import person_by_email, person_by_employee_id
from app.people.text import one_line

COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "full name", "nom complet", "nom et prenom", "prenom et nom"),
    "given": ("first name", "given name", "firstname", "prenom"),
    "family": ("last name", "family name", "surname", "lastname", "nom", "nom de famille"),
    "email": (
        "email", "e-mail", "mail", "work email", "courriel", "courriel professionnel",
        "adresse mail", "adresse e-mail", "adresse electronique", "email professionnel",
    ),
    "employee_id": ("employee id", "employee number", "employee_id", "matricule"),
    "department": ("department", "service", "departement", "direction"),
    "site": ("site", "location", "etablissement", "lieu"),
    "job_title": ("job title", "title", "job_title", "poste", "fonction", "intitule de poste"),
    "language": ("language", "langue"),
    "kind": ("kind", "type"),
}  # fmt: skip
KIND_WORDS = {
    "": "employee", "employee": "employee", "salarie": "employee", "salariee": "employee",
    "collaborateur": "employee", "collaboratrice": "employee", "alumni": "alumni",
    "ancien": "alumni", "ancienne": "alumni", "partner": "partner", "partenaire": "partner",
}  # fmt: skip
LANGUAGE_WORDS = {"francais": "fr", "french": "fr", "anglais": "en", "english": "en"}
BATCH = 200

Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line; lines are counted from 1, the header included."""

    line: int
    sentence: str


@dataclass(slots=True)
class ImportReport:
    """What became of a file."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    ignored_columns: list[str] = field(default_factory=list)
    faults: list[LineFault] = field(default_factory=list)


def _plain(text: str) -> str:
    """Lower case, without accents, one space between words."""
    letters = unicodedata.normalize("NFKD", text)
    kept = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(kept.replace("_", " ").lower().split())


_FIELD_OF = {_plain(word): name for name, words in COLUMNS.items() for word in words}


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _separator(header: str) -> str:
    return max(";,\t", key=header.count)


def _lines(text: str, report: ImportReport) -> Iterator[tuple[int, Line]]:
    """Each line as the fields we know, with its number in the file."""
    separator = _separator(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    titles = _first(reader)
    header = [_FIELD_OF.get(_plain(title)) for title in titles]
    report.ignored_columns = [t for t, known in zip(titles, header, strict=True) if known is None]
    _require(header)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            report.faults.append(LineFault(number, _("This line cannot be read.")))
            continue
        if any(cell.strip() for cell in cells):
            pairs = zip(header, cells, strict=False)
            yield number, {name: one_line(cell) for name, cell in pairs if name}


def _first(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader, [])
    except csv.Error:
        return []


def _require(header: list[str | None]) -> None:
    if "email" not in header or not {"name", "given", "family"} & {*header}:
        raise check_form(
            {"file": _l("The first line must name the columns, among them the name and the email.")}
        )


def _profile(line: Line, before: Profile | None, language: str) -> Profile:
    """The line over what is known: a column that is not there changes nothing."""
    known = before or Profile("employee", "", "", language=language)
    name = line.get("name") or " ".join(
        part for part in (line.get("given"), line.get("family")) if part
    )
    return replace(
        known,
        name=name or known.name,
        email=line.get("email") or known.email,
        kind=_kind(line["kind"]) if line.get("kind") else known.kind,
        language=_language(line["language"]) if line.get("language") else known.language,
        employee_id=line.get("employee_id") or known.employee_id,
        **{key: line[key] or None for key in ("department", "site", "job_title") if key in line},
    )


def _kind(word: str) -> str:
    return KIND_WORDS.get(_plain(word), word)


def _language(word: str) -> str:
    code = LANGUAGE_WORDS.get(_plain(word), _plain(word)[:2])
    return code if code in LANGUAGES else word


def _known(line: Line) -> Person | None:
    """By employee number first; an address may have changed."""
    number = line.get("employee_id")
    if number and (person := person_by_employee_id(number)):
        return person
    person = person_by_email(line.get("email", ""))
    # Another number at the same address: a newcomer, or a fault that the entry will tell.
    return None if person is not None and number and person.employee_id else person


def _take(line: Line, language: str, actor_id: uuid.UUID | None, report: ImportReport) -> None:
    person = _known(line)
    if person is None:
        new = _profile(line, None, language)
        add_person(
            kind=new.kind, name=new.name, email=new.email, employee_id=new.employee_id,
            language=new.language, department=new.department, site=new.site,
            job_title=new.job_title, actor_id=actor_id,
        )  # fmt: skip
        report.created += 1
        return
    if person.departed_at is not None:
        raise Departed
    profile = _profile(line, Profile.of(person), language)
    if update_person(person.id, profile, actor_id=actor_id):
        report.changed += 1
    else:
        report.unchanged += 1


def _sentence(error: DomainError) -> str:
    if isinstance(error, InvalidInput) and error.errors:
        return " ".join(str(s) for sentences in error.errors.values() for s in sentences)
    return str(error.sentence)


def import_people(
    data: bytes, *, language: str = LANGUAGES[0], actor_id: uuid.UUID | None = None
) -> ImportReport:
    """Take every line of a file; `language` is for those whose line gives none.

    Raises `InvalidInput` on the field `file` where it has no usable header. Kept in batches,
    so that an interrupted import can simply be run again.
    """
    report = ImportReport()
    lines = _lines(_text(data), report)
    while batch := list(islice(lines, BATCH)):
        with transaction():
            for number, line in batch:
                try:
                    _take(line, language, actor_id, report)
                except DomainError as error:
                    report.faults.append(LineFault(number, _sentence(error)))
    report.faults.sort(key=lambda fault: fault.line)
    return report
