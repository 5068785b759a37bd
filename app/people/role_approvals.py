"""Giving roles under the two-person rule: what the pages and the API call.

Where a second person is asked for, a role waits (`app.approvals`); everything else of the act
holds at once. Taking a role back never waits. The verbs below it (`directory`, `segments_reach`)
are not bound: the set-up, the console, the demo and other systems' groups use them directly, the
last by mappings that were approved themselves.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, true

from app import approvals
from app.approvals import queries as waiting
from app.db import db, read_id, transaction
from app.people import directory, kinds, segments_reach
from app.people.directory import GRANTABLE, Profile
from app.people.lookup import load_present
from app.people.models import Person, RoleGrant, Segment
from app.people.words import ROLE_NAMES

KIND: Final = "people.role"


def add_person(
    profile: Profile, roles: Collection[str], *, actor_id: uuid.UUID
) -> tuple[Person, list[str]]:
    """`directory.add_person`, and the roles that wait for a second person. Raises as it does."""
    later = _guarded(roles)
    with transaction():
        person = directory.add_person(**asdict(profile), roles={*roles} - later, actor_id=actor_id)
        waits = _submit(person.id, later, actor_id)
        if len(waits) < len(later):  # given at once: nobody could be the second person
            person = load_present(db.session(), person.id)
    return person, waits


def change_roles(person_id: uuid.UUID, roles: Collection[str], *, actor_id: uuid.UUID) -> list[str]:
    """`directory.change_roles`, and the roles that wait for a second person. Raises as it does."""
    with transaction() as session:
        person = load_present(session, person_id)
        held = {grant.role for grant in person.role_grants if grant.segment_id is None}
        later = _guarded({*roles} - held)
        directory.change_roles(person_id, {*roles} - later, actor_id=actor_id)
        return _submit(person_id, later, actor_id)


def give_role(
    person_id: uuid.UUID, role: str, segment_id: uuid.UUID, *, actor_id: uuid.UUID
) -> bool:
    """`segments_reach.give_role`; True where the role waits for a second person. Raises as it
    does."""
    with transaction() as session:
        if not segments_reach.is_new(session, person_id, role, segment_id):
            return False
        if not approvals.policy().guards_role(role):
            segments_reach.give_role(person_id, role, segment_id, actor_id=actor_id)
            return False
        payload = _payload(person_id, role, segment_id)
        made = approvals.submit(KIND, payload, actor_id=actor_id, subject_id=person_id)
        return made.waits


def _guarded(roles: Collection[str]) -> set[str]:
    rule = approvals.policy()
    return {role for role in roles if role in GRANTABLE and rule.guards_role(role)}


def _submit(person_id: uuid.UUID, roles: Collection[str], actor_id: uuid.UUID) -> list[str]:
    return [
        role
        for role in sorted(roles)
        if approvals.submit(
            KIND, _payload(person_id, role, None), actor_id=actor_id, subject_id=person_id
        ).waits
    ]


def _payload(person_id: uuid.UUID, role: str, segment_id: uuid.UUID | None) -> approvals.Payload:
    return {
        "person_id": str(person_id),
        "role": role,
        "segment_id": str(segment_id) if segment_id else None,
    }


def roles_waiting(person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The roles of some people that wait for a second person, in one read."""
    return {
        person_id: sorted({str(payload["role"]) for payload in payloads})
        for person_id, payloads in waiting.open_payloads(KIND, person_ids).items()
    }


# ---- What the two-person rule asks of the directory


def holders(roles: Collection[str], everywhere: bool = True) -> frozenset[uuid.UUID]:
    """Who holds one of some roles, is here, and may use it: for the whole organisation, or with
    `everywhere` False for any part of it."""
    may_hold = [kind for kind, limits in kinds.TABLE.items() if limits.roles is None]
    return frozenset(
        db.session.scalars(
            select(RoleGrant.person_id)
            .join(Person, Person.id == RoleGrant.person_id)
            .where(
                RoleGrant.role.in_(roles),
                RoleGrant.segment_id.is_(None) if everywhere else true(),
                Person.departed_at.is_(None),
                Person.suspended_at.is_(None),
                Person.kind.in_(may_hold),
            )
        )
    )


def _apply(payload: approvals.Payload, actor_id: uuid.UUID) -> None:
    person_id, role = uuid.UUID(str(payload["person_id"])), str(payload["role"])
    segment_id = read_id(str(payload["segment_id"] or ""))
    with transaction() as session:
        if segment_id is not None:
            segments_reach.give_role(person_id, role, segment_id, actor_id=actor_id)
            return
        person = load_present(session, person_id)
        held = {grant.role for grant in person.role_grants if grant.segment_id is None}
        directory.change_roles(person_id, held | {role}, actor_id=actor_id)


def names_of(person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of those who are here."""
    if not person_ids:
        return {}
    present = select(Person.id, Person.name).where(
        Person.id.in_({*person_ids}), Person.departed_at.is_(None)
    )
    return {row.id: row.name for row in db.session.execute(present)}


def segment_names(segment_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of some segments."""
    if not segment_ids:
        return {}
    rows = db.session.execute(
        select(Segment.id, Segment.name).where(Segment.id.in_({*segment_ids}))
    )
    return {row.id: row.name for row in rows}


def _ids(payloads: Sequence[approvals.Payload], field: str) -> set[uuid.UUID]:
    return {found for p in payloads if (found := read_id(str(p.get(field) or "")))}


def reaches(payloads: Sequence[approvals.Payload]) -> list[str]:
    """How far the role of each of some acts goes, in words: everywhere, or within a segment."""
    names = segment_names(_ids(payloads, "segment_id"))
    return [_reach(read_id(str(payload["segment_id"] or "")), names) for payload in payloads]


def _reach(segment_id: uuid.UUID | None, names: dict[uuid.UUID, str]) -> str:
    if segment_id is None:
        return str(_("in the whole organisation"))
    name = names.get(segment_id) or str(_("Segment without a name"))
    return str(_("for the segment %(name)s", name=name))


def _describe(payloads: Sequence[approvals.Payload]) -> list[str]:
    people = names_of(_ids(payloads, "person_id"))
    return [
        str(
            _(
                "Give %(name)s the role “%(role)s”, %(reach)s.",
                name=people.get(uuid.UUID(str(payload["person_id"])))
                or _("somebody no longer here"),
                role=ROLE_NAMES[str(payload["role"])],
                reach=reach,
            )
        )
        for payload, reach in zip(payloads, reaches(payloads), strict=True)
    ]


def start() -> None:
    """Bring roles as a kind of act, and say who may be a second person."""
    approvals.know_people(holders)
    approvals.register(
        approvals.Kind(
            KIND, _l("Roles"), frozenset({"admin"}), _apply, _describe,
            lambda payload: f"/studio/people/{payload['person_id']}",
        )
    )  # fmt: skip
