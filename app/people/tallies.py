"""How many present people a rule finds, without looking at them.

What rules ask about takes few combinations, however many people there are: `DirectoryCell` holds
how many people share each. Whatever changes an entry writes what it adds and takes away, in its
own transaction and without touching a row of anybody else, so nobody waits for a counter;
`fold_cells` sums the rows from time to time, and then also keeps the sums of each single value
(`DirectoryValue`). A count is a sum over the rows that fit, exact at every moment.

Two things are not in the cells: days of hiring, which would make one cell for each person, and
lists. Those are counted in the directory by their index.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Subquery,
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
from app.people.models import DirectoryCell, DirectoryValue, Person, PersonWord, Segment
from app.people.search import PeopleFilter, forget_words, keep_words, rows_of
from app.people.segment_rules import Rule
from app.people.segments import kept_rule
from app.people.text import fold, one_line
from app.web.pages import local_today

FIELDS: Final = (
    "site", "department", "language", "contract", "function", "kind", "entity_id",
)  # fmt: skip
SAID: Final = ("site", "department", "language", "contract", "function", "kind")
"""The fields whose single values are summed, and can be offered as a choice."""
_CELL: Final = tuple(getattr(DirectoryCell, name) for name in FIELDS)
_BATCH: Final = 1_000

Cell = tuple[Any, ...]
Value = tuple[str, str]
"""A field and one of its values."""


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
    """Sum the rows of each combination into one, and of each value; False when none was added
    since the last time. Two at once take different rows, so nothing is counted twice."""
    if not db.session.scalar(select(exists().where(~DirectoryCell.is_folded))):
        return False
    with transaction() as session:
        taken = session.connection().execute(
            delete(DirectoryCell).returning(*_CELL, DirectoryCell.people, DirectoryCell.is_folded)
        )
        sums: Counter[Cell] = Counter()
        values: Counter[Value] = Counter()
        for *cell, people, is_folded in taken:
            sums[tuple(cell)] += people
            if not is_folded:
                for value in _values_of(cell):
                    values[value] += people
        _write(session, {cell: n for cell, n in sums.items() if n}, is_folded=True)
        _fold_values(session, values)
    return True


def _values_of(cell: Sequence[Any]) -> Iterator[Value]:
    for field, value in zip(FIELDS, cell, strict=True):
        if field in SAID and value:
            yield field, value


def _fold_values(session: Session, values: Counter[Value]) -> None:
    row = DirectoryValue
    for *value, people in session.connection().execute(
        delete(row).returning(row.field, row.value, row.people)
    ):
        values[value[0], value[1]] += people
    _write_values(session, values)


def _write_values(session: Session, people: Mapping[Value, int]) -> None:
    rows = [
        {"id": new_id(), "field": field, "value": value, "people": n}
        for (field, value), n in people.items()
        if n
    ]
    if rows:
        session.connection().execute(insert(DirectoryValue), rows)


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
    if f.q or f.state != "present" or f.no_address:
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
    people = _people_by("kind")
    return db.session.scalar(select(func.coalesce(func.sum(people.c.people), 0))) or 0


def said(field: str) -> list[str]:
    """What the directory says of present people in one of the fields `SAID`, by the alphabet
    (at most 500)."""
    found = _people_by(field)
    query = (
        select(found.c.value)
        .group_by(found.c.value)
        .having(func.sum(found.c.people) > 0)
        .order_by(found.c.value)
        .limit(500)
    )
    return sorted(map(str, db.session.scalars(query)), key=fold)


def _people_by(field: str) -> Subquery:
    """Rows of `value` and `people`: the sums, and what was added since they were made."""
    row, column = DirectoryValue, getattr(DirectoryCell, field)
    sums = select(row.value, row.people).where(row.field == field)
    added = select(column, DirectoryCell.people).where(~DirectoryCell.is_folded, column != "")
    return union_all(sums, added).subquery()


def spread(
    rule: Rule, fields: Sequence[str], most: int = 5
) -> tuple[int, dict[str, list[tuple[str, int]]]]:
    """How many present people a rule finds, and where they stand in some fields of the directory:
    the most frequent values with their number, '' for those of whom nothing is said."""
    table: Any = Person if rule.needs_dates else DirectoryCell
    each = literal(1) if rule.needs_dates else DirectoryCell.people
    found = (
        select(*(getattr(table, field) for field in fields), each.label("people"))
        .where(segment_rules.compiled(rule, table, local_today()), *_present(table))
        .cte("found")
    )
    total = func.coalesce(func.sum(found.c.people), 0)
    parts = [select(literal(""), literal(""), total)]
    for field in fields:
        people = func.sum(found.c.people)
        top = (
            select(literal(field), func.coalesce(found.c[field], ""), people)
            .group_by(found.c[field])
            .having(people > 0)
            .order_by(people.desc(), found.c[field])
            .limit(most)
        )
        parts.append(select(*top.subquery().c))
    shares: dict[str, list[tuple[str, int]]] = {field: [] for field in fields}
    (_, _, everybody), *rows = db.session.execute(union_all(*parts))
    for field, value, n in sorted(rows, key=lambda row: (-row[2], row[1])):
        shares[field].append((value, n))
    return everybody, shares


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
        values = {value: n for field in SAID for value, n in _wrong_values(session, field)}
        _write_values(session, values)
    return len(wrong) + len(values)


def _wrong_values(session: Session, field: str) -> Iterator[tuple[Value, int]]:
    """What the sums of a field lack (less than nothing: have too much)."""
    row, column = DirectoryValue, getattr(DirectoryCell, field)
    folded = select(column.label("value"), DirectoryCell.people.label("n")).where(
        DirectoryCell.is_folded, column != ""
    )
    kept = select(row.value, -row.people).where(row.field == field)
    both = union_all(folded, kept).subquery()
    lacking = func.sum(both.c.n)
    query = select(both.c.value, lacking).group_by(both.c.value).having(lacking != 0)
    for value, n in session.connection().execute(query):
        yield (field, value), int(n)


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
