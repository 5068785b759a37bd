"""The rules of segments: read with clear faults, and answered alike for one and for all."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from app.errors import InvalidInput
from app.people import segment_rules
from app.people.models import Person
from app.people.segment_rules import as_json, matches, parse
from tests.conftest import House

TODAY = dt.date(2026, 11, 17)


def rule(*conditions: dict[str, Any], match: str = "all") -> dict[str, Any]:
    return {"match": match, "conditions": list(conditions)}


def said(field: str, op: str, *values: str) -> dict[str, Any]:
    return {"field": field, "op": op, "values": list(values)}


def hired(op: str, **more: Any) -> dict[str, Any]:
    return {"field": "hired", "op": op, **more}


def test_it_gives_back_what_it_read():
    given = rule(
        said("site", "is", "Lorient", "Brest"), said("kind", "is_not", "alumni"),
        hired("within", days=90), hired("before", date="2026-01-31"), match="any",
    )  # fmt: skip
    assert as_json(parse(given)) == given
    assert parse(as_json(parse(given))) == parse(given)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "conditions"),
        ([], "conditions"),
        ({"match": "all"}, "conditions"),
        ({"match": "all", "conditions": "site"}, "conditions"),
        (rule(said("site", "is", "Lorient"), match="none"), "match"),
        (rule(*[said("site", "is", "Lorient")] * 13), "conditions"),
        (rule("site"), "conditions.0"),
        (rule(said("salary", "is", "1")), "conditions.0"),
        (rule(said("site", "before", "Lorient")), "conditions.0"),
        (rule(said("site", "is")), "conditions.0"),
        (rule(said("site", "is", " ", "\t")), "conditions.0"),
        (rule(said("site", "is", *map(str, range(51)))), "conditions.0"),
        (rule(said("site", "is", "x" * 201)), "conditions.0"),
        (rule({"field": "site", "op": "is", "values": "Lorient"}), "conditions.0"),
        (rule(said("site", "is", "a"), said("kind", "is", "boss")), "conditions.1"),
        (rule(said("language", "is", "tlh")), "conditions.0"),
        (rule(said("entity", "is", "not-an-id")), "conditions.0"),
        (rule(hired("is", values=["2026"])), "conditions.0"),
        (rule(hired("before", date="31/01/2026")), "conditions.0"),
        (rule(hired("after")), "conditions.0"),
        (rule(hired("within", days=0)), "conditions.0"),
        (rule(hired("within", days="ten")), "conditions.0"),
        (rule(hired("within", days=True)), "conditions.0"),
        (rule(hired("within", days="9" * 40)), "conditions.0"),
    ],
)
def test_it_says_where_a_rule_is_wrong(raw, field):
    with pytest.raises(InvalidInput) as told:
        parse(raw)
    assert list(told.value.errors) == [field]


def somebody(**facts: Any) -> SimpleNamespace:
    none = dict.fromkeys(segment_rules.COLUMNS.values())
    return SimpleNamespace(**{**none, "language": "fr", "kind": "employee", **facts})


@pytest.mark.parametrize(
    ("days", "on", "holds"),
    [
        (90, TODAY, True),
        (90, TODAY - dt.timedelta(days=90), True),
        (90, TODAY - dt.timedelta(days=91), False),
        (90, TODAY + dt.timedelta(days=1), False),
        (36_500, dt.date.min, False),
        (90, None, False),
    ],
)
def test_it_counts_the_last_days_with_today(days, on, holds):
    assert matches(parse(rule(hired("within", days=days))), somebody(hired_on=on), TODAY) is holds


def test_it_takes_neither_end_of_a_period():
    day = dt.date(2026, 5, 4)
    before, after = (parse(rule(hired(op, date="2026-05-04"))) for op in ("before", "after"))
    assert not matches(before, somebody(hired_on=day), TODAY)
    assert not matches(after, somebody(hired_on=day), TODAY)
    assert matches(before, somebody(hired_on=day - dt.timedelta(days=1)), TODAY)
    assert matches(after, somebody(hired_on=day + dt.timedelta(days=1)), TODAY)


def test_it_lets_is_not_hold_where_nothing_is_said():
    elsewhere = parse(rule(said("site", "is_not", "Lorient")))
    assert matches(elsewhere, somebody(site=None), TODAY)
    assert not matches(elsewhere, somebody(site="Lorient"), TODAY)


def test_it_answers_one_as_the_database_answers_all(any_house: House):
    """Every condition, alone and in pairs, with people who differ in everything."""
    from app.db import db, transaction
    from app.settings.models import Entity

    with transaction() as session:
        entity = Entity(code="north", name="North")
        session.add(entity)
        session.flush()
        for n, (site, function, contract, day) in enumerate(
            itertools.product(
                ("Lorient", "Brest", None), ("Atelier", None), ("CDI", None),
                (dt.date(2026, 11, 1), dt.date(2020, 2, 29), None),
            )
        ):  # fmt: skip
            session.add(
                Person(
                    kind=("employee", "partner")[n % 2], language=("fr", "en")[n % 3 == 0],
                    name=f"P {n}", email=f"p{n}@halvenne.example", site=site, function=function,
                    contract=contract, hired_on=day, department=site and f"Team {site}",
                    entity_id=entity.id if n % 5 == 0 else None,
                )
            )  # fmt: skip
    conditions = [
        said("site", "is", "Lorient"), said("site", "is_not", "Lorient", "Brest"),
        said("department", "is", "Team Brest"), said("function", "is_not", "Atelier"),
        said("contract", "is", "CDI"), said("language", "is", "en"), said("kind", "is", "partner"),
        said("entity", "is", str(entity.id)), said("entity", "is_not", str(entity.id).upper()),
        said("entity", "is", str(uuid.uuid4())), hired("within", days=30),
        hired("before", date="2026-11-01"), hired("after", date="2020-02-29"),
    ]  # fmt: skip
    everybody = list(db.session.scalars(db.select(Person)))
    assert len(everybody) == 36
    for pair in [*((c,) for c in conditions), *itertools.combinations(conditions, 2)]:
        for match in segment_rules.MATCHES:
            asked = parse(rule(*pair, match=match))
            found = db.session.scalars(
                db.select(Person.id).where(segment_rules.compiled(asked, Person, TODAY))
            )
            assert {*found} == {p.id for p in everybody if matches(asked, p, TODAY)}, pair
