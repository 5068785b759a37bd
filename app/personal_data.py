"""What is known about people, declared by whoever keeps it.

Each feature says beside its tables, once: what they hold about whom, why, on which ground, from
where, who receives it, how it is exported, and what an erasure does to it. The page "My data",
erasure and the registers read the same declarations, so they cannot drift apart; a test walks
the models and fails on a personal table that no declaration names.

A *subject* is a person of the directory or a candidate. This module knows no table: a
declaration brings its models along.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import Sentence
from app.retention import Retention

PERSON: Final = "person"
CANDIDATE: Final = "candidate"

BASES: Final[Mapping[str, Sentence]] = {
    "contract": _l("what you asked for by taking part (GDPR, article 6.1.b)"),
    "application": _l("recruitment, at your request (GDPR, article 6.1.b)"),
    "consent": _l("your consent, which you may take back (GDPR, article 6.1.a)"),
    "interest": _l("the organisation’s legitimate interest (GDPR, article 6.1.f)"),
    "law": _l("a duty of the law (GDPR, article 6.1.c)"),
}
SOURCES: Final[Mapping[str, Sentence]] = {
    "you": _l("you"),
    "employer": _l("your organisation’s directory"),
    "use": _l("what you do here"),
    "provider": _l("the organisation’s identity provider"),
    "network": _l("the network you connected"),
    "recruiters": _l("the recruiting team and its tracking system"),
    "colleagues": _l("a colleague who acts for the organisation"),
}
RECIPIENTS: Final[Mapping[str, Sentence]] = {
    "you": _l("you alone"),
    "administrators": _l("the administrators"),
    "recruiters": _l("the recruiting team"),
    "hr": _l("human resources, who hand rewards over"),
    "team": _l("the programme’s team"),
    "colleagues": _l("colleagues, as far as you agreed to be named"),
    "referrer": _l("whoever recommended you, as far as you allow"),
    "network": _l("the network you post on"),
    "public": _l("whoever opens your link"),
    "auditors": _l("auditors, without names"),
}

Row = dict[str, object]
"""One record: names of fields and values that JSON can hold."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data are erased. `marks`: the texts that name them (address, name, number, phone),
    for what can only be searched. `asked_by`: on whose wish,
    one of the codes of `app.rights`."""

    kind: str
    id: uuid.UUID
    marks: tuple[str, ...] = ()
    asked_by: str = ""


class Names:
    """The texts that name some subjects, for a look through what can only be searched."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self._marks = {mark.casefold() for subject in subjects for mark in subject.marks}

    def are_in(self, text: str) -> bool:
        """Whether one of them stands in a text, in whatever case."""
        folded = text.casefold()
        return any(mark in folded for mark in self._marks)


