"""The audit trail as a page and as a table, for administrators and auditors.

People are named as the directory names them now, and only those who work for the programme or
acted for it: anybody else is a number, which leads an administrator to their entry. What was looked for lives in the address.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, exists, or_, select

from app import audit
from app.administration.audit_words import AREA_NAMES, action_name, target_name
from app.audit import queries
from app.audit.areas import AREAS
from app.audit.queries import Row, Search
from app.db import db, read_id, transaction
from app.people import saved_views
from app.people.models import Membership, Person, RoleGrant
from app.web import access, current_settings, render, sheets

audit_trail = Blueprint("audit_trail", __name__)

MAY = ("admin", "auditor")
LIST = saved_views.declare(
    "audit", "/studio/audit", ("area", "action", "since", "until"), MAY, _l("Audit trail")
)


@dataclass(frozen=True, slots=True)
class Line:
    """An act as it is shown; `actor` and `target` are names, or None where nobody present
    bears one; `entry_id` the entry of the directory that it is about. `by_product` tells that no
    person acted."""

    row: Row
    action: str
    actor: str | None
    target: str | None
    entry_id: uuid.UUID | None

    @property
    def by_product(self) -> bool:
        return self.row.actor_id is None

    @property
    def kind(self) -> str:
        return target_name(self.row.target_kind)

    @property
    def details(self) -> list[tuple[str, str]]:
        return [(key, str(value)) for key, value in self.row.details.items() if value is not None]


def _day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _midnight(day: dt.date | None) -> dt.datetime | None:
    """The day's first instant on the organisation's calendar."""
    if day is None:
        return None
    zone = current_settings().timezone
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)


def _asked() -> Search:
    args, until = request.args, _day("until")
    return Search(
        area=args.get("area", "") if args.get("area") in AREAS else "",
        action=args.get("action", "")[:60],
        actor_id=read_id(args.get("actor")),
        target_kind=args.get("kind", "")[:40],
        target_id=args.get("target", "")[:60],
        since=_midnight(_day("since")),
        before=_midnight(until + dt.timedelta(days=1)) if until else None,
    )


class _Known(NamedTuple):
    """Somebody of the directory: as who acted, and as whom an act is about; None is nobody in
    particular."""

    as_actor: str | None
    as_target: str | None


def _known(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, _Known]:
    """Who of these is in the directory. An act is about a named person only where that person
    works for the programme, and done by one who still takes part: the trail is no list of those
    who are not there, did not join or left (rule W2)."""
    works = exists().where(RoleGrant.person_id == Person.id)
    takes_part = exists().where(Membership.person_id == Person.id, Membership.left_at.is_(None))
    present = Person.departed_at.is_(None)
    found = select(
        Person.id,
        case((present & or_(works, takes_part), Person.name)).label("as_actor"),
        case((present & works, Person.name)).label("as_target"),
    ).where(Person.id.in_(ids), Person.erased_at.is_(None))
    rows = db.session.execute(found) if ids else ()
    return {row.id: _Known(row.as_actor, row.as_target) for row in rows}


def _as_read(row: Row) -> Row:
    """An act as this reader may know it: whom an entry of the directory is about is told to
    administrators alone (rule W2). Whose roles changed is told to auditors, too."""
    about_roles = row.action.startswith("role.")
    if row.target_kind != "person" or about_roles or "admin" in access.me().roles:
        return row
    return row._replace(target_id="")


def _lines(rows: Iterable[Row]) -> list[Line]:
    """Rows with names, read in one statement."""
    rows = [_as_read(row) for row in rows]
    people = {row.actor_id for row in rows if row.actor_id}
    targets = {row.id: read_id(row.target_id) for row in rows if row.target_kind == "person"}
    known = _known(people | {each for each in targets.values() if each})
    return [_line(row, known, targets.get(row.id)) for row in rows]


def _line(row: Row, known: dict[uuid.UUID, _Known], target_id: uuid.UUID | None) -> Line:
    actor = known.get(row.actor_id) if row.actor_id else None
    target = known.get(target_id) if target_id else None
    return Line(
        row,
        action_name(row.action),
        actor.as_actor if actor else None,
        target.as_target if target else None,
        target_id if target else None,
    )


def _actor(person_id: uuid.UUID | None) -> str | None:
    found = _known([person_id]).get(person_id) if person_id else None
    return found.as_actor if found else None


@audit_trail.get("/studio/audit")
@access.role(*MAY)
@saved_views.opens_on(LIST)
def page() -> Response:
    """What was done, the newest first."""
    asked = _asked()
    after, before = request.args.get("after"), request.args.get("before")
    found = queries.find(asked, after=after, before=before)
    actions = sorted(AREAS[asked.area], key=action_name) if asked.area else []
    return render(
        "administration/audit.html",
        lines=_lines(found.rows),
        beside=found,
        asked=asked,
        areas=AREA_NAMES.items(),
        is_admin="admin" in access.me().roles,
        actions=[(action, action_name(action)) for action in actions],
        actor=_actor(asked.actor_id),
        since=_day("since"),
        until=_day("until"),
    )


@audit_trail.get("/studio/audit.csv")
@access.role(*MAY)
def export() -> Response:
    """The same as a table, all of it; taking it is an act of its own."""
    asked = _asked()
    with transaction():
        audit.record("audit.exported", "audit", asked.area or "-", actor_id=access.me().person_id)
    return sheets.activity("audit", _header(), _cells(queries.each(asked)), sheets.delimiter())


def _header() -> list[str]:
    return [
        _("When"), _("Act"), _("Code"), _("By"), _("Identifier"), _("About"), _("Identifier"),
        _("Details"),
    ]  # fmt: skip


def _cells(rows: Iterator[Row]) -> Iterator[list[sheets.Cell]]:
    while part := list(islice(rows, 500)):
        for line in _lines(part):
            row = line.row
            yield [
                row.at, line.action, row.action, line.actor, str(row.actor_id or ""),
                row.target_kind, row.target_id,
                ", ".join(f"{key}={value}" for key, value in line.details),
            ]  # fmt: skip
