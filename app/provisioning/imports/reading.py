"""From the cells of a line to what the directory would say of a person.

Every value is data: one line of NFC text without invisible characters. What cannot be read for
sure refuses its line; nothing is guessed. Of several faults the first column's is told.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.config import LANGUAGES
from app.people.models import KINDS
from app.people.text import is_nowhere, is_usable, normal_address
from app.provisioning.imports.columns import plain
from app.provisioning.imports.lines import Record

TEXTS: Final[Mapping[str, int]] = {
    "name": 200, "employee_id": 80, "job_title": 200, "department": 200, "site": 200,
    "function": 200, "contract": 80,
}  # fmt: skip
"""Words and how many characters the directory keeps of each."""

KIND_WORDS: Final = {
    "employee": "employee", "salarie": "employee", "salariee": "employee", "interne": "employee",
    "collaborateur": "employee", "collaboratrice": "employee", "alumni": "alumni",
    "ancien": "alumni", "ancienne": "alumni", "partner": "partner", "partenaire": "partner",
}  # fmt: skip
LANGUAGE_WORDS: Final = {
    "francais": "fr", "french": "fr", "fra": "fr", "fre": "fr",
    "anglais": "en", "english": "en", "eng": "en",
}  # fmt: skip

_SPOILT: Final = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
_DATE: Final = re.compile(
    r"(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})[-/.](?P<m2>\d{1,2})[-/.](?P<y2>\d{4}))(?:[ T][\d:.]+Z?)?"
)
_FOR_EVER: Final = 9000
_YEARS: Final = range(1900, 2200)


class Fault(Exception):
    """A cell cannot be taken. `field` is which, `code` why."""

    def __init__(self, field: str, code: str, value: str = "") -> None:
        super().__init__(code)
        self.field, self.code, self.value = field, code, value


@dataclass(slots=True)
class Entry:
    """A line as it was read. `values` hold only what the file's columns speak of, under the
    names of `Person`; `entity` is a code, `manager` an employee number. `fault` refuses it."""

    position: int
    line: int
    values: dict[str, object] = field(default_factory=dict)
    entity: str = ""
    manager: str = ""
    fault: Fault | None = None

    @property
    def employee_id(self) -> str:
        return str(self.values.get("employee_id") or "")

    @property
    def email(self) -> str:
        return str(self.values.get("email") or "")


def clean(cell: str) -> str:
    """One line of visible text in NFC; marks of direction and of no width are gone."""
    if not cell.isascii():
        cell = unicodedata.normalize("NFC", cell)
        cell = "".join(c for c in cell if unicodedata.category(c) != "Cf")
    if not cell.isprintable():
        cell = "".join(c if c.isprintable() else " " for c in cell)
    return " ".join(cell.split())


class Reader:
    """Reads the lines of one file, whose columns serve the fields named in `mapping`."""

    def __init__(self, titles: Sequence[str], mapping: Mapping[str, object]) -> None:
        place = {title: number for number, title in enumerate(titles)}
        self._columns = [(name, place[str(title)]) for name, title in mapping.items()]
        self._width = len(titles)

    def read(self, position: int, record: Record) -> Entry:
        """One record as an entry, with a fault where it has one."""
        entry = Entry(position, record.line)
        try:
            if record.code:
                raise Fault("", record.code)
            self._take(entry, record.cells)
        except Fault as fault:
            entry.fault = fault
        return entry

    def _take(self, entry: Entry, cells: list[str]) -> None:
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            raise Fault("", "too-many-cells")
        found = {n: clean(cells[at]) if at < len(cells) else "" for n, at in self._columns}
        entry.entity, entry.manager = found.pop("entity", ""), found.pop("manager", "")
        # How the person is recognised comes first: a line that is refused still names somebody.
        self._recognition(entry, found)
        self._words(entry, found)
        self._dates(entry, found)

    def _recognition(self, entry: Entry, found: dict[str, str]) -> None:
        number, address = found.pop("employee_id", ""), found.pop("email", "")
        if is_nowhere(normal_address(address)):
            address = ""
        if number:
            entry.values["employee_id"] = number
        if address:
            entry.values["email"] = normal_address(address)
        if _SPOILT.fullmatch(number):
            raise Fault("employee_id", "number-spoilt", number)
        if len(number) > TEXTS["employee_id"]:
            raise Fault("employee_id", "too-long", number)
        if address and not is_usable(entry.email):
            raise Fault("email", "bad-address", address)

    def _words(self, entry: Entry, found: dict[str, str]) -> None:
        parts = (found.pop("given", ""), found.pop("family", ""))
        if name := found.pop("name", "") or " ".join(filter(None, parts)):
            entry.values["name"] = name
        if word := found.pop("kind", ""):
            entry.values["kind"] = _kind(word)
        if word := found.pop("language", ""):
            entry.values["language"] = _language(word)
        for name in TEXTS:
            if name in found:
                entry.values[name] = found[name] or None
            if len(str(entry.values.get(name) or "")) > TEXTS[name]:
                raise Fault(name, "too-long", str(entry.values[name]))

    def _dates(self, entry: Entry, found: dict[str, str]) -> None:
        for name in ("hired_on", "ends_on"):
            if name in found:
                entry.values[name] = _date(name, found[name])
        first, last = entry.values.get("hired_on"), entry.values.get("ends_on")
        if isinstance(first, dt.date) and isinstance(last, dt.date) and last < first:
            raise Fault("ends_on", "dates-crossed", last.isoformat())


def _kind(word: str) -> str:
    kind = KIND_WORDS.get(plain(word))
    if kind not in KINDS:
        raise Fault("kind", "unknown-kind", word)
    return str(kind)


def _language(word: str) -> str:
    bare = plain(word)
    code = LANGUAGE_WORDS.get(bare, re.split(r"[-_ ]", bare)[0])
    if code not in LANGUAGES:
        raise Fault("language", "unknown-language", word)
    return code


def _date(name: str, text: str) -> dt.date | None:
    """A day, written as in France or as ISO; far away is never."""
    if not text:
        return None
    found = _DATE.fullmatch(text)
    if found is None:
        raise Fault(name, "bad-date", text)
    year, month, day = (int(found[k] or found[f"{k}2"]) for k in ("y", "m", "d"))
    if year >= _FOR_EVER:
        return None
    try:
        if year not in _YEARS:
            raise ValueError(year)
        return dt.date(year, month, day)
    except ValueError:
        raise Fault(name, "bad-date", text) from None
