"""What the documents say of recipients is what is set, and nothing that speaks is left out."""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale
from markupsafe import escape

from app import clock, config, create_app
from app.integrations.registry import CONNECTORS
from app.people import service as people
from app.privacy import documents, recipients
from app.provisioning.scim import connections as directories
from app.referrals import connections
from tests.conftest import House, serving, settings_for

SET = {
    "LINKEDIN_CLIENT_ID": "78abc", "LINKEDIN_CLIENT_SECRET": "not-to-be-told",
    "OIDC_ISSUER": "https://login.halvenne.example/realms/h", "OIDC_CLIENT_ID": "voix",
    "SMTP_URL": "smtps://user:not-to-be-told@relay.halvenne.example:465",
}  # fmt: skip
HERE = {
    # what the installation keeps to itself, or says about itself
    "secret_keys", "base_url", "data_dir", "media_url", "trusted_proxies", "locale", "timezone",
    "share_lease_seconds", "share_timeout_seconds", "env", "clock", "host", "port",
    "setup_from_anywhere", "relay_resend_seconds", "demo",
}  # fmt: skip
SPEAKS = {
    "aiohttp", "authlib", "boto3", "flask_mailman", "ftplib", "http.client", "httpx", "imaplib",
    "psycopg", "redis", "requests", "rq", "smtplib", "socket", "ssrfguard", "urllib.request",
    "urllib3", "app.integrations.fetching", "app.integrations.pages",
}  # fmt: skip
OWN_MACHINE = ("app.supervisor", "app.cli")
"""They start, stop and look at the parts of this very installation."""


@pytest.fixture
def connected(template: Path, tmp_path: Path) -> Iterator[Flask]:
    shutil.copy(template, tmp_path / "portevoix.db")
    yield from serving(create_app(settings_for(tmp_path, **SET)))


def page_of(house: House, language: str, name: str = "works-council") -> str:
    auditor = house.person("Edouard Roux", "auditor", joined=False, language=language)
    return house.browser(auditor).get(f"/studio/documents/{name}").text


def found(key: str) -> tuple[str, ...]:
    [line] = [each for each in recipients.lines() if each.key == key]
    return line.found


@pytest.mark.parametrize("name", sorted(documents.DOCUMENTS))
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_document_names_what_is_connected_on_the_day(
    connected: Flask, name: str, language: str
) -> None:
    house = House(connected)
    admin = house.person("Pauline Ferré", "admin", joined=False)
    directories.create("Entra Halvenne", "entra", actor_id=admin.id)
    connections.create_connection(kind="greenhouse", name="Recrutement Ouest", actor_id=admin.id)
    page = page_of(house, language, name)
    for word in ("api.linkedin.com", "login.halvenne.example", "relay.halvenne.example",
                 "Entra Halvenne", "Recrutement Ouest (Greenhouse)", "Bluesky"):  # fmt: skip
        assert word in page, word
    assert "not-to-be-told" not in page
    with connected.test_request_context("/"), force_locale(language):
        for line in recipients.lines():
            assert str(escape(line.sent)) in page


def test_where_nothing_is_set_nothing_is_said_to_be(house: House) -> None:
    always = {"windows", "pages"}
    with house.app.test_request_context("/"):
        assert {line.key for line in recipients.lines() if line.found} == always
    page = page_of(house, "en")
    assert page.count("not connected") == len(recipients.RECIPIENTS) - len(always)


def test_what_ended_is_no_longer_named(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin", language="en")
    directory, _token = directories.create("Entra Halvenne", "entra", actor_id=admin.id)
    system = connections.create_connection(
        kind="greenhouse", name="Recrutement Ouest", actor_id=admin.id
    )
    people.issue_token(admin.id, "Intranet", {"read"}, by_console=True)
    people.issue_token(
        admin.id, "For a week", {"read"}, by_console=True,
        expires_at=clock.now() + dt.timedelta(days=7),
    )  # fmt: skip
    with house.app.test_request_context("/"), force_locale("en"):
        assert found("directories") == ("Entra Halvenne",)
        assert found("tracking") == ("Recrutement Ouest (Greenhouse)",)
        assert found("programs") == ("2 tokens in use",)
        clock.travel(dt.timedelta(days=8))
        directories.remove(directory, actor_id=admin.id)
        connections.delete_connection(system.id, admin.id)
        assert found("directories") == found("tracking") == ()
        assert found("programs") == ("1 token in use",)


@pytest.mark.parametrize(
    ("database", "queue", "hosts"),
    [
        ("sqlite:////srv/voix.db", None, ()),
        ("postgresql+psycopg://localhost/voix", "unix:///run/queue.sock", ()),
        ("postgresql+psycopg:///voix?host=/run/postgresql", None, ()),
        ("postgresql+psycopg:///voix?host=db2.example", None, ("db2.example",)),
        ("postgresql+psycopg://u:secret@db.example/voix", "rediss://:secret@queue.example:6380/0",
         ("db.example", "queue.example")),
        ("postgresql+psycopg://one.example/voix", "redis://one.example/0", ("one.example",)),
    ],
)  # fmt: skip
def test_a_database_elsewhere_is_a_recipient(
    house: House, database: str, queue: str | None, hosts: tuple[str, ...]
) -> None:
    with house.app.test_request_context("/"):
        set_so = dataclasses.replace(
            house.app.extensions["portevoix"], database_url=database, redis_url=queue
        )
        house.app.extensions["portevoix"] = set_so
        assert found("storage") == hosts


def test_figures_come_only_where_the_application_may_read_them(house: House) -> None:
    told = {}
    for mode in ("self_serve", "community_management"):
        with house.app.test_request_context("/"), force_locale("en"):
            house.app.extensions["portevoix"] = dataclasses.replace(
                house.app.extensions["portevoix"], linkedin_mode=mode
            )
            told[mode] = recipients.lines()[0].received
    assert "figures" in told["community_management"]
    assert "figures" not in told["self_serve"]


def test_every_setting_belongs_to_a_recipient_or_stays_here() -> None:
    declared = [name for each in recipients.RECIPIENTS for name in each.settings]
    assert len(declared) == len(set(declared))
    fields = {field.name for field in dataclasses.fields(config.Settings)}
    assert fields == HERE | set(declared)


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, `from a import b` as a and as a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_in(module: str, packages: set[str] | tuple[str, ...]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in packages)


def test_all_code_that_speaks_over_the_network_belongs_to_a_recipient() -> None:
    declared = {name for each in recipients.RECIPIENTS for name in each.code}
    speaking = {
        _module(path) for path in Path("app").rglob("*.py")
        if any(_is_in(name, SPEAKS) for name in _imports(path))
    }  # fmt: skip
    assert {"app.people.oidc", "app.mail", "app.integrations.fetching"} <= speaking
    assert {name for name in speaking if not _is_in(name, (*declared, *OWN_MACHINE))} == set()
    modules = {_module(path) for path in Path("app").rglob("*.py")}
    assert declared <= modules


def test_each_tracking_system_that_we_know_is_code_of_a_recipient() -> None:
    [tracking] = [each for each in recipients.RECIPIENTS if each.key == "tracking"]
    for connector in CONNECTORS.values():
        assert _is_in(connector.read_feed.__module__, tracking.code)
        assert _is_in(connector.verify.__module__, tracking.code)
