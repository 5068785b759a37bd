"""Finding people in the directory: by the beginnings of words, and by what the directory says.

Every word of a name, of the part of an address before its @, and of an employee number is kept
once for each person, folded: small letters, no accents. A prefix is then a range of one index,
and a page of what is found costs the same in a directory of any size. An address is kept whole
as well, behind a leading @, for whoever types one.
"""

from __future__ import annotations

import json
import re
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.db import db
from app.people.errors import check_form
from app.people.models import Person, PersonWord
from app.people.segments import people_in
from app.people.text import fold, is_nowhere, one_line

LONGEST: Final = 80
MOST: Final = 200
NO_ADDRESS: Final = "@"
"""The word of people without an address, who are found by it alone."""
COUNTED: Final = 1_000
"""Where counting ends: a list says "more than 1,000" and no more."""
_TYPED: Final = 6
"""Words of a search that are looked at."""
_PARTS: Final = re.compile(r"[^\W_]+")
_LAST: Final = "\U0010ffff"


# --- words -------------------------------------------------------------------------------


def _split(text: str) -> list[str]:
    return [word[:LONGEST] for word in _PARTS.findall(fold(text))]


def words_of(name: str, email: str, employee_id: str | None) -> frozenset[str]:
    """What a person is found by."""
    found = {*_split(name), *_split(employee_id or "")}
    if is_nowhere(email):
        return frozenset(found | {NO_ADDRESS})
    found |= {*_split(email.partition("@")[0])}
    return frozenset(found | {f"@{fold(email)}"[:LONGEST]})


def rows_of(
    person_id: uuid.UUID, name: str, email: str, employee_id: str | None
) -> Iterator[dict[str, object]]:
    """The rows of `PersonWord` of one person."""
    sort_name = fold(name)[:LONGEST]
    for word in sorted(words_of(name, email, employee_id)):
        yield {"word": word, "sort_name": sort_name, "person_id": person_id}


def keep_words(session: Session, people: Iterable[Any]) -> None:
    """Write the words of people who have none yet: anything with id, name, email, employee_id."""
    rows = [row for p in people for row in rows_of(p.id, p.name, p.email, p.employee_id)]
    if rows:
        session.connection().execute(insert(PersonWord), rows)


def forget_words(session: Session, person_ids: Collection[uuid.UUID]) -> None:
    """Nobody finds these people any more, until their words are kept anew."""
    if person_ids:
        session.connection().execute(delete(PersonWord).where(PersonWord.person_id.in_(person_ids)))


# --- what a list shows -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """What a list of the directory shows; empty means everybody present. `state` is 'present' or
    'departed'; `within` holds the segments that limit whoever asks, None for no limit; `no_address`
    leaves those whom no mail reaches."""

    q: str = ""
    site: str = ""
    department: str = ""
    kind: str = ""
    segment_id: uuid.UUID | None = None
    state: str = "present"
    within: frozenset[uuid.UUID] | None = None
    no_address: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a list: people in its order, and the place to go on from (None at the end)."""

    ids: list[uuid.UUID]
    next: str | None


def conditions(f: PeopleFilter) -> list[ColumnElement[bool]]:
    """What a filter says of `Person`, but for its words."""
    gone = Person.departed_at.is_not(None)
    found: list[ColumnElement[bool]] = [gone if f.state == "departed" else ~gone]
    if f.state == "departed":
        found.append(Person.erased_at.is_(None))
    for column, value in (
        (Person.site, f.site), (Person.department, f.department), (Person.kind, f.kind)
    ):  # fmt: skip
        if value := one_line(value):
            found.append(column == value)
    if f.segment_id is not None:
        found.append(people_in([f.segment_id]))
    if f.within is not None:
        found.append(people_in(f.within))
    if f.no_address:
        worded = select(PersonWord.person_id).where(PersonWord.word == NO_ADDRESS)
        found.append(Person.id.in_(worded))
    return found


def typed_words(q: str) -> list[str]:
    """The words of a search, the longest first: it narrows most."""
    found: list[str] = []
    for token in fold(q[:200]).split():
        found += [f"@{token}"[:LONGEST]] if "@" in token else _split(token)
    return sorted(dict.fromkeys(found), key=len, reverse=True)[:_TYPED]


def _begins(column: Any, prefix: str) -> ColumnElement[bool]:
    return and_(column >= prefix, column < prefix + _LAST)


def found_by_words(words: list[str], f: PeopleFilter) -> Any:
    """Who is found, each once, in the order of the word that begins so, then of their name."""
    other, first = aliased(PersonWord), aliased(PersonWord)
    query: Any = (
        select(PersonWord.word, PersonWord.sort_name, PersonWord.person_id)
        .join(Person, Person.id == PersonWord.person_id)
        .where(_begins(PersonWord.word, words[0]), *conditions(f))
        .where(
            ~exists().where(
                first.person_id == PersonWord.person_id,
                first.word >= words[0],
                first.word < PersonWord.word,
            )
        )
    )
    for word in words[1:]:
        query = query.where(
            exists().where(other.person_id == PersonWord.person_id, _begins(other.word, word))
        )
    return query


def find(f: PeopleFilter, after: str | None = None, limit: int = 50) -> Found:
    """People by a filter; by name, or with words by the word found. Raises `InvalidInput` for an
    unreadable `after`."""
    limit, words = max(1, min(limit, MOST)), typed_words(f.q)
    if not words and one_line(f.q):
        return Found([], None)
    key: tuple[Any, ...] = (Person.name, Person.id)
    query: Any = select(*key).where(*conditions(f))
    if words:
        key = (PersonWord.word, PersonWord.sort_name, PersonWord.person_id)
        query = found_by_words(words, f)
    if after:
        query = query.where(tuple_(*key) > tuple_(*_place(after, len(key))))
    rows = db.session.execute(query.order_by(*key).limit(limit + 1)).all()
    more = len(rows) > limit
    return Found([row[-1] for row in rows[:limit]], _cursor(rows[limit - 1]) if more else None)


@dataclass(frozen=True, slots=True)
class Card:
    """Somebody found, to be chosen."""

    id: uuid.UUID
    name: str
    email: str
    department: str | None
    site: str | None


def cards(q: str, limit: int = 20) -> list[Card]:
    """The first present people that words find."""
    ids = find(PeopleFilter(q=q), limit=limit).ids
    columns = (Person.id, Person.name, Person.email, Person.department, Person.site)
    rows = db.session.execute(select(*columns).where(Person.id.in_(ids)))
    known = {row.id: Card(*row) for row in rows}
    return [known[person_id] for person_id in ids if person_id in known]


def count(f: PeopleFilter) -> int:
    """How many people a filter finds, counted to `COUNTED` and one more."""
    words = typed_words(f.q)
    if not words and one_line(f.q):
        return 0
    query: Any = select(Person.id).where(*conditions(f))
    if words:
        query = found_by_words(words, f)
    some = query.limit(COUNTED + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def _cursor(row: Any) -> str:
    text = json.dumps([*row[:-1], row[-1].hex], ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(after: str, parts: int) -> tuple[Any, ...]:
    try:
        values = json.loads(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        texts = values[:-1]
        if len(values) != parts or not all(isinstance(t, str) and t.isprintable() for t in texts):
            raise ValueError(after)
        return (*texts, uuid.UUID(values[-1]))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise check_form({"after": _l("This page of the list does not exist.")}) from error
