"""Migrations on both databases: children survive, failures leave nothing, models agree."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import text

import app.db
from app import migrating
from app.db import db
from tests.jobs import tiny

ROOT = Path(__file__).parents[2]
HEAD = "import sqlalchemy as sa\nfrom alembic import op\n\n"
FIRST = """
revision = "1"
down_revision = None

def upgrade() -> None:
    op.create_table("parent", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(5)))
    op.create_table("child", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.Integer,
            sa.ForeignKey("parent.id", ondelete="CASCADE", name="fk_child"), nullable=False))
"""
BATCH = """
revision = "2"
down_revision = "1"

def upgrade() -> None:
    with op.batch_alter_table("parent") as batch:
        batch.alter_column("name", type_=sa.String(50), existing_type=sa.String(5))
        batch.add_column(sa.Column("more", sa.Integer))
"""
ORPHANS = """
revision = "3"
down_revision = "2"

def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("insert into child (id, parent_id) values (99, 99)")
"""


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for migrations of this test, with the product's own way of running them."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder, ignore=shutil.ignore_patterns("versions"))
    (folder / "versions").mkdir()
    monkeypatch.setattr(app.db, "MIGRATIONS", folder)
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)
    return folder / "versions"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, versions: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application without tables, in its context."""
    env = {}
    if request.param == "postgresql":
        server, name = request.getfixturevalue("postgres_server"), f"m_{uuid.uuid4().hex}"
        env["PORTEVOIX_DATABASE_URL"] = server.create(name)
    made = tiny.create(tiny.settings_in(tmp_path / "data", **env))
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()
    if env:
        server.drop(name)


def write(versions: Path, *revisions: str) -> None:
    for number, words in enumerate(revisions, len(list(versions.glob("*.py"))) + 1):
        (versions / f"{number}.py").write_text(HEAD + words)


def value(statement: str) -> object:
    with db.engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


def fill() -> None:
    with db.engine.begin() as connection:
        connection.execute(text("insert into parent (id, name) values (1, 'a'), (2, 'b')"))
        connection.execute(text("insert into child (id, parent_id) values (1, 1), (2, 2), (3, 2)"))


def test_it_does_what_is_missing_and_then_nothing(house: Flask, versions: Path) -> None:
    write(versions, FIRST)
    assert migrating.upgrade() is True
    assert migrating.current() == migrating.heads() == {"1"}
    assert migrating.upgrade() is False


def test_children_survive_a_change_of_their_parent(house: Flask, versions: Path) -> None:
    write(versions, FIRST)
    migrating.upgrade()
    fill()
    write(versions, BATCH)
    assert migrating.upgrade() is True
    assert value("select count(*) from child") == 3
    assert value("select count(more is null) from parent") == 2


def test_foreign_keys_hold_again_afterwards(house: Flask, versions: Path) -> None:
    write(versions, FIRST, BATCH)
    migrating.upgrade()
    fill()
    with db.engine.begin() as connection:
        connection.execute(text("delete from parent where id = 2"))
    assert value("select count(*) from child") == 1


def test_a_migration_that_would_leave_orphans_changes_nothing(house: Flask, versions: Path) -> None:
    write(versions, FIRST, BATCH)
    migrating.upgrade()
    fill()
    write(versions, ORPHANS)
    with pytest.raises(Exception, match=r"child"):
        migrating.upgrade()
    assert migrating.current() == {"2"}
    assert value("select count(*) from child") == 3
    with pytest.raises(Exception, match=r"half"):
        value("select count(*) from half")


def test_models_and_migrations_agree(any_app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: (
                    not (kind == "table" and str(name).startswith("fts_"))
                ),
            },
        )
        assert compare_metadata(context, db.metadata) == []


def test_no_migration_needs_the_application() -> None:
    """It must still run when the application has moved on."""
    for file in (ROOT / "migrations" / "versions").glob("*.py"):
        assert not re.search(r"^\s*(import|from) app\b", file.read_text(), re.MULTILINE), file.name
