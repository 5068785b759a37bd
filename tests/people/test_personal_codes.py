"""A code on paper for one person without an address: into their entry, once, and told to nobody."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import clock, rights
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.people import (
    email_codes,
    open_invitations,
    personal_codes,
    queries,
    segments_reach,
    service,
)
from app.people.errors import (
    AddressOfAnother,
    AlreadyMember,
    CodeOnPaperOnly,
    Departed,
    InvitationOver,
    InvitationRevoked,
    InvitationUnknown,
    LinkExpired,
)
from app.people.joining_models import EmailCode, JoinRequest, OpenInvitation
from app.people.models import Membership, Person, RoleGrant, Segment
from app.people.text import is_nowhere, nowhere
from app.personal_data import PERSON
from tests.people.conftest import Browser, press
from tests.people.test_invitations import type_code
from tests.people.test_segment_rules import rule, said

OWN = "theo@mail.example"


def entry(number: str = "00124", name: str = "Théo Rossignac", **more: str) -> Person:
    """Somebody of the directory with a number and no address."""
    return service.add_person(
        kind="employee", name=name, email=nowhere(uuid.uuid4()), employee_id=number, **more
    )


def coded(person_id: uuid.UUID) -> str:
    """A code for somebody."""
    personal_codes.make(person_id)
    row = personal_codes.code_of(person_id)
    assert row is not None
    return row.code


def fresh(person_id: uuid.UUID) -> Person:
    db.session.rollback()
    return db.session.get_one(Person, person_id, populate_existing=True)


def answered(code: str, email: str = OWN) -> str:
    """From the code to the ticket of the page about joining."""
    code_id = open_invitations.answer(code, "Somebody Else", email, "en")
    figures = email_codes.make(code_id)
    assert figures is not None
    return open_invitations.verify(code_id, figures, "").ticket


def people() -> int:
    return db.session.scalar(select(func.count()).select_from(Person)) or 0


def test_it_leads_into_the_entry_with_its_number(any_app: Flask) -> None:
    person = entry(site="Caudan", department="Atelier")
    code = coded(person.id)
    open_invitations.join_by(answered(code), ["ideas"], "en", "")
    joined = fresh(person.id)
    assert (joined.email, joined.employee_id, joined.site) == (OWN, "00124", "Caudan")
    assert joined.name == "Théo Rossignac" and joined.is_member
    assert queries.has_consent(person.id, "ideas") and people() == 1
    assert db.session.scalars(select(JoinRequest)).all() == []
    assert queries.person_by_email(OWN).id == person.id  # type: ignore[union-attr]
    assert email_codes.may_sign_in_by_code(joined)
    with pytest.raises(InvitationRevoked):
        open_invitations.by_code(code)
    with pytest.raises(CodeOnPaperOnly):
        personal_codes.make(person.id)


def test_a_new_code_ends_the_one_before_and_what_was_typed_for_it(any_app: Flask) -> None:
    person = entry()
    first = coded(person.id)
    ticket = answered(first)
    second = coded(person.id)
    with pytest.raises(InvitationUnknown):
        open_invitations.by_code(first)
    with pytest.raises(LinkExpired):
        open_invitations.join_by(ticket, [], "en", "")
    assert open_invitations.by_code(second).batch_id == person.id
    assert db.session.scalar(select(func.count()).select_from(OpenInvitation)) == 1
    rows = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "open_invitation.made")
    ).all()
    assert [row.target_id for row in rows] == [str(person.id)] * 2


def test_it_ends_with_its_day_an_address_a_role_and_a_departure(any_app: Flask) -> None:
    over, addressed, staff, gone = (entry(str(n), f"Person {n}") for n in range(4))
    codes = {p.id: coded(p.id) for p in (over, addressed, staff, gone)}
    service.update_person(
        addressed.id, service.Profile("employee", "Person 1", "one@halvenne.example", "1")
    )
    with transaction() as session:
        session.add(RoleGrant(person_id=staff.id, role="curator"))
    service.depart(gone.id)
    for person in (addressed, staff, gone):
        db.session.rollback()
        with pytest.raises(InvitationRevoked):
            open_invitations.by_code(codes[person.id])
    for person in (addressed, staff):
        with pytest.raises(CodeOnPaperOnly):
            personal_codes.make(person.id)
    with pytest.raises(Departed):
        personal_codes.make(gone.id)
    clock.freeze(clock.now() + personal_codes.LASTS + dt.timedelta(seconds=1))
    with pytest.raises(InvitationOver):
        open_invitations.by_code(codes[over.id])
    assert personal_codes.code_of(over.id) is None


def test_it_takes_nobody_elses_address_and_no_account_that_is_there(any_app: Flask) -> None:
    person, member = entry(), service.add_person(kind="employee", name="Ann Lee", email=OWN)
    service.join(member.id)
    code = coded(person.id)
    with pytest.raises(AddressOfAnother):
        answered(code)
    ticket = answered(code, "theo.r@mail.example")
    service.join(person.id)  # by the provider's account meanwhile
    assert open_invitations.by_code(code).batch_id == person.id  # whoever looks is told nothing
    with pytest.raises(AlreadyMember):
        open_invitations.join_by(ticket, [], "en", "")
    assert is_nowhere(fresh(person.id).email)


def test_an_address_that_came_meanwhile_is_not_replaced(any_app: Flask) -> None:
    person = entry()
    ticket = answered(coded(person.id))
    service.update_person(
        person.id, service.Profile("employee", "Théo Rossignac", "t@halvenne.example", "00124")
    )
    with pytest.raises(InvitationRevoked):
        open_invitations.join_by(ticket, [], "en", "")
    assert fresh(person.id).email == "t@halvenne.example"
    assert db.session.scalars(select(Membership)).all() == []


def test_an_erasure_leaves_no_code(any_app: Flask) -> None:
    person = entry()
    code_id = open_invitations.answer(coded(person.id), "", OWN, "en")
    rights.erase(PERSON, person.id, asked_by=rights.ADMIN, actor_id=None)
    for table in (OpenInvitation, JoinRequest):
        assert db.session.scalars(select(table)).all() == []
    assert db.session.get(EmailCode, code_id) is None


# --- on the pages -------------------------------------------------------------------------


@pytest.fixture
def desk(app: Flask, add: Callable[..., Person], browser: Browser) -> FlaskClient:
    """The browser of an administrator."""
    return browser(add("Nolwenn Le Bris", roles=["admin"], joined=True))


def test_an_administrator_sees_who_has_no_address_and_prints_a_code(
    app: Flask, desk: FlaskClient, browser: Browser
) -> None:
    with app.app_context():
        person = entry()
        home, address = f"/studio/people/{person.id}", person.email
    listed = desk.get("/studio/people?address=none").get_data(as_text=True)
    assert "Théo Rossignac" in listed and "no address" in listed and "nolwenn@" not in listed
    page = desk.get(home).get_data(as_text=True)
    assert "Make a code on paper" in page and "Send an invitation" not in page
    assert address not in listed + page
    assert desk.get(f"{home}/code").status_code == 404
    sheet = press(desk, home, f"{home}/codes").location
    printed = desk.get(sheet).get_data(as_text=True)
    assert sheet == f"{home}/code" and "<svg" in printed and "Théo Rossignac" in printed
    code = re.search(r'poster-letters">([2-9A-Z]{4})-([2-9A-Z]{4})<', printed)
    assert code and "Print the code" in desk.get(home).get_data(as_text=True)
    assert "0 of 1" not in desk.get("/studio/people/invitations").get_data(as_text=True)
    assert desk.get(f"/studio/people/invitations/open/{person.id}").status_code == 404
    door = f"/i/{code[1]}{code[2]}"
    client = browser()
    asked = client.get(door).get_data(as_text=True)
    assert "Théo Rossignac" in asked and 'name="name"' not in asked
    where = press(client, door, door, email=OWN).location
    joining = type_code(app, client, where).location
    assert "Hello Théo" in client.get(joining).get_data(as_text=True)
    assert press(client, joining, joining.partition("?")[0]).location == "/welcome"
    assert OWN in client.get("/me").get_data(as_text=True)
    assert "taken back" in browser().get(door).get_data(as_text=True)


def test_the_entry_is_kept_without_an_address_and_an_invitation_by_mail_is_refused(
    app: Flask, desk: FlaskClient
) -> None:
    with app.app_context():
        person = entry()
        home, address = f"/studio/people/{person.id}", person.email
    fields = {"name": "Théo R. Rossignac", "email": "", "employee_id": "00124", "kind": "employee"}
    assert press(desk, home, home, language="fr", **fields).status_code == 303
    with app.app_context():
        kept = fresh(person.id)
        assert (kept.name, kept.email) == ("Théo R. Rossignac", address)
    press(desk, home, f"{home}/invitations")
    assert "Make a code on paper for them" in desk.get(home).get_data(as_text=True)
    given = fields | {"email": "theo@halvenne.example"}
    assert press(desk, home, home, language="fr", **given).status_code == 303
    assert press(desk, home, home, language="fr", **fields).status_code == 422
    press(desk, home, f"{home}/codes")
    page = desk.get(home).get_data(as_text=True)
    assert "Invite this person by mail" in page and "Send an invitation" in page


def test_an_administrator_of_a_part_makes_codes_for_that_part_alone(
    app: Flask, add: Callable[..., Person], browser: Browser
) -> None:
    boss, limited = add("Inès Duval", roles=["admin"]), add("Yann Prigent", site="Brest")
    with app.app_context():
        with transaction() as session:
            brest = Segment(name="Brest", rule=rule(said("site", "is", "Brest")))
            session.add(brest)
            session.flush()
        segments_reach.give_role(limited.id, "admin", brest.id, actor_id=boss.id)
        inside, outside = entry("1", site="Brest").id, entry("2", "Ann Lee", site="Lorient").id
        personal_codes.make(outside)
    client = browser(limited)
    for person_id, made, shown in ((inside, 303, 200), (outside, 404, 404)):
        home = f"/studio/people/{person_id}"
        assert press(client, "/me", f"{home}/codes").status_code == made
        assert client.get(f"{home}/code").status_code == shown
