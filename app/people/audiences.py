"""Whom a thing of the programme is meant for, and which limited role keeps it.

A story, an offer, a reward or a charter may be meant for some segments: nobody else is shown it.
And it may be kept by some: a role that was given for a segment sees and changes in the studio
only what that segment keeps, besides what everybody may read. Nothing assigned means everybody,
and the roles that reach the whole organisation. Rows name their subject by its identifier alone,
so this room knows none of the features above it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import g
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Exists,
    delete,
    exists,
    false,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from app.db import db, read_id
from app.people import segments_queries, thresholds
from app.people.errors import check_form
from app.people.models import Assignment, Segment
from app.people.segments import segments_of

SEEN, KEPT = "seen", "kept"
"""The purposes: who is shown a thing, and whose limited roles keep it."""
MOST: Final = 50
"""Segments of one thing."""
COUNTED: Final = 50
"""Segments of a form whose people are counted; a longer list is told by name alone."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A segment one may tick. `people` is how many are in it; None where that is not told."""

    id: uuid.UUID
    name: str
    people: int | None


def assign(
    session: Session, subject_id: uuid.UUID, purpose: str, segment_ids: Collection[uuid.UUID]
) -> bool:
    """Say the segments of a thing for one purpose, none meaning everybody; in the transaction of
    the thing itself. True when that changed something."""
    before = set(
        session.scalars(
            select(Assignment.segment_id).where(
                Assignment.subject_id == subject_id, Assignment.purpose == purpose
            )
        )
    )
    wanted = set(segment_ids)
    if gone := before - wanted:
        session.execute(
            delete(Assignment).where(
                Assignment.subject_id == subject_id,
                Assignment.purpose == purpose,
                Assignment.segment_id.in_(gone),
            )
        )
    session.add_all(
        Assignment(subject_id=subject_id, purpose=purpose, segment_id=one)
        for one in sorted(wanted - before)
    )
    return before != wanted


def forget(session: Session, subject_id: uuid.UUID) -> None:
    """Nothing is said any more of a thing that goes."""
    session.execute(delete(Assignment).where(Assignment.subject_id == subject_id))


def assigned(
    subject_ids: Collection[uuid.UUID], purpose: str
) -> dict[uuid.UUID, list[tuple[uuid.UUID, str]]]:
    """The segments of some things by name, in one read; a thing for everybody is not in it."""
    query = (
        select(Assignment.subject_id, Segment.id, Segment.name)
        .join(Segment, Segment.id == Assignment.segment_id)
        .where(Assignment.subject_id.in_({*subject_ids}), Assignment.purpose == purpose)
        .order_by(Segment.name, Segment.id)
    )
    found: dict[uuid.UUID, list[tuple[uuid.UUID, str]]] = {}
    for subject_id, segment_id, name in db.session.execute(query) if subject_ids else ():
        found.setdefault(subject_id, []).append((segment_id, name))
    return found


def mine(person_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The segments a reader is in, read once a request."""
    known: dict[uuid.UUID, frozenset[uuid.UUID]] = g.setdefault("segments_of", {})
    if person_id not in known:
        known[person_id] = segments_of(person_id)
    return known[person_id]


def meant_for(
    subject: Any, segment_ids: Collection[uuid.UUID] | BindParameter[Any]
) -> ColumnElement[bool]:
    """A condition over a column of subjects: meant for everybody, or for one of the segments,
    which a statement that is built once takes as an expanding parameter."""
    rows = said(subject)
    given = segment_ids if isinstance(segment_ids, BindParameter) else {*segment_ids}
    return or_(~rows, rows.where(Assignment.segment_id.in_(given)))


def said(subject: Any) -> Exists:
    """A condition over a column of subjects: whom it is meant for was said."""
    return exists().where(Assignment.subject_id == subject, Assignment.purpose == SEEN)


def is_meant_for(subject_id: uuid.UUID, person_id: uuid.UUID) -> bool:
    """Whether one thing is meant for one person now; True where nothing is said of it. Asks
    anew each time: for acts, not for pages."""
    audience = ids_of(subject_id, SEEN)
    return not audience or not audience.isdisjoint(segments_of(person_id))


def ids_of(subject_id: uuid.UUID, purpose: str) -> frozenset[uuid.UUID]:
    """The segments of one thing for one purpose."""
    return frozenset(
        db.session.scalars(
            select(Assignment.segment_id).where(
                Assignment.subject_id == subject_id, Assignment.purpose == purpose
            )
        )
    )


def is_kept_within(subject_id: uuid.UUID, within: Collection[uuid.UUID] | None) -> bool:
    """`kept_within` of one thing."""
    return within is None or bool(within and not ids_of(subject_id, KEPT).isdisjoint(within))


def kept_within(subject: Any, within: Collection[uuid.UUID] | None) -> ColumnElement[bool]:
    """A condition over a column of subjects: kept within a role's reach (`access.reach`); what
    lies outside does not exist for it."""
    if within is None:
        return true()
    if not within:
        return false()
    return exists().where(
        Assignment.subject_id == subject,
        Assignment.purpose == KEPT,
        Assignment.segment_id.in_({*within}),
    )


def choices(
    within: Collection[uuid.UUID] | None = None, chosen: Collection[uuid.UUID] = ()
) -> list[Choice]:
    """The segments a form offers, by name: those not archived, and archived ones that were
    `chosen` before; for a limited role those `within` its reach. In four reads at most; groups
    below the threshold are not counted for anybody."""
    query = select(Segment).where(Segment.archived_at.is_(None) | Segment.id.in_({*chosen}))
    if within is not None:
        query = query.where(Segment.id.in_({*within}))
    query = query.order_by(Segment.name, Segment.id).limit(segments_queries.MOST_CHOICES)
    rows = list(db.session.scalars(query))
    people = segments_queries.counts(rows) if len(rows) <= COUNTED else {}
    least = thresholds.joining()
    return [Choice(row.id, row.name, _told(people.get(row.id), least)) for row in rows]


def _told(people: int | None, least: int) -> int | None:
    return None if people is None else segments_queries.told(people, least)


def chosen(
    texts: Sequence[str],
    *,
    field: str,
    within: Collection[uuid.UUID] | None = None,
    before: Collection[uuid.UUID] | None = None,
) -> list[uuid.UUID]:
    """The segments a form names, none unless it names some. `before` are those of a thing that
    exists; an archived segment may stay, and may not be named anew.

    With `within`, only those of a limited role: all of them when none is named (a new thing
    cannot be for everybody, nor handed to whom it would no longer see). What the thing had outside
    that reach stays as it was. Raises `InvalidInput` on `field`.
    """
    asked = {found for text in texts if text and (found := read_id(text))}
    if len(asked) != len({text for text in texts if text}) or len(asked) > MOST:
        raise check_form({field: _l("Choose one of the segments.")})
    had = {*(before or ())}
    known = select(Segment.id).where(Segment.id.in_(asked))
    known = known.where(Segment.archived_at.is_(None) | Segment.id.in_(had))
    if asked and {*db.session.scalars(known)} != asked:
        raise check_form({field: _l("Choose one of the segments.")})
    if within is None:
        return sorted(asked)
    if asked - {*within} - had:
        raise check_form({field: _l("Choose one of the segments.")})
    outside = had - {*within}
    stays_open = before is not None and not had
    return sorted(outside | asked or (had if stays_open else {*within}))
