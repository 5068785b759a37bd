"""Sessions: how long they live, what they cost, where they count."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from app import clock
from app.db import db
from app.people import logins, queries, service
from app.people.models import Login
from tests.people.conftest import press


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


def test_it_ends_after_seven_days_without_use(add, browser):
    client = browser(add(joined=True))
    for _ in range(3):
        clock.travel(dt.timedelta(days=6, hours=23))
        assert client.get("/me").status_code == 200
    clock.travel(dt.timedelta(days=7))
    assert client.get("/me").status_code == 303


def test_it_ends_after_thirty_days_whatever_happens(add, browser):
    client = browser(add(joined=True))
    for _ in range(29):
        clock.travel(dt.timedelta(days=1))
        assert client.get("/me").status_code == 200
    clock.travel(dt.timedelta(days=1))
    assert client.get("/me").status_code == 303


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
        devices = queries.devices_of(person.id)
        (foreign,) = queries.devices_of(other.id)
    assert len(devices) == 2
    page = client.get("/me").get_data(as_text=True)
    assert page.count("/ending") == 3
    assert str(foreign.id) not in page
    assert press(client, "/me", f"/me/devices/{foreign.id}/ending").status_code == 404
    assert noise.get("/me").status_code == 200
    assert press(client, "/me", "/me/devices/ending").status_code == 303
    with app.app_context():
        (mine,) = queries.devices_of(person.id)
    assert press(client, "/me", f"/me/devices/{mine.id}/ending").location.endswith("signed-out")
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
