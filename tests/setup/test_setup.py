"""The first start of one's own organisation."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import clock, create_app
from app.db import db
from app.setup import service
from tests.conftest import START, settings_for

FORM = {
    "name": "Atelier", "brand": "#803020", "about": "", "admin_name": "Nora Petit",
    "email": "nora@atelier.example", "password": "une phrase bien assez longue",
}  # fmt: skip


@pytest.fixture
def empty(template: Path, tmp_path: Path) -> Iterator[Flask]:
    """An installation that nobody has set up."""
    shutil.copy(template, tmp_path / "portevoix.db")
    clock.freeze(START)
    app = create_app(settings_for(tmp_path))
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    clock.release()


def path(app: Flask) -> str:
    return f"/setup/{service.make_ticket(app.extensions['portevoix'].data_dir)}"


def test_one_page_makes_the_organisation_and_signs_its_administrator_in(empty: Flask) -> None:
    where, browser = path(empty), empty.test_client()
    assert browser.get(where).status_code == 200
    done = browser.post(where, data=FORM)
    assert (done.status_code, done.headers["Location"]) == (303, "/studio")
    page = browser.get("/studio?lang=en").get_data(as_text=True)
    assert "First steps" in page
    assert "An empty week" in page
    assert "Atelier" in browser.get("/").get_data(as_text=True)
    spent = browser.get(where)
    assert spent.status_code == 409
    assert 'class="button" href="/sign-in"' in spent.get_data(as_text=True)
    assert browser.post(where, data=FORM).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("brand", "red"), ("admin_name", ""), ("email", "x"), ("password", "court")],
)
def test_what_is_wrong_is_told_and_what_was_typed_is_kept(
    empty: Flask, field: str, value: str
) -> None:
    refused = empty.test_client().post(
        path(empty), data=FORM | {field: value, "about": "Bois et zinc"}
    )
    assert refused.status_code == 422
    text = refused.get_data(as_text=True)
    assert "Bois et zinc" in text
    assert FORM["password"] not in text
    assert service.needed()


def test_the_address_works_once_for_thirty_minutes_from_this_machine(empty: Flask) -> None:
    old = path(empty)
    where = path(empty)
    browser = empty.test_client()
    assert browser.get(old).status_code == 410, "a newer start makes older addresses useless"
    far = browser.get(where, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert far.status_code == 403
    clock.travel(dt.timedelta(minutes=31))
    assert browser.get(where).status_code == 410


@pytest.mark.parametrize("where", ["/", "/sign-in?lang=en", "/studio?lang=en"])
def test_before_the_set_up_the_door_says_so(empty: Flask, where: str) -> None:
    told = empty.test_client().get(where, follow_redirects=True, headers={"Accept-Language": "en"})
    page = told.get_data(as_text=True)
    assert told.status_code == 503
    assert "Not set up yet" in page
    assert "<form" not in page
    assert service.make_ticket(empty.extensions["portevoix"].data_dir) not in page


def test_after_the_set_up_the_door_is_a_door(empty: Flask) -> None:
    empty.test_client().post(path(empty), data=FORM)
    told = empty.test_client().get("/sign-in")
    assert told.status_code == 200
    assert 'name="password"' in told.get_data(as_text=True)
