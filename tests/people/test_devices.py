"""The page of devices: where one is signed in, since when, and how that ends."""

from __future__ import annotations

import datetime as dt
import html
import re

from app import clock
from app.people import devices, service
from tests.people.conftest import PASSWORD, press

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def page_of(client) -> str:
    return html.unescape(client.get("/me/devices").get_data(as_text=True))


def test_it_says_what_is_needed_to_recognise_a_device(app, add, browser):
    person = add(joined=True)
    client = browser()
    press(client, "/sign-in", "/sign-in", email=person.email, password=PASSWORD)
    with app.app_context():
        service.set_language(person.id, "en")
        service.start_login(person.id, FIREFOX.replace("X11; Linux x86_64", "Windows"), "oidc")
    page = page_of(client)
    assert "Firefox, Linux" in page
    assert "Firefox, Windows" in page
    assert "by password" in page
    assert "with the organisation’s account" in page
    assert page.count("this one") == 1


def test_it_has_words_for_every_way_to_sign_in():
    from app.people.models import METHODS
    from app.people.words import METHOD_NAMES

    assert {*METHODS} == {*METHOD_NAMES}


def test_it_lists_no_device_that_has_fallen_asleep(app, add, browser):
    recruiter = add(joined=True, roles=["recruiter"])
    with app.app_context():
        service.start_login(recruiter.id, FIREFOX, "password")
    clock.travel(dt.timedelta(hours=12))
    client = browser(recruiter)
    assert page_of(client).count("/ending") == 1
    with app.app_context():
        assert len(devices.devices_of(recruiter.id, {"member"})) == 2


def test_it_offers_to_end_the_others_where_there_are_others(add, browser):
    person = add(joined=True)
    client = browser(person)
    assert 'action="/me/devices/ending"' not in page_of(client)
    other = browser(person)
    assert 'action="/me/devices/ending"' in page_of(client)
    assert press(client, "/me/devices", "/me/devices/ending").location == "/me/devices"
    assert other.get("/me").status_code == 303
    assert client.get("/me").status_code == 200


def test_it_ends_one_that_is_named(add, browser):
    person = add(joined=True)
    client, other = browser(person), browser(person)
    (row,) = [row for row in page_of(client).split("<li")[1:] if "Sign it out" in row]
    path = re.search(r'action="(/me/devices/[0-9a-f-]{36}/ending)"', row)
    assert path
    assert press(client, "/me/devices", path[1]).location == "/me/devices"
    assert other.get("/me").status_code == 303
    assert client.get("/me").status_code == 200


def test_it_refuses_a_cookie_after_sign_out_and_after_a_departure(app, add, browser):
    person = add(joined=True)
    client, thief = browser(person), browser()
    with client.session_transaction() as session:
        kept = dict(session)
    press(client, "/me", "/sign-out")
    with thief.session_transaction() as session:
        session.update(kept)
    assert thief.get("/me").status_code == 303
    five = [browser(person) for _ in range(5)]
    with app.app_context():
        service.depart(person.id)
    assert {each.get("/me").status_code for each in five} == {303}


def test_it_holds_for_ten_minutes_that_it_was_really_me(app, add, browser):
    person = add(joined=True)
    with app.app_context():
        login_id = service.start_login(person.id, FIREFOX, "password").login_id
        assert devices.is_confirmed(login_id)
        clock.travel(dt.timedelta(minutes=10))
        assert not devices.is_confirmed(login_id)
        devices.confirm_by_password(person.id, login_id, PASSWORD)
        assert devices.is_confirmed(login_id)
        assert not devices.is_confirmed(None)


def test_it_tells_whoever_has_nothing_to_show_here_how_to_go_on(app, add, browser):
    """Somebody who came from the identity provider, without a password of ours."""
    person, client = add(), browser()
    with app.app_context():
        service.set_language(person.id, "en")
        signed_in = service.start_login(person.id, FIREFOX, "oidc")
    with client.session_transaction() as session:
        session["login"] = signed_in.token
    clock.travel(dt.timedelta(minutes=10))
    page = client.get(client.get("/me/passkeys/new").location or "/me/confirmation")
    assert page.status_code in (200, 303)
    told = html.unescape(client.get("/me/confirmation").get_data(as_text=True))
    assert "sign in once more" in told
    assert 'name="password"' not in told
