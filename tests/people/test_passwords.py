"""Passwords: what is refused, how one is changed, how a forgotten one is replaced."""

from __future__ import annotations

import datetime as dt

import pytest

from app import clock
from app.errors import InvalidInput
from app.people import service
from app.people.common_passwords import COMMON
from app.people.errors import WrongSignIn
from tests.people.conftest import PASSWORD, mailed_link, mails, press

NEW = "neuf pommiers au verger"


@pytest.mark.parametrize(
    "password",
    ["", "onze lettre", "x" * 201, "password1234", "PassWord!2026", "azertyuiop12", "123456123456",
     "motdepasse2026!", "soleilsoleil", "aaaaaaaaaaaa", "111111111111", "123456789012",
     "maelle@halvenne.example", "Maëlle Kerjan"],
)  # fmt: skip
def test_it_refuses_what_is_short_long_or_tried_first(add, inside, password):
    person = add()
    with pytest.raises(InvalidInput) as caught:
        service.set_password(person.id, password)
    assert list(caught.value.errors) == ["password"]


@pytest.mark.parametrize(
    "password",
    ["douze lettre", "x" * 199 + "y", "correct horse battery", "été 1998, la mer",
     "mon soleil luit", "新しいパスワードです、長い"],
)  # fmt: skip
def test_it_asks_for_no_kinds_of_characters(add, inside, password):
    person = add()
    service.set_password(person.id, password)
    assert service.sign_in(person.email, password, "").person_id == person.id


def test_it_refuses_at_least_the_two_hundred_commonest():
    assert len(COMMON) >= 200


def test_it_compares_every_character(add, inside):
    person = add()
    service.set_password(person.id, "a" + "b" * 198 + "c")
    for wrong in ("a" + "b" * 198 + "d", "a" + "b" * 198 + "cc", "A" + "b" * 198 + "c"):
        with pytest.raises(WrongSignIn):
            service.sign_in(person.email, wrong, "")


def test_it_is_changed_by_who_knows_it_and_signs_other_devices_out(add, browser):
    person = add(joined=True)
    here, there = browser(person), browser(person)
    wrong = press(here, "/me", "/me/password", current="not this one", password=NEW)
    assert wrong.status_code == 422
    assert "not your present password" in wrong.get_data(as_text=True)
    short = press(here, "/me", "/me/password", current=PASSWORD, password="short")
    assert short.status_code == 422
    right = press(here, "/me", "/me/password", current=PASSWORD, password=NEW)
    assert right.status_code == 303
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 303
    client = browser()
    assert (
        press(client, "/sign-in", "/sign-in", email=person.email, password=PASSWORD).status_code
        == 422
    )
    assert (
        press(client, "/sign-in", "/sign-in", email=person.email, password=NEW).status_code == 303
    )


def asked(app, client, email: str) -> str:
    answer = press(client, "/sign-in/password", "/sign-in/password", email=email)
    assert (answer.status_code, answer.location) == (303, "/sign-in?note=asked")
    return client.get(answer.location).get_data(as_text=True)


def test_it_answers_a_forgotten_password_alike_whoever_asks(app, add, browser):
    known, invited = add(joined=True), add("Théo Rossignac")
    before = len(mails(app))
    pages = [
        asked(app, browser(), email)
        for email in (known.email.upper(), invited.email, "nobody@halvenne.example", "")
    ]
    assert all("If this address has an account" in page for page in pages)
    sent = mails(app)[before:]
    assert [m["To"] for m in sent] == ["Maëlle Kerjan <maelle@halvenne.example>"]


def test_it_replaces_a_forgotten_password_once_and_signs_every_device_out(app, add, browser):
    person = add(joined=True)
    signed_in = browser(person)
    asked(app, browser(), person.email)
    path, client = mailed_link(app, "password"), browser()
    assert client.get(path).status_code == 200
    assert press(client, path, path, password="short").status_code == 422
    assert press(client, path, path, password=NEW).status_code == 303
    assert client.get("/me").status_code == 200
    assert signed_in.get("/me").status_code == 303
    used = browser().get(path)
    assert used.status_code == 410
    assert "It works once" in used.get_data(as_text=True)
    assert browser().post(path, data={"password": NEW}).status_code == 410


def test_it_lets_a_link_live_for_one_hour(app, add, browser):
    person = add(joined=True)
    asked(app, browser(), person.email)
    path = mailed_link(app, "password")
    clock.travel(dt.timedelta(minutes=59))
    assert browser().get(path).status_code == 200
    clock.travel(dt.timedelta(minutes=2))
    assert browser().get(path).status_code == 410


def test_it_gives_no_password_to_somebody_who_left_meanwhile(app, add, browser):
    person = add(joined=True)
    asked(app, browser(), person.email)
    path = mailed_link(app, "password")
    with app.app_context():
        service.depart(person.id)
    assert browser().get(path).status_code == 409
    assert browser().post(path, data={"password": NEW}).status_code == 409
