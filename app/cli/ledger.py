"""Proofs of the ledger."""

from __future__ import annotations

import sys

import click

from app.cli import context


@click.group()
def ledger() -> None:
    """The points ledger."""


@ledger.command()
def verify() -> None:
    """Check sums, balances against entries, chains and seals. Ends with 1 at a difference."""
    from app.ledger import verify as recount

    with context.application():
        seen = recount()
    if seen.first_difference is not None:
        click.echo(f"The ledger does not add up: {seen.first_difference}", err=True)
        sys.exit(1)
    click.echo(f"The ledger is whole: {seen.accounts} accounts, {seen.entries} entries. ok")
