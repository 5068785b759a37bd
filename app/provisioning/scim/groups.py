"""Groups of a connection: segments whose list the directory writes.

A member is a user of the same connection. Others are left out without an error: a client
retries a refused request for ever, and one person who is not here (out of its scope, or
brought a moment later) would then keep everybody else out of the group. The answer tells
who is on the list. Lists of hundreds are written in a few statements.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock
from app.db import db, new_id, transaction
from app.people.models import Segment, SegmentPerson
from app.people.text import one_line
from app.provisioning.scim import activity, group_roles, mapping, normalising, wire
from app.provisioning.scim.group_roles import SOURCE
from app.provisioning.scim.mapping import as_id
from app.provisioning.scim.models import ScimGroup, ScimUser
from app.provisioning.scim.problems import Refused, invalid, taken, unknown
from app.provisioning.scim.users import service_address
from app.provisioning.scim.wire import JSONObject

_SEGMENT_NAME = 120
_AT_ONCE = 500
_ONE_MEMBER = r'value\s+eq\s+"([^"\\]*)"'
_PICKED = re.compile(rf"members\[\s*{_ONE_MEMBER}(?:\s+or\s+{_ONE_MEMBER})*\s*\]", re.IGNORECASE)

Ids = set[uuid.UUID]


@dataclass(slots=True)
class Membership:
    """What a call does to a list: whom it adds and removes, after emptying it or not."""

    added: Ids = field(default_factory=set)
    removed: Ids = field(default_factory=set)
    anew: bool = False

    def add(self, ids: Ids) -> None:
        self.added |= ids
        self.removed -= ids

    def remove(self, ids: Ids) -> None:
        self.removed |= ids
        self.added -= ids

    def clear(self) -> None:
        self.added, self.removed, self.anew = set(), set(), True


@contextmanager
def _one_of_two_wins() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise taken("Another group has this displayName or externalId.") from error


def _living(connection_id: uuid.UUID) -> tuple[Any, Any]:
    return ScimGroup.connection_id == connection_id, ScimGroup.deleted_at.is_(None)


def _load(session: Session, connection_id: uuid.UUID, group_id: str) -> ScimGroup:
    """The group, locked. Raises `Refused` (404) for one of another connection as for none."""
    row = session.scalar(
        select(ScimGroup)
        .where(*_living(connection_id), ScimGroup.segment_id == as_id(group_id))
        .with_for_update()
    )
    if row is None:
        raise unknown()
    return row


# ---- Shown ----------------------------------------------------------------------------------


def shown(row: Any, members: Iterable[uuid.UUID] | None) -> JSONObject:
    """A group in SCIM's shape; `members` is None where they were not asked for."""
    base, group_id = service_address(), str(row.segment_id)
    found: JSONObject = {"schemas": [wire.GROUP], "id": group_id}
    if row.external_id:
        found["externalId"] = row.external_id
    found["displayName"] = row.display_name
    listed = [_member(base, user_id) for user_id in members or ()]
    if listed:
        found["members"] = listed
    found["meta"] = {
        "resourceType": "Group",
        "created": row.created_at.isoformat().replace("+00:00", "Z"),
        "lastModified": row.modified_at.isoformat().replace("+00:00", "Z"),
        "location": f"{base}/Groups/{group_id}",
    }
    return found


def _member(base: str, user_id: uuid.UUID) -> JSONObject:
    return {"value": str(user_id), "$ref": f"{base}/Users/{user_id}", "type": "User"}


