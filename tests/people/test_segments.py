"""Segments: who is in them, and how many, without looking at anybody."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.db import db, transaction
from app.people import directory, segments, tallies
from app.people.models import DirectoryCell, DirectoryValue, Person, Segment, SegmentPerson
from app.people.segment_rules import parse
from app.people.text import fold
from tests.conftest import House
from tests.people.test_segment_rules import hired, rule, said


def made(raw: Any = None, *people: Person, name: str = "Chantier") -> uuid.UUID:
    with transaction() as session:
        segment = Segment(name=name, rule=raw)
        session.add(segment)
        session.flush()
        for person in people:
            session.add(SegmentPerson(segment_id=segment.id, person_id=person.id))
    return segment.id


def inside(*ids: uuid.UUID) -> set[str]:
    return {*db.session.scalars(select(Person.name).where(segments.people_in(ids)))}


@pytest.fixture
def three(any_house: House) -> tuple[Person, Person, Person]:
    return tuple(
        any_house.person(name, site=site, department="Taille", joined=False)
        for name, site in (("Anne A", "Lorient"), ("Bea B", "Brest"), ("Cyr C", None))
    )  # type: ignore[return-value]


def test_it_finds_by_rule_by_list_and_by_both(three):
    lorient, listed = made(rule(said("site", "is", "Lorient"))), made(None, three[2])
    assert inside(lorient) == {"Anne A"}
    assert inside(listed) == {"Cyr C"}
    assert inside(lorient, listed) == {"Anne A", "Cyr C"}
    assert inside() == inside(uuid.uuid4()) == set()


def test_it_says_of_one_person_what_it_says_of_all(three):
    lorient = made(rule(said("site", "is", "Lorient")))
    listed = made(None, three[0], three[2])
    team = made(rule(said("department", "is", "Taille")))
    empty = made(None)
    for person in three:
        mine = segments.segments_of(person.id)
        assert team in mine
        assert empty not in mine
        for segment_id in (lorient, listed, team, empty):
            assert segments.holds(segment_id, person.id) == (segment_id in mine)
    assert segments.segments_of(uuid.uuid4()) == frozenset()
    assert not segments.holds(uuid.uuid4(), three[0].id)


def test_it_follows_somebody_who_moves(three):
    lorient = made(rule(said("site", "is", "Lorient")))
    bea = three[1]
    moved = directory.Profile.of(bea)
    directory.update_person(bea.id, directory.replace(moved, site="Lorient"))
    assert inside(lorient) == {"Anne A", "Bea B"}
    assert lorient in segments.segments_of(bea.id)


def test_it_lets_nobody_into_a_rule_that_cannot_be_read(three):
    broken = made({"match": "all", "conditions": [{"field": "shoe size"}]})
    assert inside(broken) == set()
    assert broken not in segments.segments_of(three[0].id)


def true_cells() -> Counter[Any]:
    people = db.session.scalars(select(Person).where(Person.departed_at.is_(None)))
    return Counter(tallies.cell_of(person) for person in people)


def kept_cells() -> Counter[Any]:
    columns = [getattr(DirectoryCell, name) for name in tallies.FIELDS]
    rows = db.session.execute(select(*columns, func.sum(DirectoryCell.people)).group_by(*columns))
    return Counter({tuple(cell): n for *cell, n in rows if n})


def true_values() -> dict[str, list[str]]:
    people = db.session.scalars(select(Person).where(Person.departed_at.is_(None))).all()
    values = {field: {getattr(person, field) for person in people} for field in tallies.SAID}
    return {field: sorted(found - {None}, key=fold) for field, found in values.items()}


def kept_values() -> dict[str, list[str]]:
    return {field: tallies.said(field) for field in tallies.SAID}


@pytest.mark.parametrize("folds", [False, True])
def test_it_knows_what_is_said_through_every_change_of_an_entry(three, folds):
    anne, bea, cyr = three
    assert kept_values() == true_values()
    changes = (
        lambda: directory.update_person(
            anne.id, directory.replace(directory.Profile.of(anne), site="Brest")
        ),
        lambda: directory.depart(cyr.id),
        lambda: directory.come_back(cyr.id),
        lambda: directory.update_person(
            bea.id, directory.replace(directory.Profile.of(bea), site="", department="Épure")
        ),
        lambda: directory.depart(bea.id),
    )
    for change in changes:
        change()
        if folds:
            assert tallies.fold_cells()
        assert kept_values() == true_values()
        assert tallies.count_everybody() == sum(true_cells().values())
    assert tallies.reconcile_cells() == 0


def test_it_finds_sums_of_values_that_are_wrong(three):
    tallies.fold_cells()
    with transaction() as session:
        session.execute(update(DirectoryValue).values(people=7))
        session.add(DirectoryValue(field="site", value="Nowhere", people=1))
    assert tallies.reconcile_cells() > 1
    assert kept_values() == true_values()
    assert tallies.count_everybody() == 3
    assert tallies.reconcile_cells() == 0


def test_it_counts_through_every_change_of_an_entry(three):
    anne, bea, cyr = three
    assert kept_cells() == true_cells()
    moved = directory.replace(directory.Profile.of(anne), site="Brest", language="en")
    directory.update_person(anne.id, moved)
    directory.set_language(bea.id, "en")
    directory.depart(cyr.id)
    assert kept_cells() == true_cells()
    assert sum(kept_cells().values()) == 2
    directory.come_back(cyr.id)
    with transaction() as session:
        session.delete(session.get(Person, bea.id))
    assert kept_cells() == true_cells()
    assert tallies.count_everybody() == 2


def test_it_counts_nothing_of_what_was_undone(three):
    def half(stop: type[Exception]) -> None:
        with transaction() as session:
            session.add(Person(name="D", email="d@halvenne.example", kind="employee"))
            session.flush()
            raise stop

    with pytest.raises(ZeroDivisionError):
        half(ZeroDivisionError)
    with transaction() as session:
        nested = session.begin_nested()
        session.add(Person(name="E", email="e@halvenne.example", kind="employee"))
        session.flush()
        nested.rollback()
    assert kept_cells() == true_cells()
    assert tallies.count_everybody() == 3


def test_it_counts_the_same_before_and_after_folding(three):
    team = parse(rule(said("department", "is", "Taille"), said("site", "is_not", "Brest")))
    for _ in range(2):
        assert tallies.count_rule(team) == 2
        tallies.fold_cells()
    assert db.session.scalar(select(func.count()).select_from(DirectoryCell)) == 3
    assert tallies.fold_cells() is False
    directory.depart(three[0].id)
    assert tallies.count_rule(team) == 1
    assert tallies.fold_cells() is True
    assert kept_cells() == true_cells()


def test_it_counts_days_of_hiring_in_the_directory(three):
    anne, bea, _ = three
    today = clock.today()
    with transaction() as session:
        session.get(Person, anne.id).hired_on = today
        session.get(Person, bea.id).hired_on = today - dt.timedelta(days=400)
    assert tallies.count_rule(parse(rule(hired("within", days=30)))) == 1
    assert tallies.count_rule(parse(rule(hired("before", date=today.isoformat())))) == 1
    directory.depart(anne.id)
    assert tallies.count_rule(parse(rule(hired("within", days=30)))) == 0


def test_it_finds_what_was_written_past_the_services(three):
    with transaction() as session:
        session.connection().execute(update(Person.__table__).values(site="Limoges"))
    assert kept_cells() != true_cells()
    assert tallies.reconcile_cells() == 4
    assert kept_cells() == true_cells()
    assert tallies.reconcile_cells() == 0
