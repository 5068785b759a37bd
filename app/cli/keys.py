"""The keys that stored secrets are written with."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from app.cli import context

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData, Table
    from sqlalchemy.engine import Row
    from sqlalchemy.orm import Session


@dataclass
class Count:
    """What became of the rows of one table."""

    table: str
    rewritten: int = 0
    unreadable: int = 0


@click.group()
def keys() -> None:
    """Keys of this installation (PORTEVOIX_SECRET_KEY, newest first)."""


@keys.command()
def rotate() -> None:
    """Write every stored secret again with the newest key.

    Put the new key first in PORTEVOIX_SECRET_KEY, restart, rotate, then drop the old key. Safe
    to repeat and to interrupt. Ends with 1 where a secret was written with a key that is not
    configured; such a secret is left as it is.
    """
    from app.db import db

    with context.application():
        counts = rotate_all(db.metadata)
    for count in counts:
        unreadable = f", {count.unreadable} unreadable" if count.unreadable else ""
        click.echo(f"{count.table}: {count.rewritten} rewritten{unreadable}")
    if not counts:
        click.echo("No table holds secrets.")
    if any(count.unreadable for count in counts):
        click.echo("Some secrets were written with a key that is not configured.", err=True)
        sys.exit(1)


def rotate_all(metadata: MetaData) -> list[Count]:
    """Every table with a column of type `Encrypted`, row by row."""
    from app.db import Encrypted

    counts = []
    for table in metadata.sorted_tables:
        secrets = [column for column in table.columns if isinstance(column.type, Encrypted)]
        if secrets:
            counts.append(_rotate_table(table, secrets))
    return counts


def _rotate_table(table: Table, secrets: list[Column[str]]) -> Count:
    """Only the identifiers are read ahead; each row is read and written under its lock."""
    from sqlalchemy import select

    from app.crypto import CannotDecrypt
    from app.db import db, transaction

    count = Count(table.name)
    identifiers = db.session.execute(select(*table.primary_key.columns)).all()
    for identifier in identifiers:
        try:
            with transaction() as session:
                count.rewritten += _rotate_row(session, table, secrets, identifier)
        except CannotDecrypt:
            count.unreadable += 1
    return count


def _rotate_row(
    session: Session, table: Table, secrets: list[Column[str]], identifier: Row[tuple[object, ...]]
) -> int:
    """1 where the row still exists and holds a secret, else 0."""
    from sqlalchemy import and_, select, update

    columns = table.primary_key.columns
    this = and_(*(column == value for column, value in zip(columns, identifier, strict=True)))
    row = session.execute(select(*secrets).where(this).with_for_update()).one_or_none()
    if row is None or not any(value is not None for value in row):
        return 0
    values = {column.name: value for column, value in zip(secrets, row, strict=True)}
    session.execute(update(table).where(this).values(values))
    return 1
