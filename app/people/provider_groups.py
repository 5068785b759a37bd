"""What groups of the identity provider give: roles, and places on the lists of segments.

Applied at each sign-in, to what came from the provider alone: a grant or a place that a human
gave is neither doubled nor taken. `member` comes from joining, never from a group. The last
administrator stays one. When the groups are not known, everything stays as it is.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from app import approvals, audit
from app.db import db, read_id, transaction
from app.errors import NotFound, Sentence
from app.people import sourced_roles
from app.people.directory import GRANTABLE
from app.people.errors import check_form
from app.people.models import Person, ProviderMapping, RoleGrant, Segment, SegmentPerson
from app.people.provider_claims import LONGEST_GROUP
from app.people.role_approvals import reaches
from app.people.text import one_line
from app.people.words import ROLE_NAMES

log = logging.getLogger(__name__)

SOURCE = "provider"
KIND = "people.mapping"
MOST_MAPPINGS = 500

Gift = tuple[str | None, uuid.UUID | None]
"""A role with the segment it is limited to, if any; without a role, a place on the list."""


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A line of the settings: what the group `value` gives."""

    id: uuid.UUID
    value: str
    role: str | None
    segment_id: uuid.UUID | None
    segment_name: str | None


def mappings() -> list[MappingRow]:
    """Every line, by group."""
    rows = db.session.execute(
        select(
            ProviderMapping.id,
            ProviderMapping.value,
            ProviderMapping.role,
            ProviderMapping.segment_id,
            Segment.name,
        )
        .outerjoin(Segment, Segment.id == ProviderMapping.segment_id)
        .order_by(ProviderMapping.value, ProviderMapping.id)
    )
    return [MappingRow(*row) for row in rows]


def segment_choices() -> list[tuple[uuid.UUID, str, bool]]:
    """The segments in use, by name; True for a list, which people can be put on."""
    rows = db.session.execute(
        select(Segment.id, Segment.name, Segment.rule)
        .where(Segment.archived_at.is_(None))
        .order_by(Segment.name, Segment.id)
    )
    return [(row.id, row.name, row.rule is None) for row in rows]


def are_wanted() -> bool:
    """Whether anything follows from groups, so that the provider is asked for them."""
    return bool(db.session.scalar(select(exists(select(ProviderMapping.id)))))


