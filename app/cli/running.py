"""Running the product: everything on this machine, or one part of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import config
from app.cli import Refused, context, filling, standin

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings
    from app.jobs.periodic import Periodic


def _create(settings: Settings) -> Flask:
    from app import create_app

    return create_app(settings)


def _schedule() -> Sequence[Periodic]:
    from app.schedule import SCHEDULE

    return SCHEDULE


def _prepare(app: Flask) -> None:
    """The database of this version; and the demo, before any worker lives at another time."""
    from app import migrating, rights
    from app.setup import service as setup

    with app.app_context():
        migrating.upgrade()
        rights.reapply()  # a backup put back by hand knows people who were erased since
        setup.complete()
        if app.extensions["portevoix"].demo:
            filling.fill_demo(app.extensions["portevoix"])


def _welcome(app: Flask) -> str:
    """The demo's accounts, or the one-time address of the set-up."""
    settings = app.extensions["portevoix"]
    with app.app_context():
        if settings.demo:
            from app import demo

            text = demo.accounts_text(demo.describe())
            return text + _meet(settings.data_dir)
        from app.setup import service as setup

        if not setup.needed():
            return ""
        ticket = setup.make_ticket(settings.data_dir)
        return (
            "Set your organisation up, within 30 minutes, on this machine:\n"
            f"  {settings.base_url}/setup/{ticket}"
        )


def _meet(data_dir: Path) -> str:
    """The demo's LinkedIn learns who its members are; where its posts can be looked at."""
    from app import demo
    from app.supervisor import lock

    state = lock.running(data_dir)
    address = state.addresses.get(standin.NAME) if state else None
    if address is None:
        return ""
    standin.introduce(address, demo.linkedin_members())
    return f"\nWhat they post is shown by a LinkedIn stand-in at {address}/feed/"


def _ingest(app: Flask) -> int:
    """Openings of links, from this host's spool into the database."""
    from app.referrals import ingester

    return ingester.run(app)


@click.command()
@click.option("--demo", is_flag=True, help="Fill the demo organisation at the first start.")
def up(demo: bool) -> None:
    """Run everything on this machine.

    Web, workers, scheduler and, without PORTEVOIX_REDIS_URL, a queue server. HOST (127.0.0.1)
    and PORT (8000) say where; PORTEVOIX_DATA_DIR (var) holds the data. Ctrl-C stops it.
    """
    if sys.platform != "linux":
        raise Refused("`up` needs Linux; elsewhere start web, worker and scheduler alone")
    from app.supervisor import Product
    from app.supervisor import options as options_module
    from app.supervisor import up as run

    beside = _beside_the_demo() if demo else None
    companions = [beside.companion] if beside else []
    addresses = {standin.NAME: beside.address} if beside else {}
    product = Product(
        _create, _schedule, _prepare, _welcome, _ingest, companions=companions, addresses=addresses
    )
    sys.exit(run(config.load(), options_module.load(), product))


def _beside_the_demo() -> standin.Beside | None:
    """A LinkedIn of the demo's own, unless the operator named one."""
    os.environ["PORTEVOIX_DEMO"] = "1"
    return standin.beside(config.load().data_dir)


@click.command()
def web() -> None:
    """Serve web pages, on HOST and PORT."""
    from app.supervisor import options as options_module
    from app.supervisor import web as server

    options = options_module.load()
    settings = context.settings()
    context.queue_url(settings)
    try:
        listener = server.bind(settings.host, settings.port)
        app = _create(settings)
        server.listen(listener)
    except server.CannotListen as error:
        raise Refused(str(error)) from error
    sys.exit(server.serve(app, listener, options, _ingest))


@click.command()
def worker() -> None:
    """Run jobs, one at a time; start several for more."""
    settings = context.settings()
    url = context.queue_url(settings)
    app = _create(settings)
    from app.jobs import worker as jobs

    sys.exit(jobs.run(app, url))


@click.command()
def scheduler() -> None:
    """Hand due work to the workers and keep time.

    Several may be started; one of them works, the others stand by.
    """
    settings = context.settings()
    url = context.queue_url(settings)
    app = _create(settings)
    from app.jobs import scheduler as jobs

    sys.exit(jobs.run(app, settings, url, _schedule()))
