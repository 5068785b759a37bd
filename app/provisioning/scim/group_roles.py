"""Roles that groups of a directory give: whoever joins the group gets one, whoever leaves it
loses it.

Only a membership that the directory itself wrote counts (`SegmentPerson.source`): a list can be
changed by one administrator, a role that the two-person rule guards cannot be given by one. For
the same reason a line that gives such a role waits for a second person. What was given here alone
is taken back here; a role that a human gave, or another system, stays.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from app import approvals, audit
from app.db import db, read_id, transaction
from app.errors import NotFound, Sentence
from app.people import sourced_roles
from app.people.directory import GRANTABLE
from app.people.errors import check_form
from app.people.lookup import load_person
from app.people.models import RoleGrant, Segment, SegmentPerson
from app.people.role_approvals import reaches
from app.people.sourced_roles import Given
from app.people.words import ROLE_NAMES
from app.provisioning.scim.models import ScimGroup, ScimGroupRole

SOURCE: Final = "scim"
KIND: Final = "scim.mapping"
MOST: Final = 500
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Line:
    """What a group gives, as the connection's page shows it."""

    id: uuid.UUID
    group_name: str
    role: str
    segment_name: str | None


def lines(connection_id: uuid.UUID) -> list[Line]:
    """Every line of a connection, by group."""
    reach = aliased(Segment)
    rows = db.session.execute(
        select(ScimGroupRole.id, ScimGroup.display_name, ScimGroupRole.role, reach.name)
        .join(ScimGroup, ScimGroup.segment_id == ScimGroupRole.group_id)
        .outerjoin(reach, reach.id == ScimGroupRole.segment_id)
        .where(ScimGroup.connection_id == connection_id)
        .order_by(ScimGroup.name_key, ScimGroupRole.id)
    )
    return [Line(*row) for row in rows]


