"""A house of one's own for each test: an application, its database, people, callers.

SQLite everywhere; tests that also run on PostgreSQL take `any_app`. A database is made once
by the migrations and copied for each test, so a test starts in milliseconds on exactly the
tables that an installation has. CI fails on a skipped test.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import re
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import URL, Engine, event
from werkzeug.routing import Rule
from werkzeug.test import TestResponse
from xdist.scheduler import LoadScopeScheduling

from app import clock, config, create_app, outbox
from app.db import db
from app.people import passwords
from app.people import service as people
from app.people.models import Person
from app.play import rules
from app.referrals import ingester, links, offers, service
from app.referrals.notice import CURRENT_NOTICE
from app.settings import save_organisation
from app.sharing import disclosures

START = dt.datetime(2026, 11, 17, 9, 0, tzinfo=dt.UTC)
PASSWORD = "un poirier sous la neige"  # for tests that sign in by it


# What shares something costly (a running product, a filled demo) or must not meet its like on the
# same two cores stays with one worker of the test run.
TOGETHER = {
    "tests/browser/": "browser",
    "tests/demo/test_life.py": "demo",
    "tests/jobs/test_storm.py": "storm",
    "tests/ledger/test_rush.py": "rush",
    "tests/referrals/test_click_kills.py": "clicks",
    "tests/supervisor/": "supervisor",
}


class Together(LoadScopeScheduling):
    """Tests one by one to whoever is free, but those of `TOGETHER`. (The groups of pytest-xdist
    3.8 are written into test ids, which pytest 9.2 no longer lets anybody change.)"""

    def _split_scope(self, nodeid: str) -> str:
        return next((name for path, name in TOGETHER.items() if nodeid.startswith(path)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Together(config, log)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def settings_for(folder: Path, **variables: str) -> config.Settings:
    """Settings of a test installation in `folder`; keywords become PORTEVOIX_ variables."""
    env = {"PORTEVOIX_DATA_DIR": str(folder), "PORTEVOIX_ENV": "test"}
    env["PORTEVOIX_SECRET_KEY"] = "a-key-for-tests-only-0123456789"
    return config.load(env | {f"PORTEVOIX_{name}": value for name, value in variables.items()})


def masked(text: str, *ids: object) -> str:
    """A page without what is different in every answer, and without these identifiers."""
    for each in ids:
        text = text.replace(str(each), "ID")
    return re.sub(r'((csrf_token|key)" value="|X-CSRFToken": ")[^"]+', "", text)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2id with less work, so that people join in no time."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=1024))
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()


class Compiled(BytecodeCache):
    """The code of templates, by their name and text."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