def add_mapping(
    value: str,
    role: str | None,
    segment_id: uuid.UUID | None,
    *,
    actor_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Have a group give a role or a place. Raises `InvalidInput` by field.

    Holds for each person from their next sign-in.
    """
    value = one_line(value)
    with transaction() as session:
        if errors := _faults(session, value, role, segment_id):
            raise check_form(errors)
        row = ProviderMapping(value=value, role=role, segment_id=segment_id)
        session.add(row)
        session.flush()
        audit.record(
            "provider.mapping_added", "provider_mapping", row.id, actor_id=actor_id, role=role,
            segment_id=str(segment_id) if segment_id else None,
        )  # fmt: skip
    return row.id


def submit_mapping(
    value: str, role: str | None, segment_id: uuid.UUID | None, *, actor_id: uuid.UUID
) -> bool:
    """`add_mapping` under the two-person rule: True where the line waits for a second person,
    because it gives a role that waits when it is given by hand. Raises `InvalidInput` by field."""
    value = one_line(value)
    if role is None or not approvals.policy().guards_role(role):
        add_mapping(value, role, segment_id, actor_id=actor_id)
        return False
    with transaction() as session:
        if errors := _faults(session, value, role, segment_id):
            raise check_form(errors)
        payload: approvals.Payload = {
            "value": value, "role": role, "segment_id": str(segment_id) if segment_id else None,
        }  # fmt: skip
        return approvals.submit(KIND, payload, actor_id=actor_id).waits


def _apply(payload: approvals.Payload, actor_id: uuid.UUID) -> None:
    add_mapping(
        str(payload["value"]), str(payload["role"]), read_id(str(payload["segment_id"] or "")),
        actor_id=actor_id,
    )  # fmt: skip


def _describe(payloads: Sequence[approvals.Payload]) -> list[str]:
    return [
        str(
            _(
                "Have the group “%(group)s” of the identity provider give the role “%(role)s”, "
                "%(reach)s.",
                group=payload["value"], role=ROLE_NAMES[str(payload["role"])], reach=reach,
            )
        )
        for payload, reach in zip(payloads, reaches(payloads), strict=True)
    ]  # fmt: skip


def start() -> None:
    """Bring mappings to guarded roles as a kind of act."""
    approvals.register(
        approvals.Kind(
            KIND, _l("Groups that give roles"), frozenset({"admin"}), _apply, _describe,
            lambda payload: "/studio/people/provider#groups",
        )
    )  # fmt: skip


def _faults(
    session: Session, value: str, role: str | None, segment_id: uuid.UUID | None
) -> dict[str, Sentence]:
    errors: dict[str, Sentence] = {}
    segment = session.get(Segment, segment_id) if segment_id else None
    if not value:
        errors["value"] = _l("Give the group as the provider writes it.")
    elif len(value) > LONGEST_GROUP:
        errors["value"] = _l("At most %(most)s characters.", most=LONGEST_GROUP)
    elif _exists(session, value, (role, segment_id)):
        errors["value"] = _l("This group gives this already.")
    elif _count(session) >= MOST_MAPPINGS:
        errors["value"] = _l("At most %(most)s lines.", most=MOST_MAPPINGS)
    if role is not None and role not in GRANTABLE:
        errors["role"] = _l("A group cannot give this.")
    if segment_id is not None and segment is None:
        errors["segment_id"] = _l("There is no such segment.")
    elif role is None and (segment is None or segment.rule is not None):
        errors["segment_id"] = _l(
            "Choose a segment that is a list: a rule finds its people itself."
        )
    return errors


def _gives(gift: Gift) -> tuple[ColumnElement[bool], ...]:
    return (
        ProviderMapping.role.is_not_distinct_from(gift[0]),
        ProviderMapping.segment_id.is_not_distinct_from(gift[1]),
    )


def _exists(session: Session, value: str, gift: Gift) -> bool:
    same = select(ProviderMapping.id).where(ProviderMapping.value == value, *_gives(gift))
    return session.scalar(same.limit(1)) is not None


def _count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ProviderMapping)) or 0


def remove_mapping(mapping_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Take a line away. What no other line gives is taken back at once. Raises `NotFound`."""
    with transaction() as session:
        row = session.get(ProviderMapping, mapping_id)
        if row is None:
            raise NotFound(_l("There is no such line."))
        gift: Gift = (row.role, row.segment_id)
        session.delete(row)
        session.flush()
        audit.record("provider.mapping_removed", "provider_mapping", mapping_id, actor_id=actor_id)
        others = select(ProviderMapping.id).where(*_gives(gift))
        if session.scalar(others.limit(1)) is None:
            _take_from_everybody(session, gift, actor_id)


def _take_from_everybody(session: Session, gift: Gift, actor_id: uuid.UUID | None) -> None:
    role, segment_id = gift
    if role is None:
        session.execute(
            delete(SegmentPerson).where(
                SegmentPerson.segment_id == segment_id, SegmentPerson.source == SOURCE
            )
        )
        return
    grants = select(RoleGrant).where(
        RoleGrant.role == role,
        RoleGrant.segment_id.is_not_distinct_from(segment_id),
        RoleGrant.source == SOURCE,
    )
    for grant in session.scalars(grants.order_by(RoleGrant.id)).all():
        if not sourced_roles.is_last_admin(session, grant):
            session.delete(grant)
            session.flush()
            sourced_roles.note("role.taken", grant, SOURCE, actor_id)


def apply(session: Session, person: Person, groups: frozenset[str] | None) -> None:
    """Give and take what the groups of a person say. Inside a transaction, `person` locked."""
    lines = session.execute(select(ProviderMapping)).scalars().all()
    if groups is None:
        if lines:
            log.warning("the identity provider told no groups; roles and lists stay as they are")
        return
    wanted = {(line.role, line.segment_id) for line in lines if line.value in groups}
    roles = {(role, segment_id) for role, segment_id in wanted if role in GRANTABLE}
    sourced_roles.bring_in_line(session, person, roles, SOURCE)
    _apply_lists(session, person, {segment for role, segment in wanted if role is None and segment})


def _apply_lists(session: Session, person: Person, wanted: set[uuid.UUID]) -> None:
    rows = session.scalars(select(SegmentPerson).where(SegmentPerson.person_id == person.id)).all()
    held = {row.segment_id for row in rows}
    stale = [row for row in rows if row.source == SOURCE and row.segment_id not in wanted]
    for row in stale:
        session.delete(row)
    for segment_id in wanted - held:
        session.add(SegmentPerson(segment_id=segment_id, person_id=person.id, source=SOURCE))
    session.flush()
    _note_lists("segment.left", person.id, (row.segment_id for row in stale))
    _note_lists("segment.entered", person.id, wanted - held)


def _note_lists(action: str, person_id: uuid.UUID, segments: Iterable[uuid.UUID]) -> None:
    for segment_id in sorted(segments, key=str):
        audit.record(action, "person", person_id, segment_id=str(segment_id), source=SOURCE)
