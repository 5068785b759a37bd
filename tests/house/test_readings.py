"""A SELECT that the driver runs finds what SQLAlchemy finds."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, event, func, select
from sqlalchemy.exc import DBAPIError

from app import clock
from app.db import db, transaction
from app.people.models import Membership, Person
from app.prepared import Reading
from tests.conftest import House

_SOME = (
    select(
        Person.id, Person.name, Person.departed_at, Membership.joined_at, Person.ends_on,
        Membership.left_at.is_(None).label("takes_part"), func.length(Person.name),
        Person.kind.in_(("employee", "alumni")).label("is_known"),
    )
    .outerjoin(Membership, Membership.person_id == Person.id)
    .where(
        Person.id.in_(bindparam("ids", expanding=True)),
        Person.name.not_in(bindparam("names", expanding=True)),
        Person.kind.in_(("employee", "partner")),
        Person.site.is_not_distinct_from(bindparam("site")),
        Person.created_at <= bindparam("now", type_=Person.created_at.type),
        Membership.joined_at <= bindparam("now", type_=Person.created_at.type),
    )
    .order_by(Person.name)
    .limit(bindparam("most", type_=Integer))
)  # fmt: skip
SOME = Reading(_SOME)


@pytest.fixture
def crowd(any_house: House) -> list[uuid.UUID]:
    return [any_house.person(f"Zoé d’Àçé {n} %s $1 ?").id for n in range(4)]


def _asked(ids: list[uuid.UUID], **other: Any) -> dict[str, Any]:
    return {"ids": ids, "names": [], "site": None, "now": clock.now(), "most": 50} | other


@pytest.mark.parametrize("names", [[], ["nobody"], ["nobody", "Zoé d’Àçé 1 %s $1 ?"]])
@pytest.mark.parametrize("count", [0, 1, 3, 4])
def test_it_finds_the_same_rows(crowd: list[uuid.UUID], count: int, names: list[str]) -> None:
    for values in (
        _asked(crowd[:count], names=names),
        _asked(crowd[:count], site="Lorient"),
        _asked(crowd[:count], most=2),
        _asked(crowd[:count], now=clock.now() - dt.timedelta(days=400)),
    ):
        expected = db.session.execute(_SOME, values).all()
        assert [tuple(row) for row in SOME.all(values)] == [tuple(row) for row in expected]
        first = SOME.first(values)
        assert (first and first.name) == (expected[0].name if expected else None)


def test_its_rows_have_the_names_and_kinds_of_the_columns(crowd: list[uuid.UUID]) -> None:
    row = SOME.one(_asked(crowd[:1]))
    assert row.id == crowd[0]
    assert row.takes_part is True
    assert row.is_known is True
    assert row.joined_at.tzinfo is not None
    assert row.departed_at is None


def test_the_one_row_must_be_there(crowd: list[uuid.UUID]) -> None:
    with pytest.raises(ValueError, match="unpack"):
        SOME.one(_asked([]))


def test_a_parameter_with_a_value_of_its_own_is_none(any_house: House) -> None:
    """It would keep that of the first call."""
    held = Reading(select(Person.id).where(Person.name == bindparam("name", "Zoé")))
    assert held.all({}) == []
    with pytest.raises(ValueError, match="name"):
        Reading(select(Person.id).where(Person.name == bindparam("name", "Zoé"))).all({"name": "A"})


def test_it_sees_what_the_transaction_has_not_written_yet(crowd: list[uuid.UUID]) -> None:
    with transaction() as session:
        session.get_one(Person, crowd[0]).name = "Yves"
        assert SOME.one(_asked(crowd[:1])).name == "Yves"


def test_whoever_counts_statements_counts_these(crowd: list[uuid.UUID]) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    quiet = SOME.all(_asked(crowd))
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert SOME.all(_asked(crowd)) == quiet
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(seen) == 1
    SOME.all(_asked(crowd))
    assert len(seen) == 1


def test_a_driver_that_fails_raises_what_sqlalchemy_raises(any_house: House) -> None:
    gone = Reading(select(Person.id).where(func.no_such_function(Person.name) == bindparam("x")))
    with pytest.raises(DBAPIError, match="no_such_function"):
        gone.all({"x": "1"})
    db.session.rollback()
