"""Leaving: one press, at once; choices taken back; what a past member may still do."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app import clock
from app.db import db
from app.outbox.models import OutboxEvent
from app.people import queries, service
from app.people.errors import NotMember
from app.people.models import AccessToken, Consent, Membership
from tests.people.conftest import PASSWORD, press


def test_it_leaves_in_one_press(app, add, browser):
    person = add(joined=True)
    with app.app_context():
        service.give_consent(person.id, "ideas")
        service.issue_token(person.id, "Feed", ["read", "shares:write"])
    here, there = browser(person), browser(person)
    assert "No reason is asked" in here.get("/me/leaving").get_data(as_text=True)
    answer = press(here, "/me/leaving", "/me/leaving")
    assert (answer.status_code, answer.location) == (303, "/left")
    after = here.get(answer.location).get_data(as_text=True)
    assert "You have left the programme" in after
    for told in ("Posts that wait are cancelled", "What you have earned is kept or paid"):
        assert told in after
    assert there.get("/me").status_code == 303
    with app.app_context():
        assert db.session.scalars(select(AccessToken)).all() == []
        assert db.session.scalars(select(Membership.left_at)).one() == clock.now()
        assert db.session.scalars(select(Consent.withdrawn_at)).one() == clock.now()
        left = select(OutboxEvent.payload).where(OutboxEvent.kind == "person.left")
        assert db.session.scalars(left).all() == [{"person_id": str(person.id)}]
        assert not queries.has_consent(person.id, "ideas")


def test_it_lets_a_past_member_sign_in_and_join_again(app, add, browser):
    person, client = add(joined=True), browser()
    with app.app_context():
        service.leave(person.id)
    clock.travel(dt.timedelta(days=2))
    answer = press(client, "/sign-in", "/sign-in", email=person.email, password=PASSWORD)
    assert answer.location == "/join"
    assert client.get("/me/leaving").status_code == 403
    press(client, "/join", "/join")
    assert client.get("/me/leaving").status_code == 200
    with app.app_context():
        assert db.session.scalars(select(Membership)).one().joined_at == clock.now()


def test_it_leaves_once(app, add, inside):
    person = add(joined=True)
    assert service.leave(person.id)
    assert not service.leave(person.id)
    left = select(OutboxEvent).where(OutboxEvent.kind == "person.left")
    assert len(db.session.scalars(left).all()) == 1
    with pytest.raises(NotMember):
        service.give_consent(person.id, "ideas")


def test_it_is_not_pressed_by_looking(add, browser):
    client = browser(add(joined=True))
    client.get("/me/leaving")
    assert client.get("/me").status_code == 200
    assert client.post("/me/leaving").status_code == 400


def test_it_is_for_members(add, browser):
    assert browser(add(roles=["admin"])).get("/me/leaving").status_code == 403
    assert browser().get("/me/leaving").status_code == 303


def test_it_takes_a_yes_back_as_easily_as_it_was_given(app, add, browser):
    person = add(joined=True)
    client = browser(person)
    assert press(client, "/me", "/me/consents", purpose="ideas").status_code == 303
    assert press(client, "/me", "/me/consents", purpose="ideas").status_code == 303
    assert "Yes, since" in client.get("/me").get_data(as_text=True)
    clock.travel(dt.timedelta(days=3))
    taken_back = press(client, "/me", "/me/consents/ideas/withdrawal")
    assert taken_back.status_code == 303
    assert "Taken back on" in client.get("/me").get_data(as_text=True)
    with app.app_context():
        (row,) = db.session.scalars(select(Consent)).all()
        assert row.withdrawn_at - row.granted_at == dt.timedelta(days=3)


def test_it_refuses_a_choice_that_does_not_exist(add, browser):
    client = browser(add(joined=True))
    assert press(client, "/me", "/me/consents", purpose="x").status_code == 422
    assert press(client, "/me", "/me/consents/x/withdrawal").status_code == 422
