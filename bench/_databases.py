"""The kinds of database that benchmarks run on: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests import postgres


def settle(engine: Engine) -> None:
    """What the database itself does within minutes of so many rows: PostgreSQL's autovacuum.
    SQLite does nothing, and nothing is asked of it where the product runs."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def durability(connection: Any) -> str:
    """What a commit on a connection of the driver waits for, as it says itself."""
    if isinstance(connection, sqlite3.Connection):
        asked = {name: f"PRAGMA {name}" for name in ("journal_mode", "synchronous")}
    else:
        asked = {name: f"SHOW {name}" for name in ("fsync", "synchronous_commit")}
    found = {name: connection.execute(ask).fetchone()[0] for name, ask in asked.items()}
    return ", ".join(f"{name} {value}" for name, value in found.items())


def durability_of(engine: Engine) -> str:
    """The same of a connection as the product opens it."""
    with engine.connect() as connection:
        return durability(connection.connection.dbapi_connection)


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
