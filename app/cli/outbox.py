"""Looking at the work that waits."""

from __future__ import annotations

import click

from app.cli import context


@click.group()
def outbox() -> None:
    """Work that follows from facts: what waits, what failed."""


@outbox.command()
def status() -> None:
    """Deliveries by state, the oldest that waits, and what was given up."""
    settings = context.settings()
    with context.application(settings):
        _print_deliveries()
    _print_queue(settings.redis_url)


def _print_deliveries() -> None:
    from app import clock
    from app.outbox import service

    for state, count in sorted(service.counts().items()):
        click.echo(f"{state:10} {count}")
    oldest = service.oldest_waiting()
    if oldest is not None:
        click.echo(f"{'oldest':10} {max((clock.now() - oldest).total_seconds(), 0):.0f} s")
    for handler, error, count in service.given_up():
        click.echo(f"given up: {handler}, {count} times ({error})")


def _print_queue(url: str | None) -> None:
    from redis.exceptions import RedisError

    from app.jobs.queue import look

    if url is None:
        click.echo("queue      nothing runs here")
        return
    try:
        state = look(url)
    except RedisError as error:
        click.echo(f"queue      away ({type(error).__name__})")
        return
    click.echo(f"queue      {state.waiting} waiting, {state.workers} workers")
