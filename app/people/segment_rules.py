"""A small language of rules over what the directory says of people.

As it is kept: `{"match": "all", "conditions": [{"field": "site", "op": "is", "values":
["Lorient", "Brest"]}, {"field": "hired", "op": "within", "days": 90}]}`. `match` is 'all' or
'any'. A value stands as it is written in the directory. `is_not` holds for people of whom the
directory says nothing; every other condition does not. One rule is read (`parse`), answered for
one person (`matches`) and asked of the database (`compiled`): the three agree, and a test says so.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, or_

from app.config import LANGUAGES
from app.db import JSONDict
from app.errors import Sentence
from app.people.errors import check_form
from app.people.models import KINDS
from app.people.text import one_line

COLUMNS: Final = {
    "site": "site", "department": "department", "language": "language", "contract": "contract",
    "function": "function", "kind": "kind", "entity": "entity_id", "hired": "hired_on",
}  # fmt: skip
"""The directory's column behind each field."""
WORDS: Final = ("site", "department", "contract", "function")
WORD_OPS: Final = ("is", "is_not")
DAY_OPS: Final = ("before", "after", "within")
MATCHES: Final = ("all", "any")
MOST_CONDITIONS: Final = 12
MOST_VALUES: Final = 50
MOST_DAYS: Final = 36_500
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. `values` with 'is' and 'is_not', `date` with 'before' and 'after', `days`
    with 'within': hired in the last so many days, today included."""

    field: str
    op: str
    values: tuple[str, ...] = ()
    date: dt.date | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """All of the conditions, or any of them."""

    match: str
    conditions: tuple[Condition, ...]

    @property
    def needs_dates(self) -> bool:
        """True where the day of hiring decides."""
        return any(condition.field == "hired" for condition in self.conditions)


# --- reading -----------------------------------------------------------------------------


def parse(raw: object) -> Rule:
    """The rule that was typed, sent or kept. Raises `InvalidInput`; its errors are told for
    `match`, `conditions` and `conditions.<place>`, the first place being 0."""
    given = raw if isinstance(raw, Mapping) else {}
    match, conditions = given.get("match", "all"), given.get("conditions")
    faults: dict[str, Sentence] = {}
    if match not in MATCHES:
        faults["match"] = _l("Choose one of: %(choices)s.", choices=", ".join(MATCHES))
    if not isinstance(conditions, Sequence) or isinstance(conditions, str) or not conditions:
        faults["conditions"] = _l("Give at least one condition.")
        raise check_form(faults)
    if len(conditions) > MOST_CONDITIONS:
        faults["conditions"] = _l("At most %(most)s conditions.", most=MOST_CONDITIONS)
        raise check_form(faults)
    found: list[Condition] = []
    for place, each in enumerate(conditions):
        condition, fault = _condition(each if isinstance(each, Mapping) else {})
        if fault is not None:
            faults[f"conditions.{place}"] = fault
        elif condition is not None:
            found.append(condition)
    if faults:
        raise check_form(faults)
    return Rule(str(match), tuple(found))


def _condition(raw: Mapping[Any, Any]) -> tuple[Condition | None, Sentence | None]:
    field, op = str(raw.get("field") or ""), str(raw.get("op") or "")
    if field not in COLUMNS:
        return None, _l("Choose what the condition is about.")
    if op not in (DAY_OPS if field == "hired" else WORD_OPS):
        return None, _l("This comparison does not fit here.")
    if field == "hired":
        return _day_condition(op, raw)
    return _word_condition(field, op, raw.get("values"))


def _word_condition(field: str, op: str, raw: object) -> tuple[Condition | None, Sentence | None]:
    given = raw if isinstance(raw, Sequence) and not isinstance(raw, str) else ()
    values = tuple(dict.fromkeys(one_line(v) for v in given if isinstance(v, str) and one_line(v)))
    if not values:
        return None, _l("Give at least one value.")
    if len(values) > MOST_VALUES:
        return None, _l("At most %(most)s values.", most=MOST_VALUES)
    if any(len(value) > _LONGEST for value in values):
        return None, _l("At most %(most)s characters.", most=_LONGEST)
    if wrong := [value for value in values if not _is_known(field, value)]:
        return None, _l("“%(value)s” does not exist here.", value=wrong[0])
    return Condition(field, op, values), None


def _is_known(field: str, value: str) -> bool:
    if field == "kind":
        return value in KINDS
    if field == "language":
        return value in LANGUAGES
    return field != "entity" or _identifier(value) is not None


def _identifier(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _day_condition(op: str, raw: Mapping[Any, Any]) -> tuple[Condition | None, Sentence | None]:
    if op == "within":
        days = raw.get("days")
        if isinstance(days, str) and days.strip().isascii() and days.strip().isdigit():
            days = int(days.strip()[:9])
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
            return None, _l("Give a number of days, at least 1.")
        return Condition("hired", op, days=days), None
    try:
        date = dt.date.fromisoformat(str(raw.get("date") or "").strip())
    except ValueError:
        return None, _l("Give a date such as 2026-09-01.")
    return Condition("hired", op, date=date), None


def as_json(rule: Rule) -> JSONDict:
    """The rule as it is kept; `parse` gives it back."""
    return {"match": rule.match, "conditions": [_told(each) for each in rule.conditions]}


def _told(condition: Condition) -> JSONDict:
    told: JSONDict = {"field": condition.field, "op": condition.op}
    if condition.date is not None:
        return told | {"date": condition.date.isoformat()}
    if condition.days is not None:
        return told | {"days": condition.days}
    return told | {"values": list(condition.values)}


# --- answering ---------------------------------------------------------------------------


def matches(rule: Rule, facts: object, today: dt.date) -> bool:
    """What the database would say of one person; `facts` has the directory's columns."""
    answers = (_holds(each, getattr(facts, COLUMNS[each.field]), today) for each in rule.conditions)
    return all(answers) if rule.match == "all" else any(answers)


