"""Whom things are meant for, and which limited role keeps them."""

from __future__ import annotations

import uuid

import pytest
from flask import get_template_attribute
from sqlalchemy import func, select

from app.db import db, new_id, transaction
from app.errors import InvalidInput
from app.people import audiences, segments_queries
from app.people.audiences import KEPT, SEEN
from app.people.models import Assignment, Person, Segment
from app.people.segments_service import archive_segment
from app.settings import organisation
from tests.conftest import House
from tests.people.test_segment_rules import hired, rule, said
from tests.people.test_segments import made


def say(subject_id: uuid.UUID, purpose: str, *ids: uuid.UUID) -> bool:
    with transaction() as session:
        return audiences.assign(session, subject_id, purpose, ids)


def found(condition) -> set[uuid.UUID]:
    """The people for whom a condition over the column `Person.id` holds: people stand for things
    here, since any identifier can be assigned to."""
    return {*db.session.scalars(select(Person.id).where(condition))}


@pytest.fixture
def three(any_house: House) -> list[uuid.UUID]:
    return [any_house.person(name, joined=False).id for name in ("Anne A", "Bea B", "Cyr C")]


def test_it_says_the_segments_of_a_thing_and_whether_that_changed(any_house: House):
    one, two, thing = made(name="Taille"), made(name="Chantier"), new_id()
    assert say(thing, SEEN, one, two)
    assert not say(thing, SEEN, two, one)
    assert say(thing, KEPT, one)
    assert audiences.assigned([thing, new_id()], SEEN) == {
        thing: [(two, "Chantier"), (one, "Taille")]
    }
    assert say(thing, SEEN, two)
    assert audiences.assigned([thing], SEEN) == {thing: [(two, "Chantier")]}
    assert say(thing, SEEN)
    assert audiences.assigned([thing], SEEN) == {}
    assert audiences.assigned([thing], KEPT) == {thing: [(one, "Taille")]}
    assert audiences.assigned([], KEPT) == {}


def test_it_forgets_a_thing_that_goes(any_house: House):
    one, thing, other = made(), new_id(), new_id()
    for purpose in (SEEN, KEPT):
        say(thing, purpose, one)
        say(other, purpose, one)
    with transaction() as session:
        audiences.forget(session, thing)
    assert {*db.session.scalars(select(Assignment.subject_id))} == {other}


def test_it_shows_a_thing_to_everybody_or_to_its_segments(three):
    one, two = made(name="Taille"), made(name="Chantier")
    everybody, first, both = three
    say(first, SEEN, one)
    say(both, SEEN, one, two)
    say(everybody, KEPT, two)  # who keeps a thing says nothing about who sees it
    assert found(audiences.meant_for(Person.id, [])) == {everybody}
    assert found(audiences.meant_for(Person.id, [two])) == {everybody, both}
    assert found(audiences.meant_for(Person.id, [one, uuid.uuid4()])) == {*three}


def test_it_keeps_a_limited_role_to_what_its_segments_keep(three):
    one, two = made(name="Taille"), made(name="Chantier")
    nobodys, first, both = three
    say(first, KEPT, one)
    say(both, KEPT, one, two)
    say(nobodys, SEEN, one)
    assert found(audiences.kept_within(Person.id, None)) == {*three}
    assert found(audiences.kept_within(Person.id, frozenset())) == set()
    assert found(audiences.kept_within(Person.id, {two})) == {both}
    assert found(audiences.kept_within(Person.id, {one})) == {first, both}


def test_it_reads_what_a_form_names(any_house: House):
    one, two = sorted((made(name="Taille"), made(name="Chantier")))
    assert audiences.chosen([], field="audience") == []
    assert audiences.chosen([""], field="audience") == []
    assert audiences.chosen([str(two), "", str(one)], field="audience") == [one, two]


@pytest.mark.parametrize(
    "texts",
    [
        ["everybody"],
        [str(uuid.UUID(int=7))],
        ["\x00"],
        [str(uuid.UUID(int=n)) for n in range(audiences.MOST + 1)],
        ["9" * 5000],
    ],
)
def test_it_refuses_what_is_no_segment(any_house: House, texts):
    with pytest.raises(InvalidInput) as told:
        audiences.chosen(texts, field="audience")
    assert list(told.value.errors) == ["audience"]


