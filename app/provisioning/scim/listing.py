"""Lists: which page, which filter, in which order.

The order is that of arrival, so that a page does not move when somebody changes. A filter
that clients really send becomes SQL on an index; what is left of it is tried on the rows
that remain, if they are few. Nothing reads a whole directory for one call.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from app.db import db
from app.people.models import Person, SegmentPerson
from app.people.text import normal_address
from app.provisioning.scim import groups, mapping, users, wire
from app.provisioning.scim.mapping import as_id
from app.provisioning.scim.models import ScimGroup, ScimUser
from app.provisioning.scim.problems import Refused, invalid
from app.provisioning.scim.wire import (
    PAGE_DEFAULT,
    PAGE_MOST,
    Comparison,
    FilterNode,
    JSONObject,
    LogicalExpr,
    LogicalOperator,
    Present,
    ValuePath,
)

MOST_TRIED = 1000
_WHOLE = re.compile(r"[+-]?\d{1,39}", re.ASCII)
Condition = ColumnElement[bool]
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks of a list. `start` counts from 1, `count` is at most a page."""

    start: int = 1
    count: int = PAGE_DEFAULT
    filter: str | None = None
    attributes: str | None = None
    excluded: str | None = None

    @classmethod
    def of(cls, given: JSONObject) -> Query:
        """Of the address or of a search message. Raises `Refused` for what is no number."""
        start = max(1, _number(given.get("startIndex"), "startIndex", 1))
        count = min(PAGE_MOST, max(0, _number(given.get("count"), "count", PAGE_DEFAULT)))
        wanted, left_out = (
            _listed(given.get("attributes")),
            _listed(given.get("excludedAttributes")),
        )
        if wanted and left_out:
            raise invalid("attributes and excludedAttributes exclude each other.")
        condition = given.get("filter")
        if condition is not None and not isinstance(condition, str):
            raise Refused(400, "invalidFilter", "filter is text.")
        return cls(start, count, condition or None, wanted, left_out)


def _number(value: object, name: str, otherwise: int) -> int:
    if value in (None, ""):
        return otherwise
    text = str(value).strip()
    if not _WHOLE.fullmatch(text):
        raise invalid(f"{name} is a whole number.")
    return max(-1, min(int(text), 2**31))


