"""What follows from a directory entry and is kept beside it: its words and its place in the
counters, written in the flush that writes the entry, whoever changes it.

Entries written past the session (`insert(Person)`, `update(Person)`) are told by `entered` and
`left`, or found by `tallies.reconcile`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from app import outbox
from app.db import db, transaction
from app.people import tallies
from app.people.models import Person
from app.people.search import forget_words, keep_words

_WORDED: Final = ("name", "email", "employee_id")
_WATCHED: Final = (*_WORDED, *tallies.FIELDS, "departed_at")
_COLUMNS: Final = (Person.id, *(getattr(Person, name) for name in _WATCHED))
_BEFORE: Final = "people.before"


def entered(people: Iterable[Any]) -> None:
    """Count and word people whose rows were written past the session; each has the directory's
    columns as attributes. Inside a transaction."""
    people = list(people)
    with transaction() as session:
        keep_words(session, people)
        tallies.note(session, (), map(tallies.cell_of, people))


def left(people: Iterable[Any]) -> None:
    """The opposite of `entered`, before the rows are changed or deleted past the session."""
    people = list(people)
    with transaction() as session:
        forget_words(session, [person.id for person in people])
        tallies.note(session, map(tallies.cell_of, people), ())


def _rows(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Any]:
    if not ids:
        return {}
    found = session.connection().execute(select(*_COLUMNS).where(Person.id.in_(ids)))
    return {row.id: row for row in found}


def _key(person: Person) -> uuid.UUID:
    identity = inspect(person).identity
    return identity[0] if identity else person.id


def _is_touched(person: Person) -> bool:
    state = inspect(person)
    return any(state.attrs[name].history.has_changes() for name in _WATCHED)


def _words_differ(person: Person, row: Any) -> bool:
    return any(getattr(person, name) != getattr(row, name) for name in _WORDED)


def _before_flush(session: Session, *_: object) -> None:
    """What the database says of those who change or go, before it says something else."""
    changed = {_key(p): p for p in session.dirty if isinstance(p, Person) and _is_touched(p)}
    gone = {_key(p) for p in session.deleted if isinstance(p, Person)}
    before = _rows(session, [*changed, *gone])
    reworded = {
        key for key, p in changed.items() if key in before and _words_differ(p, before[key])
    }
    forget_words(session, reworded | gone)
    session.info[_BEFORE] = before, gone, reworded


def _after_flush(session: Session, *_: object) -> None:
    before, gone, reworded = session.info.pop(_BEFORE, ({}, set(), set()))
    new = [p for p in session.new if isinstance(p, Person)]
    if not new and not before:
        return
    changed = [p for p in session.dirty if isinstance(p, Person) and _key(p) in before]
    keep_words(session, [*new, *(p for p in changed if _key(p) in reworded)])
    now = [tallies.cell_of(p) for p in [*new, *changed] if _key(p) not in gone]
    tallies.note(session, map(tallies.cell_of, before.values()), now)


@outbox.on("periodic.people.count", "people.count")
def fold_counts() -> None:
    """Sum what changes of the directory left in the counters."""
    tallies.fold_cells()


@outbox.on("periodic.people.reconcile", "people.reconcile", outside=True, timeout=600)
def reconcile() -> None:
    """Every night: the counters and words of what was written past the services."""
    tallies.reconcile_cells()
    tallies.reconcile_words()
    tallies.fold_cells()


def start() -> None:
    """Listen to every session of the product, once a process."""
    if not event.contains(db.session, "before_flush", _before_flush):
        event.listen(db.session, "before_flush", _before_flush)
        event.listen(db.session, "after_flush", _after_flush)
