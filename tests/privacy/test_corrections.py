"""A person asks for what is wrong to be put right, and reads what became of it (article 16)."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app import clock, outbox, rights
from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput, NotFound
from app.outbox.models import OutboxEvent
from app.people.models import Person
from app.people.queries import person
from app.personal_data import PERSON
from app.privacy import corrections, purge, requests
from app.privacy.models import Correction, DataRequest
from app.privacy.requests import AnsweredElsewhere, Settled
from tests.conftest import START, House
from tests.people.conftest import press

NAME = "Maëlle Kerjan-Quillévéré"


@pytest.fixture
def maelle(house: House) -> Person:
    return house.person(
        "Maëlle Kerjan", email="maelle@halvenne.example", site="Brest", language="en"
    )


@pytest.fixture
def admin(house: House) -> Person:
    return house.person("Pauline Ferré", "admin", language="en")


def _mails(house: House) -> list[tuple[str, str]]:
    """Of corrections: to whom, and its text."""
    outbox.drain()
    folder = Path(house.app.extensions["portevoix"].data_dir) / "mail"
    found = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in sorted(folder.glob("*.eml"))
    ]
    return [
        (str(one["To"]), one.get_body(("plain",)).get_content())
        for one in found
        if "correction" in str(one["Subject"])
    ]


def test_a_person_asks_and_an_administrator_puts_it_right(
    house: House, maelle: Person, admin: Person
) -> None:
    me, studio = house.browser(maelle), house.browser(admin)
    assert "Ask for a correction" in me.get("/me/data").get_data(as_text=True)
    sent = press(me, "/me/corrections", "/me/corrections", field="name", proposed=f" {NAME} ")
    assert sent.status_code == 303
    mine = me.get("/me/corrections").get_data(as_text=True)
    assert NAME in mine and "waits" in mine
    [line] = requests.listed(is_open=True).rows
    assert (line.request.kind, line.has_page) == ("correction", True)
    assert line.request.due_at == START + requests.ANSWERED_WITHIN
    where = f"/studio/requests/{line.request.id}"
    assert f'href="{where}"' in studio.get("/studio/requests").get_data(as_text=True)
    page = studio.get(where).get_data(as_text=True)
    assert NAME in page and "Maëlle Kerjan" in page
    assert press(studio, where, f"{where}/acceptance").status_code == 303
    assert person(maelle.id).name == NAME
    [(to, words)] = _mails(house)
    assert "maelle@halvenne.example" in to and "It is put right." in words
    assert requests.listed(is_open=True).rows == []
    assert "corrected" in me.get("/me/corrections").get_data(as_text=True)
    assert studio.get(where).status_code == 200


def test_it_is_declined_with_a_reason_that_the_person_reads(
    house: House, maelle: Person, admin: Person
) -> None:
    request_id = corrections.ask(maelle.id, "site", "Quimper")
    studio, where = house.browser(admin), f"/studio/requests/{request_id}"
    empty = press(studio, where, f"{where}/refusal", reason=" ")
    assert empty.status_code == 422 and "Say why" in empty.get_data(as_text=True)
    press(studio, where, f"{where}/refusal", reason="Your contract names Brest.")
    assert person(maelle.id).site == "Brest"
    [(_to, words)] = _mails(house)
    assert "Your contract names Brest." in words
    assert "Your contract names Brest." in house.browser(maelle).get("/me/corrections").get_data(
        as_text=True
    )
    assert db.session.get_one(DataRequest, request_id).outcome == "refused"
    with pytest.raises(Settled):
        corrections.accept(request_id, actor_id=admin.id)


@pytest.mark.parametrize(
    ("field", "proposed", "wrong"),
    [
        ("name", "", "proposed"),
        ("name", "Maëlle  Kerjan", "proposed"),
        ("name", "x" * 201, "proposed"),
        ("email", "no address", "proposed"),
        ("other", "x" * 501, "proposed"),
        ("is_admin", "1", "field"),
        ("kind", "partner", "field"),
    ],
)
def test_it_says_what_cannot_be_asked(
    house: House, maelle: Person, field: str, proposed: str, wrong: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        corrections.ask(maelle.id, field, proposed)
    assert set(caught.value.errors) == {wrong}
    assert db.session.scalars(select(DataRequest)).all() == []


def test_one_wish_for_a_field_waits_at_a_time(house: House, maelle: Person) -> None:
    first = corrections.ask(maelle.id, "site", "Quimper")
    with pytest.raises(InvalidInput):
        corrections.ask(maelle.id, "site", "Lorient")
    corrections.ask(maelle.id, "department", "Bois")
    corrections.take_back(maelle.id, first)
    corrections.ask(maelle.id, "site", "Lorient")
    assert db.session.get_one(DataRequest, first).outcome == "withdrawn"


def test_nobody_answers_or_takes_back_what_is_not_theirs(
    house: House, maelle: Person, admin: Person
) -> None:
    other = house.person("Nadia Ferrand")
    request_id = corrections.ask(maelle.id, "site", "Quimper")
    with pytest.raises(NotFound):
        corrections.take_back(other.id, request_id)
    answered = corrections.ask(maelle.id, "name", NAME)
    corrections.decline(answered, "No.", actor_id=admin.id)
    with pytest.raises(NotFound):
        corrections.take_back(other.id, answered)
    with pytest.raises(AnsweredElsewhere):
        requests.close(request_id, "done", actor_id=admin.id)
    assert house.browser(other).get(f"/studio/requests/{request_id}").status_code == 403
    assert db.session.get_one(DataRequest, request_id).closed_at is None


def test_the_directory_may_still_refuse(house: House, maelle: Person, admin: Person) -> None:
    house.person("Nadia Ferrand", email="nadia@halvenne.example")
    request_id = corrections.ask(maelle.id, "email", "NADIA@halvenne.example")
    studio, where = house.browser(admin), f"/studio/requests/{request_id}"
    answer = press(studio, where, f"{where}/acceptance")
    assert answer.status_code == 422
    assert "Somebody has this address already." in answer.get_data(as_text=True)
    assert db.session.get_one(DataRequest, request_id).closed_at is None


def test_what_is_not_of_the_directory_is_said_to_be_put_right(
    house: House, maelle: Person, admin: Person
) -> None:
    request_id = corrections.ask(maelle.id, "other", "My first day was in March.")
    corrections.accept(request_id, actor_id=admin.id)
    [(_to, words)] = _mails(house)
    assert "Something else" in words


def test_neither_value_stands_in_a_fact_or_in_the_trail(
    house: House, maelle: Person, admin: Person
) -> None:
    request_id = corrections.ask(maelle.id, "name", NAME)
    corrections.decline(request_id, f"{NAME} is not on the contract", actor_id=admin.id)
    for model, column in ((OutboxEvent, OutboxEvent.payload), (AuditEntry, AuditEntry.details)):
        told = json.dumps([*db.session.scalars(select(column).select_from(model))])
        assert "Quill" not in told
    stored = db.session.execute(text("select proposed, reason from correction")).one()
    assert all(value and "Quill" not in value for value in stored)


def test_the_copy_has_it_and_an_erasure_takes_it(house: House, maelle: Person) -> None:
    request_id = corrections.ask(maelle.id, "name", NAME)
    copy = json.loads(house.browser(maelle).get("/me/data.json").data)["data"]
    [asked] = copy["privacy.corrections"]["rows"]
    assert (asked["field"], asked["proposed"]) == ("name", NAME)
    assert [row["kind"] for row in copy["privacy.requests"]["rows"]] == ["correction"]
    rights.erase(PERSON, maelle.id, asked_by=rights.SELF)
    assert db.session.scalars(select(Correction)).all() == []
    assert db.session.get_one(DataRequest, request_id).outcome == "withdrawn"


def test_it_goes_half_a_year_after_the_answer(house: House, maelle: Person, admin: Person) -> None:
    answered = corrections.ask(maelle.id, "name", NAME)
    corrections.ask(maelle.id, "site", "Quimper")
    corrections.decline(answered, "No.", actor_id=admin.id)
    clock.freeze(START + dt.timedelta(days=184))
    purge.run("corrections")
    assert db.session.scalars(select(Correction.field)).all() == ["site"]
    assert db.session.get(DataRequest, answered) is not None, "the register keeps its line"
