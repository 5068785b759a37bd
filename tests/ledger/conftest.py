"""The ledger on both databases, its clock held."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask

from app import clock
from app.db import db
from tests.ledger import world

EMPTY = "TRUNCATE ledger_account, ledger_transfer, ledger_entry, ledger_seal CASCADE"


@pytest.fixture(scope="session")
def postgres_ledger(postgres_server: Any, postgres_template: str) -> str:
    """One database for all these tests: emptying it costs less than making one for each."""
    return str(postgres_server.create("ledger_alone", template=postgres_template))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> str:
    """The address of an empty ledger of this test."""
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_ledger"))
        with psycopg.connect(url) as connection:
            connection.execute(EMPTY)
        return url
    shutil.copy(template, tmp_path / "portevoix.db")
    return f"sqlite:///{tmp_path / 'portevoix.db'}"


@pytest.fixture
def any_ledger(ledger_url: str) -> Iterator[Flask]:
    """An application with an empty ledger, its context pushed."""
    clock.freeze(world.START)
    app = world.bare_app(ledger_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    clock.release()


@pytest.fixture
def books(any_ledger: Flask) -> Iterator[Flask]:
    """The same; whatever the test did, the proof holds at its end."""
    yield any_ledger
    world.whole()