Export = Callable[[Session, uuid.UUID], Iterable[Row]]
Erase = Callable[[Session, Subject], None]


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of data about people.

    `exports` and `erasures` are by kind of subject; a kind without an erasure keeps its rows,
    and `stays` says why. `tables` are models: their retention stands beside them; `in_files` is
    the retention of what lies in files.
    """

    key: str
    title: Sentence
    purpose: Sentence
    basis: str
    source: str
    recipients: tuple[str, ...]
    tables: tuple[type[Any], ...]
    exports: Mapping[str, Export] = field(default_factory=dict)
    erasures: Mapping[str, Erase] = field(default_factory=dict)
    stays: Sentence | None = None
    in_files: Retention | None = None

    @property
    def retention(self) -> Retention | None:
        """The class of the first table, or of the files where there is no table."""
        found: Retention | None = self.tables[0].__retention__ if self.tables else self.in_files
        return found


_holdings: dict[str, Holding] = {}
_identify: dict[str, Callable[[Session, uuid.UUID], tuple[str, ...] | None]] = {}
_first: dict[str, Erase] = {}


def holds(
    key: str,
    *tables: type[Any],
    title: Sentence,
    purpose: Sentence,
    basis: str,
    source: str,
    recipients: Collection[str],
    exports: Mapping[str, Export] | None = None,
    erasures: Mapping[str, Erase] | None = None,
    stays: Sentence | None = None,
    in_files: Retention | None = None,
) -> Holding:
    """Declare what is kept about people under `key` (`<feature>.<what>`); said again, it
    replaces what was said before. Raises `ValueError` for an unknown code."""
    unknown = {basis} - {*BASES} | {source} - {*SOURCES} | {*recipients} - {*RECIPIENTS}
    if unknown:
        raise ValueError(f"{key} names what is not declared: {', '.join(sorted(unknown))}")
    made = Holding(
        key, title, purpose, basis, source, tuple(recipients), tables,
        dict(exports or {}), dict(erasures or {}), stays, in_files,
    )  # fmt: skip
    _holdings[key] = made
    return made


def holdings(kind: str | None = None) -> list[Holding]:
    """Every declaration in the order it was made; with `kind`, those about such subjects."""
    found = list(_holdings.values())
    return found if kind is None else [h for h in found if kind in h.exports or kind in h.erasures]


def identified_by(
    kind: str, marks: Callable[[Session, uuid.UUID], tuple[str, ...] | None], first: Erase
) -> None:
    """Say which texts name a subject, and what ends for them before anything is erased. `marks`
    gives None for one who is not here, or was erased already."""
    _identify[kind], _first[kind] = marks, first


def identify(
    session: Session, kind: str, subject_id: uuid.UUID, *, asked_by: str = ""
) -> Subject | None:
    """The subject with the texts that name them; None where there is nobody to erase."""
    marks = _identify[kind](session, subject_id)
    if marks is None:
        return None
    kept = tuple(sorted({mark.strip() for mark in marks if len(mark.strip()) > 2}))
    return Subject(kind, subject_id, kept, asked_by)


def erase_all(session: Session, subject: Subject) -> None:
    """What ends first, then every declaration's part, from the top of the house down: who uses
    a row lets go of it before its owner. Inside a transaction."""
    _first[subject.kind](session, subject)
    for holding in reversed(holdings(subject.kind)):
        if part := holding.erasures.get(subject.kind):
            part(session, subject)


# --- parts for declarations --------------------------------------------------------------


def rows(
    model: type[Any],
    *mine: InstrumentedAttribute[Any],
    hides: Collection[str] = (),
    order: InstrumentedAttribute[Any] | None = None,
) -> Export:
    """Rows of a model of which one of `mine` is the subject, without the columns in `hides`
    (secrets, and who else is concerned) and those that only repeat the subject's own number."""
    left_out = {*hides, *(column.key for column in mine)}
    names = [c.key for c in inspect(model).column_attrs if c.key not in left_out]

    def export(session: Session, subject_id: uuid.UUID) -> Iterable[Row]:
        condition: ColumnElement[bool] = mine[0] == subject_id
        for column in mine[1:]:
            condition = condition | (column == subject_id)
        query = (
            select(*(getattr(model, name) for name in names))
            .where(condition)
            .order_by(order if order is not None else inspect(model).primary_key[0])
            .execution_options(yield_per=500)
        )
        for row in session.execute(query):
            yield {name: plain(value) for name, value in zip(names, row, strict=True)}

    return export


def deletes(model: type[Any], mine: InstrumentedAttribute[Any]) -> Erase:
    """Delete the subject's rows of a model."""

    def erase(session: Session, subject: Subject) -> None:
        session.execute(
            delete(model).where(mine == subject.id),
            execution_options={"synchronize_session": "fetch"},
        )

    return erase


def both(*parts: Erase) -> Erase:
    """One erasure after the other."""

    def erase(session: Session, subject: Subject) -> None:
        for part in parts:
            part(session, subject)

    return erase


def plain(value: object) -> object:
    """A value as JSON has it: identifiers as text, instants in RFC 3339."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value
