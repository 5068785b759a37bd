"""A product as small as can be, on the real machinery: facts and what became of them.

It has a page to look at, a page that records facts, one that is slow, and handlers that
leave a row each time they take effect. Run as a program it is `portevoix up` for it.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from flask import Flask, request
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from app import clock, config, crypto, jobs, outbox
from app import db as database
from app.db import db, transaction
from app.jobs.periodic import Periodic, every
from app.outbox.models import Lease, OutboxDelivery, OutboxEvent, PeriodicRun
from app.supervisor import Product
from app.supervisor import options as options_module
from app.supervisor.up import up

# Tables of their own: the product's must not know them.
TABLES = MetaData()
FACT = Table("tiny_fact", TABLES, Column("number", Integer, primary_key=True))
# Nothing here forbids doing it twice.
EFFECT = Table("tiny_effect", TABLES, Column("handler", String), Column("number", Integer))
OURS = (OutboxEvent, OutboxDelivery, Lease, PeriodicRun)


@outbox.on("tiny.fact", "tiny.count")
def count(number: int, seconds: float = 0.0) -> None:
    """Leaves a row, after a while."""
    _leave("tiny.count", number)
    clock.sleep(seconds)


@outbox.on("tiny.fact", "tiny.mirror")
def mirror(number: int, seconds: float = 0.0) -> None:
    """Leaves another row."""
    _leave("tiny.mirror", number)


@outbox.on("tiny.work", "tiny.outside", outside=True, timeout=30)
def outside(number: int, seconds: float = 0.0) -> None:
    """Works outside transactions, as one does that talks to the network."""
    clock.sleep(seconds)
    with transaction():
        _leave("tiny.outside", number)


@outbox.on("tiny.trouble", "tiny.fails")
def fails(number: int) -> None:
    """Always goes wrong, after having written."""
    _leave("tiny.fails", number)
    raise LookupError(number)


@outbox.on("periodic.tiny.tick", "tiny.tick")
def tick() -> None:
    """Leaves a row for each tick."""
    _leave("tiny.tick", 0)


def _leave(handler: str, number: int) -> None:
    db.session.execute(insert(EFFECT).values(handler=handler, number=number))


def promise(number: int, *, kind: str = "tiny.fact", seconds: float = 0.0) -> None:
    """One use case: a fact in a table, and the same fact for the handlers."""
    with transaction() as session:
        session.execute(insert(FACT).values(number=number))
        outbox.record(kind, number=number, **({"seconds": seconds} if seconds else {}))  # type: ignore[arg-type]


def effects(handler: str) -> dict[int, int]:
    """How often each fact took effect."""
    rows = db.session.execute(
        select(EFFECT.c.number, func.count())
        .where(EFFECT.c.handler == handler)
        .group_by(EFFECT.c.number)
    )
    return {row[0]: row[1] for row in rows}


def create(settings: config.Settings) -> Flask:
    """The application."""
    clock.start(settings.data_dir, settings.clock)
    crypto.start(settings.secret_keys)
    app = Flask("tiny")
    app.extensions["portevoix"] = settings
    database.start(app, settings)
    jobs.start(app, settings)

    @app.get("/healthz")
    def alive() -> str:
        return str(os.getpid())

    @app.get("/slow")
    def slow() -> str:
        clock.sleep(float(request.args["seconds"]))
        return str(os.getpid())

    @app.post("/facts")
    def record() -> str:
        promise(
            int(request.form["number"]),
            kind=request.form.get("kind", "tiny.fact"),
            seconds=float(request.form.get("seconds", 0)),
        )
        return "recorded"

    @app.get("/threads")
    def threads() -> str:
        return str(threading.active_count())

    return app


def prepare(app: Flask) -> None:
    """The tables."""
    with app.app_context():
        db.metadata.create_all(db.engine, tables=[model.__table__ for model in OURS])
        TABLES.create_all(db.engine)


def schedule() -> tuple[Periodic, ...]:
    """One entry."""
    return (every("tiny.tick", seconds=1),)


def facts() -> set[int]:
    """Every fact that was promised."""
    return set(db.session.scalars(select(FACT.c.number)))


def settings_in(folder: Path, **env: str) -> config.Settings:
    """Settings for one data folder."""
    return config.load({"PORTEVOIX_DATA_DIR": str(folder), **env})


def main() -> int:
    """`up`."""
    product = Product(create, schedule, prepare, welcome=lambda app: "welcome\n")
    return up(config.load(), options_module.load(), product)


if __name__ == "__main__":
    sys.exit(main())