def test_it_takes_no_archived_segment_that_was_not_chosen_before(any_house: House):
    gone = made()
    archive_segment(gone, actor_id=None)
    with pytest.raises(InvalidInput):
        audiences.chosen([str(gone)], field="audience")
    assert audiences.chosen([str(gone)], field="audience", before=[gone]) == [gone]
    assert audiences.choices() == []
    assert [row.id for row in audiences.choices(chosen=[gone])] == [gone]


def test_it_lets_a_limited_role_choose_among_its_own(any_house: House):
    one, two, far = sorted(made(name=name) for name in ("Taille", "Chantier", "Siège"))
    mine = frozenset((one, two))

    def read(*ids: uuid.UUID, before=None) -> list[uuid.UUID]:
        return audiences.chosen([str(i) for i in ids], field="seen", within=mine, before=before)

    assert read() == [one, two]  # a new thing of theirs is not for everybody
    assert read(two) == [two]
    with pytest.raises(InvalidInput):
        read(one, far)
    assert read(two, before=[one, far]) == [two, far]  # what lies outside stays
    assert read(before=[one, far]) == [far]
    assert read(before=[]) == []  # for everybody, as somebody else said
    assert read(before=[one]) == [one, two]


def test_it_offers_segments_with_their_numbers_above_the_threshold(any_house: House, monkeypatch):
    people = [any_house.person(f"P {n}", site="Lorient", joined=False) for n in range(10)]
    big, few = made(rule(said("site", "is", "Lorient")), name="Lorient"), made(None, *people[:9])
    none = made(None, name="Vide")
    offered = [(row.id, row.people) for row in audiences.choices()]
    assert offered == [(few, None), (big, 10), (none, 0)]
    assert [row.id for row in audiences.choices({big, none})] == [big, none]
    assert audiences.choices(frozenset()) == []
    monkeypatch.setattr(audiences, "COUNTED", 2)
    assert {row.people for row in audiences.choices()} == {None}


def test_it_asks_the_database_four_times_at_most(inside, count_queries):
    for n in range(6):
        made(rule(said("site", "is", f"Site {n}")), name=f"Rule {n}")
        made(rule(hired("within", days=n + 1)), name=f"Days {n}")
        made(None, name=f"List {n}")
    read = organisation()  # as a page has by then
    assert read is not None
    assert count_queries(audiences.choices) <= 4


def test_it_counts_what_a_segment_is_used_for(any_house: House):
    one, two = made(name="Taille"), made(name="Chantier")
    assert not segments_queries.uses(one).any
    for thing in (new_id(), new_id()):
        say(thing, SEEN, one)
    say(new_id(), KEPT, one)
    uses = segments_queries.uses(one)
    assert (uses.roles, uses.seen, uses.kept, uses.any) == ({}, 2, 1, True)
    assert not segments_queries.uses(two).any
    assert db.session.scalar(select(func.count()).select_from(Segment)) == 2


def test_it_warns_before_a_segment_in_use_is_archived(inside, add, browser):
    admin, one = browser(add("Admin A", joined=True, roles=["admin"])), made(None)
    page = admin.get(f"/studio/segments/{one}").get_data(as_text=True)
    assert "Nowhere yet." in page
    assert "Archive it?" not in page
    say(new_id(), SEEN, one)
    page = admin.get(f"/studio/segments/{one}").get_data(as_text=True)
    assert "1 thing is meant for it" in page
    assert "Archive it?" in page


def test_it_draws_the_choice_without_a_script(app):
    rows = [
        audiences.Choice(uuid.UUID(int=1), "Taille <b>", 1),
        audiences.Choice(uuid.UUID(int=2), "Chantier", None),
    ]
    with app.test_request_context("/?lang=en"):
        draw = get_template_attribute("_macros/segments.html", "segments_field")
        page = draw("audience", "Whom is it for?", rows, [str(rows[0].id)], error="No.")
        nobody = draw("audience", "Whom is it for?", rows)
        locked = draw("kept", "Who keeps it?", [], others=[(uuid.UUID(int=3), "Siège")])
    assert page.count('type="checkbox"') == 2
    assert page.count(" checked") == 1
    assert "Taille &lt;b&gt;" in page
    assert "1 person" in page
    assert 'aria-describedby="audience-error"' in page
    assert 'id="audience-error"' in page
    assert "Everybody" in nobody
    assert " checked" not in nobody
    assert "Siège" in locked
    assert "Everybody" not in locked
