"""The kinds of database that benchmarks run on: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import postgres


def databases() -> Iterator[tuple[str, Callable[[str], str]]]:
    """Each kind with a function that makes an empty database of a name and gives its address;
    gone, with all that is in it, at the next."""
    folder = Path(tempfile.mkdtemp(prefix="portevoix-bench-"))
    try:
        yield "sqlite", lambda name: f"sqlite:///{folder / name}.db"
    finally:
        shutil.rmtree(folder)
    if postgres.programs() is not None:
        server = postgres.start(durable=True)
        try:
            yield "postgresql", server.create
        finally:
            server.stop()
