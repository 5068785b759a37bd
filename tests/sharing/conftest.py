"""The product beside a LinkedIn of its own: the stand-in, over real HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from standin.linkedin import CLIENT_ID, CLIENT_SECRET, StandIn
from tests.conftest import serving, settings_for


@pytest.fixture(scope="session")
def linkedin() -> Iterator[StandIn]:
    """One stand-in for all tests of this run; it takes invented tokens."""
    with StandIn(lenient=True) as found:
        yield found


@pytest.fixture
def standin(linkedin: StandIn) -> StandIn:
    """It, empty and without faults."""
    linkedin.reset()
    return linkedin


def linked(folder: Path, standin: StandIn, **more: str) -> dict[str, str]:
    """The variables that point an installation at a stand-in."""
    return {
        "LINKEDIN_AUTH_URL": standin.address,
        "LINKEDIN_API_URL": standin.address,
        "LINKEDIN_CLIENT_ID": CLIENT_ID,
        "LINKEDIN_CLIENT_SECRET": CLIENT_SECRET,
        "SHARE_TIMEOUT_SECONDS": "4",
    } | more


@pytest.fixture
def app(template: Path, tmp_path: Path, standin: StandIn) -> Iterator[Flask]:
    """The product, its LinkedIn being the stand-in."""
    shutil.copy(template, tmp_path / "portevoix.db")
    yield from serving(create_app(settings_for(tmp_path, **linked(tmp_path, standin))))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_app(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path, standin: StandIn
) -> Iterator[Flask]:
    """The same on both databases."""
    variables = linked(tmp_path, standin)
    if request.param == "sqlite":
        shutil.copy(template, tmp_path / "portevoix.db")
    else:
        variables["DATABASE_URL"] = request.getfixturevalue("postgres_database")
    yield from serving(create_app(settings_for(tmp_path, **variables)))
