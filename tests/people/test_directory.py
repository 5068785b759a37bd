"""The directory: entries, roles, departures."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app import clock
from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.outbox.models import OutboxEvent
from app.people import queries, service
from app.people.errors import Departed, LastAdmin, NoSuchPerson
from app.people.models import AccessToken, Consent, Credential, Identity, Login, Membership, Person
from app.people.service import Profile
from tests.people.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("inside")


def facts(kind: str) -> list[dict[str, object]]:
    return list(db.session.scalars(select(OutboxEvent.payload).where(OutboxEvent.kind == kind)))


def acts(action: str) -> int:
    return db.session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == action)
    )


def test_it_keeps_an_entry_as_it_was_given(add):
    person = add(
        "  Maëlle \u00a0 Kerjan ",
        email="Maelle.Kerjan@Halvenne.example",
        employee_id="00123",
        department="Matière",
        site="Lorient",
        job_title="",
        roles=["curator", "admin"],
        language="en",
    )
    db.session.expire_all()
    kept = queries.person(person.id)
    assert (kept.name, kept.email) == ("Maëlle Kerjan", "maelle.kerjan@halvenne.example")
    assert (kept.employee_id, kept.department, kept.job_title) == ("00123", "Matière", None)
    assert kept.roles == {"curator", "admin"}
    assert not kept.is_member
    assert (kept.initials, kept.short_name, kept.given_name) == ("MK", "Maëlle K.", "Maëlle")


def test_it_refuses_to_make_a_member_of_anybody(add):
    with pytest.raises(InvalidInput) as caught:
        add(roles=["member", "admin"])
    assert caught.value.status == 422
    assert list(caught.value.errors) == ["roles"]
    assert queries.is_empty()


def test_it_refuses_roles_that_do_not_exist(add):
    with pytest.raises(InvalidInput) as caught:
        add(roles=["king"])
    assert "king" in str(caught.value.errors["roles"][0])


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "x" * 201), ("email", "maelle"), ("email", "a@b@c"),
     ("email", "a b@c.example"), ("email", "a@b..example"), ("email", "a@x\nBcc: y@z.example"),
     ("email", "zoé@x.example"), ("email", "@x.example"),
     ("kind", "robot"), ("language", "br"), ("employee_id", "1" * 81), ("site", "x" * 201)],
)  # fmt: skip
def test_it_names_the_field_that_is_wrong(add, field, value):
    entry = {"kind": "employee", "name": "Maëlle Kerjan", "email": "m@halvenne.example"}
    with pytest.raises(InvalidInput) as caught:
        service.add_person(**(entry | {field: value}))
    assert list(caught.value.errors) == [field]


def test_it_writes_an_international_domain_in_one_way(add):
    person = add(email="Zoe@Société.example")
    assert person.email == "zoe@xn--socit-esab.example"
    assert queries.person_by_email("zoe@SOCIÉTÉ.example").id == person.id


def test_it_says_every_fault_at_once():
    with pytest.raises(InvalidInput) as caught:
        service.add_person(kind="robot", name="", email="")
    assert {*caught.value.errors} == {"kind", "name", "email"}


def test_it_refuses_an_address_and_a_number_that_somebody_has(add):
    add(email="m@halvenne.example", employee_id="7")
    with pytest.raises(InvalidInput) as caught:
        add("Théo Rossignac", email="M@halvenne.example", employee_id="7")
    assert {*caught.value.errors} <= {"email", "employee_id"}
    with pytest.raises(InvalidInput) as caught:
        add("Théo Rossignac", email="t@halvenne.example", employee_id="7")
    assert list(caught.value.errors) == ["employee_id"]
    with pytest.raises(InvalidInput) as caught:
        add("Théo Rossignac", email="m@halvenne.example")
    assert list(caught.value.errors) == ["email"]


def test_it_takes_people_without_a_number_side_by_side(add):
    add("Maëlle Kerjan")
    add("Théo Rossignac")
    assert [row.name for row in queries.people_page().items] == ["Maëlle Kerjan", "Théo Rossignac"]


def test_it_gives_the_address_of_somebody_who_left_to_a_newcomer_with_another_number(add):
    old = add("Anne Le Goff", email="anne@halvenne.example", employee_id="1")
    service.depart(old.id)
    with pytest.raises(InvalidInput):
        add("Anne Martin", email="anne@halvenne.example")
    new = add("Anne Martin", email="anne@halvenne.example", employee_id="2")
    db.session.expire_all()
    assert queries.person(new.id).email == "anne@halvenne.example"
    assert queries.person(old.id).email == f"{old.id}@departed.invalid"


def test_it_says_whether_an_update_changed_anything(add):
    person = add(site="Lorient")
    assert service.update_person(person.id, replace(Profile.of(person), site="Grenoble"))
    assert not service.update_person(person.id, replace(Profile.of(person), site=" Grenoble "))
    assert acts("person.changed") == 1
    with pytest.raises(NoSuchPerson):
        service.update_person(uuid.uuid4(), Profile.of(person))


def test_it_refuses_an_update_to_the_address_of_another(add):
    person, other = add(), add("Théo Rossignac")
    with pytest.raises(InvalidInput) as caught:
        service.update_person(person.id, replace(Profile.of(person), email=other.email))
    assert list(caught.value.errors) == ["email"]


def test_it_gives_exactly_the_roles_asked_for_and_notes_each(add):
    actor, person = add("Inès Duval", roles=["admin"]), add(roles=["curator", "hr"])
    service.change_roles(person.id, ["hr", "lead"], actor_id=actor.id)
    db.session.expire_all()
    kept = queries.person(person.id)
    assert kept.roles == {"hr", "lead"}
    assert {g.role: g.granted_by for g in kept.role_grants} == {"hr": None, "lead": actor.id}
    assert (acts("role.given"), acts("role.taken")) == (4, 1)


def test_it_keeps_the_last_administrator(add):
    admin, gone = add(roles=["admin"]), add("Théo Rossignac", roles=["admin"])
    service.depart(gone.id)
    with pytest.raises(LastAdmin):
        service.change_roles(admin.id, ["hr"])
    with pytest.raises(LastAdmin):
        service.depart(admin.id)
    add("Hugo Meynard", roles=["admin"])
    service.change_roles(admin.id, ["hr"])
    assert queries.person(admin.id).roles == {"hr"}


def test_it_ends_every_access_at_a_departure(add):
    add("Inès Duval", roles=["admin"])
    person = add(joined=True, roles=["curator"])
    service.give_consent(person.id, "ideas")
    service.start_login(person.id, "", "oidc")
    service.issue_token(person.id, "Feed", ["read"])
    db.session.add(Identity(person_id=person.id, issuer="https://id.example", subject="m"))
    db.session.commit()
    assert service.depart(person.id)
    db.session.expire_all()
    kept = queries.person(person.id)
    assert kept.departed_at == clock.now()
    assert kept.roles == frozenset()
    assert not kept.is_member
    assert db.session.scalars(select(Membership)).one().left_at == clock.now()
    assert db.session.scalars(select(Consent.withdrawn_at)).one() == clock.now()
    assert db.session.scalars(select(Login.ended_at)).all() == [clock.now()]
    for table in (AccessToken, Credential, Identity):
        assert db.session.scalars(select(table)).all() == []
    told = {"person_id": str(person.id)}
    assert facts("person.departed") == facts("person.left") == [told]


def test_it_departs_once(add):
    person = add()
    assert service.depart(person.id)
    clock.travel(dt.timedelta(days=1))
    assert not service.depart(person.id)
    assert len(facts("person.departed")) == 1
    assert facts("person.left") == []
    assert queries.person(person.id).departed_at == clock.now() - dt.timedelta(days=1)


def test_it_takes_somebody_back_without_roles_and_without_membership(add):
    person = add(joined=True, roles=["hr"])
    service.depart(person.id)
    with pytest.raises(Departed):
        service.change_roles(person.id, ["hr"])
    with pytest.raises(Departed):
        service.join(person.id, PASSWORD)
    assert service.come_back(person.id)
    assert not service.come_back(person.id)
    db.session.expire_all()
    assert queries.person(person.id).roles == frozenset()
    service.join(person.id, PASSWORD)
    db.session.expire_all()
    assert queries.person(person.id).roles == {"member"}


def test_it_pages_by_name_without_losing_or_repeating_anybody(add):
    names = [f"Person {n:02}" for n in range(7)] + ["Person 03"]
    for n, name in enumerate(names):
        add(name, email=f"{n}@halvenne.example")
    seen, after = [], None
    while True:
        page = queries.people_page(after=after, limit=3)
        seen += page.items
        if page.next is None:
            break
        after = page.next
    assert [row.name for row in seen] == sorted(names)
    assert len({row.id for row in seen}) == len(names)


def test_it_finds_by_any_field_and_takes_wildcards_as_letters(add):
    add("Maëlle Kerjan", employee_id="K-7", department="Matière", site="Lorient")
    add("Théo Rossignac", email="theo_r@halvenne.example")
    for search in ("kerj", "K-7", "MAEL", "maelle@"):
        assert [r.name for r in queries.people_page(search).items] == ["Maëlle Kerjan"]
    assert [r.name for r in queries.people_page("theo_r").items] == ["Théo Rossignac"]
    assert queries.people_page("%").items == []


def test_it_refuses_a_page_that_was_never_given_out():
    for after in ("x", "§", "AAAA"):
        with pytest.raises(InvalidInput):
            queries.people_page(after=after)


def test_its_rows_hold_granted_roles_only_and_those_present_apart_from_those_gone(add):
    add("Maëlle Kerjan", joined=True, roles=["hr", "admin"])
    gone = add("Théo Rossignac", joined=True)
    service.depart(gone.id)
    (row,) = queries.people_page().items
    assert row.roles == ("admin", "hr")
    assert [r.name for r in queries.people_page(departed=True).items] == ["Théo Rossignac"]


def test_it_names_many_in_one_read(add):
    one, two = add(), add("Théo Rossignac")
    found = queries.named([one.id, two.id, uuid.uuid4()])
    assert {n.short_name for n in found.values()} == {"Maëlle K.", "Théo R."}


def test_it_lists_those_who_hold_a_role(add):
    add("Maëlle Kerjan", roles=["hr"])
    add("Théo Rossignac", roles=["curator"])
    service.depart(add("Hugo Meynard", roles=["hr"]).id)
    assert [n.name for n in queries.holders("hr")] == ["Maëlle Kerjan"]


def test_it_writes_no_name_or_address_into_log_and_facts(add):
    person = add("Marqueur Unique", email="marqueur@halvenne.example", employee_id="MARQUEUR")
    service.invite(person.id)
    service.join(person.id, PASSWORD)
    service.issue_token(person.id, "Marqueur", ["read"])
    service.forget_password(person.email)
    service.leave(person.id)
    service.depart(person.id)
    written = [str(vars(row)) for row in db.session.scalars(select(AuditEntry))]
    written += [str(vars(row)) for row in db.session.scalars(select(OutboxEvent))]
    assert len(written) > 10
    assert not [line for line in written if "marqueur" in line.lower()]


def test_it_never_gives_one_address_to_two_people_at_once(app, add, monkeypatch):
    """The unique key has the last word, also when the check before it saw nothing."""
    from app.people import directory

    add(email="m@halvenne.example")
    monkeypatch.setattr(directory, "_refuse_taken", lambda *_: None)
    with pytest.raises(InvalidInput) as caught:
        add("Théo Rossignac", email="m@halvenne.example")
    assert list(caught.value.errors) == ["email"]
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1
