"""The two people most tests of referrals are about."""

from __future__ import annotations

import pytest

from app.people.models import Person
from tests.conftest import House


@pytest.fixture
def maelle(house: House) -> Person:
    """Who recommends, and reads English."""
    return house.person("Maëlle Kerjan", language="en")


@pytest.fixture
def sofiane(house: House) -> Person:
    """Who recruits."""
    return house.person("Sofiane Belkhir", "recruiter")
