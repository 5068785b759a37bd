"""The samples of partners' messages, read as the exact bytes that are signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.integrations.text import JsonObject

_SAMPLES = Path(__file__).parent.parent / "samples" / "ats"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """Read one sample: `sample("greenhouse/jobs.json")`."""

    def read(path: str) -> bytes:
        return (_SAMPLES / path).read_bytes()

    return read


@pytest.fixture(scope="session")
def manifest() -> list[JsonObject]:
    """Every sample web hook with its secret and the reading that is expected of it."""
    webhooks: list[JsonObject] = json.loads((_SAMPLES / "manifest.json").read_bytes())["webhooks"]
    return webhooks
