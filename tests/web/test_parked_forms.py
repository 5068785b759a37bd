"""A session that ends while a form is open: what was typed survives signing in, nothing is
sent by itself, and nobody else reads it."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from app import clock, outbox
from app.db import db
from app.people import service
from app.people.models import ParkedForm, Person
from app.people.sessions import KEY
from app.privacy import purge
from app.web import parked
from app.web.refilling import refill
from tests.conftest import PASSWORD, START, House

HERE = {"Sec-Fetch-Site": "same-origin"}
WORDS = "Sur ce chantier, on apprend « tous les jours » & on rit <souvent>."
EMAIL = "maelle@halvenne.example"


class Reader:
    """A browser with its forms' tokens checked, as in life."""

    def __init__(self, house: House, person: Person) -> None:
        self.client = house.browser(person)
        house.app.config["WTF_CSRF_ENABLED"] = True

    def page(self, path: str) -> LexborHTMLParser:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return LexborHTMLParser(answer.get_data(as_text=True))

    def token(self, path: str) -> str:
        field = self.page(path).css_first("main input[name=csrf_token]")
        assert field is not None
        return str(field.attributes["value"])

    def send(
        self, path: str, fields: dict[str, str], from_: str = "/", **more: str
    ) -> TestResponse:
        headers = HERE | {"Referer": f"http://localhost{from_}"} | more
        return self.client.post(path, data=fields, headers=headers)


def sign_in(client: FlaskClient, email: str, to: str) -> TestResponse:
    door = client.get(to)
    page = LexborHTMLParser(door.get_data(as_text=True))
    fields = {
        str(field.attributes["name"]): field.attributes.get("value") or ""
        for field in page.css("main form input[type=hidden]")
    }
    return client.post(
        "/sign-in", data=fields | {"email": email, "password": PASSWORD}, headers=HERE
    )


def _member(house: House, name: str, email: str) -> Person:
    person = house.person(name, email=email, joined=False)
    service.join(person.id, PASSWORD)
    outbox.drain()
    return person


@pytest.fixture
def maelle(any_house: House) -> Person:
    return _member(any_house, "Maëlle Kerjan", EMAIL)


def _end_session(person: Person) -> None:
    service.end_all_logins(person.id)


def _words_on(page: LexborHTMLParser) -> str | None:
    field = page.css_first("textarea[name=words]")
    return field.text().removeprefix("\n") if field else None


def test_it_brings_the_words_back_after_signing_in(any_house: House, maelle: Person) -> None:
    offer = any_house.offer()
    me, path = Reader(any_house, maelle), f"/offers/{offer}"
    fields = {"csrf_token": me.token(path), "words": WORDS}
    _end_session(maelle)
    away = me.send(f"{path}/recommendation", fields, path)
    assert away.status_code == 303
    assert away.headers["Location"] == f"/sign-in?next={path}"
    assert sign_in(me.client, EMAIL, away.headers["Location"]).headers["Location"] == path
    page = me.page(path)
    assert _words_on(page) == WORDS
    assert page.css_first("#notices [role=alert]") is not None
    assert page.css_first("main") is not None
    row = db.session.execute(text("select words from recommendation")).first()
    assert row is None, "nothing is sent by itself"
    again = {"csrf_token": me.token(path), "words": WORDS}
    assert me.send(f"{path}/recommendation", again, path).status_code == 303
    assert db.session.scalars(select(ParkedForm)).all() == []
    assert me.page(path).css_first("#notices [role=alert]") is None


def test_it_keeps_them_for_nobody_else(any_house: House, maelle: Person) -> None:
    _member(any_house, "Sofiane Belkhir", "sofiane@halvenne.example")
    path = f"/offers/{any_house.offer()}"
    me = Reader(any_house, maelle)
    fields = {"csrf_token": me.token(path), "words": WORDS}
    _end_session(maelle)
    door = me.send(f"{path}/recommendation", fields, path).headers["Location"]
    sign_in(me.client, "sofiane@halvenne.example", door)
    assert _words_on(me.page(path)) == ""
    assert db.session.scalars(select(ParkedForm)).all() == []


