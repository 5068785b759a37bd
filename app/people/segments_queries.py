"""Reads about segments for pages: plain rows, keysets, no names but on lists."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, tuple_

from app.db import db
from app.people import tallies
from app.people.errors import check_form
from app.people.models import Assignment, Person, RoleGrant, Segment, SegmentPerson
from app.people.segment_rules import Rule
from app.people.segments import kept_rule
from app.people.segments_service import NoSuchSegment
from app.people.text import fold

PAGE: Final = 50
MOST_CHOICES: Final = 500
FACTS: Final = ("site", "department", "contract", "language")


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment in a list. `people` is None where the number is not told."""

    id: uuid.UUID
    name: str
    is_list: bool
    people: int | None
    archived_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """`next` goes back as `after`; None on the last page."""

    items: list[SegmentRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class SegmentWhole:
    """One segment; `rule` is None for a list, and for a rule that cannot be read any more."""

    id: uuid.UUID
    name: str
    is_list: bool
    rule: Rule | None
    archived_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Uses:
    """Where a segment holds something: grants of roles, by role, how many things of the programme
    are meant for it, and how many its limited roles keep."""

    roles: dict[str, int]
    seen: int = 0
    kept: int = 0

    @property
    def any(self) -> bool:
        return bool(self.roles or self.seen or self.kept)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many present people a rule finds, of how many, and where they stand. None where the
    number is not told."""

    people: int | None
    everybody: int
    facts: dict[str, list[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on a list."""

    id: uuid.UUID
    name: str
    email: str
    department: str | None
    site: str | None


def told(people: int, least: int) -> int | None:
    """A number, or None for a group below `least`; that nobody is in it may be said."""
    return people if people == 0 or people >= least else None


def page(
    q: str = "", after: str | None = None, *, archived: bool = False, least: int = 0
) -> SegmentPage:
    """Segments by name. `least` is the smallest group whose number is told. Raises
    `InvalidInput` for an unreadable `after`."""
    query = select(Segment)
    gone = Segment.archived_at.is_not(None)
    query = query.where(gone if archived else ~gone)
    if q := fold(q):
        query = query.where(Segment.search_name.contains(q, autoescape=True))
    if after:
        query = query.where(tuple_(Segment.name, Segment.id) > tuple_(*_place(after)))
    query = query.order_by(Segment.name, Segment.id).limit(PAGE + 1)
    rows = list(db.session.scalars(query))
    shown, more = rows[:PAGE], len(rows) > PAGE
    people = counts(shown)
    items = [
        SegmentRow(s.id, s.name, s.rule is None, told(people[s.id], least), s.archived_at)
        for s in shown
    ]
    return SegmentPage(items, _cursor(shown[-1]) if more else None)


def counts(segments: Collection[Segment]) -> dict[uuid.UUID, int]:
    """How many present people each segment holds: lists in one read, each rule by the counters."""
    lists = [segment.id for segment in segments if segment.rule is None]
    counts = dict.fromkeys((segment.id for segment in segments), 0)
    if lists:
        query = (
            select(SegmentPerson.segment_id, func.count())
            .join(Person, Person.id == SegmentPerson.person_id)
            .where(SegmentPerson.segment_id.in_(lists), Person.departed_at.is_(None))
            .group_by(SegmentPerson.segment_id)
        )
        counts |= {row[0]: row[1] for row in db.session.execute(query)}
    rules = {s.id: rule for s in segments if (rule := kept_rule(s.rule)) is not None}
    return counts | tallies.count_rules(rules)


def choices(chosen: Collection[uuid.UUID] = ()) -> list[tuple[uuid.UUID, str]]:
    """Segments one may choose, by name: those not archived, and archived ones `chosen` before."""
    query = (
        select(Segment.id, Segment.name)
        .where(Segment.archived_at.is_(None) | Segment.id.in_([*chosen]))
        .order_by(Segment.name, Segment.id)
        .limit(MOST_CHOICES)
    )
    return [(row.id, row.name) for row in db.session.execute(query)]


def list_choices() -> list[tuple[uuid.UUID, str]]:
    """Lists that people can be added to, by name."""
    query = (
        select(Segment.id, Segment.name)
        .where(Segment.archived_at.is_(None), Segment.rule.is_(None))
        .order_by(Segment.name, Segment.id)
        .limit(MOST_CHOICES)
    )
    return [(row.id, row.name) for row in db.session.execute(query)]


def segment(segment_id: uuid.UUID) -> SegmentWhole:
    """One segment, archived or not. Raises `NoSuchSegment`."""
    found = db.session.get(Segment, segment_id)
    if found is None:
        raise NoSuchSegment
    rule = kept_rule(found.rule)
    return SegmentWhole(found.id, found.name, found.rule is None, rule, found.archived_at)


def uses(segment_id: uuid.UUID) -> Uses:
    """What this segment limits."""
    roles = select(RoleGrant.role, func.count()).where(RoleGrant.segment_id == segment_id)
    by_role = db.session.execute(roles.group_by(RoleGrant.role).order_by(RoleGrant.role))
    things = select(Assignment.purpose, func.count()).where(Assignment.segment_id == segment_id)
    by_purpose = {row[0]: row[1] for row in db.session.execute(things.group_by(Assignment.purpose))}
    return Uses(
        {row[0]: row[1] for row in by_role}, by_purpose.get("seen", 0), by_purpose.get("kept", 0)
    )


def preview(rule: Rule, *, least: int = 0) -> Preview:
    """What a rule would find. `least` is the smallest group whose number is told."""
    people, shares = tallies.spread(rule, FACTS)
    shown = told(people, least)
    facts: dict[str, list[tuple[str, int]]] = {}
    if shown:
        facts = {
            field: [(value, n) for value, n in found if n >= max(least, 1)]
            for field, found in shares.items()
        }
    return Preview(shown, tallies.count_everybody(), facts)


def people_on(segment_id: uuid.UUID) -> int:
    """How many present people a list holds."""
    query = (
        select(func.count())
        .select_from(SegmentPerson)
        .join(Person, Person.id == SegmentPerson.person_id)
        .where(SegmentPerson.segment_id == segment_id, Person.departed_at.is_(None))
    )
    return db.session.scalar(query) or 0


def people_of(segment_id: uuid.UUID, after: str | None = None) -> tuple[list[Listed], str | None]:
    """The present people of a list by name, and the place to go on from. Raises `InvalidInput`
    for an unreadable `after`."""
    columns = (Person.id, Person.name, Person.email, Person.department, Person.site)
    query = (
        select(*columns)
        .join(SegmentPerson, SegmentPerson.person_id == Person.id)
        .where(SegmentPerson.segment_id == segment_id, Person.departed_at.is_(None))
    )
    if after:
        query = query.where(tuple_(Person.name, Person.id) > tuple_(*_place(after)))
    rows = db.session.execute(query.order_by(Person.name, Person.id).limit(PAGE + 1)).all()
    items = [Listed(*row) for row in rows[:PAGE]]
    return items, _cursor(items[-1]) if len(rows) > PAGE else None


def _cursor(row: Segment | Listed) -> str:
    text = json.dumps([row.name, row.id.hex], ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(after: str) -> tuple[str, uuid.UUID]:
    try:
        name, key = json.loads(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        if not isinstance(name, str) or not name.isprintable():
            raise ValueError(after)
        return name, uuid.UUID(key)
    except (ValueError, TypeError, AttributeError) as error:
        raise check_form({"after": _l("This page of the list does not exist.")}) from error
