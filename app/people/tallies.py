"""How many present people a rule finds, without looking at them.

What rules ask about takes few combinations, however many people there are: `DirectoryCell` holds
how many people share each. Whatever changes an entry writes what it adds and takes away, in its
own transaction and without touching a row of anybody else, so nobody waits for a counter; `fold`
sums the rows from time to time. A count is a sum over the rows that fit, exact at every moment.

Two things are not in the cells: days of hiring, which would make one cell for each person, and
lists. Those are counted in the directory by their index.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.db import db, new_id, transaction
from app.people import segment_rules
from app.people.models import DirectoryCell, Person, PersonWord, Segment
from app.people.search import PeopleFilter, forget_words, keep_words, rows_of
from app.people.segment_rules import Rule
from app.people.segments import kept_rule
from app.people.text import one_line
from app.web.pages import local_today

FIELDS: Final = (
    "site", "department", "language", "contract", "function", "kind", "entity_id",
)  # fmt: skip
_CELL: Final = tuple(getattr(DirectoryCell, name) for name in FIELDS)
_BATCH: Final = 1_000

Cell = tuple[Any, ...]


def cell_of(person: Any) -> Cell | None:
    """The combination a person counts in; None once they departed."""
    if person.departed_at is not None:
        return None
    return tuple(getattr(person, name) for name in FIELDS)


def note(session: Session, before: Iterable[Cell | None], after: Iterable[Cell | None]) -> None:
    """Write what a change takes away and adds."""
    changed: Counter[Cell] = Counter(cell for cell in after if cell is not None)
    changed.subtract(cell for cell in before if cell is not None)
    _write(session, {cell: n for cell, n in changed.items() if n}, is_folded=False)


def _write(session: Session, people: Mapping[Cell, int], *, is_folded: bool) -> None:
    rows = [
        dict(zip(FIELDS, cell, strict=True)) | {"id": new_id(), "people": n, "is_folded": is_folded}
        for cell, n in people.items()
    ]
    if rows:
        session.connection().execute(insert(DirectoryCell), rows)


def fold_cells() -> bool:
    """Sum the rows of each combination into one; False when none was added since the last time.
    Two at once take different rows, so nothing is counted twice."""
    added = exists().where(DirectoryCell.is_folded.is_(False))
    if not db.session.scalar(select(added)):
        return False
    with transaction() as session:
        taken = session.connection().execute(
            delete(DirectoryCell).returning(*_CELL, DirectoryCell.people)
        )
        sums: Counter[Cell] = Counter()
        for *cell, people in taken:
            sums[tuple(cell)] += people
        _write(session, {cell: n for cell, n in sums.items() if n}, is_folded=True)
    return True


# --- counting ----------------------------------------------------------------------------


def count_rule(rule: Rule) -> int:
    """How many present people a rule finds."""
    return count_rules({uuid.UUID(int=0): rule})[uuid.UUID(int=0)]


def count_rules(rules: Mapping[uuid.UUID, Rule]) -> dict[uuid.UUID, int]:
    """The same for some rules by their segments, in at most two statements."""
    found: dict[uuid.UUID, int] = {}
    for table, needs_dates in ((DirectoryCell, False), (Person, True)):
        asked = [key for key, rule in rules.items() if rule.needs_dates is needs_dates]
        if asked:
            fits = [segment_rules.compiled(rules[key], table, local_today()) for key in asked]
            query = select(*(_people(table, each) for each in fits)).select_from(table)
            query = query.where(or_(*fits), *_present(table))
            found |= dict(zip(asked, db.session.execute(query).one(), strict=True))
    return found


def _people(table: Any, fits: ColumnElement[bool]) -> ColumnElement[int]:
    """The sum over the rows that fit: every row of the directory is one person."""
    each = DirectoryCell.people if table is DirectoryCell else literal(1)
    return func.coalesce(func.sum(case((fits, each), else_=0)), 0)


def _present(table: Any) -> list[ColumnElement[bool]]:
    return [Person.departed_at.is_(None)] if table is Person else []


def count_found(f: PeopleFilter) -> int | None:
    """How many people a list of the directory shows, where the counters know: those present,
    without words, by fields and by a rule without dates. None for other lists."""
    if f.q or f.state != "present":
        return None
    rules: list[Rule | None] = []
    if f.segment_id is not None:
        rules.append(_rule_of(f.segment_id))
    limits = [_rule_of(key) for key in f.within or ()]
    if any(rule is None or rule.needs_dates for rule in (*rules, *limits)):
        return None
    day = local_today()
    fits = [segment_rules.compiled(rule, DirectoryCell, day) for rule in rules if rule]
    if f.within is not None:
        parts = [segment_rules.compiled(rule, DirectoryCell, day) for rule in limits if rule]
        fits.append(or_(false(), *parts))
    said = {name: one_line(getattr(f, name)) for name in ("site", "department", "kind")}
    fits += [getattr(DirectoryCell, name) == value for name, value in said.items() if value]
    sums = select(func.coalesce(func.sum(DirectoryCell.people), 0)).where(*fits)
    return db.session.scalar(sums) or 0


def _rule_of(segment_id: uuid.UUID) -> Rule | None:
    raw: object = db.session.scalar(select(Segment.rule).where(Segment.id == segment_id))
    return kept_rule(raw)


def count_everybody() -> int:
    """How many people are present."""
    return db.session.scalar(select(func.coalesce(func.sum(DirectoryCell.people), 0))) or 0


def shares(rule: Rule, field: str, most: int = 5) -> list[tuple[str, int]]:
    """Where the present people of a rule stand in one field of the directory: the most frequent
    values with their number, '' for those of whom nothing is said."""
    table: Any = Person if rule.needs_dates else DirectoryCell
    column = getattr(table, field)
    people: ColumnElement[int] = (
        func.count() if rule.needs_dates else func.sum(DirectoryCell.people)
    )
    query = (
        select(func.coalesce(column, ""), people)
        .where(segment_rules.compiled(rule, table, local_today()), *_present(table))
        .group_by(column)
        .having(people > 0)
        .order_by(people.desc(), column)
        .limit(most)
    )
    return [(str(value), n) for value, n in db.session.execute(query)]


# --- finding what was written past the services ------------------------------------------


def reconcile_cells() -> int:
    """Make the counters say what the directory says; how many combinations were wrong.

    One statement compares the two, so what others change meanwhile is in both or in neither.
    """
    entries = select(*(getattr(Person, name) for name in FIELDS), literal(1).label("n")).where(
        Person.departed_at.is_(None)
    )
    both = union_all(entries, select(*_CELL, -DirectoryCell.people)).subquery()
    fields, sums = [both.c[name] for name in FIELDS], func.sum(both.c.n)
    with transaction() as session:
        rows = session.connection().execute(
            select(*fields, sums).group_by(*fields).having(sums != 0)
        )
        wrong = {tuple(cell): int(n) for *cell, n in rows}
        _write(session, wrong, is_folded=False)
    return len(wrong)


def reconcile_words() -> int:
    """Give everybody the words they are found by, a thousand people at a time; how many had
    others or none."""
    wrong, last = 0, uuid.UUID(int=0)
    while True:
        query = select(Person.id, Person.name, Person.email, Person.employee_id)
        rows = db.session.execute(
            query.where(Person.id > last).order_by(Person.id).limit(_BATCH)
        ).all()
        if not rows:
            return wrong
        last = rows[-1].id
        kept = _words_kept([row.id for row in rows])
        ids = [row.id for row in rows if kept.get(row.id, frozenset()) != _words_due(row)]
        if ids:
            _reword(ids)
        wrong += len(ids)


def _words_due(row: Any) -> frozenset[tuple[str, str]]:
    return frozenset((str(r["word"]), str(r["sort_name"])) for r in rows_of(*row))


def _words_kept(ids: list[uuid.UUID]) -> dict[uuid.UUID, frozenset[tuple[str, str]]]:
    found: dict[uuid.UUID, set[tuple[str, str]]] = {}
    query = select(PersonWord.person_id, PersonWord.word, PersonWord.sort_name)
    for person_id, word, name in db.session.execute(query.where(PersonWord.person_id.in_(ids))):
        found.setdefault(person_id, set()).add((word, name))
    return {person_id: frozenset(words) for person_id, words in found.items()}


def _reword(ids: list[uuid.UUID]) -> None:
    with transaction() as session:
        columns = (Person.id, Person.name, Person.email, Person.employee_id)
        query = select(*columns).where(Person.id.in_(ids)).order_by(Person.id).with_for_update()
        rows = session.connection().execute(query).all()
        forget_words(session, [row.id for row in rows])
        keep_words(session, rows)