def groups(connection_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    """The groups that a connection writes, by name."""
    rows = db.session.execute(
        select(ScimGroup.segment_id, ScimGroup.display_name)
        .where(ScimGroup.connection_id == connection_id, ScimGroup.deleted_at.is_(None))
        .order_by(ScimGroup.name_key)
        .limit(MOST)
    )
    return [(row.segment_id, row.display_name) for row in rows]


# ---- Lines


def submit_line(
    connection_id: uuid.UUID, group_id: uuid.UUID | None, role: str,
    segment_id: uuid.UUID | None, *, actor_id: uuid.UUID,
) -> bool:  # fmt: skip
    """Have a group give a role, at once to everybody in it; True where that waits for a second
    person. Raises `InvalidInput` by field."""
    with transaction() as session:
        group = _checked(session, connection_id, group_id, role, segment_id)
        if not approvals.policy().guards_role(role):
            _add(session, group, role, segment_id, actor_id)
            return False
        payload: approvals.Payload = {
            "connection_id": str(connection_id),
            "group_id": str(group),
            "role": role,
            "segment_id": str(segment_id) if segment_id else None,
        }
        return approvals.submit(KIND, payload, actor_id=actor_id).waits


def _checked(
    session: Session, connection_id: uuid.UUID, group_id: uuid.UUID | None, role: str,
    segment_id: uuid.UUID | None,
) -> uuid.UUID:  # fmt: skip
    """The group, locked, of a line that may be. Raises `InvalidInput` by field."""
    found = session.scalar(
        select(ScimGroup.segment_id)
        .where(
            ScimGroup.segment_id == group_id,
            ScimGroup.connection_id == connection_id,
            ScimGroup.deleted_at.is_(None),
        )
        .with_for_update()
    )
    segment = session.get(Segment, segment_id) if segment_id else None
    errors: dict[str, Sentence] = {}
    if found is None:
        errors["group_id"] = _l("Choose one of the groups.")
    elif _exists(session, found, role, segment_id):
        errors["group_id"] = _l("This group gives this already.")
    if role not in GRANTABLE:
        errors["role"] = _l("Choose one of the roles.")
    if segment_id is not None and (segment is None or segment.archived_at is not None):
        errors["segment_id"] = _l("Choose one of the segments.")
    if found is None or errors:
        raise check_form(errors)
    return found


def _exists(session: Session, group_id: uuid.UUID, role: str, segment_id: uuid.UUID | None) -> bool:
    same = select(func.count()).where(
        ScimGroupRole.group_id == group_id,
        ScimGroupRole.role == role,
        ScimGroupRole.segment_id.is_not_distinct_from(segment_id),
    )
    return bool(session.scalar(same))


def _add(
    session: Session, group_id: uuid.UUID, role: str, segment_id: uuid.UUID | None,
    actor_id: uuid.UUID | None,
) -> None:  # fmt: skip
    row = ScimGroupRole(group_id=group_id, role=role, segment_id=segment_id)
    session.add(row)
    session.flush()
    audit.record(
        "scim.mapping_added", "segment", group_id, actor_id=actor_id, role=role,
        segment_id=str(segment_id) if segment_id else None,
    )  # fmt: skip
    follow(session, _listed(session, group_id))


def remove_line(
    connection_id: uuid.UUID, line_id: uuid.UUID, *, actor_id: uuid.UUID | None
) -> None:
    """Take a line away, and at once what it alone gave. Raises `NotFound`."""
    with transaction() as session:
        row = session.scalar(
            select(ScimGroupRole)
            .join(ScimGroup, ScimGroup.segment_id == ScimGroupRole.group_id)
            .where(ScimGroupRole.id == line_id, ScimGroup.connection_id == connection_id)
        )
        if row is None:
            raise NotFound(_l("There is no such line."))
        group_id, role = row.group_id, row.role
        session.delete(row)
        session.flush()
        audit.record("scim.mapping_removed", "segment", group_id, actor_id=actor_id, role=role)
        follow(session, _listed(session, group_id))


def forget_group(session: Session, group_id: uuid.UUID) -> None:
    """The group is gone: what it gave goes, too."""
    lines = delete(ScimGroupRole).where(ScimGroupRole.group_id == group_id)
    if session.execute(lines.returning(ScimGroupRole.id)).all():
        follow(session, _with_scim_roles(session))


def forget_connection(session: Session, connection_id: uuid.UUID) -> None:
    """The connection is removed, its groups stay as lists: nothing follows from them any more."""
    own = select(ScimGroup.segment_id).where(ScimGroup.connection_id == connection_id)
    lines = delete(ScimGroupRole).where(ScimGroupRole.group_id.in_(own))
    if session.execute(lines.returning(ScimGroupRole.id)).all():
        follow(session, _with_scim_roles(session))


def _listed(session: Session, group_id: uuid.UUID) -> set[uuid.UUID]:
    return {
        *session.scalars(
            select(SegmentPerson.person_id).where(
                SegmentPerson.segment_id == group_id, SegmentPerson.source == SOURCE
            )
        )
    }


def _with_scim_roles(session: Session) -> set[uuid.UUID]:
    return {*session.scalars(select(RoleGrant.person_id).where(RoleGrant.source == SOURCE))}


# ---- Following


def follow_members(session: Session, group_id: uuid.UUID, people: Collection[uuid.UUID]) -> None:
    """The list of a group changed for these people. Costs one read where it gives nothing."""
    gives = select(ScimGroupRole.id).where(ScimGroupRole.group_id == group_id).limit(1)
    if people and session.scalar(gives) is not None:
        follow(session, people)


def follow(session: Session, people: Collection[uuid.UUID]) -> None:
    """Give and take what the groups of some people say. Inside a transaction; locks each of them
    in one order, so that two calls never wait for each other."""
    ordered = sorted({*people})
    for start in range(0, len(ordered), _AT_ONCE):
        part = ordered[start : start + _AT_ONCE]
        wanted = _wanted(session, part)
        held = {
            *session.scalars(
                select(RoleGrant.person_id).where(
                    RoleGrant.person_id.in_(part), RoleGrant.source == SOURCE
                )
            )
        }
        for person_id in part:
            if person_id in wanted or person_id in held:
                _bring_in_line(session, person_id, wanted.get(person_id, set()))


def _bring_in_line(session: Session, person_id: uuid.UUID, wanted: set[Given]) -> None:
    person = load_person(session, person_id, erased_too=True)
    if person.departed_at is not None:
        wanted = set()
    sourced_roles.bring_in_line(session, person, wanted, SOURCE)


def _wanted(session: Session, people: Collection[uuid.UUID]) -> dict[uuid.UUID, set[Given]]:
    rows = session.execute(
        select(SegmentPerson.person_id, ScimGroupRole.role, ScimGroupRole.segment_id)
        .join(ScimGroupRole, ScimGroupRole.group_id == SegmentPerson.segment_id)
        .join(ScimGroup, ScimGroup.segment_id == ScimGroupRole.group_id)
        .where(
            SegmentPerson.person_id.in_(people),
            SegmentPerson.source == SOURCE,
            ScimGroup.deleted_at.is_(None),
        )
    )
    found: dict[uuid.UUID, set[Given]] = {}
    for person_id, role, segment_id in rows:
        if role in GRANTABLE:
            found.setdefault(person_id, set()).add((role, segment_id))
    return found


# ---- As a kind of act


def _apply(payload: approvals.Payload, actor_id: uuid.UUID) -> None:
    role, segment_id = str(payload["role"]), read_id(str(payload["segment_id"] or ""))
    connection_id, asked = (uuid.UUID(str(payload[name])) for name in ("connection_id", "group_id"))
    with transaction() as session:
        group_id = _checked(session, connection_id, asked, role, segment_id)
        _add(session, group_id, role, segment_id, actor_id)


def _describe(payloads: Sequence[approvals.Payload]) -> list[str]:
    ids = {uuid.UUID(str(payload["group_id"])) for payload in payloads}
    rows = db.session.execute(
        select(ScimGroup.segment_id, ScimGroup.display_name).where(ScimGroup.segment_id.in_(ids))
    )
    names = {str(row.segment_id): row.display_name for row in rows}
    return [
        str(
            _(
                "Have the group “%(group)s” of a SCIM directory give the role “%(role)s”, "
                "%(reach)s.",
                group=names.get(str(payload["group_id"])) or _("a group that is gone"),
                role=ROLE_NAMES[str(payload["role"])],
                reach=reach,
            )
        )
        for payload, reach in zip(payloads, reaches(payloads), strict=True)
    ]


def start() -> None:
    """Bring lines that give guarded roles as a kind of act."""
    approvals.register(
        approvals.Kind(
            KIND, _l("Groups of SCIM that give roles"), frozenset({"admin"}), _apply, _describe,
            lambda payload: f"/studio/scim/{payload['connection_id']}#roles",
        )
    )  # fmt: skip
