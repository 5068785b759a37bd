"""What an import says, code by code: kept as codes, put into words when somebody reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.errors import Sentence

FIELDS: Final[Mapping[str, Sentence]] = {
    "employee_id": _l("Employee number"),
    "entity": _l("Code of the entity"),
    "given": _l("First name"),
    "family": _l("Last name"),
    "name": _l("Whole name"),
    "email": _l("Email"),
    "kind": _l("Kind of person"),
    "language": _l("Language"),
    "department": _l("Department"),
    "site": _l("Site"),
    "job_title": _l("Job title"),
    "function": _l("Family of trades"),
    "contract": _l("Kind of contract"),
    "hired_on": _l("First day"),
    "ends_on": _l("Last day"),
    "manager": _l("Employee number of the manager"),
}
"""What the columns of a file may be, in the order of the page that maps them."""

FAULTS: Final[Mapping[str, Sentence]] = {
    "empty": _l("This file holds nothing."),
    "too-large": _l("This file is larger than 100 MB."),
    "too-many-lines": _l("This file holds more than 200,000 lines. Divide it."),
    "not-a-table": _l("This is no table. Save it as CSV (UTF-8) or as an XLSX workbook."),
    "bad-workbook": _l("This workbook cannot be read. Save it once more, or as CSV (UTF-8)."),
    "workbook-too-large": _l("This workbook takes too long to read. Save it as CSV (UTF-8)."),
    "no-header": _l(
        "The first line must name the columns, among them the name, and the employee number or "
        "the email."
    ),
    "missing-column": _l(
        "Say which column holds the name, and which one the employee number or the email."
    ),
    "file-gone": _l("The file was kept for a day and is deleted. Choose it again."),
}
"""Why a file as a whole cannot be used."""

REASONS: Final[Mapping[str, Sentence]] = {
    "line-too-long": _l("This line is longer than any line about one person."),
    "quote-not-closed": _l("A quotation mark is opened here and never closed."),
    "unreadable": _l("This line cannot be read."),
    "too-many-cells": _l("This line has more cells than the first line has columns."),
    "number-spoilt": _l(
        "A spreadsheet has shortened this number. Keep the column as text and export again."
    ),
    "too-long": _l("This is longer than the directory keeps."),
    "bad-address": _l("This is no mail address such as name@company.org."),
    "bad-date": _l("This is no date such as 31/12/2026 or 2026-12-31."),
    "dates-crossed": _l("The last day comes before the first day."),
    "unknown-kind": _l("This is none of: employee, former employee, partner."),
    "unknown-language": _l("This is none of the languages: French, English."),
    "unknown-entity": _l("There is no entity of this code in the settings."),
    "other-entity": _l(
        "Somebody of another entity has this number and another address. Two people share it."
    ),
    "missing-address": _l("The employee number and the email are missing. One of them is needed."),
    "missing-name": _l("The name is missing."),
    "twice": _l("A line before this one is about the same person."),
    "address-taken": _l("Somebody else has this address already."),
    "another-person": _l(
        "The number or the address belongs to somebody of another name. If it is the same"
        " person, change their name in the directory first."
    ),
    "departed": _l("This person has left the organisation."),
    "ended": _l("The last day has passed, and this person is not in the directory."),
    "conflict": _l("Somebody else changed this person at the same moment. Import the line again."),
    "manager-unknown": _l("Nobody has the employee number of this manager. It was left as it was."),
    "admin": _l("Administrators are never proposed by a file."),
}
"""Why a line was refused, or what was left out of it."""

UNDO: Final[Mapping[str, Sentence]] = {
    "since": _l("The person has joined or changed since."),
    "taken": _l("The address or the number they had belongs to somebody else now."),
    "spoken-of": _l("Something else refers to this person now."),
}
"""Why a line could not be undone. Whether somebody joined is not told apart (rule W2)."""


def fault(code: str | None) -> Sentence:
    return FAULTS.get(code or "") or FAULTS["no-header"]


def reason(code: str | None) -> Sentence:
    return REASONS.get(code or "", code or "")


def undo_reason(code: str | None) -> Sentence:
    return UNDO.get(code or "", "")


def field_name(name: str | None) -> Sentence:
    """The field as pages call it; nothing for a fault of the whole line."""
    return FIELDS.get(name or "", "")