def test_it_knows_whose_it_was_after_another_tab_has_met_the_end(
    any_house: House, maelle: Person
) -> None:
    path = f"/offers/{any_house.offer()}"
    me = Reader(any_house, maelle)
    fields = {"csrf_token": me.token(path), "words": WORDS}
    clock.freeze(START + dt.timedelta(days=31))
    assert me.client.get("/").status_code == 303
    away = me.send(f"{path}/recommendation", fields, path)
    assert away.status_code == 303
    assert db.session.scalars(select(ParkedForm.person_id)).one() == maelle.id
    sign_in(me.client, EMAIL, away.headers["Location"])
    assert _words_on(me.page(path)) == WORDS


def test_it_asks_again_when_only_the_form_is_older_than_the_session(
    any_house: House, maelle: Person
) -> None:
    path = f"/offers/{any_house.offer()}"
    me = Reader(any_house, maelle)
    fields = {"csrf_token": me.token(path), "words": WORDS}
    with me.client.session_transaction() as session:
        login = session[KEY]
        session.clear()
        session[KEY] = login
    away = me.send(f"{path}/recommendation", fields, path)
    assert (away.status_code, away.headers["Location"]) == (303, path)
    assert _words_on(me.page(path)) == WORDS


def test_it_tells_a_script_where_to_go(house: House) -> None:
    maelle = _member(house, "Maëlle Kerjan", EMAIL)
    path = f"/offers/{house.offer()}"
    me = Reader(house, maelle)
    fields = {"csrf_token": me.token(path), "words": WORDS}
    _end_session(maelle)
    hx = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{path}"}
    away = me.send(f"{path}/recommendation", fields, "/", **hx)
    assert (away.status_code, away.headers["HX-Redirect"]) == (204, f"/sign-in?next={path}")


def test_it_leads_the_composer_back_to_its_story(house: House) -> None:
    maelle = _member(house, "Maëlle Kerjan", EMAIL)
    offer = house.offer()
    me = Reader(house, maelle)
    token = me.token(f"/offers/{offer}/share")
    _end_session(maelle)
    fields = {
        "csrf_token": token, "words": WORDS, "offer_id": str(offer), "network": "copy",
        "press_id": "0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4", "when": "at", "at": "2026-12-01T09:00",
    }  # fmt: skip
    away = me.send("/shares", fields, "/shares")
    assert away.headers["Location"] == f"/sign-in?next=/offers/{offer}/share%23composer"
    where = sign_in(me.client, EMAIL, away.headers["Location"]).headers["Location"]
    page = me.page(where.partition("#")[0])
    assert _words_on(page) == WORDS
    press = page.css_first("input[name=press_id]")
    assert press is not None and press.attributes["value"] == fields["press_id"]


def test_it_forgets_after_half_an_hour(house: House) -> None:
    maelle = _member(house, "Maëlle Kerjan", EMAIL)
    path = f"/offers/{house.offer()}"
    me = Reader(house, maelle)
    fields = {"csrf_token": me.token(path), "words": WORDS}
    _end_session(maelle)
    door = me.send(f"{path}/recommendation", fields, path).headers["Location"]
    clock.freeze(START + dt.timedelta(minutes=31))
    sign_in(me.client, EMAIL, door)
    assert _words_on(me.page(path)) == ""
    purge.run("parked-forms")
    assert db.session.scalars(select(ParkedForm)).all() == []


def test_it_stores_the_words_sealed_and_no_secret(house: House) -> None:
    maelle = _member(house, "Maëlle Kerjan", EMAIL)
    me = Reader(house, maelle)
    fields = {"csrf_token": me.token("/me"), "current": PASSWORD, "password": "tout autre chose"}
    _end_session(maelle)
    away = me.send("/me/password", fields, "/me")
    assert away.headers["Location"] == "/sign-in?next=/me"
    stored = str(db.session.execute(text("select content from parked_form")).scalar_one())
    assert "/me" not in stored, "it is encrypted"
    row = db.session.scalars(select(ParkedForm)).one()
    assert PASSWORD not in row.content and "tout autre chose" not in row.content
    assert fields["csrf_token"] not in row.content


