"""Sessions: how long they live, what they cost, where they count."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from app import clock
from app.db import db
from app.people import devices, logins, service
from app.people.models import Login
from tests.people.conftest import PASSWORD, press


@pytest.fixture
def statements(app):
    """Every statement sent to the database."""
    seen: list[str] = []

    def note(conn, cursor, statement, *_) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def seen_at(app) -> dt.datetime:
    with app.app_context():
        return db.session.scalars(select(Login.seen_at)).one()


def lasts(client, hours: float, times: int = 1) -> bool:
    """Whether a page still opens after so many hours, so many times over."""
    for _ in range(times):
        clock.travel(dt.timedelta(hours=hours))
        if client.get("/me").status_code != 200:
            return False
    return True


def test_it_ends_for_a_member_after_thirty_days_without_use(add, browser):
    client = browser(add(joined=True))
    assert lasts(client, 30 * 24 - 1, times=2)
    assert not lasts(client, 30 * 24)


def test_it_ends_for_a_member_after_ninety_days_whatever_happens(add, browser):
    client = browser(add(joined=True))
    assert lasts(client, 29 * 24, times=3)
    assert lasts(client, 2 * 24)
    assert not lasts(client, 24)


def test_it_ends_for_the_team_after_twelve_hours_without_use(add, browser):
    client = browser(add(joined=True, roles=["recruiter"]))
    assert lasts(client, 11.9, times=2)
    assert not lasts(client, 12)


def test_it_ends_for_the_team_after_fourteen_days_whatever_happens(add, browser):
    client = browser(add(joined=True, roles=["recruiter"]))
    assert lasts(client, 8, times=41)
    assert not lasts(client, 8)


def test_it_is_the_teams_session_from_the_moment_a_role_is_given(app, add, browser):
    person = add(joined=True)
    client = browser(person)
    assert lasts(client, 13)
    with app.app_context():
        service.change_roles(person.id, ["hr"])
    assert lasts(client, 11)
    assert not lasts(client, 13)


def test_it_ends_earlier_where_whoever_signed_the_person_in_says_so(app, add):
    person, client = add(joined=True), app.test_client()
    with app.app_context():
        signed_in = service.start_login(person.id, "", "oidc", lifetime=dt.timedelta(hours=8))
    with client.session_transaction() as session:
        session["login"] = signed_in.token
    assert lasts(client, 7.9)
    assert not lasts(client, 0.1)


def token_of(client) -> str:
    with client.session_transaction() as session:
        return str(session["login"])


@pytest.mark.parametrize("roles", [["hr"], []], ids=["given", "taken"])
def test_it_has_a_new_token_at_a_change_of_roles_and_the_old_one_is_dead(app, add, browser, roles):
    person = add(joined=True, roles=[] if roles else ["hr"])
    client, thief = browser(person), app.test_client()
    before = token_of(client)
    with app.app_context():
        service.change_roles(person.id, roles)
    assert client.get("/me").status_code == 200
    after = token_of(client)
    assert after != before
    with thief.session_transaction() as session:
        session["login"] = before
    assert thief.get("/me").status_code == 303
    assert client.get("/me").status_code == 200
    assert token_of(client) == after


def test_it_leaves_a_token_alone_that_another_answer_has_just_renewed(app, add, browser):
    """Two tabs at once: the slower one must not undo the cookie of the faster one."""
    person = add(joined=True)
    client, tab = browser(person), browser(person)
    before = token_of(client)
    with tab.session_transaction() as session:
        session["login"] = before
    with app.app_context():
        service.change_roles(person.id, ["hr"])
    client.get("/me")
    answer = tab.get("/me")
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers


def test_it_has_a_new_token_once_the_password_changes(add, browser):
    person = add(joined=True)
    client = browser(person)
    before = token_of(client)
    fields = {"current": PASSWORD, "password": "une autre phrase, bien longue"}
    assert press(client, "/me", "/me/password", **fields).status_code == 303
    assert token_of(client) != before
    assert client.get("/me").status_code == 200


def test_it_forgets_a_login_that_ended(app, add, browser):
    person = add(joined=True)
    client = browser(person)
    with app.app_context():
        service.end_all_logins(person.id)
    client.get("/me")
    with client.session_transaction() as session:
        assert "login" not in session


def test_it_notes_its_use_at_most_every_five_minutes(app, add, browser):
    client = browser(add(joined=True))
    begun = seen_at(app)
    clock.travel(dt.timedelta(minutes=4))
    client.get("/me")
    assert seen_at(app) == begun
    clock.travel(dt.timedelta(minutes=1))
    client.get("/me")
    assert seen_at(app) == clock.now()


def test_it_finds_person_roles_and_membership_in_one_statement(add, browser, statements):
    person = add(joined=True, roles=["hr", "admin", "curator"])
    client = browser(person)
    client.get("/me")
    statements.clear()
    client.get("/me/leaving")
    assert len([s for s in statements if "FROM login" in s]) == 1
    assert not [s for s in statements if s.startswith(("UPDATE", "INSERT"))]
    asked_about_people = [s for s in statements if "person" in s]
    assert len(asked_about_people) == 1


def test_it_asks_nothing_about_people_on_public_pages(add, browser, statements):
    client = browser(add(joined=True))
    client.get("/sign-in/password")
    statements.clear()
    page = client.get("/sign-in/password").get_data(as_text=True)
    client.get("/healthz")
    assert not [s for s in statements if "person" in s or "login" in s]
    assert "Maëlle" not in page


def test_it_knows_granted_roles_and_those_of_a_past_member(app, add, browser):
    person = add(joined=True, roles=["hr"])
    client = browser(person)
    assert client.get("/me/leaving").status_code == 200
    assert client.get("/studio/people").status_code == 403
    with app.app_context():
        service.change_roles(person.id, ["admin"])
    assert client.get("/studio/people").status_code == 200


def test_it_ends_at_once_when_the_person_departs(app, add, browser):
    person = add(joined=True)
    client = browser(person)
    assert client.get("/me").status_code == 200
    with app.app_context():
        service.depart(person.id)
    assert client.get("/me").status_code == 303


def test_it_counts_no_cookie_on_the_api_and_no_token_on_pages(app, add, browser):
    person = add(joined=True)
    with app.app_context():
        token = service.issue_token(person.id, "Feed", ["read"])
    assert browser(person).get("/api/v1/me").status_code in (401, 404)
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/me", headers=headers).status_code == 303


def test_it_keeps_personal_pages_out_of_shared_caches(add, browser):
    answer = browser(add(joined=True)).get("/me")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]


def test_it_lists_devices_that_are_signed_in_and_ends_one(app, add, browser):
    person, other = add(joined=True), add("Théo Rossignac", joined=True)
    client, noise = browser(person), browser(other)
    browser(person)
    with app.app_context():
        found = devices.devices_of(person.id, {"member"})
        (foreign,) = devices.devices_of(other.id, {"member"})
    assert len(found) == 2
    page = client.get("/me/devices").get_data(as_text=True)
    assert page.count("/ending") == 3
    assert str(foreign.id) not in page
    assert press(client, "/me/devices", f"/me/devices/{foreign.id}/ending").status_code == 404
    assert noise.get("/me").status_code == 200
    assert press(client, "/me/devices", "/me/devices/ending").status_code == 303
    with app.app_context():
        (mine,) = devices.devices_of(person.id, {"member"})
    assert press(client, "/me/devices", f"/me/devices/{mine.id}/ending").location.endswith(
        "signed-out"
    )
    assert client.get("/me").status_code == 303


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("described", "family"),
    [
        (f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge, Windows"),
        (f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36", "Chrome, Windows"),
        (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0.0.0 Mobile", "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Firefox/140.0", "Firefox, macOS"),
        ("curl/8.5.0", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_it_keeps_of_a_browser_what_its_owner_recognises(described, family):
    assert logins.browser_family(described) == family
