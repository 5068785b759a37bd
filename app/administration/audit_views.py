"""The audit trail as a page and as a table, for administrators and auditors.

People are named as the directory names them now: somebody who left the organisation or was
erased is nobody in particular here. What was looked for lives in the address.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from app import audit
from app.administration.audit_words import AREA_NAMES, action_name, target_name
from app.audit import queries
from app.audit.areas import AREAS
from app.audit.queries import Row, Search
from app.db import db, read_id, transaction
from app.people.models import Person
from app.web import access, current_settings, render, sheets
from app.web.cursors import decode_cursor, encode_cursor

audit_trail = Blueprint("audit_trail", __name__)

MAY = ("admin", "auditor")


@dataclass(frozen=True, slots=True)
class Line:
    """An act as it is shown; `actor` and `target` are names, or None where nobody present
    bears one. `by_product` tells that no person acted."""

    row: Row
    action: str
    actor: str | None
    target: str | None

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


def _names(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Who of these is in the directory now."""
    present = select(Person.id, Person.name).where(Person.id.in_(ids), Person.departed_at.is_(None))
    return {row.id: row.name for row in db.session.execute(present)} if ids else {}


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
    names = _names(people | {each for each in targets.values() if each})
    return [
        Line(
            row,
            action_name(row.action),
            names.get(row.actor_id) if row.actor_id else None,
            names.get(found) if (found := targets.get(row.id)) else None,
        )
        for row in rows
    ]


@audit_trail.get("/studio/audit")
@access.role(*MAY)
def page() -> Response:
    """What was done, the newest first."""
    asked = _asked()
    rows, is_more = queries.find(asked, decode_cursor(request.args.get("after")))
    actions = sorted(AREAS[asked.area], key=action_name) if asked.area else []
    return render(
        "administration/audit.html",
        lines=_lines(rows),
        next_cursor=encode_cursor(rows[-1].at, rows[-1].id) if is_more else None,
        asked=asked,
        areas=AREA_NAMES.items(),
        actions=[(action, action_name(action)) for action in actions],
        actor=_names([asked.actor_id]).get(asked.actor_id) if asked.actor_id else None,
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
    return sheets.download("audit", _header(), _cells(queries.each(asked)), sheets.delimiter())


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
