"""An account as a former employee: by choice, at an address of one's own, and the way back."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from app import clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput
from app.people import personal_address, queries, service, transitions
from app.people.errors import LinkUnreadable, LinkUsed
from app.people.models import Consent, Identity
from app.people.personal_address import CONFIRM, KEEP
from app.people.transition_models import Alumnus, PersonalAddress
from app.people.transitions import HasHistory, NotAway
from app.play import leaver_rules
from tests.people.conftest import PASSWORD, hidden, mails, press, words

OWN = "maelle@perso.example"


def confirmed(person, email=OWN):
    personal_address.give_address(person.id, email)
    personal_address.confirm_address(personal_address.token_for(CONFIRM, person.id))


def alumna(add, **fields):
    person = add(joined=True, employee_id="4711", department="Atelier", **fields)
    confirmed(person)
    service.depart(person.id)
    outbox.drain()
    transitions.open_as_alumni(person.id, PASSWORD)
    outbox.drain()
    return queries.person(person.id)


def mailed(app, path):
    for message in reversed(mails(app)):
        if found := re.search(rf"https?://[^/\s]+(/{path}/\S+)", words(message)):
            return message, found[1]
    raise AssertionError(path)


def test_it_goes_the_whole_way_by_links_to_ones_own_mailbox(app, add, browser):
    person = add(joined=True, employee_id="4711", department="Atelier", roles=["curator"])
    with app.app_context():
        leaver_rules.ensure_default(clock.now())
    client, visitor = browser(person), browser()
    press(client, "/me/last-day", "/me/last-day/address", email=OWN)
    message, link = mailed(app, "personal-address")
    assert OWN in message["To"]
    visitor.get(link)
    with app.app_context():
        assert personal_address.address_of(person.id).confirmed_at is None  # looking is no answer
    assert press(visitor, link, link).status_code == 200
    with app.app_context():
        service.depart(person.id)
    message, link = mailed(app, "kept-account")
    assert OWN in message["To"] and "Your points" in words(message)
    assert visitor.get("/me").status_code == 303
    wrong = visitor.post(link, data={"csrf_token": hidden(visitor, link), "password": "short"})
    assert wrong.status_code == 422
    with app.app_context():
        assert queries.person(person.id).kind == "employee"
    answer = press(visitor, link, link, password=PASSWORD, purposes="ideas")
    assert (answer.status_code, answer.location) == (303, "/")
    with app.app_context():
        found = queries.person(person.id)
        assert (found.kind, found.email, found.departed_at) == ("alumni", OWN, None)
        assert found.department is None and found.roles == {"member"}
        assert queries.has_consent(person.id, "ideas")
        assert db.session.get_one(Alumnus, person.id).text_version == transitions.ALUMNI_TEXT
        assert db.session.get(PersonalAddress, person.id) is None
    assert visitor.get("/me").status_code == 200
    assert visitor.get(link).status_code == 410  # a link works once


def test_it_writes_to_the_known_address_where_no_other_was_given(app, add):
    person = add(joined=True)
    mails(app)
    with app.app_context():
        service.depart(person.id)
    [message] = [m for m in mails(app) if "recorded" in words(m) or "départ" in words(m)]
    assert person.email in message["To"] and "/kept-account/" not in words(message)


def test_it_writes_nothing_to_who_never_took_part_or_had_left_before(app, add):
    never, left = add("Loïc Le Goff"), add("Maëlle Kerjan", joined=True)
    with app.app_context():
        service.leave(left.id)
        clock.travel(dt.timedelta(days=3))
        before = len(mails(app))
        service.depart(never.id)
        service.depart(left.id)
    assert len(mails(app)) == before


def test_it_asks_a_mailbox_before_it_writes_anything_else_to_it(app, add):
    person = add(joined=True)
    with app.app_context():
        personal_address.give_address(person.id, OWN)
        service.depart(person.id)
    to_own = [m for m in mails(app) if OWN in m["To"]]
    assert len(to_own) == 1 and "/personal-address/" in words(to_own[0])
    with app.app_context(), pytest.raises(NotAway):
        transitions.open_as_alumni(person.id, PASSWORD)


def test_it_takes_an_address_back_and_its_links_with_it(add, inside):
    person = add(joined=True)
    personal_address.give_address(person.id, OWN)
    link = personal_address.token_for(CONFIRM, person.id)
    assert personal_address.withdraw_address(person.id)
    assert not personal_address.withdraw_address(person.id)
    with pytest.raises(LinkUsed):
        personal_address.confirm_address(link)
    personal_address.give_address(person.id, "other@perso.example")
    with pytest.raises(LinkUsed):
        personal_address.confirm_address(link)
    with pytest.raises(LinkUnreadable):
        personal_address.read_token(KEEP, link)


def test_it_refuses_an_address_that_would_end_with_the_last_day(add, inside):
    person = add(joined=True)
    for wrong in (person.email, "no address", ""):
        with pytest.raises(InvalidInput):
            personal_address.give_address(person.id, wrong)


def test_it_refuses_an_address_that_somebody_else_has(add, inside):
    add("Loïc Le Goff", email=OWN)
    person = add("Maëlle Kerjan", joined=True)
    confirmed(person)
    service.depart(person.id)
    with pytest.raises(InvalidInput):
        transitions.open_as_alumni(person.id, PASSWORD)
    assert queries.person(person.id).departed_at is not None


def test_it_shows_the_address_to_nobody_else(app, add, browser):
    admin, person = add("Odile Bertin", roles=["admin"]), add("Maëlle Kerjan", joined=True)
    with app.app_context():
        confirmed(person)
    page = browser(admin).get(f"/studio/people/{person.id}/transitions").get_data(as_text=True)
    assert "has confirmed one" in page and OWN not in page


def test_it_leaves_again_in_one_press(app, add, browser):
    with app.app_context():
        person = alumna(add)
    client = browser(person)
    assert press(client, "/me/leaving", "/me/leaving").status_code == 303
    with app.app_context():
        found = queries.person(person.id)
        assert not found.is_member and found.roles == frozenset()
        standing = select(Consent).where(Consent.withdrawn_at.is_(None))
        assert db.session.scalars(standing).all() == []


def test_it_is_hired_again_by_an_administrators_confirmation_alone(app, add, browser):
    admin = add("Odile Bertin", roles=["admin"])
    with app.app_context():
        person = alumna(add, email="maelle@halvenne.example")
        joined_at = person.membership.joined_at
        entry = add("Maëlle Kerjan-Roy", email="m.kerjan@halvenne.example", department="Études",
                    employee_id="9002")  # fmt: skip
        entry_id, person_id = entry.id, person.id
        with transaction() as session:
            session.add(Identity(person_id=entry_id, issuer="https://id.example", subject="m"))
    with app.app_context():
        present = queries.person(person_id)
    client, theirs = browser(admin), browser(present)
    where = f"/studio/people/{person_id}"
    asked = press(
        client, f"{where}/transitions", f"{where}/taking-back", employee_id="9002",
        email="m.kerjan@halvenne.example",
    )  # fmt: skip
    assert asked.status_code == 200 and "Is this the same person?" in asked.get_data(as_text=True)
    assert "Études" in asked.get_data(as_text=True)
    with app.app_context():
        assert queries.person(person_id).kind == "alumni"  # looking links nothing
    done = press(
        client, f"{where}/transitions", f"{where}/taking-back", employee_id="9002",
        email="m.kerjan@halvenne.example", confirmed="1",
    )  # fmt: skip
    assert done.status_code == 303
    assert theirs.get("/me").status_code == 303  # the former address opens nothing any more
    with app.app_context():
        found = queries.person(person_id)
        assert (found.kind, found.email) == ("employee", "m.kerjan@halvenne.example")
        assert (found.employee_id, found.department) == ("9002", "Études")
        assert found.is_member and found.membership.joined_at == joined_at
        assert queries.person(entry_id).departed_at is not None
        assert db.session.scalars(select(Identity.person_id)).one() == person_id
        assert db.session.get_one(Alumnus, person_id).returned_at == clock.now()


def test_it_never_merges_two_histories(add, inside):
    person = alumna(add, email="maelle@halvenne.example")
    add("Maëlle Kerjan", email="m.kerjan@halvenne.example", joined=True)
    admin = add("Odile Bertin", roles=["admin"])
    with pytest.raises(HasHistory):
        transitions.take_back(person.id, "9002", "m.kerjan@halvenne.example", actor_id=admin.id)
    with pytest.raises(NotAway):
        transitions.new_entry(admin.id, "9003", "odile2@halvenne.example")
    assert queries.person(person.id).kind == "alumni"
