"""Making, changing and archiving segments. Every act is in the audit log, by identifiers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app import audit, clock
from app.db import db, transaction
from app.errors import DomainError, NotFound
from app.people import segment_rules
from app.people.errors import check_form
from app.people.models import Person, Segment, SegmentPerson
from app.people.segment_rules import Rule
from app.people.text import fold, normal_address, one_line
from app.web.pressing import once

LONGEST_NAME = 120
MOST_PASTED = 5_000
_APART = re.compile(r"[\s,;<>\"()]+")


class NoSuchSegment(NotFound):
    """No segment of that identifier, or not one for this reader."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such segment."))


class NotAList(DomainError):
    """People are in a rule by what the directory says of them."""

    code = "segment-has-a-rule"

    def __init__(self) -> None:
        super().__init__(_l("This segment has a rule: people are in it by what the rule says."))


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the people for a list. `unknown` are addresses of nobody present."""

    added: int
    known: int
    unknown: tuple[str, ...] = ()


def create_segment(
    name: str, rule: Rule | None, *, actor_id: uuid.UUID | None, id_: uuid.UUID | None = None
) -> uuid.UUID:
    """A segment by a rule, or an empty list; what was made under `id_` before is the answer.
    Raises `InvalidInput` on the field `name`."""

    def make(made: uuid.UUID) -> Segment:
        session = db.session()
        segment = Segment(
            id=made,
            name=_checked_name(session, name, None),
            rule=None if rule is None else segment_rules.as_json(rule),
            created_by=actor_id,
        )
        session.add(segment)
        session.flush()
        kind = "list" if rule is None else "rule"
        audit.record("segment.created", "segment", segment.id, actor_id=actor_id, kind=kind)
        return segment

    return once(Segment, id_, make).id


def change_segment(
    segment_id: uuid.UUID, name: str, rule: Rule | None, *, actor_id: uuid.UUID | None
) -> None:
    """Another name or rule; a list keeps being a list. Raises `InvalidInput`, `NoSuchSegment`."""
    with transaction() as session:
        segment = _locked(session, segment_id)
        told = None if rule is None or segment.rule is None else segment_rules.as_json(rule)
        is_other = told is not None and told != segment.rule
        segment.name = _checked_name(session, name, segment_id)
        if is_other:
            segment.rule = told
        audit.record(
            "segment.changed", "segment", segment_id, actor_id=actor_id, other_rule=is_other
        )


def archive_segment(segment_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> bool:
    """No longer offered; what it was chosen for keeps it. False when it was archived already."""
    return _set_archived(segment_id, True, actor_id)


def restore_segment(segment_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> bool:
    """Offered again. False when it was not archived. Raises `InvalidInput` for a taken name."""
    return _set_archived(segment_id, False, actor_id)


def _set_archived(segment_id: uuid.UUID, archived: bool, actor_id: uuid.UUID | None) -> bool:
    with transaction() as session:
        segment = _locked(session, segment_id)
        if (segment.archived_at is not None) is archived:
            return False
        if not archived:
            _checked_name(session, segment.name, segment_id)
        segment.archived_at = clock.now() if archived else None
        act = "segment.archived" if archived else "segment.restored"
        audit.record(act, "segment", segment_id, actor_id=actor_id)
    return True


def add_addresses(segment_id: uuid.UUID, pasted: str, *, actor_id: uuid.UUID | None) -> Added:
    """Put the people of pasted addresses on a list. Raises `InvalidInput` on the field
    `addresses`, `NotAList`, `NoSuchSegment`."""
    addresses = dict.fromkeys(
        normal_address(word.strip(".'")) for word in _APART.split(pasted) if "@" in word
    )
    if not addresses:
        raise check_form({"addresses": _l("Paste at least one address.")})
    if len(addresses) > MOST_PASTED:
        raise check_form({"addresses": _l("At most %(most)s addresses.", most=MOST_PASTED)})
    with transaction() as session:
        found = dict(
            session.execute(
                select(Person.email, Person.id).where(
                    Person.email.in_(addresses), Person.departed_at.is_(None)
                )
            ).all()
        )
        added = _add(session, segment_id, found.values(), actor_id)
    unknown = tuple(address for address in addresses if address not in found)
    return Added(added, len(found) - added, unknown)


def add_people(
    segment_id: uuid.UUID, person_ids: Collection[uuid.UUID], *, actor_id: uuid.UUID | None
) -> Added:
    """Put present people on a list; those who are on it stay. Raises `NotAList`,
    `NoSuchSegment`."""
    with transaction() as session:
        present = session.scalars(
            select(Person.id).where(Person.id.in_({*person_ids}), Person.departed_at.is_(None))
        ).all()
        added = _add(session, segment_id, present, actor_id)
    return Added(added, len(present) - added)


def _add(
    session: Session, segment_id: uuid.UUID, ids: Iterable[uuid.UUID], actor_id: uuid.UUID | None
) -> int:
    _locked_list(session, segment_id)
    on_it = select(SegmentPerson.person_id).where(SegmentPerson.segment_id == segment_id)
    new = sorted({*ids} - {*session.scalars(on_it)})
    now = clock.now()
    if new:
        session.execute(
            insert(SegmentPerson),
            [{"segment_id": segment_id, "person_id": key, "added_at": now} for key in new],
        )
        audit.record(
            "segment.people_added", "segment", segment_id, actor_id=actor_id, people=len(new)
        )
    return len(new)


def remove_person(
    segment_id: uuid.UUID, person_id: uuid.UUID, *, actor_id: uuid.UUID | None
) -> bool:
    """Take somebody off a list; False when they were not on it. Raises `NotAList`,
    `NoSuchSegment`."""
    with transaction() as session:
        _locked_list(session, segment_id)
        gone = session.execute(
            delete(SegmentPerson)
            .where(SegmentPerson.segment_id == segment_id, SegmentPerson.person_id == person_id)
            .returning(SegmentPerson.person_id)
        ).all()
        if gone:
            audit.record("segment.person_removed", "segment", segment_id, actor_id=actor_id)
    return bool(gone)


def _locked(session: Session, segment_id: uuid.UUID) -> Segment:
    segment = session.get(Segment, segment_id, with_for_update=True, populate_existing=True)
    if segment is None:
        raise NoSuchSegment
    return segment


def _locked_list(session: Session, segment_id: uuid.UUID) -> Segment:
    segment = _locked(session, segment_id)
    if segment.rule is not None:
        raise NotAList
    return segment


def _checked_name(session: Session, raw: str, but: uuid.UUID | None) -> str:
    """Two of one name cannot be told apart where one is chosen; archived ones are not chosen."""
    name = one_line(raw)
    if not name:
        raise check_form({"name": _l("Give the segment a name.")})
    if len(name) > LONGEST_NAME:
        raise check_form({"name": _l("At most %(most)s characters.", most=LONGEST_NAME)})
    same = select(Segment.id).where(
        Segment.search_name == fold(name)[:240], Segment.archived_at.is_(None)
    )
    if any(other != but for other in session.scalars(same)):
        raise check_form({"name": _l("Another segment has this name.")})
    return name
