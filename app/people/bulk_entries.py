"""Directory entries by the hundred: one statement for many rows, with all that goes with them.

What `directory` does for one entry at a time happens here for a batch of about five hundred: the
words by which people are found and the counters follow, movers leave the place they had in the
history. What a row may hold is checked by the caller, whose own record of the batch stands for
the audit log; nothing here makes a member, sends a mail or gives a role.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock, outbox
from app.db import db
from app.people import upkeep
from app.people.models import Membership, Person, PersonWord
from app.people.placements import PLACE, note_moves
from app.people.transition_models import Placement

PROFILE: Final = (
    "kind", "name", "email", "employee_id", "job_title", "department", "site", "function",
    "contract", "hired_on", "ends_on", "entity_id", "language",
)  # fmt: skip
"""What a file may say of a person, as the columns of `Person`."""

_TABLE: Final = cast(Table, Person.__table__)
_STATE: Final = ("manager_id", "departed_at", "suspended_at", "created_at")
_COLUMNS: Final = tuple(_TABLE.c[name] for name in ("id", *PROFILE, *_STATE))
_UNIQUE: Final = frozenset({"email", "employee_id"})

Known = Row[Any]
"""A row of `Person` with its id, `PROFILE` and `_STATE`."""
Changes = Mapping[uuid.UUID, Mapping[str, object]]
"""New values by person and column."""


def by_number_or_address(numbers: Collection[str], addresses: Collection[str]) -> list[Known]:
    """The entries that hold one of these employee numbers or addresses."""
    if not numbers and not addresses:
        return []
    held = or_(_TABLE.c.employee_id.in_(numbers), _TABLE.c.email.in_(addresses))
    return [*db.session.execute(select(*_COLUMNS).where(held))]


def by_id(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Known]:
    """The entries that are there."""
    if not ids:
        return {}
    rows = db.session.execute(select(*_COLUMNS).where(_TABLE.c.id.in_(ids)))
    return {row.id: row for row in rows}


def joined_since(ids: Collection[uuid.UUID], at: dt.datetime) -> set[uuid.UUID]:
    """Those who have joined, or joined again, since a moment."""
    rows = db.session.scalars(
        select(Membership.person_id).where(
            Membership.person_id.in_(ids), Membership.joined_at >= at
        )
    )
    return {*rows}


def holders(column: str, values: Collection[object]) -> dict[object, uuid.UUID]:
    """Who holds these values of a column that is unique: value → person."""
    if not values:
        return {}
    held = _TABLE.c[column]
    found = select(held, _TABLE.c.id).where(held.in_(values))
    return {row[0]: row[1] for row in db.session.execute(found)}


def add(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Make entries; each row has an `id` and what is known of `PROFILE`."""
    if not rows:
        return
    blank: dict[str, object] = {**dict.fromkeys(PROFILE), "created_at": clock.now()}
    whole = [{**blank, **row} for row in rows]
    session.connection().execute(insert(_TABLE), whole)
    upkeep.entered(SimpleNamespace(**row, departed_at=None) for row in whole)


def change(session: Session, changes: Changes) -> dict[uuid.UUID, dt.datetime]:
    """Write new values into entries that are there; who thereby left a place, and when.

    Addresses and numbers may be passed on within the batch. A place that was not known before
    is no place that somebody left.
    """
    if not changes:
        return {}
    before = by_id(changes.keys())
    upkeep.left(before.values())
    _write(session, changes)
    upkeep.entered(by_id(changes.keys()).values())
    return _movers(session, before, changes)


def _write(session: Session, changes: Changes) -> None:
    connection = session.connection()
    rows = by_id([id_ for id_ in changes if _UNIQUE & {*changes[id_]}])
    if rows:
        aside = update(_TABLE).where(_TABLE.c.id == bindparam("key"))
        passed_on = [{"key": id_, "held": f"{id_}@moving.invalid"} for id_ in rows]
        connection.execute(aside.values(email=bindparam("held"), employee_id=None), passed_on)
        changes = {
            id_: {"email": rows[id_].email, "employee_id": rows[id_].employee_id, **values}
            if id_ in rows
            else values
            for id_, values in changes.items()
        }
    for columns, batch in _alike(changes).items():
        written = update(_TABLE).where(_TABLE.c.id == bindparam("key"))
        named: dict[str, Any] = {name: bindparam(f"v_{name}") for name in columns}
        connection.execute(written.values(named), batch)


def _alike(changes: Changes) -> dict[tuple[str, ...], list[dict[str, object]]]:
    """The changes of the same columns together, as parameters."""
    found: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for person_id, values in changes.items():
        row = {"key": person_id, **{f"v_{name}": value for name, value in values.items()}}
        found.setdefault(tuple(sorted(values)), []).append(row)
    return found


def _movers(
    session: Session, before: Mapping[uuid.UUID, Known], changes: Changes
) -> dict[uuid.UUID, dt.datetime]:
    moves = [
        (id_, {name: getattr(row, name) for name in PLACE}, row.created_at)
        for id_, row in before.items()
        if any(getattr(row, name) is not None for name in PLACE if name in changes[id_])
    ]
    now = clock.now()
    note_moves(session.connection(), moves)
    return dict.fromkeys((id_ for id_, _place, _created in moves), now)


def set_managers(
    session: Session, managers: Mapping[uuid.UUID, uuid.UUID | None], new: Collection[uuid.UUID]
) -> dict[uuid.UUID, dt.datetime]:
    """Say who somebody's manager is; who thereby left a place. The `new` ones had none."""
    changes = {id_: {"manager_id": manager} for id_, manager in managers.items()}
    before = by_id(changes.keys() - {*new})
    _write(session, changes)
    return _movers(session, before, changes)


def restore(session: Session, changes: Changes, moved: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Write earlier values back, and take back the places that were noted as left at `moved`."""
    if not changes:
        return
    upkeep.left(by_id(changes.keys()).values())
    _write(session, changes)
    upkeep.entered(by_id(changes.keys()).values())
    for person_id, at in moved.items():
        first = (
            select(Placement.id)
            .where(Placement.person_id == person_id, Placement.ended_at >= at)
            .order_by(Placement.ended_at)
            .limit(1)
        )
        session.connection().execute(
            delete(Placement).where(Placement.id == first.scalar_subquery())
        )
        outbox.record("person.moved", person_id=str(person_id))


def remove(session: Session, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Delete entries that nothing else speaks of; those that could be deleted."""
    ids = [*ids]
    if not ids or _deleted(session, ids):
        return {*ids}
    return {id_ for id_ in ids if _deleted(session, [id_])}


def _deleted(session: Session, ids: list[uuid.UUID]) -> bool:
    try:
        with session.begin_nested():
            connection = session.connection()
            rows = [*connection.execute(select(*_COLUMNS).where(_TABLE.c.id.in_(ids)))]
            upkeep.left(rows)
            connection.execute(delete(PersonWord).where(PersonWord.person_id.in_(ids)))
            connection.execute(delete(_TABLE).where(_TABLE.c.id.in_(ids)))
    except IntegrityError:
        return False
    return True
