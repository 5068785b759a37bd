"""A slice of the kills and outages (`make soak` has them all): what was answered is counted."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import postgres
from tests.referrals import click_kills


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A PostgreSQL of its own, which may be taken away; None for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    found = postgres.start(durable=True)  # what it commits survives being taken away
    yield found
    found.stop()


def test_no_kill_loses_an_answered_opening_or_counts_one_twice(tmp_path: Path, server: Any) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    chance = random.Random(seed)
    victims = [chance.choice(("worker", "main")), chance.choice(click_kills.PHASES)]
    url = server.create("kills") if server else ""
    print(click_kills.kills(tmp_path / "data", seed, victims, database_url=url))


def test_the_fallback_server_has_an_ingester_too(tmp_path: Path) -> None:
    print(click_kills.kills(tmp_path / "data", 7, ["ingester"], server="gunicorn", rate=60))


def test_visitors_are_sent_on_while_the_database_is_away(tmp_path: Path, server: Any) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    rate = 100 if server else 50
    print(click_kills.outage(tmp_path / "data", seed, 2, rate, server, within=25))