def _listed(value: object) -> str | None:
    if isinstance(value, list):
        return ",".join(str(one) for one in value) or None
    return str(value) if value else None


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of resource is listed."""

    name: str
    base: Select[Any]
    order: Any
    condition: Callable[[FilterNode], Condition | None]
    render: Callable[[list[Any], Query], list[JSONObject]]


def page(kind: str, connection_id: UUID, query: Query) -> tuple[list[JSONObject], int]:
    """The resources of one page, as asked for, and how many there are. Raises `Refused`."""
    listed = _kind(kind, connection_id)
    statement, rest = listed.base, None
    if query.filter:
        conditions, rest = _compiled(listed, wire.parsed_filter(kind, query.filter))
        statement = statement.where(*conditions)
    if rest is not None:
        return _tried(listed, statement, rest, query)
    total = db.session.scalar(statement.with_only_columns(func.count(), maintain_column_froms=True))
    rows = _rows(listed, statement, query.start - 1, query.count) if query.count else []
    return _selected(listed, listed.render(rows, query), query), total or 0


def everything(connection_id: UUID, query: Query) -> tuple[list[JSONObject], int]:
    """Users, then groups, as one list. A filter on what only one kind has finds that kind."""
    found: list[JSONObject] = []
    total, start, refusals = 0, query.start, []
    for kind in ("User", "Group"):
        try:
            part = replace(query, start=max(1, start), count=query.count - len(found))
            listed, there = page(kind, connection_id, part)
        except Refused as refused:
            if refused.scim_type != "invalidFilter":
                raise
            refusals.append(refused)
            continue
        found, total, start = found + listed, total + there, start - there
    if len(refusals) == 2:
        raise refusals[0]
    return found, total


def _rows(listed: _Kind, statement: Select[Any], offset: int, limit: int) -> list[Any]:
    ordered = statement.order_by(listed.order).offset(offset).limit(limit)
    return [*db.session.execute(ordered).all()]


def _tried(
    listed: _Kind, statement: Select[Any], rest: FilterNode, query: Query
) -> tuple[list[JSONObject], int]:
    rows = _rows(listed, statement, 0, MOST_TRIED + 1)
    if len(rows) > MOST_TRIED:
        detail = "Too many resources to try this filter on: add userName, externalId or a date."
        raise Refused(400, "tooMany", detail)
    whole = listed.render(rows, Query())
    found = [one for one in whole if wire.matches(listed.name, rest, one)]
    cut = found[query.start - 1 : query.start - 1 + query.count]
    return _selected(listed, cut, query), len(found)


def _selected(listed: _Kind, found: list[JSONObject], query: Query) -> list[JSONObject]:
    if not query.attributes and not query.excluded:
        return found
    return [wire.selected(listed.name, one, query.attributes, query.excluded) for one in found]


def _kind(kind: str, connection_id: UUID) -> _Kind:
    if kind == "User":
        base = select(ScimUser).where(
            ScimUser.connection_id == connection_id, ScimUser.deleted_at.is_(None)
        )
        return _Kind("User", base, ScimUser.id, _user_condition, _users)
    listed = select(ScimGroup).where(
        ScimGroup.connection_id == connection_id, ScimGroup.deleted_at.is_(None)
    )
    return _Kind("Group", listed, ScimGroup.segment_id, _group_condition, _groups)


def _users(rows: list[Any], query: Query) -> list[JSONObject]:
    found = [row for (row,) in rows]
    asked = [row.person_id for row in found]
    gone = select(Person.id).where(Person.id.in_(asked), users.whoever_is_gone())
    departed = {*db.session.scalars(gone)} if found else set()
    return [users.shown(row, row.person_id in departed) for row in found]


def _groups(rows: list[Any], query: Query) -> list[JSONObject]:
    found = [row for (row,) in rows]
    if not found or not wants_members(query):
        return [groups.shown(row, None) for row in found]
    listed = groups.members_of(found[0].connection_id, [row.segment_id for row in found])
    return [groups.shown(row, listed[row.segment_id]) for row in found]


def wants_members(query: Query) -> bool:
    """False where they need not be read at all."""
    if query.attributes:
        return "members" in query.attributes.lower()
    names = {name.strip().lower() for name in (query.excluded or "").split(",")}
    return not names & {"members", f"{wire.GROUP.lower()}:members"}


# ---- Filters --------------------------------------------------------------------------------


def _compiled(listed: _Kind, node: FilterNode) -> tuple[list[Condition], FilterNode | None]:
    """What the database answers, and what is left to be tried."""
    is_all = isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_
    terms = node.terms if is_all and isinstance(node, LogicalExpr) else (node,)
    conditions, left = [], []
    for term in terms:
        condition = listed.condition(term)
        left.append(term) if condition is None else conditions.append(condition)
    if len(left) < 2:
        return conditions, left[0] if left else None
    return conditions, LogicalExpr(op=LogicalOperator.and_, terms=tuple(left))


def _name_of(node: Comparison | Present, schema: str) -> str:
    """The attribute in small letters, without the address of its schema."""
    return str(node.attr_path).lower().removeprefix(f"{schema.lower()}:")


def _user_condition(node: FilterNode) -> Condition | None:
    if isinstance(node, ValuePath):
        return _work_address(node)
    if isinstance(node, Present):
        return _present(_name_of(node, wire.CORE), ScimUser)
    if isinstance(node, LogicalExpr):
        return _any_of(node, _user_condition)
    if not isinstance(node, Comparison):
        return None
    name, op, value = _name_of(node, wire.CORE), str(node.op), node.value
    if name == "username":
        return _text(ScimUser.user_key, op, mapping.key(str(value)))
    if name in ("emails", "emails.value") and op == "eq":
        return ScimUser.email == normal_address(str(value))
    if name == "active" and op == "eq":
        return _is_active(value)
    return _common(name, op, value, ScimUser, ScimUser.scim_id)


def _group_condition(node: FilterNode) -> Condition | None:
    if isinstance(node, Present):
        return _present(_name_of(node, wire.GROUP), ScimGroup)
    if isinstance(node, LogicalExpr):
        return _any_of(node, _group_condition)
    if not isinstance(node, Comparison):
        return None
    name, op, value = _name_of(node, wire.GROUP), str(node.op), node.value
    if name == "displayname":
        return _text(ScimGroup.name_key, op, mapping.key(str(value)))
    if name in ("members", "members.value") and op == "eq":
        who = select(ScimUser.person_id).where(
            ScimUser.scim_id == as_id(str(value)), ScimUser.deleted_at.is_(None)
        )
        held = select(SegmentPerson.segment_id).where(SegmentPerson.person_id.in_(who))
        return ScimGroup.segment_id.in_(held)
    return _common(name, op, value, ScimGroup, ScimGroup.segment_id)


def _any_of(
    node: LogicalExpr, condition: Callable[[FilterNode], Condition | None]
) -> Condition | None:
    found = [condition(term) for term in node.terms]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return or_(*known) if node.op == LogicalOperator.or_ else and_(*known)


def _common(name: str, op: str, value: Any, table: Any, own_id: Any) -> Condition | None:
    if name == "id" and op == "eq":
        found: Condition = own_id == as_id(str(value))
        return found
    if name == "externalid" and op == "eq":
        return _as_condition(table.external_id == str(value))
    times = {"meta.lastmodified": table.modified_at, "meta.created": table.created_at}
    if name in times and op in _ORDER:
        return _as_condition(_ORDER[op](times[name], _moment(value)))
    return None


def _as_condition(found: Any) -> Condition:
    condition: Condition = found
    return condition


def _present(name: str, table: Any) -> Condition | None:
    if name in ("id", "username", "displayname", "meta.created", "meta.lastmodified"):
        # A user's displayName may be missing; a group's never is.
        return true() if name != "displayname" or table is ScimGroup else None
    return _as_condition(table.external_id.is_not(None)) if name == "externalid" else None


def _text(column: Any, op: str, value: str) -> Condition | None:
    if op == "eq":
        return _as_condition(column == value)
    if op == "sw":
        return _as_condition(column.startswith(value, autoescape=True))
    if op == "ew":
        return _as_condition(column.endswith(value, autoescape=True))
    return _as_condition(column.contains(value, autoescape=True)) if op == "co" else None


def _work_address(node: ValuePath) -> Condition | None:
    """`emails[type eq "work" and value eq "…"]`, the way Entra ID looks for an address."""
    inner = node.val_filter
    is_all = isinstance(inner, LogicalExpr) and inner.op == LogicalOperator.and_
    terms = inner.terms if is_all and isinstance(inner, LogicalExpr) else (inner,)
    said = {}
    for term in terms:
        if not isinstance(term, Comparison) or str(term.op) != "eq":
            return None
        said[str(term.attr_path).lower()] = str(term.value)
    if str(node.attr_path).lower() != "emails" or not said.keys() <= {"type", "value"}:
        return None
    if "value" not in said:
        return None
    if said.get("type", "work").lower() != "work":
        return false()
    return ScimUser.email == normal_address(said["value"])


def _is_active(value: object) -> Condition | None:
    wanted = {"true": True, "false": False}.get(str(value).lower())
    if wanted is None:
        return None
    departed = select(Person.id).where(users.whoever_is_gone())
    return ScimUser.person_id.not_in(departed) if wanted else ScimUser.person_id.in_(departed)


def _moment(value: object) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Refused(400, "invalidFilter", "This is no date and time.") from error
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
