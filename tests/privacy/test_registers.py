"""The registers and the documents say what the code does."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from app import clock
from app.db import db
from app.people import activation
from app.privacy import requests
from app.privacy.models import DataRequest
from tests.conftest import House


def test_a_request_is_due_within_thirty_days_and_told_when_it_is_late(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin")
    maelle = house.person("Maëlle Kerjan", email="maelle@halvenne.example")
    browser = house.browser(admin)
    form = {"kind": "objection", "email": " Maelle@Halvenne.example "}
    assert browser.post("/studio/requests", data=form).status_code == 303
    [row] = db.session.query(DataRequest).all()
    assert row.subject_id == maelle.id
    assert row.due_at - row.received_at == dt.timedelta(days=30)
    page = browser.get("/studio/requests?lang=en").get_data(as_text=True)
    assert "Maëlle Kerjan" in page
    assert "overdue" not in page
    clock.travel(dt.timedelta(days=31))
    browser = house.browser(house.person("Marc Kervella", "admin"))
    assert "overdue" in browser.get("/studio/requests?lang=en").get_data(as_text=True)
    assert requests.overdue() == 1


def test_it_is_extended_once_and_answered_once(house: House) -> None:
    admin, maelle = house.person("Pauline Ferré", "admin"), house.person()
    row = requests.open_request("other", "person", maelle.id, actor_id=admin.id)
    browser = house.browser(admin)
    place = f"/studio/requests/{row.id}"
    assert browser.post(f"{place}/extension").status_code == 303
    assert browser.post(f"{place}/extension").status_code == 409
    db.session.expire_all()
    assert (row.due_at - row.received_at).days == 90
    assert browser.post(f"{place}/answer", data={"outcome": "lost"}).status_code == 422
    assert browser.post(f"{place}/answer", data={"outcome": "done"}).status_code == 303
    assert browser.post(f"{place}/answer", data={"outcome": "done"}).status_code == 409
    assert "Done" in browser.get("/studio/requests?state=answered&lang=en").get_data(as_text=True)
    assert requests.overdue() == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody@halvenne.example"}, "email"),
        ({"kind": "gossip"}, "kind"),
        ({"received_on": "2031-01-01"}, "received_on"),
        ({"received_on": "soon"}, "received_on"),
    ],
)
def test_what_cannot_be_noted_is_told_and_kept_in_the_form(
    house: House, given: dict[str, str], field: str
) -> None:
    admin = house.person("Pauline Ferré", "admin", email="pauline@halvenne.example")
    form = {"kind": "copy", "email": "pauline@halvenne.example", "received_on": ""} | given
    answer = house.browser(admin).post("/studio/requests", data=form)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)
    assert db.session.query(DataRequest).count() == 0


def test_the_register_of_processing_names_every_personal_table(house: House) -> None:
    auditor = house.person("Edouard Roux", "auditor")
    browser = house.browser(auditor)
    table = browser.get("/studio/register.csv?lang=en").get_data(as_text=True)
    named = {
        name
        for row in csv.DictReader(io.StringIO(table.removeprefix("\ufeff")))
        for name in row["Tables"].split(", ")
    }
    personal = {
        mapper.class_.__tablename__
        for mapper in db.Model.registry.mappers
        if mapper.class_.__retention__.personal
    }
    assert personal - named == set()
    page = browser.get("/studio/register?lang=en").get_data(as_text=True)
    assert "GDPR, article 6.1" in page


@pytest.mark.parametrize("name", ["works-council", "impact-assessment"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_document_says_the_settings_of_the_day_on_screen_and_on_paper(
    house: House, name: str, language: str
) -> None:
    admin = house.person("Pauline Ferré", "admin")
    browser = house.browser(admin)
    before = browser.get(f"/studio/documents/{name}?lang={language}").get_data(as_text=True)
    activation.record(dt.date(2026, 9, 14), dt.date(2026, 9, 3), confirmed=True, actor_id=admin.id)
    after = browser.get(f"/studio/documents/{name}?lang={language}").get_data(as_text=True)
    day = {"fr": "14 septembre 2026", "en": "September 14, 2026"}[language]
    assert day not in before
    assert day in after
    paper = browser.get(f"/studio/documents/{name}.pdf?lang={language}")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF-")
    assert b"pdfuaid" in paper.data


def test_an_unknown_document_is_not_found(house: House) -> None:
    browser = house.browser(house.person("Pauline Ferré", "admin"))
    assert browser.get("/studio/documents/another").status_code == 404
    assert browser.get("/studio/documents/another.pdf").status_code == 404
