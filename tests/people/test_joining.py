"""Joining: the invitation, the page that tells why, the free choices."""

from __future__ import annotations

import datetime as dt
import hashlib
import re

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app import clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput
from app.outbox.models import OutboxDelivery, OutboxEvent
from app.people import consents, queries, service
from app.people.errors import AlreadyMember, Departed
from app.people.models import Consent, Login, Membership, Person
from tests.people.conftest import PASSWORD, mailed_link, mails, press, words


def invited(app, person) -> str:
    """Invite, and give the path in the mail."""
    with app.app_context():
        service.invite(person.id)
    return mailed_link(app, "join")


def member(app, person) -> Membership | None:
    with app.app_context():
        return db.session.scalar(select(Membership).where(Membership.person_id == person.id))


def test_it_invites_by_mail_in_the_persons_language(app, add):
    add_fr, add_en = add("Maëlle Kerjan"), add("Ann Lee", language="en")
    invited(app, add_en)
    invited(app, add_fr)
    english, french = mails(app)
    assert english["To"] == "Ann Lee <ann@halvenne.example>"
    assert english["Content-Language"] == "en"
    assert "take part" in english["Subject"]
    assert "1 December 2026" in words(english)
    assert french["Content-Language"] == "fr"
    assert "1er décembre 2026" in words(french)


def test_it_sends_the_same_link_when_a_fact_is_delivered_twice(app, add):
    person = add()
    first = invited(app, person)
    clock.travel(dt.timedelta(minutes=3))
    with app.app_context():
        with transaction() as session:
            session.execute(
                OutboxDelivery.__table__.update().values(state="pending", lease_until=None)
            )
        outbox.drain()
    one, other = (words(message) for message in mails(app))
    assert first in one
    assert first in other


def test_it_tells_why_and_which_rights_and_ticks_nothing(app, add, browser):
    page = browser().get(invited(app, add())).get_data(as_text=True)
    assert "Halvenne invites you" in page
    assert "no effect on your work" in page
    assert "leave at any time" in page
    assert page.count('name="purposes"') == len(consents.PURPOSES)
    assert " checked" not in page
    assert "vie@halvenne.example" in page


def test_it_changes_nothing_by_being_looked_at(app, add, browser):
    person = add()
    path = invited(app, person)
    for _ in range(3):
        assert browser().get(path).status_code == 200
    assert browser().head(path).status_code == 200
    assert member(app, person) is None


def test_it_joins_with_the_choices_ticked_and_signs_in(app, add, browser):
    person, client = add(), browser()
    path = invited(app, person)
    answer = press(client, path, path, password=PASSWORD, purposes="ideas")
    assert (answer.status_code, answer.location) == (303, "/welcome")
    joined = member(app, person)
    assert joined.joined_at == clock.now()
    assert joined.notice_version == consents.NOTICE_VERSION
    with app.app_context():
        consent = db.session.scalars(select(Consent)).one()
        assert (consent.purpose, consent.text_version) == ("ideas", consents.TEXT_VERSION["ideas"])
        assert db.session.scalars(select(Login.method)).one() == "invitation"
        assert queries.has_consent(person.id, "ideas")
        assert not queries.has_consent(person.id, "recognition")
        fact = db.session.scalars(
            select(OutboxEvent.payload).where(OutboxEvent.kind == "person.joined")
        ).one()
    assert fact == {"person_id": str(person.id)}
    assert client.get("/me").status_code == 200


def test_it_joins_without_any_choice(app, add, browser):
    person = add()
    path = invited(app, person)
    assert press(browser(), path, path, password=PASSWORD).status_code == 303
    with app.app_context():
        assert db.session.scalars(select(Consent)).all() == []


def test_it_welcomes_by_mail_once_joined(app, add, browser):
    person = add(language="en")
    path = invited(app, person)
    press(browser(), path, path, password=PASSWORD)
    (welcome,) = [m for m in mails(app) if m["Subject"] == "Welcome, Maëlle"]
    assert "/me/leaving" in words(welcome)


def test_it_gives_the_form_back_with_what_was_chosen_when_the_password_is_short(app, add, browser):
    person = add()
    path = invited(app, person)
    answer = press(browser(), path, path, password="short", purposes="ideas")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert re.search(r'value="ideas" checked', page)
    assert "at least 12 characters" in page
    assert 'value="short"' not in page
    assert member(app, person) is None


def test_it_joins_without_a_password_unless_the_team_counts_on_it(app, add, browser):
    person = add()
    path = invited(app, person)
    assert press(browser(), path, path).location == "/welcome"
    recruiter = add("Ann Lee", roles=["recruiter"])
    path = invited(app, recruiter)
    assert press(browser(), path, path).status_code == 422
    assert member(app, recruiter) is None
    assert press(browser(), path, path, password=PASSWORD).status_code == 303