def members_of(
    connection_id: uuid.UUID, group_ids: list[uuid.UUID]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The SCIM ids of who is on each list, as far as they are users of this connection."""
    found: dict[uuid.UUID, list[uuid.UUID]] = {group_id: [] for group_id in group_ids}
    rows = db.session.execute(
        select(SegmentPerson.segment_id, ScimUser.scim_id)
        .join(ScimUser, ScimUser.person_id == SegmentPerson.person_id)
        .where(
            SegmentPerson.segment_id.in_(group_ids),
            ScimUser.connection_id == connection_id,
            ScimUser.deleted_at.is_(None),
        )
        .order_by(SegmentPerson.segment_id, ScimUser.scim_id)
    )
    for group_id, user_id in rows:
        found[group_id].append(user_id)
    return found


def get(connection_id: uuid.UUID, group_id: str, *, with_members: bool = True) -> JSONObject:
    """One group. Raises `Refused` (404)."""
    row = db.session.scalar(
        select(ScimGroup).where(*_living(connection_id), ScimGroup.segment_id == as_id(group_id))
    )
    if row is None:
        raise unknown()
    return _whole(row) if with_members else shown(row, None)


def _whole(row: ScimGroup) -> JSONObject:
    return shown(row, members_of(row.connection_id, [row.segment_id])[row.segment_id])


# ---- Written --------------------------------------------------------------------------------


def create(connection_id: uuid.UUID, body: JSONObject) -> JSONObject:
    """Make a group. Raises `Refused`: `uniqueness`, `invalidValue`."""
    said = wire.read("Group", body)
    now = clock.now()
    with _one_of_two_wins(), transaction() as session:
        row = ScimGroup(segment_id=new_id(), connection_id=connection_id, created_at=now)
        session.add(Segment(id=row.segment_id, name="", rule=None))
        session.flush()
        _name(session, row, said)
        session.add(row)
        session.flush()
        _write_members(session, row, Membership(_ids(said.get("members") or [])))
        _note(row, "group_created")
        return _whole(row)


def _name(session: Session, row: ScimGroup, said: JSONObject) -> None:
    name, external_id = one_line(str(said.get("displayName", ""))), said.get("externalId") or None
    if not name or len(name) > mapping.MOST or len(external_id or "") > mapping.MOST:
        raise invalid(f"displayName and externalId have 1 to {mapping.MOST} characters.")
    key = mapping.key(name)
    same = [ScimGroup.name_key == key]
    if external_id:
        same.append(ScimGroup.external_id == external_id)
    found = select(ScimGroup.segment_id).where(*_living(row.connection_id), or_(*same))
    if {*session.scalars(found)} - {row.segment_id}:
        raise taken("Another group of this connection has this displayName or externalId.")
    row.display_name, row.name_key, row.external_id = name, key, external_id
    row.modified_at = clock.now()
    segment = session.get_one(Segment, row.segment_id)
    segment.name = name[:_SEGMENT_NAME]


def replace_group(connection_id: uuid.UUID, group_id: str, body: JSONObject) -> JSONObject:
    """The whole group anew, its list included. An `externalId` left out stays.

    Raises `Refused`.
    """
    said = wire.read("Group", body, replacing=True)
    with _one_of_two_wins(), transaction() as session:
        row = _load(session, connection_id, group_id)
        _name(session, row, said | {"externalId": said.get("externalId") or row.external_id})
        _write_members(session, row, Membership(_ids(said.get("members") or []), anew=True))
        _note(row, "group_changed")
        return _whole(row)


def patch(connection_id: uuid.UUID, group_id: str, body: JSONObject) -> None:
    """All operations, or none. Raises `Refused`."""
    change, others = _told_apart(normalising.operations(body), str(as_id(group_id)))
    with _one_of_two_wins(), transaction() as session:
        row = _load(session, connection_id, group_id)
        if others:
            own = shown(row, None)
            own = {name: own[name] for name in ("id", "externalId", "displayName") if name in own}
            _name(session, row, wire.patched("Group", own, others))
        _write_members(session, row, change)
        row.modified_at = clock.now()
        _note(row, "group_changed")


def _told_apart(found: list[JSONObject], own_id: str) -> tuple[Membership, list[JSONObject]]:
    """What the operations do to the list, and those that do something else."""
    change, others = Membership(), []
    for one in normalising.for_user(found, own_id):
        path, value = str(one.get("path", "")), one.get("value")
        if path.lower().startswith(f"{wire.GROUP.lower()}:"):
            path = path[len(wire.GROUP) + 1 :]
        if not path and isinstance(value, dict):
            others += _without_members(one, value, change)
        elif path.lower() == "members":
            _apply(change, one["op"], "value" in one, value)
        elif path.lower().startswith("members"):
            _apply_picked(change, one["op"], path)
        else:
            others.append(one)
    return change, others


def _without_members(one: JSONObject, value: JSONObject, change: Membership) -> list[JSONObject]:
    rest = {name: said for name, said in value.items() if name.lower() != "members"}
    for name, said in value.items():
        if name.lower() == "members":
            _apply(change, one["op"], True, said)
    return [one | {"value": rest}] if rest else []


def _apply(change: Membership, op: str, has_value: bool, value: Any) -> None:
    """An operation on the whole list. A removal with values removes those alone: Entra ID
    writes it so, and reading it as "remove the attribute" would empty the group."""
    if op == "remove":
        change.remove(_ids(value)) if has_value and value is not None else change.clear()
    elif op in ("add", "replace"):
        if op == "replace":
            change.clear()
        change.add(_ids(value if value is not None else []))
    else:
        raise invalid("op is add, remove or replace.")


def _apply_picked(change: Membership, op: str, path: str) -> None:
    """`members[value eq "…"]`, one or several."""
    if op != "remove" or not _PICKED.fullmatch(path):
        raise Refused(400, "invalidPath", "Members are picked by value, and only to be removed.")
    change.remove(_ids(re.findall(_ONE_MEMBER, path, re.IGNORECASE)))


def _ids(value: Any) -> Ids:
    """The SCIM ids that a value names. Raises `Refused` for a shape that names nobody."""
    found: Ids = set()
    for one in value if isinstance(value, list) else [value]:
        named = _named(one)
        if not isinstance(named, str):
            raise invalid("Each member has a value: the id of a user.")
        if user_id := as_id(named):
            found.add(user_id)
    return found


def _named(one: Any) -> Any:
    if isinstance(one, dict):
        return next((said for key, said in one.items() if key.lower() == "value"), None)
    return one


def _parts(ids: Iterable[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    """In steps that every database takes in one statement."""
    whole = sorted(ids)
    for start in range(0, len(whole), _AT_ONCE):
        yield whole[start : start + _AT_ONCE]


def _write_members(session: Session, row: ScimGroup, change: Membership) -> None:
    added = _people(session, row.connection_id, change.added)
    removed = _people(session, row.connection_id, change.removed)
    listed = SegmentPerson.segment_id == row.segment_id
    held = {*session.scalars(select(SegmentPerson.person_id).where(listed))}
    gone = held - added if change.anew else held & removed
    for part in _parts(gone):
        session.execute(
            delete(SegmentPerson)
            .where(listed, SegmentPerson.person_id.in_(part))
            .execution_options(synchronize_session=False)
        )
    now, base = clock.now(), {"segment_id": row.segment_id, "source": SOURCE}
    for part in _parts(added - held):
        session.execute(
            insert(SegmentPerson), [base | {"person_id": one, "added_at": now} for one in part]
        )
    for part in _parts(added & held):  # somebody had put them on the list by hand
        session.execute(
            update(SegmentPerson)
            .where(listed, SegmentPerson.person_id.in_(part), SegmentPerson.source.is_(None))
            .values(source=SOURCE)
            .execution_options(synchronize_session=False)
        )
    group_roles.follow_members(session, row.segment_id, added | gone)


def _people(session: Session, connection_id: uuid.UUID, ids: Ids) -> Ids:
    """The people behind SCIM ids, as far as they are users of the connection."""
    found: Ids = set()
    for part in _parts(ids):
        found |= {
            *session.scalars(
                select(ScimUser.person_id).where(
                    ScimUser.connection_id == connection_id,
                    ScimUser.deleted_at.is_(None),
                    ScimUser.scim_id.in_(part),
                )
            )
        }
    return found


def remove(connection_id: uuid.UUID, group_id: str) -> None:
    """The group and its list are gone; the segment is put away, because audiences and roles
    may name it. Raises `Refused`."""
    with transaction() as session:
        row = _load(session, connection_id, group_id)
        row.deleted_at = row.modified_at = clock.now()
        session.execute(
            delete(SegmentPerson)
            .where(SegmentPerson.segment_id == row.segment_id)
            .execution_options(synchronize_session=False)
        )
        session.get_one(Segment, row.segment_id).archived_at = row.deleted_at
        group_roles.forget_group(session, row.segment_id)
        _note(row, "group_deleted")


def _note(row: ScimGroup, what: str) -> None:
    activity.count(row.connection_id, what)
    audit.record(f"scim.{what}", "segment", row.segment_id, connection=str(row.connection_id))
