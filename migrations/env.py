"""How the database is brought from one version to the next, on SQLite and PostgreSQL.

All steps run in one transaction: a failed migration leaves nothing half done. SQLite rebuilds
a table to change it, and with foreign keys on that would delete the rows that point to it; so
they are off while it works and everything is checked before the commit. PostgreSQL lets one
host migrate and the others wait.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from app.db import Encrypted, UTCDateTime, db

LOCK_NUMBER = 7036871  # any number, the same in every version
# Tables that full-text search keeps for itself are made by hand, not by models.
HAND_MADE = "fts_"


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """A migration must run when the application has moved on: it names no type of ours."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Encrypted):
        return "sa.Text()"
    return False


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Leave the tables alone that no model describes on purpose."""
    return not (kind == "table" and name is not None and name.startswith(HAND_MADE))


def leave_out_empty(migration: object, revision: object, directives: list[Any]) -> None:
    """Nothing changed: no file."""
    options = context.config.cmd_opts
    if getattr(options, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def configure(connection: Connection | None, **options: Any) -> None:
    """What both ways of running share."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        include_name=include_name,
        process_revision_directives=leave_out_empty,
        transactional_ddl=True,
        **options,
    )


def run_online() -> None:
    """Against the database of the application."""
    engine = db.engine
    with engine.connect().execution_options(writes=True) as connection:
        if engine.dialect.name == "sqlite":
            run_on_sqlite(connection)
        else:
            run_on_server(connection)


def run_on_sqlite(connection: Connection) -> None:
    """Foreign keys cannot be switched inside a transaction, so they are before it begins."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        configure(connection)
        with context.begin_transaction():
            context.run_migrations()
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                tables = sorted({row[0] for row in broken})
                raise RuntimeError(f"rows would point to nothing in {', '.join(tables)}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def run_on_server(connection: Connection) -> None:
    """The lock is given back by the commit."""
    configure(connection)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
        context.run_migrations()


def run_offline() -> None:
    """Prints the statements instead of running them."""
    url = db.engine.url.render_as_string(hide_password=True)
    configure(None, url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
