"""Ways in and out: said before they are done, done by the clock, absence, first days, partners."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app import clock, mail, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.outbox.models import OutboxEvent
from app.people import first_day, kinds, queries, service, transitions
from app.people.errors import ReturnToConfirm
from app.people.models import KINDS, Person
from app.people.service import Profile
from app.people.transition_models import HeldInvitation
from app.web.pages import local_today
from tests.people.conftest import mails, press, words


def set_days(app, person, **days):
    with app.app_context(), transaction() as session:
        row = session.get_one(Person, person.id)
        for name, value in days.items():
            setattr(row, name, value)


def test_it_says_what_a_departure_will_do_before_it_is_done(app, add, browser):
    admin = add("Odile Bertin", roles=["admin"])
    person = add("Maëlle Kerjan", joined=True, roles=["curator"])
    for _ in range(3):
        browser(person)
    page = browser(admin).get(f"/studio/people/{person.id}/transitions/departure")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "3 devices are signed out." in text and "Curator" in text
    assert "Planned posts are cancelled" in text and "frozen until" not in text
    with app.app_context():
        assert queries.person(person.id).departed_at is None


def test_it_says_the_same_of_who_takes_part_and_who_does_not(app, add, browser):
    """W2: what concerns members alone is told without figures."""
    client = browser(add("Odile Bertin", roles=["admin"]))
    joined, not_joined = add("Maëlle Kerjan", joined=True), add("Loïc Le Goff")

    def told(person):
        with app.test_request_context():
            return transitions.effects(person.id, transitions.DEPARTURE)

    assert told(joined) == told(not_joined)
    for person in (joined, not_joined):
        page = client.get(f"/studio/people/{person.id}/transitions")
        assert page.status_code == 200


def test_it_does_what_it_said_when_confirmed_and_notes_it(app, add, browser):
    admin = add("Odile Bertin", roles=["admin"])
    person = add("Maëlle Kerjan", joined=True, roles=["curator"])
    client, theirs = browser(admin), browser(person)
    where = f"/studio/people/{person.id}"
    assert press(client, f"{where}/transitions/departure", f"{where}/departure").status_code == 303
    assert theirs.get("/me").status_code == 303
    with app.app_context():
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "person.departed")
        ).one()
        assert (entry.actor_id, entry.details) == (admin.id, {"cause": "administrator"})
    assert "Departed" in client.get(f"{where}/transitions").get_data(as_text=True)


def test_it_ends_a_contract_on_the_day_after_and_never_before(app, add, inside):
    person, staying = add("Maëlle Kerjan", joined=True), add("Loïc Le Goff")
    last = local_today() + dt.timedelta(days=1)
    transitions.set_last_day(person.id, last)
    assert transitions.end_due() == 0
    clock.travel(dt.timedelta(days=1))  # still the last day
    assert transitions.end_due() == 0 and queries.person(person.id).is_member
    clock.travel(dt.timedelta(days=1))
    assert transitions.end_due() == 1
    assert transitions.end_due() == 0
    assert queries.person(person.id).departed_at == clock.now()
    assert queries.person(staying.id).departed_at is None
    entry = select(AuditEntry.details).where(AuditEntry.action == "person.departed")
    assert db.session.scalars(entry).one() == {"cause": "end-date"}


def test_it_lets_the_last_administrator_keep_nobody_else_here(app, add, inside):
    admin, person = add("Odile Bertin", roles=["admin"]), add("Maëlle Kerjan")
    yesterday = local_today() - dt.timedelta(days=1)
    for each in (admin, person):
        set_days(app, each, ends_on=yesterday)
    assert transitions.end_due() == 1
    assert queries.person(admin.id).departed_at is None
    assert queries.person(person.id).departed_at is not None


def test_it_refuses_a_last_day_that_is_over(add, inside):
    person = add()
    with pytest.raises(InvalidInput):
        transitions.set_last_day(person.id, local_today() - dt.timedelta(days=1))


def test_it_tells_the_member_of_a_last_day_and_nobody_else(app, add):
    member, other = add("Maëlle Kerjan", joined=True), add("Loïc Le Goff")
    mails(app)
    with app.app_context():
        for person in (member, other):
            transitions.set_last_day(person.id, local_today() + dt.timedelta(days=30))
    told = [m for m in mails(app) if "/me/last-day" in words(m)]
    assert [m["To"] for m in told] == [told[0]["To"]] and member.email in told[0]["To"]


def test_it_sends_nothing_before_the_first_day(app, add):
    person = add("Maëlle Kerjan")
    with app.app_context():
        set_days(app, person, hired_on=local_today() + dt.timedelta(days=5))
        service.invite(person.id)
        assert db.session.get(HeldInvitation, person.id) is not None
        assert not first_day.may_write(person.email, "invitation")
    assert mails(app) == []
    clock.travel(dt.timedelta(days=4))
    with app.app_context():
        assert transitions.send_held_invitations() == 0
    clock.travel(dt.timedelta(days=1))
    with app.app_context():
        assert transitions.send_held_invitations() == 1
        assert transitions.send_held_invitations() == 0
    assert [m["To"] for m in mails(app)] == [f"Maëlle Kerjan <{person.email}>"]


def test_it_keeps_everything_and_sends_nothing_in_a_long_absence(app, add, browser):
    person = add("Maëlle Kerjan", joined=True)
    before = len(mails(app))

    def write():
        with app.app_context():
            found = queries.person(person.id)
            more = {"person": found, "link": "", "leave_link": ""}
            mail.send(person.email, person.name, "welcome", "en", **more)

    with app.app_context():
        assert transitions.suspend(person.id) and not transitions.suspend(person.id)
        found = queries.person(person.id)
        assert found.is_member and found.suspended_at == clock.now()
    write()
    assert len(mails(app)) == before
    assert browser(person).get("/me").status_code == 200
    with app.app_context():
        assert transitions.resume(person.id) and not transitions.resume(person.id)
    write()
    assert len(mails(app)) == before + 1


def test_it_still_sends_what_an_absent_person_asked_for(app, add, inside):
    person = add(joined=True)
    transitions.suspend(person.id)
    assert first_day.may_write(person.email, "password")
    assert not first_day.may_write(person.email, "share-letter")


def test_it_invites_a_partner_until_a_last_day(app, add, browser):
    admin = browser(add("Odile Bertin", roles=["admin"]))
    until = dt.date(2027, 6, 30)
    answer = press(
        admin, "/studio/people/partners/new", "/studio/people/partners", name="Ada Renoir",
        email="ada@ecole.example", language="en", ends_on=until.isoformat(),
    )  # fmt: skip
    assert answer.status_code == 303
    with app.app_context():
        person = queries.person_by_email("ada@ecole.example")
        assert (person.kind, person.ends_on) == ("partner", until)
    assert "ada@ecole.example" in mails(app)[-1]["To"]
    for wrong in ("", "2020-01-01", "2099-01-01", "tomorrow"):
        answer = press(
            admin, "/studio/people/partners/new", "/studio/people/partners", name="Bo",
            email="bo@ecole.example", language="en", ends_on=wrong,
        )  # fmt: skip
        assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["partner", "alumni"])
def test_it_gives_people_from_outside_no_role_whatever_was_granted(app, add, browser, kind):
    person = add("Ada Renoir", joined=True, roles=["admin", "curator"])
    client = browser(person)
    assert client.get("/studio/people").status_code == 200
    set_days(app, person, kind=kind)
    assert client.get("/studio/people").status_code == 403
    assert client.get("/play/month").status_code == 403
    assert client.post("/proposals").status_code in (400, 403)
    assert client.get("/play").status_code == 200
    assert client.get("/library").status_code == 200
    with app.app_context():
        assert queries.person(person.id).roles == {"member"}
        scopes = service.allowed_scopes(queries.person(person.id).roles)
        assert scopes == {"read", "shares:write", "referrals:write", "redemptions:write"}


def test_it_has_one_row_of_limits_for_every_kind_and_closes_routes_that_exist(app):
    assert {*kinds.TABLE} == {*KINDS}
    assert {*app.view_functions} >= kinds.INSIDE
    assert kinds.limits_of("something-new").roles == {"member"}


def test_it_never_turns_a_former_employee_into_an_employee_by_a_form_or_a_file(app, add, inside):
    person = add(joined=True, employee_id="4711")
    set_days(app, person, kind="alumni")
    with pytest.raises(ReturnToConfirm):
        service.update_person(
            person.id, Profile("employee", person.name, "new@halvenne.example", "4711")
        )
    assert queries.person(person.id).kind == "alumni"


def test_its_pages_are_the_administrators_alone(add, browser):
    other = browser(add("Lead Roux", roles=["lead", "hr", "auditor"]))
    person = add()
    for path in (
        f"/studio/people/{person.id}/transitions",
        f"/studio/people/{person.id}/transitions/departure",
        "/studio/people/transitions", "/studio/people/partners/new",
    ):  # fmt: skip
        assert other.get(path).status_code == 403, path


def test_it_carries_no_name_in_its_facts(app, add, inside):
    person = add(joined=True, employee_id="4711")
    transitions.set_last_day(person.id, local_today())
    transitions.suspend(person.id)
    service.depart(person.id)
    service.come_back(person.id)
    facts = db.session.scalars(select(OutboxEvent.payload)).all()
    text = repr(facts)
    assert "Kerjan" not in text and "halvenne.example" not in text
    outbox.drain()
