"""People in a house of one's own: a few of them, and browsers that are signed in.

Unlike the shared fixture, `app` is not in its context here: every request of a browser gets
a context of its own, as in a running product, so one reader is never taken for another.
The application is made once and emptied after each test.
"""

from __future__ import annotations

import email
import email.policy
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import clock, config, create_app, outbox
from app.db import db, transaction
from app.people import passwords, service
from app.people.models import Person
from app.settings import save_organisation
from app.web import access
from app.web.limits import limiter
from tests.conftest import PASSWORD, START, settings_for

SettingsOf = Callable[..., config.Settings]
AddPerson = Callable[..., Person]
Browser = Callable[..., FlaskClient]

REAL_HASHER = passwords._hasher


@pytest.fixture
def settings_of(tmp_path: Path, template: Path) -> SettingsOf:
    """Settings of another installation, its tables made; keywords become variables."""

    def make(**variables: str) -> config.Settings:
        shutil.copy(template, tmp_path / "portevoix.db")
        return settings_for(tmp_path, **variables)

    return make


@contextmanager
def serving(settings: config.Settings) -> Iterator[Flask]:
    """The product with an organisation, taken down afterwards."""
    limited = limiter.enabled
    app = create_app(settings)
    clock.freeze(START)
    with app.app_context():
        save_organisation(name="Halvenne", brand="#00573a", privacy_contact="vie@halvenne.example")
    yield app
    with app.app_context():
        db.engine.dispose()
    clock.release()
    limiter.enabled = limited


@pytest.fixture(scope="session")
def house_app(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application of all these tests."""
    folder = tmp_path_factory.mktemp("people")
    shutil.copy(template, folder / "portevoix.db")
    app = create_app(settings_for(folder))
    for scope in access.SCOPES:
        view = access.api(scope)(lambda: who_is_asking())
        app.add_url_rule(f"/api/probe/{scope}", f"probe-{scope.replace(':', '-')}", view)
    return app


def who_is_asking() -> Response:
    """The reader, for routes of tests that need one scope each."""
    me = access.me()
    return jsonify(id=str(me.person_id), scopes=sorted(me.scopes or ()))


@pytest.fixture
def app(house_app: Flask) -> Iterator[Flask]:
    """The product with an empty directory, its clock held at START."""
    clock.freeze(START)
    with house_app.app_context():
        save_organisation(name="Halvenne", brand="#00573a", privacy_contact="vie@halvenne.example")
    yield house_app
    with house_app.app_context(), transaction() as session:
        for table in reversed(db.metadata.sorted_tables):
            session.execute(table.delete())
    shutil.rmtree(mail_folder(house_app), ignore_errors=True)
    clock.release()


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    """For tests of services."""
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
                service.set_language(person.id, "en")
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


def press(client: FlaskClient, page: str, path: str, **fields: object) -> TestResponse:
    """Send a form of `page` to `path`, as a browser without scripts does."""
    return client.post(path, data={"csrf_token": hidden(client, page), **fields})


def mail_folder(app: Flask) -> Path:
    """Where messages go without an SMTP server."""
    return Path(app.extensions["portevoix"].data_dir) / "mail"


def mails(app: Flask) -> list[EmailMessage]:
    """Deliver every fact, then read the mail folder, oldest first."""
    with app.app_context():
        outbox.drain()
    files = sorted(mail_folder(app).glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [
        cast(EmailMessage, email.message_from_bytes(f.read_bytes(), policy=email.policy.default))
        for f in files
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
