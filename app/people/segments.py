"""Segments: who is in one, and which ones a person is in.

A segment is a list of people or a rule (`segment_rules`). Membership is never stored for a rule:
it is what the directory says at that moment. An archived segment is not offered for new choices
and keeps holding wherever it was chosen before, so that archiving opens nothing and closes
nothing. Whether somebody departed is for the caller to ask.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, select

from app.db import db
from app.errors import InvalidInput
from app.people import segment_rules
from app.people.models import Person, Segment, SegmentPerson
from app.people.segment_rules import Rule
from app.prepared import Reading
from app.web.pages import local_today


def kept_rule(raw: object) -> Rule | None:
    """A rule from its row; None for a list, and for one that cannot be read any more, in which
    nobody is then."""
    try:
        return segment_rules.parse(raw) if raw is not None else None
    except InvalidInput:
        return None


def people_in(segment_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    """A condition over `Person`: somebody of at least one of these segments. One read."""
    if not segment_ids:
        return false()
    rows = db.session.execute(
        select(Segment.id, Segment.rule).where(Segment.id.in_({*segment_ids}))
    ).all()
    day = local_today()
    parts: list[ColumnElement[bool]] = [
        segment_rules.compiled(rule, Person, day)
        for row in rows
        if (rule := kept_rule(row.rule)) is not None
    ]
    if lists := [row.id for row in rows if row.rule is None]:
        parts.append(_listed(lists))
    return or_(*parts) if parts else false()


def _listed(segment_ids: Iterable[uuid.UUID]) -> ColumnElement[bool]:
    people = select(SegmentPerson.person_id).where(SegmentPerson.segment_id.in_([*segment_ids]))
    return Person.id.in_(people)


def holds(segment_id: uuid.UUID, person_id: uuid.UUID) -> bool:
    """True while the person is in the segment; False for an unknown one of either."""
    found = db.session.execute(
        select(Person.id).where(Person.id == person_id, people_in([segment_id]))
    )
    return found.first() is not None


_FACTS: Final = tuple(
    getattr(Person, column) for column in dict.fromkeys(segment_rules.COLUMNS.values())
)


def _of_person() -> Any:
    person_id = bindparam("person_id", type_=Person.id.type)
    return (
        select(Segment.id.label("segment_id"), Segment.rule, *_FACTS)
        .join(Person, Person.id == person_id)
        .outerjoin(
            SegmentPerson,
            and_(SegmentPerson.segment_id == Segment.id, SegmentPerson.person_id == Person.id),
        )
        .where(or_(Segment.rule.is_not(None), SegmentPerson.person_id.is_not(None)))
    )


_SEGMENTS_OF: Final = Reading(_of_person())


def segments_of(person_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """Every segment the person is in, archived ones included, in one read."""
    day = local_today()
    return frozenset(
        row.segment_id
        for row in _SEGMENTS_OF.all({"person_id": person_id})
        if row.rule is None or _is_in(row, day)
    )


def _is_in(row: Any, day: dt.date) -> bool:
    rule = kept_rule(row.rule)
    return rule is not None and segment_rules.matches(rule, row, day)
