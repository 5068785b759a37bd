"""What a fact adds to a request, as a part of a bare Flask answer.

Three servers, each as `web` runs one: a view that only answers 302, one that stores a row, and
one that stores the row with a fact for one handler, both on disk before the answer. They are
asked in turns by one client over two connections, so that none waits for SQLite's one writer;
what counts is the processor time for each answer. The relay's and the workers' part comes
later and elsewhere. Run alone: `python -m bench.facts`.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response
from sqlalchemy import insert

from app import outbox
from app.db import db, new_id, transaction
from bench._databases import durability_of
from bench._table import ROUNDS, Row, is_noise, show
from bench.hit import Side, _ask, _running
from tests.jobs import tiny

CONNECTIONS = 2
REQUEST = b"GET /press HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
THERE = {"Location": "/receipt"}


def _bare() -> Flask:
    app = Flask("bare")
    app.add_url_rule("/press", view_func=lambda: Response(status=302, headers=THERE))
    return app


def _storing(folder: Path, *, with_fact: bool) -> Flask:
    app = tiny.create(tiny.settings_in(folder))
    tiny.prepare(app)
    number = itertools.count()

    @app.get("/press")
    def press() -> Response:
        with transaction() as session:
            row = {"number": new_id().int % 2**62 + next(number)}
            session.connection().execute(insert(tiny.FACT), row)
            if with_fact:
                outbox.record("tiny.work", number=1)
        return Response(status=302, headers=THERE)

    with app.app_context():
        tiny.db.session.remove()
        tiny.db.engine.dispose()
    return app


def rows() -> Iterator[Row]:
    """One row."""
    folder = Path(tempfile.mkdtemp(prefix="portevoix-bench-"))
    apps = {
        "bare": _bare(),
        "row": _storing(folder / "row", with_fact=False),
        "fact": _storing(folder / "fact", with_fact=True),
    }
    with apps["fact"].app_context():
        print(f"durability: {durability_of(db.engine)} with and without; bare Flask keeps nothing")
        db.engine.dispose()
    costs: dict[str, list[float]] = {name: [] for name in apps}
    try:
        with contextlib.ExitStack() as running:
            sides = {
                name: Side(*running.enter_context(_running(app, bare=True)), [REQUEST])
                for name, app in apps.items()
            }
            for side in sides.values():
                _ask(side, 1.0, CONNECTIONS)
            for _ in range(ROUNDS):
                for name, side in sides.items():
                    costs[name].append(_ask(side, 3.0, CONNECTIONS).cpu * 1e6)
    finally:
        shutil.rmtree(folder)
    added = statistics.median(costs["fact"]) - statistics.median(costs["row"])
    bare = statistics.median(costs["bare"])
    ratio = None if any(map(is_noise, costs.values())) else added / bare
    yield Row("a fact added to a request : bare Flask answer", "µs", added, bare, ratio, most=0.2)


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
