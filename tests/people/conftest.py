"""People in a house of one's own: an application, a few of them, browsers that are signed in."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock, config, create_app, outbox
from app.db import db
from app.people import service
from app.people.models import Person
from app.settings import save_organisation

PASSWORD = "un poirier sous la neige"
START = dt.datetime(2026, 11, 17, 9, 0, tzinfo=dt.UTC)

SettingsOf = Callable[..., config.Settings]
AddPerson = Callable[..., Person]
Browser = Callable[..., FlaskClient]


@pytest.fixture
def settings_of(tmp_path: Path) -> SettingsOf:
    """Settings of an installation in a folder of the test; keywords become variables."""

    def make(**variables: str) -> config.Settings:
        env = {"PORTEVOIX_DATA_DIR": str(tmp_path), "PORTEVOIX_ENV": "test"}
        env |= {f"PORTEVOIX_{name}": value for name, value in variables.items()}
        return config.load(env)

    return make


@pytest.fixture
def app(settings_of: SettingsOf) -> Iterator[Flask]:
    """The product with an empty directory, its clock held at START."""
    with serving(settings_of()) as app:
        yield app


@contextmanager
def serving(settings: config.Settings) -> Iterator[Flask]:
    """The product with its tables and its organisation, taken down afterwards."""
    clock.freeze(START)
    app = create_app(settings)
    with app.app_context():
        db.create_all()
        save_organisation(name="Halvenne", brand="#00573a", privacy_contact="vie@halvenne.example")
    yield app
    with app.app_context():
        db.engine.dispose()
    clock.release()


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    """For tests of services. Tests of pages stay outside: each request has its own context."""
    with app.app_context():
        yield


@pytest.fixture
def add(app: Flask) -> AddPerson:
    """Somebody in the directory; `joined=True` has them take part with PASSWORD."""

    def make(name: str = "Maëlle Kerjan", *, joined: bool = False, **fields: object) -> Person:
        given = unicodedata.normalize("NFKD", name.split()[0].lower()).encode("ascii", "ignore")
        address = fields.pop("email", None) or f"{given.decode()}@halvenne.example"
        entry = cast(dict[str, str], {"kind": "employee", "name": name, "email": address, **fields})
        with app.app_context():
            person = service.add_person(**entry)
            if joined:
                service.join(person.id, PASSWORD)
        return person

    return make


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser; with a person, signed in as them."""

    def make(person: Person | None = None) -> FlaskClient:
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        )
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        if person is not None:
            with app.app_context():
                signed_in = service.start_login(person.id, "", "password")
            with client.session_transaction() as session:
                session["login"] = signed_in.token
        return client

    return make


def hidden(client: FlaskClient, path: str, name: str = "csrf_token") -> str:
    """The value of a hidden field of a page."""
    page = client.get(path).get_data(as_text=True)
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"no {name} on {path}"
    return found[1]


def press(client: FlaskClient, page: str, path: str, **fields: object):
    """Send a form of `page` to `path`, as a browser without scripts does."""
    return client.post(path, data={"csrf_token": hidden(client, page), **fields})


def mails(app: Flask) -> list[EmailMessage]:
    """Deliver every fact, then read the mail folder, oldest first."""
    with app.app_context():
        outbox.drain()
    folder = Path(app.extensions["portevoix"].data_dir) / "mail"
    return [
        cast(EmailMessage, email.message_from_bytes(f.read_bytes(), policy=email.policy.default))
        for f in sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    ]


def words(message: EmailMessage) -> str:
    """The plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return cast(str, part.get_content())


def mailed_link(app: Flask, kind: str) -> str:
    """The path of the newest link to `/join/…` or `/password/…` that was mailed."""
    for message in reversed(mails(app)):
        if found := re.search(rf"https?://[^/\s]+(/{kind}/\S+)", words(message)):
            return found[1]
    raise AssertionError(f"no link to /{kind}/ was mailed")
