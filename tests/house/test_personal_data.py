"""Whatever is kept about people is declared: exported, explained, and erased or kept for a reason."""

from __future__ import annotations

import pytest
from flask import Flask

from app import personal_data
from app.db import Base
from app.personal_data import BASES, CANDIDATE, PERSON, RECIPIENTS, SOURCES
from app.rights.field_words import FIELDS, UNREAD
from app.rights.retention_words import SINCE, kept_for
from tests.conftest import House

# Columns that only say who acted, as a number: nothing of theirs is told by the row itself.
ACTORS = ("_by", "actor_id")


def _declared() -> set[type]:
    return {model for holding in personal_data.holdings() for model in holding.tables}


def test_every_personal_table_is_exported_and_erased_by_a_declaration(app: Flask) -> None:
    known = _declared()
    without = [
        mapper.class_.__tablename__
        for mapper in Base.registry.mappers
        if mapper.class_.__retention__.personal and mapper.class_ not in known
    ]
    assert without == []


def test_every_table_that_points_at_somebody_is_declared(app: Flask) -> None:
    """A number that leads to a person makes a row personal, unless it only says who acted."""
    known = {model.__tablename__ for model in _declared()}
    pointing = {
        column.table.name
        for table in Base.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name in ("person", "candidate") and not column.name.endswith(ACTORS)
    }
    assert pointing - known <= {"reward", "reward_override"}, (
        "a reward's deliverer is one of the team"
    )


def test_what_is_not_erased_says_why_it_stays(app: Flask) -> None:
    silent = [
        holding.key
        for holding in personal_data.holdings()
        for kind in holding.exports
        if kind not in holding.erasures and not holding.stays and _has_rows_of_its_own(holding.key)
    ]
    assert silent == []


def _has_rows_of_its_own(key: str) -> bool:
    """Parts that are read through another one, which says it."""
    return key not in ("play.lines", "play.awards", "play.scores", "referrals.history")


def test_it_refuses_codes_that_nobody_can_read() -> None:
    for wrong in ({"basis": "whim"}, {"source": "rumour"}, {"recipients": ("everybody",)}):
        given = {"basis": "law", "source": "you", "recipients": ("you",)} | wrong
        with pytest.raises(ValueError, match="not declared"):
            personal_data.holds("x", title="x", purpose="x", **given)  # type: ignore[arg-type]


def test_every_code_and_duration_has_words(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        for holding in personal_data.holdings():
            assert str(BASES[holding.basis]) and str(SOURCES[holding.source])
            assert all(str(RECIPIENTS[code]) for code in holding.recipients)
            assert holding.retention is None or holding.retention.code in SINCE, holding.key
            assert kept_for(holding.retention)


def test_every_exported_field_has_a_name(house: House) -> None:
    """Fields of the rows that a busy person really has."""
    person = house.person("Anne Admin", "admin", "recruiter")
    house.browser(person)
    referral = house.referral(person)
    from app.db import db
    from app.referrals.models import Referral

    candidate_id = db.session.get_one(Referral, referral).candidate_id
    unnamed = {
        f"{holding.key}: {name}"
        for kind, subject in ((PERSON, person.id), (CANDIDATE, candidate_id))
        for holding in personal_data.holdings(kind)
        if kind in holding.exports
        for row in holding.exports[kind](db.session(), subject)  # type: ignore[arg-type]
        for name in row
        if name not in FIELDS and name not in UNREAD
    }
    assert unnamed == set()
