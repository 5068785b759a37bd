"""Signing in by address and password, and out again."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from argon2 import PasswordHasher, Type
from sqlalchemy import select

from app import clock
from app.db import db, transaction
from app.people import passwords, service
from app.people.errors import WrongSignIn
from app.people.models import Credential, Login
from tests.people.conftest import PASSWORD, REAL_HASHER, hidden, press, serving


def sign_in(client, email: str, password: str = PASSWORD, **fields: str):
    return press(client, "/sign-in", "/sign-in", email=email, password=password, **fields)


def test_it_signs_in_and_shows_ones_own_page(add, browser):
    person, client = add(joined=True), browser()
    answer = sign_in(client, person.email)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Maëlle Kerjan" in client.get("/me").get_data(as_text=True)


def test_it_recognises_the_address_in_any_case(add, browser):
    add(joined=True, email="Maelle@Halvenne.example")
    assert sign_in(browser(), " MAELLE@halvenne.EXAMPLE ").status_code == 303


def test_it_goes_where_the_person_wanted_to_go(add, browser):
    person, client = add(joined=True), browser()
    refused = client.get("/me/tokens?x=1")
    assert refused.status_code == 303
    assert refused.location.startswith("/sign-in?next=/me/tokens")
    answer = sign_in(client, person.email, next="/me/tokens?x=1")
    assert answer.location == "/me/tokens?x=1"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example/x", "https://evil.example", "/\\evil.example", "\\\\evil.example", "evil",
     "javascript:alert(1)", "/a\nb", "/sign-out", "/sign-in?next=/"],
)  # fmt: skip
def test_it_never_leads_to_another_site(add, browser, elsewhere):
    assert sign_in(browser(), add(joined=True).email, next=elsewhere).location == "/"


def test_it_says_the_same_whatever_was_wrong(add, browser):
    known = add(joined=True)
    invited = add("Théo Rossignac")
    departed = add("Hugo Meynard", joined=True)
    client = browser()
    with client.application.app_context():
        service.depart(departed.id)
    pages = set()
    for email, password in [
        (known.email, "x" * 20),
        (invited.email, PASSWORD),
        (departed.email, PASSWORD),
        ("nobody@halvenne.example", PASSWORD),
        ("", ""),
    ]:
        answer = sign_in(client, email, password)
        assert answer.status_code == 422
        page = re.sub(r'value="[^"]*"', "", answer.get_data(as_text=True))
        assert "do not go together" in page
        pages.add(page)
    assert len(pages) == 1


def test_it_keeps_the_address_that_was_typed_and_never_the_password(add, browser):
    page = sign_in(browser(), "maelle@halvenne.exmaple", "secret words here").get_data(as_text=True)
    assert 'value="maelle@halvenne.exmaple"' in page
    assert "secret words here" not in page


def test_it_does_the_same_work_where_there_is_no_account(inside, monkeypatch):
    checked: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, *given: str) -> bool:
            checked.append(given[0])
            return super().verify(*given)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    with pytest.raises(WrongSignIn):
        service.sign_in("nobody@halvenne.example", PASSWORD, "")
    (against,) = checked
    assert against.split("$")[:4] == PasswordHasher().hash("x").split("$")[:4]


def test_it_hashes_with_the_work_that_is_advised_today():
    """OWASP asks for Argon2id with 19 MiB and two passes at least."""
    assert REAL_HASHER.type is Type.ID
    assert REAL_HASHER.memory_cost >= 19 * 1024
    assert REAL_HASHER.time_cost >= 2


def test_it_stores_nothing_on_the_device_before_signing_in(browser):
    client = browser()
    for path in ("/sign-in", "/sign-in/password", "/sign-in?next=/me"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_it_gives_a_session_of_its_own_at_sign_in(add, browser):
    person, client = add(joined=True), browser()
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["login"] = "x" * 43
    sign_in(client, person.email)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["login"] != "x" * 43
        assert session.permanent
        assert str(person.id) not in str(dict(session))


def test_it_keeps_the_token_only_as_its_hash_and_the_browser_only_as_a_family(app, add, browser):
    person, client = add(joined=True), browser()
    sign_in(client, person.email)
    with client.session_transaction() as session:
        token = session["login"]
    with app.app_context():
        login = db.session.scalars(select(Login).where(Login.person_id == person.id)).one()
    assert login.token_hash != token
    assert len(login.token_hash) == 64
    assert (login.browser, login.method) == ("Firefox, Linux", "password")


def test_it_refuses_a_form_of_another_site(add, browser):
    person, client = add(joined=True), browser()
    form = {"email": person.email, "password": PASSWORD, "csrf_token": hidden(client, "/sign-in")}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert client.post("/sign-in", data=form, headers=headers).status_code == 403
    ours = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/sign-in", data=form, headers=ours).status_code == 303


def test_it_asks_again_for_a_form_without_its_token_or_a_day_old(add, browser):
    person, client = add(joined=True), browser()
    form = {"email": person.email, "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 422
    token = hidden(client, "/sign-in")
    clock.travel(dt.timedelta(hours=25))
    answer = client.post("/sign-in", data=form | {"csrf_token": token})
    assert answer.status_code == 422
    assert "send it once more" in answer.get_data(as_text=True)


def test_it_refuses_other_methods(browser):
    assert browser().put("/sign-in").status_code == 405
    assert browser().get("/sign-out").status_code == 405


def test_it_signs_out_this_device_alone(add, browser):
    person = add(joined=True)
    here, there = browser(person), browser(person)
    assert press(here, "/me", "/sign-out").location == "/sign-in?note=signed-out"
    assert here.get("/me").status_code == 303
    assert there.get("/me").status_code == 200


def test_it_ends_the_login_itself_so_that_a_kept_cookie_is_worth_nothing(add, browser):
    person = add(joined=True)
    here, thief = browser(person), browser()
    with here.session_transaction() as session:
        kept = session["login"]
    press(here, "/me", "/sign-out")
    with thief.session_transaction() as session:
        session["login"] = kept
    assert thief.get("/me").status_code == 303


def test_it_goes_on_when_one_is_signed_in_already(add, browser):
    client = browser(add(joined=True))
    assert client.get("/sign-in?next=/me").location == "/me"
    assert browser(add("Théo Rossignac")).get("/sign-in").location == "/join"


def test_it_hashes_again_at_sign_in_when_the_parameters_have_grown(add, inside):
    person = add(joined=True)
    grown = passwords._hasher

    def stored() -> str:
        db.session.expire_all()
        return db.session.get_one(Credential, person.id).password_hash

    with transaction() as session:
        weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        session.get_one(Credential, person.id).password_hash = weak.hash(PASSWORD)
    service.sign_in(person.email, PASSWORD, "")
    renewed = stored()
    assert not grown.check_needs_rehash(renewed)
    service.sign_in(person.email, PASSWORD, "")
    assert stored() == renewed


def test_it_slows_a_guesser_and_locks_nobody_out(settings_of):
    with serving(settings_of(ENV="production")) as app:
        with app.app_context():
            person = service.add_person(
                kind="employee", name="Maëlle Kerjan", email="m@halvenne.example"
            )
            service.join(person.id, PASSWORD)

        def attempt(password: str, address: str) -> int:
            client = app.test_client()
            form = {"email": person.email, "password": password}
            form["csrf_token"] = hidden(client, "/sign-in")
            return client.post(
                "/sign-in", data=form, environ_base={"REMOTE_ADDR": address}
            ).status_code

        guesses = [attempt(f"guess number {n} of many", "203.0.113.9") for n in range(12)]
        assert guesses == [422] * 10 + [429] * 2
        assert attempt(PASSWORD, "203.0.113.9") == 429
        assert attempt(PASSWORD, "198.51.100.7") == 303


def test_it_limits_one_address_over_many_accounts(settings_of):
    with serving(settings_of(ENV="production")) as app:
        client = app.test_client()
        token = hidden(client, "/sign-in")
        answers = [
            client.post(
                "/sign-in",
                data={"email": f"{n}@halvenne.example", "password": "x", "csrf_token": token},
            )
            for n in range(31)
        ]
    assert [a.status_code for a in answers] == [422] * 30 + [429]
    assert int(answers[-1].headers["Retry-After"]) <= 60
