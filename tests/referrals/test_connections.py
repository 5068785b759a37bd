"""Connections: their addresses, and secrets that nobody reads again."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.referrals import connections
from app.referrals.models import Connection
from tests.referrals import offers_kit as kit

SECRET = "neige-fraiche-0001"


@pytest.fixture(autouse=True)
def app(template: Path, tmp_path: Path) -> Iterator[Flask]:
    with kit.house(tmp_path, template) as app:
        yield app


def make(**fields: object) -> Connection:
    given = {"kind": "greenhouse", "name": "Grenoble", "secrets": [SECRET], **fields}
    return connections.create_connection(actor_id=None, **given)  # type: ignore[arg-type]


def kept(connection: Connection) -> list[str]:
    db.session.refresh(connection)
    return connections.secrets_of(connection)


def test_it_gives_each_connection_an_address_that_cannot_be_guessed() -> None:
    first, second = make(), make()
    assert len(first.public_id) >= 32
    assert first.public_id != second.public_id
    row = connections.get_connection(first.id)
    assert row.webhook_url.endswith(f"/webhooks/ats/{first.public_id}")
    assert row.webhook_url.startswith("http")


def test_it_keeps_secrets_unreadable_in_the_database_and_out_of_its_rows() -> None:
    made = make(api_key="api-key-of-grenoble")
    stored = db.session.execute(text("select secrets_json, api_key from connection")).one()
    assert SECRET not in stored[0]
    assert "api-key-of-grenoble" not in stored[1]
    row = connections.get_connection(made.id)
    assert row.has_secret
    assert row.has_api_key
    assert SECRET not in repr(row)
    assert "api-key" not in repr(row)
    details = db.session.scalars(select(AuditEntry.details)).all()
    assert SECRET not in json.dumps(details)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "abacus"),
        ("name", " "),
        ("name", "x" * 121),
        ("secrets", ["short"]),
        ("secrets", ["x" * 501]),
        ("secrets", [None]),
        ("secrets", ["deux\nlignes de secret"]),
        ("secrets", [SECRET] * 6),
        ("api_url", "http://ats.example/"),
        ("api_url", "file:///etc/passwd"),
        ("api_key", "a\nb"),
        ("settings", ["list"]),
        ("settings", {"words": "x" * 30_000}),
        ("settings", {"n": float("nan")}),
    ],
)
def test_it_refuses_by_field(field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(**{field: value})
    assert set(caught.value.errors) == {field}
    assert connections.list_connections() == []


def test_it_takes_a_plain_address_on_this_machine_only() -> None:
    assert make(api_url="http://127.0.0.1:9009/v1").api_url == "http://127.0.0.1:9009/v1"


def test_it_keeps_the_secret_before_the_new_one_and_no_older() -> None:
    made = make()
    for new in ("deuxieme-secret", "troisieme-secret"):
        connections.rotate_secret(made.id, new, None)
    assert kept(made) == ["troisieme-secret", "deuxieme-secret"]
    connections.rotate_secret(made.id, "troisieme-secret", None)
    assert kept(made) == ["troisieme-secret", "deuxieme-secret"]


def test_it_changes_what_is_given_and_nothing_else() -> None:
    made = make(api_key="clef-de-grenoble", api_url="https://api.example/")
    connections.update_connection(made.id, {"name": "Annecy"}, None)
    row = connections.get_connection(made.id)
    assert (row.name, row.api_url, row.has_api_key) == ("Annecy", "https://api.example/", True)
    connections.update_connection(made.id, {"api_key": "", "api_url": ""}, None)
    row = connections.get_connection(made.id)
    assert (row.api_url, row.has_api_key, row.has_secret) == (None, False, True)


def test_it_forgets_the_secrets_of_a_deleted_connection_and_hides_it() -> None:
    made = make(api_key="clef-de-grenoble")
    connections.delete_connection(made.id, None)
    connections.delete_connection(made.id, None)
    db.session.refresh(made)
    assert (made.secrets_json, made.api_key) == ("[]", None)
    assert connections.list_connections() == []
    with pytest.raises(connections.UnknownConnection):
        connections.get_connection(made.id)
    with pytest.raises(connections.UnknownConnection):
        connections.rotate_secret(made.id, "encore-un-secret", None)


def test_it_takes_the_oldest_live_connection_of_a_kind_as_its_default() -> None:
    first = make()
    make(name="Annecy")
    assert connections.default_connection("greenhouse").id == first.id
    connections.delete_connection(first.id, None)
    assert connections.default_connection("greenhouse").name == "Annecy"


def test_it_makes_the_default_connection_of_a_kind_without_secrets() -> None:
    made = connections.default_connection("csv")
    assert connections.default_connection("csv").id == made.id
    assert connections.secrets_of(made) == []
    connections.delete_connection(made.id, None)
    assert connections.default_connection("csv").id != made.id


def test_it_makes_one_default_for_two_who_ask_at_once(app: Flask) -> None:
    found: list[uuid.UUID] = []
    gate = threading.Barrier(4)

    def ask() -> None:
        with app.app_context():
            gate.wait()
            found.append(connections.default_connection("csv").id)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_it_understands_a_kind_an_id_and_a_name() -> None:
    made = make()
    for wanted in ("greenhouse", "Greenhouse", str(made.id), made.public_id, "Grenoble"):
        assert connections.resolve(wanted).id == made.id
    for unknown in ("abacus", "", str(uuid.uuid4())):
        with pytest.raises(connections.UnknownConnection):
            connections.resolve(unknown)
