"""The same life of a person on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.db import db
from app.errors import InvalidInput
from app.outbox.models import OutboxEvent
from app.people import devices, provider_settings, queries, service
from app.people.errors import AlreadyMember, LastAdmin, WrongSignIn
from app.people.identities import Claims, recognise
from app.people.models import Membership, Person
from tests.people.conftest import PASSWORD


def add(name: str = "Maëlle Kerjan", email: str = "m@halvenne.example", **more: object) -> Person:
    return service.add_person(kind="employee", name=name, email=email, **more)


def own_domain() -> None:
    """Addresses of halvenne.example belong to the identity provider."""
    provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)


def at_once(app: Flask, act, times: int = 6) -> list[str]:
    """What becomes of one act done by several threads at the same moment."""
    start, ends = threading.Barrier(times), []

    def run() -> None:
        with app.app_context():
            start.wait()
            try:
                act()
                ends.append("done")
            except Exception as error:  # noqa: BLE001  its name is the result
                ends.append(type(error).__name__)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(ends)


def test_it_lives_from_entry_to_departure(any_app):
    admin = add("Inès Duval", "i@halvenne.example", roles=["admin"])
    person = add(employee_id="7", roles=["curator", "hr"])
    with pytest.raises(InvalidInput):
        add("Théo", "m@halvenne.example", employee_id="8")
    service.invite(person.id, actor_id=admin.id)
    service.join(person.id, PASSWORD, ["ideas"])
    signed_in = service.sign_in("M@halvenne.example", PASSWORD, "Firefox/140.0")
    with pytest.raises(WrongSignIn):
        service.sign_in("m@halvenne.example", "not the same words", "")
    service.issue_token(person.id, "Feed", ["read", "stories:write"])
    service.withdraw_consent(person.id, "ideas")
    service.give_consent(person.id, "recognition")
    assert queries.consenting([person.id, admin.id], "recognition") == {person.id}
    assert [d.id for d in devices.devices_of(person.id, {"member"})] == [signed_in.login_id]
    assert queries.tokens_of(person.id)[0].scopes == ("read", "stories:write")
    service.change_roles(person.id, ["curator", "lead"], actor_id=admin.id)
    own_domain()
    assert recognise(Claims("https://id.example", "m-7", "m@halvenne.example")) == person.id
    assert service.leave(person.id)
    assert service.depart(person.id, actor_id=admin.id)
    db.session.expire_all()
    assert queries.person(person.id).roles == frozenset()
    assert devices.devices_of(person.id, {"member"}) == []
    with pytest.raises(LastAdmin):
        service.depart(admin.id)


def test_it_pages_and_searches_alike(any_app):
    for n in range(7):
        add(f"Person {n}", f"p{n}@halvenne.example", site="Bré_st" if n % 2 else None)
    first = queries.people_page(limit=4)
    second = queries.people_page(limit=4, after=first.next)
    assert [r.name for r in first.items + second.items] == [f"Person {n}" for n in range(7)]
    assert len(queries.people_page("Pérson").items) == 7
    assert queries.people_page("r%s").items == []


def test_it_takes_characters_that_no_database_keeps_as_not_there(any_app):
    person = add("Ma\0ëlle Kerjan", roles=["admin"])
    assert person.name == "Ma ëlle Kerjan"
    with pytest.raises(WrongSignIn):
        service.sign_in("m\0@halvenne.example", "\0" * 12, "\0")
    service.forget_password("\0")
    assert queries.people_page("\0").items != []
    assert queries.person_by_employee_id("\0") is None
    with pytest.raises(InvalidInput):
        queries.people_page(after="AAAAAAAAAAAAAAAAAAAAAAAA")
    with pytest.raises(InvalidInput):
        service.issue_token(person.id, "\0", ["read"])


def test_it_joins_once_when_pressed_by_many_at_once(any_app):
    person = add()
    ends = at_once(any_app, lambda: service.join(person.id))
    assert ends == [AlreadyMember.__name__] * 5 + ["done"]
    db.session.rollback()
    joined = (
        select(func.count()).select_from(OutboxEvent).where(OutboxEvent.kind == "person.joined")
    )
    assert db.session.scalar(joined) == 1
    assert db.session.scalar(select(func.count()).select_from(Membership)) == 1


def test_it_adds_one_entry_for_an_address_asked_for_by_many_at_once(any_app):
    ends = at_once(any_app, lambda: add())
    assert ends == [InvalidInput.__name__] * 5 + ["done"]


def test_it_keeps_one_administrator_when_all_are_taken_away_at_once(any_app):
    people = [add(f"Admin {n}", f"a{n}@halvenne.example", roles=["admin"]) for n in range(4)]
    left = [person.id for person in people]
    at_once(any_app, lambda: service.change_roles(left.pop(), []), times=4)
    db.session.rollback()
    assert len(queries.holders("admin")) == 1


def test_it_links_an_identity_once_when_two_tabs_come_back_at_once(any_app):
    person = add()
    own_domain()
    claims = Claims("https://id.example", "m-7", "m@halvenne.example")
    assert at_once(any_app, lambda: recognise(claims)) == ["done"] * 6
    assert recognise(claims) == person.id