def test_it_says_so_when_there_is_too_much_to_keep(house: House) -> None:
    maelle = _member(house, "Maëlle Kerjan", EMAIL)
    path = f"/offers/{house.offer()}"
    me = Reader(house, maelle)
    fields = {"csrf_token": me.token(path), "words": "x" * (parked.MOST_BYTES + 1)}
    _end_session(maelle)
    answer = me.send(f"{path}/recommendation", fields, path)
    assert answer.status_code == 401
    assert "Revenez d’une page" in answer.get_data(as_text=True)
    assert db.session.scalars(select(ParkedForm)).all() == []


def test_it_keeps_nothing_for_strangers_and_other_sites(house: House) -> None:
    maelle = _member(house, "Maëlle Kerjan", EMAIL)
    path = f"/offers/{house.offer()}"
    me = Reader(house, maelle)
    token = me.token(path)
    stranger = house.app.test_client()
    for fields, headers in (
        ({"words": WORDS}, HERE),
        ({"words": WORDS, "csrf_token": "ImFiYyI.aR.x"}, HERE),
        ({"words": WORDS, "csrf_token": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({"words": WORDS, "csrf_token": token}, {"Origin": "https://elsewhere.example"}),
    ):
        answer = stranger.post(f"{path}/recommendation", data=fields, headers=headers)
        assert answer.status_code == 400
    assert db.session.scalars(select(ParkedForm)).all() == []


def test_every_secret_field_of_the_templates_is_known_as_one() -> None:
    folder = Path(__file__).parents[2] / "templates"
    asked = {
        name
        for file in folder.rglob("*.html")
        for name in re.findall(r'input\("(\w+)"[^}]*type="password"', file.read_text())
    }
    assert {"password", "current", "api_key"} <= asked
    assert [name for name in sorted(asked) if not parked.is_secret(name)] == []


PAGE = """<!doctype html><html lang="fr"><body><main>
<form action="/a/1" id="one"><input type="hidden" name="which" value="1"><input name="t"></form>
<form action="/a/1"><input type="hidden" name="which" value="2"><input type="hidden" name="csrf_token" value="new">
<details><textarea name="t" id="words">old</textarea></details>
<input type="checkbox" name="c" value="x" checked><input type="checkbox" name="c" value="y">
<input type="radio" name="r" value="1" checked><input type="radio" name="r" value="2">
<select name="s"><option selected>a</option><option value="b">B</option></select>
<input type="password" name="p"><input name="twice"><input name="twice"></form></main></body></html>"""


def test_it_fills_the_very_form_that_was_sent() -> None:
    found = refill(
        PAGE, "/a", "/a/1",
        [("which", "2"), ("t", '\n</textarea><b>"&'), ("c", "y"), ("r", "2"), ("s", "b"),
         ("csrf_token", "old"), ("p", "x"), ("twice", "1"), ("twice", '2"')],
    )  # fmt: skip
    assert found is not None and found.anchor == "words"
    tree = LexborHTMLParser(found.html)
    form = tree.css("form")[1]
    assert form.css_first("textarea").text() == '\n</textarea><b>"&'
    assert form.css_first("details").attributes.get("open") == ""
    assert [i.attributes.get("value") for i in form.css("input[checked]")] == ["y", "2"]
    assert [o.attributes.get("value") for o in form.css("option[selected]")] == ["b"]
    assert form.css_first("[name=csrf_token]").attributes["value"] == "new"
    assert "value" not in form.css_first("[name=p]").attributes
    assert [i.attributes["value"] for i in form.css("[name=twice]")] == ["1", '2"']
    assert tree.css("form")[0].css_first("[name=t]").attributes.get("value") is None


def test_it_fills_nothing_where_the_form_is_not() -> None:
    assert refill(PAGE, "/a", "/b", [("t", "x")]) is None
    assert refill(PAGE, "/a", "/a/1", [("other", "x")]) is None