def _holds(condition: Condition, value: Any, today: dt.date) -> bool:
    if condition.field == "hired":
        first, last = _period(condition, today)
        return value is not None and (first or value) <= value <= (last or value)
    stands = value is not None and str(value) in _texts(condition)
    return stands if condition.op == "is" else not stands


def _texts(condition: Condition) -> frozenset[str]:
    if condition.field == "entity":
        return frozenset(str(uuid.UUID(value)) for value in condition.values)
    return frozenset(condition.values)


def _period(condition: Condition, today: dt.date) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of hiring that fit; None: no such end."""
    day = dt.timedelta(days=1)
    if condition.op == "within":
        most = min(condition.days or 1, (today - dt.date.min).days)
        return today - most * day, today
    if condition.date is None:
        return None, None
    if condition.op == "before":
        return None, condition.date - day if condition.date > dt.date.min else dt.date.min
    return (condition.date + day if condition.date < dt.date.max else dt.date.max), None


def compiled(rule: Rule, table: Any, today: dt.date) -> ColumnElement[bool]:
    """The rule as a condition over `table`, which has the directory's columns: equalities, lists
    and ranges of plain columns, so that their indexes serve it."""
    parts = list(_parts(rule, table, today))
    return and_(*parts) if rule.match == "all" else or_(*parts)


def _parts(rule: Rule, table: Any, today: dt.date) -> Iterator[ColumnElement[bool]]:
    for condition in rule.conditions:
        column = getattr(table, COLUMNS[condition.field])
        if condition.field == "hired":
            first, last = _period(condition, today)
            ends = [column >= first] if first is not None else []
            yield and_(*ends, *([column <= last] if last is not None else []))
        else:
            texts = sorted(_texts(condition))
            values: list[Any] = (
                [uuid.UUID(t) for t in texts] if condition.field == "entity" else list(texts)
            )
            is_in = column.in_(values)
            yield is_in if condition.op == "is" else or_(column.is_(None), ~is_in)
