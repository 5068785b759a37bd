"""Running products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.supervisor.running import Running

Start = Callable[..., Running]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that a whole file of tests shares; each test leaves it whole."""
    running = Running(tmp_path_factory.mktemp("product") / "data")
    running.wait_until_up()
    yield running
    running.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start one or several, in the folder of the test unless told otherwise."""
    started: list[Running] = []

    def begin(name: str = "data", port: int | None = None, **env: str) -> Running:
        running = Running(tmp_path / name, port, **env)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.end()