def _without_waiting(connection: Any, record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def _sharing(initialize: Callable[..., None]) -> Callable[..., None]:
    """Engines that speak the same dialect, and know the statements that one of them compiled."""
    first: dict[str, Engine] = {}

    # SQLAlchemy reads from these names what `create_engine` may be given.
    def shared(
        self: Engine, pool: Any, dialect: Any, url: URL, logging_name: str | None = None,
        echo: Any = None, query_cache_size: int = 500, execution_options: Any = None,
        hide_parameters: bool = False,
    ) -> None:  # fmt: skip
        known = first.setdefault(url.drivername, self)
        knows = known is not self and getattr(known.dialect, "server_version_info", None)
        initialize(
            self, pool, known.dialect if knows else dialect, url, logging_name, echo,
            query_cache_size, execution_options, hide_parameters,
        )  # fmt: skip
        if knows:
            self._compiled_cache = known._compiled_cache

    return shared


def waits_for_the_disk(app: Flask) -> None:
    """`app` as it is outside of tests, for those that look at its system calls."""
    with app.app_context():
        event.listen(
            db.engine, "connect", lambda db_api, _: db_api.execute("PRAGMA synchronous=FULL")
        )


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """Each test has an application of its own, and all have the same addresses, templates and
    statements: what Werkzeug, Jinja and SQLAlchemy compile for one is good for the others, and
    is kept once. What was imported is never walked for garbage. SQLite does not wait for the
    disk: a test survives a kill, no power cut."""
    compile_builder, known = Rule._compile_builder, {}

    def compiled(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, append_unknown, repr(rule.defaults), rule.host, rule.subdomain
        if key not in known:
            known[key] = compile_builder(rule, append_unknown)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compiled)
        patch.setitem(Flask.jinja_options, "bytecode_cache", Compiled())
        event.listen(Engine, "connect", _without_waiting)
        patch.setattr(Engine, "__init__", _sharing(Engine.__init__))
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table, made by the migrations."""
    from app.migrating import upgrade

    folder = tmp_path_factory.mktemp("template")
    app = create_app(settings_for(folder))
    with app.app_context():
        upgrade()
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    return folder / "portevoix.db"


@pytest.fixture
def app(template: Path, tmp_path: Path) -> Iterator[Flask]:
    """The product with an empty organisation, its clock held at START."""
    shutil.copy(template, tmp_path / "portevoix.db")
    yield from serving(create_app(settings_for(tmp_path)))


def serving(app: Flask) -> Iterator[Flask]:
    """`app` in its context, with an organisation and its rules; taken down afterwards."""
    clock.freeze(START)
    with app.app_context():
        save_organisation(name="Halvenne", brand="#00664a", privacy_contact="vie@halvenne.example")
        rules.ensure_defaults(START - dt.timedelta(days=365))
        disclosures.ensure_defaults()
        yield app
        db.session.remove()
        db.engine.dispose()
    clock.release()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_app(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[Flask]:
    """The same on both databases."""
    if request.param == "sqlite":
        shutil.copy(template, tmp_path / "portevoix.db")
        yield from serving(create_app(settings_for(tmp_path)))
        return
    url = request.getfixturevalue("postgres_database")
    app = create_app(settings_for(tmp_path, DATABASE_URL=url))
    yield from serving(app)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL of this test run."""
    from tests import postgres

    server = postgres.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PostgreSQL database with every table, made by the migrations; its name."""
    from app.migrating import upgrade

    url = postgres_server.create("portevoix_template")
    app = create_app(settings_for(tmp_path_factory.mktemp("pg"), DATABASE_URL=url))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
    return "portevoix_template"


@pytest.fixture
def postgres_database(postgres_server: Any, postgres_template: str) -> Iterator[str]:
    """A fresh database of this test, its address."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield str(postgres_server.create(name, template=postgres_template))
    postgres_server.drop(name)


@dataclass
class Caller:
    """A program with one person's token."""

    client: FlaskClient
    token: str | None

    def call(self, method: str, path: str, json: object = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, json=json, headers=given)

    def get(self, path: str, **headers: str) -> Any:
        response = self.call("GET", path, **headers)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.json

    def post(self, path: str, json: object = None, status: int = 201, **headers: str) -> Any:
        response = self.call("POST", path, json, **headers)
        assert response.status_code == status, response.get_data(as_text=True)
        return response.json


@dataclass
class House:
    """Makes what tests need, by the product's own services."""

    app: Flask

    def person(
        self, name: str = "Maëlle Kerjan", *roles: str, joined: bool = True, **more: Any
    ) -> Person:
        email = more.pop(
            "email", f"{name.split()[0].lower()}-{uuid.uuid4().hex[:6]}@halvenne.example"
        )
        email = email.encode("ascii", "ignore").decode()
        person_id = people.add_person(
            kind="employee", name=name, email=email, roles=list(roles), **more
        ).id
        if joined:
            people.join(person_id)
            outbox.drain()
        found = db.session.get(Person, person_id)
        assert found is not None
        return found

    def caller(self, person: Person | None) -> Caller:
        token = None
        if person is not None:
            scopes = people.scopes_of(person)
            token = people.issue_token(person.id, "test", scopes, by_console=True)
        return Caller(self.app.test_client(), token)

    def browser(self, person: Person) -> FlaskClient:
        """A browser in which the person is signed in. Forms need no token in tests."""
        from app.people.sessions import KEY

        client = self.app.test_client()
        self.app.config["WTF_CSRF_ENABLED"] = False
        signed_in = people.start_login(person.id, "Mozilla/5.0 Firefox/140.0", "password")
        with client.session_transaction() as session:
            session[KEY] = signed_in.token
        return client

    def offer(self, title: str = "Conduite de travaux", **fields: Any) -> uuid.UUID:
        return offers.create_offer(
            {"title": title, "location": "Lorient", **fields}, actor_id=None
        ).id

    def application(self, **fields: Any) -> service.Application:
        given = {
            "first_name": "Nadia", "last_name": "Ferrand", "visibility": "all",
            "email": f"nadia-{uuid.uuid4().hex[:8]}@mail.example", "notice_version": CURRENT_NOTICE,
        } | fields  # fmt: skip
        return service.Application(**given)

    def ingest(self) -> int:
        """Bring openings of links from the spool into the database; how many."""
        return ingester.ingest(self.app.extensions["portevoix"])

    def referral(
        self, person: Person, offer_id: uuid.UUID | None = None, **fields: Any
    ) -> uuid.UUID:
        offer_id = offer_id or self.offer()
        link = links.link_for(person.id, offer_id, "link")
        found = service.apply(offer_id, self.application(code=link.code, **fields))
        outbox.drain()
        return found


@pytest.fixture
def house(app: Flask) -> House:
    return House(app)


@pytest.fixture
def any_house(any_app: Flask) -> House:
    return House(any_app)


@pytest.fixture
def ingested(request: pytest.FixtureRequest) -> Callable[[], int]:
    """Bring openings of links from the spool into the database, as the ingester does; how many."""
    name = "any_app" if "any_app" in request.fixturenames else "app"
    settings = request.getfixturevalue(name).extensions["portevoix"]
    return lambda: ingester.ingest(settings)


@pytest.fixture
def count_queries(app: Flask) -> Callable[[Callable[[], Any]], int]:
    """How many statements an act sends to the database."""

    def count(act: Callable[[], Any]) -> int:
        seen: list[str] = []

        def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            act()
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len([s for s in seen if not s.startswith(("BEGIN", "PRAGMA"))])

    return count
