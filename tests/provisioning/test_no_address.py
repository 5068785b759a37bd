"""People whom a file brings with a number and without an address: entered, shown as such, never
written to, and given the address that a later file has for them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app import mail, outbox
from app.db import db
from app.errors import InvalidInput
from app.people import invitations, queries, service, tallies
from app.people.errors import NoAddress
from app.people.models import Person
from app.people.search import PeopleFilter, find
from app.people.text import is_nowhere
from app.provisioning.imports import queries as import_queries
from app.provisioning.imports import running
from app.provisioning.imports import service as imports
from app.provisioning.imports.queries import ImportRow
from app.provisioning.scim import connections
from app.provisioning.scim import users as scim_users
from app.settings.models import Entity
from tests.conftest import House
from tests.provisioning.scim_kit import CORE, ENTERPRISE
from tests.provisioning.test_imports import counts, faults, people, take, whole_base

SHOP = """Matricule;Nom complet;Courriel;Site
00123;Maëlle Kerjan;maelle@halvenne.example;Caudan
00124;Théo Rossignac;;Caudan
00125;Inès Duval;  ;Caudan
;Sans Rien;;Caudan
"""
NUMBERS = "Matricule;Nom complet;Site\n00124;Théo Rossignac;Caudan\n00125;Inès Duval;Caudan\n"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PAUSE_SECONDS", (0.0, 0.0))


def by_number(number: str) -> Person:
    db.session.rollback()
    return db.session.scalars(
        select(Person).where(Person.employee_id == number).execution_options(populate_existing=True)
    ).one()


def listed(**asked: Any) -> list[str]:
    rows = queries.people_page(filters=PeopleFilter(no_address=True, **asked)).items
    return [row.name for row in rows]


def undone(row: ImportRow) -> ImportRow:
    imports.undo(row.id, None)
    running.carry(row.id)
    return import_queries.get_import(row.id)


def test_it_enters_whoever_has_a_number_and_refuses_whoever_has_nothing(
    any_house: House, tmp_path: Path
) -> None:
    before = whole_base()
    dry = take(SHOP, tmp_path, dry_run=True)
    assert dry.foreseen is not None
    assert (dry.foreseen["created"], dry.foreseen["no_address"]) == (3, 2)
    assert whole_base() == before
    row = take(SHOP, tmp_path)
    assert (counts(row), faults(row)) == ((3, 0, 0, 1), {5: "missing-address"})
    maelle, theo, ines = map(by_number, ("00123", "00124", "00125"))
    assert maelle.email == "maelle@halvenne.example"
    assert is_nowhere(theo.email) and is_nowhere(ines.email) and theo.email != ines.email
    assert (theo.name, theo.site, theo.kind) == ("Théo Rossignac", "Caudan", "employee")
    assert listed() == ["Inès Duval", "Théo Rossignac"]
    assert listed(site="Caudan", q="theo") == ["Théo Rossignac"]
    assert find(PeopleFilter(q=theo.email[:8])).ids == []
    assert tallies.reconcile_words() == 0
    undone(row)
    assert whole_base() == before


def test_it_needs_no_column_of_addresses_where_there_is_one_of_numbers(
    any_house: House, tmp_path: Path
) -> None:
    row = take(NUMBERS, tmp_path)
    assert counts(row) == (2, 0, 0, 0)
    with pytest.raises(InvalidInput) as refused:
        take("Nom complet;Site\nThéo Rossignac;Caudan\n", tmp_path)
    assert {*refused.value.errors} == {"email"}
    before = whole_base()
    assert counts(take(NUMBERS, tmp_path)) == (0, 0, 2, 0)
    dry = take(NUMBERS, tmp_path, dry_run=True)
    assert dry.foreseen is not None and dry.foreseen["no_address"] == 2
    assert whole_base() == before


def test_an_address_that_comes_takes_the_place_and_an_empty_cell_takes_none_away(
    any_house: House, tmp_path: Path
) -> None:
    take(NUMBERS, tmp_path)
    theo, before = by_number("00124").id, whole_base()
    later = "Matricule;Nom complet;Courriel;Site\n00124;Théo Rossignac;theo@x.example;Caudan\n"
    came = take(later, tmp_path)
    assert counts(came) == (0, 1, 0, 0)
    (change,) = import_queries.list_lines(came.id, running.RUN, running.CHANGED)
    assert change.person_id == theo and by_number("00124").email == "theo@x.example"
    assert listed() == ["Inès Duval"] and find(PeopleFilter(q="theo@x")).ids == [theo]
    assert counts(take(later.replace("theo@x.example", ""), tmp_path)) == (0, 0, 1, 0)
    assert counts(take(NUMBERS, tmp_path)) == (0, 0, 2, 0)
    assert by_number("00124").email == "theo@x.example"
    assert undone(came).undone_count == 1
    assert whole_base() == before


def test_the_dry_run_says_in_words_that_there_was_no_address(
    any_house: House, tmp_path: Path
) -> None:
    take(NUMBERS, tmp_path)
    text = "Matricule;Nom complet;Courriel\n00124;Théo Rossignac;theo@x.example\n126;Léa Roy;\n"
    dry = take(text, tmp_path, dry_run=True)
    for language, words in (("en", "no address"), ("fr", "sans adresse")):
        with force_locale(language):
            (changed,) = import_queries.list_lines(dry.id, running.CHECK, running.CHANGED)
            told = [(c.before, c.after) for c in changed.changes]
            assert told == [(words, "theo@x.example")]
            (new,) = import_queries.list_lines(dry.id, running.CHECK, running.CREATED)
            assert words in [c.after for c in new.changes]


def test_a_number_alone_makes_no_two_people_one(any_house: House, tmp_path: Path) -> None:
    with_entities = "Matricule;Nom complet;Société\n"
    db.session.add_all([Entity(code="A", name="Halvenne A"), Entity(code="B", name="Halvenne B")])
    db.session.commit()
    take(with_entities + "7;Ann Martin;A\n", tmp_path)
    row = take(with_entities + "7;Bob Martin;B\n", tmp_path)
    assert faults(row) == {2: "another-person"}
    assert faults(take(with_entities + "7;Cid Roy;A\n", tmp_path)) == {2: "another-person"}
    assert counts(take(with_entities + "7;MARTIN Ann;B\n", tmp_path)) == (0, 1, 0, 0)
    twice = take("Matricule;Nom complet\n8;Dan Tor;\n8;Dan Tor;\n", tmp_path)
    assert faults(twice) == {3: "twice"}
    taken = take("Matricule;Nom complet;Courriel\n9;Eve Sol;\n10;Flo Bel;f@x.example\n", tmp_path)
    assert counts(taken) == (2, 0, 0, 0)
    clash = take("Matricule;Nom complet;Courriel\n9;Eve Sol;f@x.example\n", tmp_path)
    assert faults(clash) == {2: "address-taken"}
    assert people() == 4


def test_what_stands_in_for_an_address_in_a_file_is_none(any_house: House, tmp_path: Path) -> None:
    take(NUMBERS, tmp_path)
    theo = by_number("00124")
    text = f"Matricule;Nom complet;Courriel\n00124;Théo Rossignac;{theo.email}\n"
    assert counts(take(text, tmp_path)) == (0, 0, 1, 0)
    assert faults(take(f"Nom complet;Courriel\nX Y;{uuid.uuid4()}@none.invalid\n", tmp_path)) == {
        2: "missing-address"
    }


def test_no_mail_goes_there_and_no_invitation_is_noted(
    any_house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        "app.mail.EmailMultiAlternatives.send", lambda message: sent.extend(message.to)
    )
    take(NUMBERS, tmp_path)
    theo, other = by_number("00124"), any_house.person("Ann Lee", joined=False)
    assert not invitations.is_wanted(theo)
    with pytest.raises(NoAddress):
        service.invite(theo.id)
    service.join(theo.id)  # by the provider's account, for instance
    outbox.drain()
    mail.send(theo.email, theo.name, "email-code", "en", code="123456")
    assert sent == []
    mail.send(other.email, other.name, "email-code", "en", code="123456")
    assert len(sent) == 1
    assert theo.id not in {row.person_id for row in invitations.sent_page().items}


def test_a_connected_directory_and_a_file_speak_of_the_same_person(
    any_house: House, tmp_path: Path
) -> None:
    take(NUMBERS, tmp_path)
    theo = by_number("00124").id
    connection_id, _token = connections.create("Entra", "entra", actor_id=None)
    user = scim_users.create(
        connection_id,
        {
            "schemas": [CORE], "userName": "theo", ENTERPRISE: {"employeeNumber": "00124"},
            "name": {"givenName": "Théo", "familyName": "Rossignac"},
        },
    )  # fmt: skip
    assert uuid.UUID(user["id"]) == theo and is_nowhere(by_number("00124").email)
    assert counts(take(NUMBERS, tmp_path)) == (0, 0, 2, 0)
