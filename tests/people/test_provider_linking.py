"""Whom an account of the identity provider is taken for, at the first sign-in and afterwards."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.db import db
from app.people import identities, provider_settings, service
from app.people.errors import (
    NotInDirectory,
    NoWorkAddress,
    OtherDomain,
    OtherIdentity,
    PasswordClosed,
)
from app.people.identities import Claims, recognise
from app.people.models import Consent, Identity, Login, Membership, Person
from tests.conftest import PASSWORD, settings_for

ISSUER = "https://id.halvenne.example/realms/main"


def decide(*domains: str, creates: bool = False, password: bool = True) -> None:
    provider_settings.save(
        domains or ["halvenne.example"], creates_people=creates, offers_password=password
    )


def add(name: str = "Maëlle Kerjan", email: str = "m@halvenne.example", **more: object) -> Person:
    return service.add_person(kind="employee", name=name, email=email, **more)


def claims(subject: str = "m-1", email: str | None = "m@halvenne.example", **more) -> Claims:
    return Claims(ISSUER, subject, email, **more)


def linked() -> list[tuple[uuid.UUID, str]]:
    rows = db.session.execute(select(Identity.person_id, Identity.subject))
    return [(row.person_id, row.subject) for row in rows]


def test_without_a_domain_no_address_links_anybody(any_app):
    add()
    with pytest.raises(OtherDomain):
        recognise(claims())
    assert linked() == []


@pytest.mark.parametrize(
    ("email", "error"),
    [
        (None, NoWorkAddress),
        ("", NoWorkAddress),
        ("m@halvenne.example@evil.example", NoWorkAddress),
        ("m@evil.example", OtherDomain),
        ("m@sub.halvenne.example", OtherDomain),
        ("m@nothalvenne.example", OtherDomain),
        ("stranger@halvenne.example", NotInDirectory),
    ],
)
def test_it_links_nobody_by_an_address_that_is_not_this_connections(any_app, email, error):
    decide()
    add()
    add("Autre", "m@sub.halvenne.example")
    add("Encore", "m@evil.example")
    with pytest.raises(error):
        recognise(claims(email=email))
    assert linked() == []
    assert db.session.scalar(select(func.count()).select_from(Person)) == 3


def test_it_links_once_and_then_goes_by_the_lasting_key(any_app):
    decide("Halvenne.Example", "@halvenne.test")
    person, newcomer = add(), None
    assert recognise(claims(email="M@HALVENNE.example")) == person.id
    service.update_person(
        person.id, service.Profile("employee", person.name, "married@halvenne.example")
    )
    newcomer = add("Une Autre", "m@halvenne.example")
    assert recognise(claims()) == person.id, "the address changed hands, the account did not"
    assert recognise(claims("n-1")) == newcomer.id
    assert {*linked()} == {(person.id, "m-1"), (newcomer.id, "n-1")}
    told = db.session.scalars(
        select(AuditEntry.target_id).where(AuditEntry.action == "identity.linked")
    )
    assert sorted(told) == sorted([str(person.id), str(newcomer.id)])


def test_it_takes_no_second_account_for_a_person(any_app):
    decide()
    add()
    recognise(claims("m-1"))
    with pytest.raises(OtherIdentity):
        recognise(claims("m-2"))


def test_it_refuses_whoever_departed_by_whichever_way(any_app):
    decide(creates=True)
    known, unknown = add(), add("Deux", "deux@halvenne.example")
    recognise(claims())
    service.depart(known.id)
    service.depart(unknown.id)
    for subject, email in (("m-1", "m@halvenne.example"), ("d-1", "deux@halvenne.example")):
        with pytest.raises(NotInDirectory):
            recognise(claims(subject, email))
    assert linked() == []


def test_it_refuses_a_workspace_that_is_not_ours_even_for_a_known_account(any_app):
    decide()
    person = add()
    google = {"workspace": "halvenne.example"}
    assert recognise(claims(**google)) == person.id
    for workspace in ("", "evil.example"):
        with pytest.raises(OtherDomain):
            recognise(claims(workspace=workspace))


# ---- The key that a provisioning client gave -----------------------------------------------------


@pytest.fixture
def provisioned() -> Iterator[dict[str, list[uuid.UUID]]]:
    """Who is known by which external identifier."""
    found: dict[str, list[uuid.UUID]] = {}
    before = identities._find_external
    identities.find_external_ids_with(lambda external: found.get(external, []))
    yield found
    identities.find_external_ids_with(before)


def test_it_links_by_the_directorys_own_key_before_any_address(any_app, provisioned):
    decide()
    person, _ = add(email="other@elsewhere.example"), add("Homonyme", "m@halvenne.example")
    provisioned["oid-7"] = [person.id]
    assert recognise(claims("tid:oid-7", external_id="oid-7")) == person.id


def test_it_does_not_choose_between_two_people_of_one_key(any_app, provisioned):
    decide()
    one, two = add(email="one@elsewhere.example"), add("Deux", "two@elsewhere.example")
    provisioned["oid-7"] = [one.id, two.id]
    with pytest.raises(NotInDirectory):
        recognise(claims("tid:oid-7", "nobody@halvenne.example", external_id="oid-7"))


# ---- People made at their first sign-in ----------------------------------------------------------


def test_it_makes_an_entry_and_nothing_more_where_that_was_decided(any_app):
    decide(creates=True)
    person_id = recognise(claims(name="  Kerjan,\n Maëlle "))
    person = db.session.get(Person, person_id)
    assert person is not None
    assert (person.name, person.email, person.kind) == (
        "Kerjan, Maëlle", "m@halvenne.example", "employee",
    )  # fmt: skip
    assert person.roles == frozenset()
    assert not person.is_member
    for table in (Membership, Consent):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert recognise(claims(name="Other")) == person_id


def test_it_makes_an_entry_without_a_name_by_the_address(any_app):
    decide(creates=True)
    person = db.session.get(Person, recognise(claims()))
    assert person is not None
    assert person.name == "m"


@pytest.mark.parametrize("email", ["m@evil.example", None])
def test_it_makes_nobody_of_elsewhere(any_app, email):
    decide(creates=True)
    with pytest.raises((OtherDomain, NoWorkAddress)):
        recognise(claims(email=email, name="Maëlle"))
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_it_makes_one_entry_when_several_tabs_come_back_at_once(any_app):
    decide(creates=True)
    start, ends = threading.Barrier(5), []

    def come_back() -> None:
        with any_app.app_context():
            start.wait()
            try:
                ends.append(recognise(claims(name="Maëlle")))
            except Exception as error:  # noqa: BLE001  its name is the result
                ends.append(type(error).__name__)

    threads = [threading.Thread(target=come_back) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ends) == 5
    assert len({*ends}) == 1, ends
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


# ---- Passwords beside the provider ---------------------------------------------------------------


def with_provider(app) -> None:
    settings = app.extensions["portevoix"]
    app.extensions["portevoix"] = settings_for(
        settings.data_dir, OIDC_ISSUER=ISSUER, OIDC_CLIENT_ID="portevoix",
        DATABASE_URL=settings.database_url,
    )  # fmt: skip


def test_closed_passwords_open_for_administrators_alone_and_the_log_says_so(any_app, caplog):
    with_provider(any_app)
    decide(password=False)
    admin, person = add("Inès", "i@halvenne.example", roles=["admin"]), add()
    for someone in (admin, person):
        service.join(someone.id, PASSWORD)
    for method in ("password", "reset"):
        with pytest.raises(PasswordClosed):
            service.start_login(person.id, "", method)
    service.start_login(person.id, "", "invitation")
    assert "administrator" not in caplog.text
    service.start_login(admin.id, "", "password")
    assert "an administrator signed in by password" in caplog.text
    assert "Inès" not in caplog.text
    assert db.session.scalar(select(func.count()).select_from(Login)) == 2


def test_passwords_stay_open_without_a_provider_whatever_was_decided(any_app):
    decide(password=False)
    person = add()
    service.start_login(person.id, "", "password")


def test_a_decision_is_audited_once_and_names_nobody(any_app):
    actor = add("Inès", "i@halvenne.example", roles=["admin"])
    for _ in range(2):
        provider_settings.save(
            ["halvenne.example"], creates_people=True, offers_password=False, actor_id=actor.id
        )
    rows = db.session.execute(
        select(AuditEntry.actor_id, AuditEntry.details).where(
            AuditEntry.action == "provider.changed"
        )
    ).all()
    assert [(row.actor_id, row.details) for row in rows] == [
        (actor.id, {"domains": 1, "creates_people": True, "offers_password": False})
    ]
