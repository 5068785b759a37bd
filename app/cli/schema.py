"""Bringing the database to this version."""

from __future__ import annotations

import click

from app.cli import context


@click.command()
def migrate() -> None:
    """Bring the database to this version. Safe to repeat; `up` does it by itself."""
    from app import migrating, rights
    from app.setup import service as setup

    with context.application():
        done = migrating.upgrade()
        rights.reapply()
        setup.complete()
    click.echo("The database is at the newest version." if done else "Nothing to migrate.")


@click.command(hidden=True)
@click.argument("message")
def revision(message: str) -> None:
    """Write the next migration from the models (for developers)."""
    from app import migrating

    with context.application():
        migrating.write_revision(message)
