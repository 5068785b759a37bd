"""Finding people: the beginnings of words, without accents, on both databases."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import delete, select

from app.db import db, transaction
from app.errors import InvalidInput
from app.people import directory, search, tallies
from app.people.models import Person, PersonWord
from app.people.search import PeopleFilter, find
from tests.conftest import House
from tests.people.test_segment_rules import rule, said
from tests.people.test_segments import made


def names(f: PeopleFilter, limit: int = 50) -> list[str]:
    """What a list shows, read page by page."""
    found, after = [], None
    for _ in range(100):
        page = find(f, after, limit)
        found += page.ids
        after = page.next
        if after is None:
            break
    known = {row.id: row.name for row in db.session.execute(select(Person.id, Person.name))}
    return [known[person_id] for person_id in found]


@pytest.fixture
def people(any_house: House) -> None:
    for name, email, number in (
        ("Maëlle Kerjan", "maelle.kerjan@halvenne.example", "00123"),
        ("Anne-Marie Le Goff", "am.legoff@halvenne.example", "HR-77"),
        ("Mæva Straße", "m.strasse@halvenne.example", None),
        ("Martin Martel", "martin.martel@partner.example", None),
        ("Łukasz Œhler", "lukasz@halvenne.example", None),
        ("宮本 武蔵", "musashi@halvenne.example", None),
    ):
        any_house.person(name, email=email, employee_id=number, joined=False)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("maelle", ["Maëlle Kerjan"]),
        ("MAËL", ["Maëlle Kerjan"]),
        ("ker mae", ["Maëlle Kerjan"]),
        ("mae", ["Maëlle Kerjan", "Mæva Straße"]),
        ("strasse", ["Mæva Straße"]),
        ("mart", ["Martin Martel"]),
        ("anne-marie", ["Anne-Marie Le Goff"]),
        ("legoff", ["Anne-Marie Le Goff"]),
        ("00123", ["Maëlle Kerjan"]),
        ("hr-77", ["Anne-Marie Le Goff"]),
        ("oehl", ["Łukasz Œhler"]),
        ("lukasz@halv", ["Łukasz Œhler"]),
        ("宮", ["宮本 武蔵"]),
        ("aelle", []),
        ("halvenne", []),
        ("mae martel", []),
        ("%", []),
        ("_", []),
        ("\x00", None),
        ("", None),
    ],
)
def test_it_finds_by_the_beginnings_of_words(people, q, found):
    everybody = names(PeopleFilter())
    assert len(everybody) == 6
    assert names(PeopleFilter(q=q)) == (everybody if found is None else found)
    assert search.count(PeopleFilter(q=q)) == (6 if found is None else len(found))


@pytest.mark.parametrize("q", ["", "ab", "ab person"])
def test_it_shows_each_once_whatever_the_size_of_a_page(any_house: House, q: str):
    for n in range(23):
        any_house.person(f"Abel Abc{n:02} Person", email=f"abd{n}@x.example", joined=False)
    whole = names(PeopleFilter(q=q))
    assert len(whole) == len({*whole}) == 23
    for limit in (1, 7, 22, 23):
        assert names(PeopleFilter(q=q), limit) == whole


def test_it_narrows_by_what_the_directory_says_and_by_segment(any_house: House):
    for n, (site, team, kind) in enumerate(
        itertools.product(("Lorient", "Brest"), ("Taille", "Pose"), ("employee", "partner"))
    ):
        made_by = any_house.person(f"Paul {n}", site=site, department=team, joined=False)
        with transaction() as session:
            session.get(Person, made_by.id).kind = kind
    directory.depart(made_by.id)
    assert len(names(PeopleFilter(site="Lorient"))) == 4
    assert len(names(PeopleFilter(site="Brest", q="paul"))) == 3
    assert len(names(PeopleFilter(department="Pose", kind="partner"))) == 1
    assert names(PeopleFilter(state="departed", q="pau")) == ["Paul 7"]
    brest = made(rule(said("site", "is", "Brest")))
    assert len(names(PeopleFilter(segment_id=brest))) == 3
    assert len(names(PeopleFilter(segment_id=brest, within=frozenset({brest})))) == 3
    assert names(PeopleFilter(site="Lorient", within=frozenset({brest}))) == []
    assert names(PeopleFilter(within=frozenset())) == []
    assert tallies.said("site") == ["Brest", "Lorient"]


@pytest.mark.parametrize("after", ["%%%", "bm90aGluZw", "W10", "WyJhIl0", "WzEsMiwzXQ"])
@pytest.mark.parametrize("q", ["", "mae"])
def test_it_refuses_a_place_it_never_gave(people, after, q):
    with pytest.raises(InvalidInput):
        find(PeopleFilter(q=q), after)


def test_it_finds_by_the_new_name_and_not_by_the_old(people):
    entry = db.session.scalars(select(Person).where(Person.name == "Maëlle Kerjan")).one()
    renamed = directory.replace(directory.Profile.of(entry), name="Maëlle Rossignac")
    directory.update_person(entry.id, renamed)
    assert names(PeopleFilter(q="rossi")) == ["Maëlle Rossignac"]
    assert names(PeopleFilter(q="kerjan")) == ["Maëlle Rossignac"], "the address still says so"
    address = directory.replace(renamed, email="mr@halvenne.example")
    directory.update_person(entry.id, address)
    assert names(PeopleFilter(q="kerjan")) == []


def test_it_counts_to_a_thousand_and_one(any_house: House):
    from app.people import upkeep

    with transaction() as session:
        rows = [
            Person(name=f"Nombre {n}", email=f"n{n}@x.example", kind="employee")
            for n in range(1_203)
        ]
        session.add_all(rows)
    assert upkeep is not None
    assert search.count(PeopleFilter(q="nombre")) == search.count(PeopleFilter()) == 1_001


def test_it_gives_words_to_those_who_were_written_past_the_services(people):
    assert tallies.reconcile_words() == 0
    with transaction() as session:
        session.execute(delete(PersonWord))
    assert names(PeopleFilter(q="mae")) == []
    assert tallies.reconcile_words() == 6
    assert names(PeopleFilter(q="maelle")) == ["Maëlle Kerjan"]


def test_it_counts_from_the_counters_what_it_lists(any_house: House):
    """Where the counters know, their sum is the length of the list."""
    for n, (site, team) in enumerate(
        itertools.product(("Lorient", "Brest"), ("Taille", "Pose", None))
    ):
        any_house.person(f"Paul {n}", site=site, department=team, joined=False)
    brest, pose = (
        made(rule(said("site", "is", "Brest"))),
        made(rule(said("department", "is", "Pose"))),
    )
    somebody = made(None)
    for f in (
        PeopleFilter(), PeopleFilter(site="Brest"), PeopleFilter(site="Brest", department="Pose"),
        PeopleFilter(kind="partner"), PeopleFilter(segment_id=brest, department="Taille"),
        PeopleFilter(within=frozenset({brest, pose})), PeopleFilter(within=frozenset()),
        PeopleFilter(segment_id=pose, within=frozenset({brest})),
    ):  # fmt: skip
        assert tallies.count_found(f) == len(names(f)) == search.count(f), f
    for f in (
        PeopleFilter(q="paul"), PeopleFilter(state="departed"), PeopleFilter(segment_id=somebody),
        PeopleFilter(within=frozenset({somebody})),
    ):  # fmt: skip
        assert tallies.count_found(f) is None