def test_it_refuses_a_choice_that_does_not_exist(app, add, browser):
    person = add()
    path = invited(app, person)
    assert press(browser(), path, path, password=PASSWORD, purposes="x").status_code == 422
    assert member(app, person) is None


def test_it_works_once(app, add, browser):
    person = add()
    path = invited(app, person)
    press(browser(), path, path, password=PASSWORD)
    again = browser().get(path)
    assert again.status_code == 409
    assert "You have joined already" in again.get_data(as_text=True)
    assert browser().post(path, data={"password": PASSWORD}).status_code == 409


def test_it_stays_used_after_the_person_left(app, add, browser):
    person = add()
    path = invited(app, person)
    press(browser(), path, path, password=PASSWORD)
    with app.app_context():
        service.leave(person.id)
    assert browser().get(path).status_code == 410
    assert browser().post(path, data={"password": "another long sentence"}).status_code == 410
    clock.travel(dt.timedelta(days=8))
    anew = invited(app, person)
    assert press(browser(), anew, anew).status_code == 303
    assert member(app, person).joined_at == clock.now()
    assert member(app, person).left_at is None


def test_it_expires_after_fourteen_days(app, add, browser):
    path = invited(app, add())
    clock.travel(dt.timedelta(days=13, hours=23))
    assert browser().get(path).status_code == 200
    clock.travel(dt.timedelta(hours=2))
    late = browser().get(path)
    assert late.status_code == 410
    assert "too old" in late.get_data(as_text=True)


def test_it_refuses_what_we_never_signed_without_saying_more(app, add, browser):
    person = add()
    path = invited(app, person)
    for forged in (path[:-2], path + "x", "/join/x", "/join/" + "ab" * 200):
        answer = browser().get(forged)
        assert answer.status_code == 404
        assert person.name not in answer.get_data(as_text=True)
    with app.app_context():
        service.forget_password(person.email)
        service.depart(person.id)
    assert browser().get(path).status_code == 409
    assert person.given_name not in browser().get(path).get_data(as_text=True)


def test_it_takes_no_link_of_another_purpose(app, add, browser):
    person = add(joined=True)
    with app.app_context():
        service.forget_password(person.email)
    path = mailed_link(app, "password")
    assert path.startswith("/password/")
    assert browser().get(path.replace("/password/", "/join/")).status_code == 404


def test_it_sends_nothing_to_somebody_who_takes_part_and_does_not_tell_the_inviter(app, add):
    person = add(joined=True)
    before = len(mails(app))
    with app.app_context():
        assert service.invite(person.id) is None
    assert len(mails(app)) == before


def test_it_invites_nobody_who_left_the_organisation(app, add):
    person = add()
    with app.app_context():
        service.invite(person.id)
        service.depart(person.id)
        with pytest.raises(Departed):
            service.invite(person.id)
    assert mails(app) == []


def test_it_asks_somebody_signed_in_who_does_not_take_part(app, add, browser):
    person = add(roles=["admin"])
    client = browser(person)
    page = client.get("/join").get_data(as_text=True)
    assert 'name="password"' not in page
    assert " checked" not in page
    answer = press(client, "/join", "/join", purposes="recognition")
    assert (answer.status_code, answer.location) == (303, "/welcome")
    assert member(app, person).left_at is None
    assert client.get("/join").location == "/"


def test_it_joins_once_however_often_it_is_pressed(app, add, browser):
    person = add(roles=["admin"])
    client = browser(person)
    form = press(client, "/join", "/join")
    assert form.status_code == 303
    assert press(client, "/me", "/join").status_code == 303
    with app.app_context():
        joined = select(OutboxEvent).where(OutboxEvent.kind == "person.joined")
        assert len(db.session.scalars(joined).all()) == 1
        with pytest.raises(AlreadyMember):
            service.join(person.id)


def test_it_needs_a_session_to_join_without_an_invitation(browser):
    assert browser().get("/join").location.startswith("/sign-in")
    assert browser().post("/join").status_code in (303, 400)


def test_it_keeps_nothing_when_a_password_is_refused(app, add, inside):
    person = add()
    with pytest.raises(InvalidInput):
        service.join(person.id, "password1234", ["ideas"])
    for table in (Membership, Consent):
        assert db.session.scalars(select(table)).all() == []
    assert not db.session.get_one(Person, person.id).is_member


def test_it_changes_a_version_when_it_changes_the_words(inside):
    """Whoever edits a text that people answered gives it a new version, then this line."""
    with force_locale("en"):
        told = [consents.NOTICE_VERSION, *map(str, consents.NOTICE)]
        for purpose in consents.PURPOSES.values():
            told += [purpose.code, purpose.version, str(purpose.label), str(purpose.explanation)]
    assert hashlib.sha256("\n".join(told).encode()).hexdigest()[:16] == "a3e157de026b21ef"
