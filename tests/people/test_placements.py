"""Movers: the place before is kept with its dates; limited roles come before an administrator."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import NotFound
from app.people import placements, queries, service
from app.people.models import Person, RoleGrant, Segment, SegmentPerson
from app.people.service import Profile
from tests.people.conftest import press


def move(person, **fields):
    known = Profile.of(queries.person(person.id))
    profile = Profile(**{**{k: getattr(known, k) for k in known.__slots__}, **fields})
    service.update_person(person.id, profile)


def limited(person, role="curator", listed=True):
    """A role limited to a list of people that the person is on."""
    with transaction() as session:
        segment = Segment(name="Atelier")
        session.add(segment)
        session.flush()
        session.add(RoleGrant(person_id=person.id, role=role, segment_id=segment.id))
        if listed:
            session.add(SegmentPerson(segment_id=segment.id, person_id=person.id))
        return segment.id


def test_it_keeps_the_place_before_with_its_dates(add, inside):
    person = add(department="Atelier", site="Lorient")
    made, first = clock.now(), clock.now() + dt.timedelta(days=10)
    clock.travel(dt.timedelta(days=10))
    move(person, department="Études")
    clock.travel(dt.timedelta(days=5))
    move(person, site="Vannes")
    move(person, job_title="Cheffe de projet")  # no move
    later, earlier = placements.placements_of(person.id)
    assert (earlier.department, earlier.site) == ("Atelier", "Lorient")
    assert (earlier.started_at, earlier.ended_at) == (made, first)
    assert (later.department, later.site) == ("Études", "Lorient")
    assert (later.started_at, later.ended_at) == (first, clock.now())
    assert placements.place_at(person.id, made)["department"] == "Atelier"
    assert placements.place_at(person.id, first)["site"] == "Lorient"
    assert placements.place_at(person.id, clock.now())["site"] == "Vannes"


def test_it_follows_a_change_of_manager_made_by_any_hand(add, inside):
    person, manager = add("Maëlle Kerjan"), add("Odile Bertin")
    with transaction() as session:
        session.get_one(Person, person.id).manager_id = manager.id
    with transaction() as session:
        session.get_one(Person, person.id).manager_id = None
    found = placements.placements_of(person.id)
    assert [p.manager_id for p in found] == [manager.id, None]


def test_it_puts_a_limited_role_before_an_administrator_when_its_segment_was_left(
    app, add, browser
):
    admin = add("Odile Bertin", roles=["admin"])
    with app.app_context():
        person = add("Maëlle Kerjan", department="Atelier")
        segment_id = limited(person)
        move(person, department="Études")
        outbox.drain()
        assert placements.open_reviews() == []  # still on the list
        with transaction() as session:
            row = session.get_one(SegmentPerson, (segment_id, person.id))
            session.delete(row)
        move(person, department="Direction")
        move(person, department="Achats")
        outbox.drain()
        [review] = placements.open_reviews()
        assert (review.role, review.segment) == ("curator", "Atelier")
        assert "curator" in queries.person(person.id).roles  # nothing is taken silently
    client = browser(admin)
    assert "Atelier" in client.get("/studio/people/transitions").get_data(as_text=True)
    where = f"/studio/people/reviews/{review.id}/taken"
    assert press(client, "/studio/people/transitions", where).status_code == 303
    with app.app_context():
        assert placements.open_reviews() == []
        assert queries.person(person.id).roles == frozenset()
        actions = db.session.scalars(
            select(AuditEntry.action).where(AuditEntry.actor_id == admin.id)
        ).all()
        assert {"role.reviewed", "role.taken"} <= {*actions}


def test_it_keeps_a_limited_role_when_a_human_says_so(add, inside):
    admin, person = add("Odile Bertin", roles=["admin"]), add(department="Atelier")
    limited(person, listed=False)
    move(person, department="Études")
    outbox.drain()
    [review] = placements.open_reviews(person.id)
    with pytest.raises(NotFound):
        placements.settle_review(review.id, "forgotten", actor_id=admin.id)
    placements.settle_review(review.id, "kept", actor_id=admin.id)
    assert placements.open_reviews() == []
    assert "curator" in queries.person(person.id).roles


def test_it_has_nothing_to_decide_about_somebody_who_left(add, inside):
    person = add(department="Atelier")
    limited(person, listed=False)
    move(person, department="Études")
    outbox.drain()
    service.depart(person.id)
    outbox.drain()
    assert placements.open_reviews() == []
