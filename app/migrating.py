"""The database's tables, brought to this version. All of it runs in an application context."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.db import MIGRATIONS, db

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = re.compile(r"""^revision\b[^=]*=\s*["']([^"']+)""", re.MULTILINE)
_DOWN = re.compile(r"^down_revision\b[^=]*=(.*)", re.MULTILINE)
_NAME = re.compile(r"""["']([^"']+)["']""")


def heads() -> set[str]:
    """The newest revisions, read from the files: Alembic takes longer to import than a start
    may need to find out that nothing is to be done."""
    parents: set[str] = set()
    for file in _versions():
        for line in _DOWN.findall(file.read_text(encoding="utf-8")):
            parents.update(_NAME.findall(line))
    return revisions() - parents


def revisions() -> set[str]:
    """Every revision this version knows."""
    texts = (file.read_text(encoding="utf-8") for file in _versions())
    return {name for text_ in texts for name in _REVISION.findall(text_)}


def _versions() -> list[Path]:
    return sorted((MIGRATIONS / "versions").glob("*.py"))


def current() -> set[str]:
    """The revisions the database is at; empty for a new one. Raises `SQLAlchemyError` only
    where it cannot be reached."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return set()
        return set(connection.execute(text("select version_num from alembic_version")).scalars())


def is_current() -> bool:
    """Whether there is nothing to migrate."""
    return current() == heads()


def upgrade() -> bool:
    """Migrate to the newest version; whether something was done."""
    if is_current():
        return False
    from alembic import command

    command.upgrade(_config(), "head")
    return True


def write_revision(message: str) -> None:
    """Write the next migration from the difference between models and database."""
    from alembic import command

    command.revision(_config("autogenerate"), message=message, autogenerate=True)


def _config(*options: str) -> Config:
    """Alembic's view of this application. Imported late: a start that has nothing to migrate
    does without it."""
    from flask_migrate import Migrate

    migrate = Migrate(render_as_batch=True, compare_type=True)
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    return cast("Config", migrate.get_config(opts=list(options)))


def reachable() -> str | None:
    """Why the database cannot be reached, or None."""
    try:
        with db.engine.connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError as error:
        return type(error).__name__
    return None
