"""A slice of the storm that `make soak` runs at full counts."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import pytest

from tests.jobs.storm import storm

FACTS = 90


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_it_handles_each_fact_once_whatever_dies(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed = random.randrange(1_000_000)
    print(f"storm seed={seed}")
    if kind == "sqlite":
        report = storm(seed, FACTS, tmp_path)
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"storm_{uuid.uuid4().hex}"
        report = storm(seed, FACTS, tmp_path, server.create(name))
        server.drop(name)
    assert report.committed > 0
    assert report.rolled_back > 0
    assert report.blows
