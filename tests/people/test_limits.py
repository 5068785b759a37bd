"""Limits at the door: a guesser is slowed, an owner is never kept out."""

from __future__ import annotations

import datetime as dt

import pyotp
import pytest

from app import clock
from app.people import known_browsers, second_factor, service
from tests.people.conftest import PASSWORD, hidden, serving

STRANGER, HOME = "203.0.113.9", "198.51.100.7"


@pytest.fixture
def limited(settings_of):
    """The product with its limits on, as in production, and a person in it."""
    with serving(settings_of(ENV="production")) as app:
        with app.app_context():
            person = service.add_person(
                kind="employee", name="Maëlle Kerjan", email="m@halvenne.example"
            )
            service.join(person.id, PASSWORD)
        yield app, person


def attempt(client, person, password: str, address: str) -> int:
    form = {"email": person.email, "password": password, "csrf_token": hidden(client, "/sign-in")}
    return client.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": address}).status_code


def signed_out(app, person, address: str):
    """A browser in which the person signed in once, and out again."""
    client = app.test_client()
    assert attempt(client, person, PASSWORD, address) == 303
    client.post("/sign-out", data={"csrf_token": hidden(client, "/me")})
    assert client.get("/me").status_code == 303
    return client


def test_it_lets_the_owner_in_on_a_known_browser_whatever_strangers_do(limited):
    """From every address at once, the owner's own included."""
    app, person = limited
    owner = signed_out(app, person, HOME)
    for n in range(110):
        attempt(app.test_client(), person, "a guess of many", f"203.0.113.{n}")
    for _ in range(12):
        attempt(app.test_client(), person, "a guess of many", HOME)
    assert attempt(app.test_client(), person, PASSWORD, HOME) == 429
    assert attempt(app.test_client(), person, PASSWORD, "192.0.2.1") == 429
    assert attempt(owner, person, PASSWORD, HOME) == 303


def test_it_lets_others_in_again_after_a_minute(limited):
    app, person = limited
    for _ in range(11):
        attempt(app.test_client(), person, "a guess of many", STRANGER)
    assert attempt(app.test_client(), person, PASSWORD, HOME) == 303


def test_it_limits_a_known_browser_alike(limited):
    """Whoever steals a browser's cookie has a place of their own, and no more tries."""
    app, person = limited
    thief = signed_out(app, person, HOME)
    answers = [attempt(thief, person, "a guess of many", f"203.0.113.{n}") for n in range(12)]
    assert answers[:9] == [422] * 9
    assert answers[-1] == 429


def test_it_knows_a_browser_for_its_own_accounts_alone(limited):
    app, person = limited
    with app.app_context():
        other = service.add_person(kind="employee", name="Théo", email="t@halvenne.example")
        service.join(other.id, PASSWORD)
    client = signed_out(app, person, HOME)
    for _ in range(11):
        attempt(client, other, "a guess of many", STRANGER)
    assert attempt(client, other, PASSWORD, STRANGER) == 429
    assert attempt(client, person, PASSWORD, STRANGER) == 303


def test_it_leaves_the_cookie_at_a_sign_in_alone_and_for_the_door_alone(limited):
    app, person = limited
    client = app.test_client()
    for path in ("/sign-in", "/sign-in/password", "/sign-in/second-step"):
        assert known_browsers.COOKIE not in str(client.get(path).headers)
    form = {"email": person.email, "csrf_token": hidden(client, "/sign-in")}
    wrong = client.post("/sign-in", data=form | {"password": "not this one"})
    assert "Set-Cookie" not in wrong.headers
    right = client.post("/sign-in", data=form | {"password": PASSWORD})
    (cookie,) = [c for c in right.headers.getlist("Set-Cookie") if known_browsers.COOKIE in c]
    assert "HttpOnly" in cookie
    assert "Path=/sign-in" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=31536000" in cookie
    assert person.email not in cookie
    assert str(person.id) not in cookie


@pytest.mark.parametrize("value", ["", "x", "W10.x", "WzEsMl0.AAAA", "é" * 4000])
def test_it_does_not_believe_a_cookie_that_we_did_not_sign(limited, value):
    app, _person = limited
    with app.test_request_context(headers={"Cookie": f"{known_browsers.COOKIE}={value}"}):
        assert known_browsers.number_for(known_browsers.account_key("m@halvenne.example")) is None


def test_it_remembers_the_last_four_accounts_of_a_browser(limited):
    app, _person = limited
    cookie = ""
    for n in range(6):
        headers = {"Cookie": f"{known_browsers.COOKIE}={cookie}"}
        with app.test_request_context(headers=headers):
            response = app.response_class()
            known_browsers.remember(response, f"{n}@halvenne.example")
        cookie = response.headers["Set-Cookie"].split(";")[0].partition("=")[2]
    with app.test_request_context(headers={"Cookie": f"{known_browsers.COOKIE}={cookie}"}):
        keys = [known_browsers.account_key(f"{n}@halvenne.example") for n in range(6)]
        assert [known_browsers.number_for(key) is not None for key in keys] == [False] * 2 + [
            True
        ] * 4


def test_it_keeps_the_owners_second_step_open_while_a_stranger_guesses_codes(limited):
    app, person = limited
    owner = signed_out(app, person, HOME)
    with app.app_context():
        secret = second_factor.new_secret()
        code = pyotp.TOTP(secret).at(clock.now())
        second_factor.turn_on(person.id, secret, code, login_id=None)
    stranger = app.test_client()
    here = {"REMOTE_ADDR": STRANGER}
    for n in range(9):
        form = {"email": person.email, "password": PASSWORD}
        form["csrf_token"] = hidden(stranger, "/sign-in")
        entered = stranger.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": f"192.0.2.{n}"})
        assert entered.location == "/sign-in/second-step"
        form = {"code": "000000", "csrf_token": hidden(stranger, "/sign-in/second-step")}
        assert (
            stranger.post("/sign-in/second-step", data=form, environ_base=here).status_code == 422
        )
    form = {"code": pyotp.TOTP(secret).at(clock.now() + dt.timedelta(seconds=30))}
    form["csrf_token"] = hidden(stranger, "/sign-in/second-step")
    told = stranger.post("/sign-in/second-step?lang=en", data=form, environ_base=here)
    assert told.status_code == 422
    assert "Try again in" in told.get_data(as_text=True)
    assert attempt(owner, person, PASSWORD, HOME) == 303
    form["csrf_token"] = hidden(owner, "/sign-in/second-step")
    assert owner.post("/sign-in/second-step", data=form).location == "/"


def test_it_counts_wrong_codes_by_address_as_well(limited):
    app, _person = limited
    client = app.test_client()
    token = hidden(client, "/sign-in")
    answers = [
        client.post("/sign-in/second-step", data={"code": "1", "csrf_token": token}).status_code
        for _ in range(11)
    ]
    assert answers == [410] * 10 + [429]
