"""A storm over the outbox: everything that can die dies, while facts are recorded.

`storm(seed, facts)` records facts, rolls some of them back, kills schedulers, workers (with
their work-horse in the middle of a job), web and queue server with SIGKILL and empties the
queue. Then it waits for calm and counts: each fact that was committed took effect once for
each handler, none is lost, none that was rolled back exists. The same seed plans the same
storm; when exactly each blow falls the machine decides.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import select

from app import clock
from app.db import db, transaction
from app.jobs.queue import connect
from app.outbox.models import DONE, OutboxDelivery, OutboxEvent
from tests.jobs import tiny
from tests.supervisor.running import Running, children_of

HANDLERS = ("tiny.count", "tiny.mirror")
BLOWS = ("scheduler", "worker 1", "worker 2", "queue server", "flush", "web", *["work-horse"] * 4)
# For so many facts one blow, on average.
FACTS_FOR_A_BLOW = 10
CALM_SECONDS = 120.0


class RolledBack(Exception):
    """Something went wrong after a fact was recorded."""


@dataclass
class Report:
    """What a storm did."""

    seed: int
    facts: int
    committed: int = 0
    rolled_back: int = 0
    blows: dict[str, int] = field(default_factory=dict)
    calm_after_seconds: float = 0.0

    def __str__(self) -> str:
        blows = ", ".join(f"{name} {count}" for name, count in sorted(self.blows.items()))
        return (
            f"storm seed={self.seed}: {self.committed} facts committed, {self.rolled_back} rolled "
            f"back; blows: {blows}; calm {self.calm_after_seconds:.1f} s after the last"
        )


class Storm:
    """One storm over one running product."""

    def __init__(self, seed: int, facts: int, product: Running, app: Flask) -> None:
        self.chance = random.Random(seed)
        self.report = Report(seed, facts)
        self.product = product
        self.app = app
        self.deck: list[str] = []

    def rage(self) -> Report:
        """Record, strike, wait, count."""
        for number in range(self.report.facts):
            with self.app.app_context():
                self._record(number)
            if self.chance.random() < 1 / FACTS_FOR_A_BLOW:
                self._strike()
            clock.sleep(self.chance.random() * 0.03)
        began = clock.monotonic()
        while not self._is_calm():
            assert clock.monotonic() - began < CALM_SECONDS, f"no calm: {self.report}"
            clock.sleep(0.1)
        self.report.calm_after_seconds = clock.monotonic() - began
        self._count()
        return self.report

    def _record(self, number: int) -> None:
        """One use case; one in five goes wrong after it has recorded its fact."""
        fails = self.chance.random() < 0.2
        seconds = 0.3 if self.chance.random() < 0.05 else 0.0
        try:
            with transaction():
                tiny.promise(number, seconds=seconds)
                if fails:
                    raise RolledBack
        except RolledBack:
            self.report.rolled_back += 1
        else:
            self.report.committed += 1

    def _strike(self) -> None:
        if not self.deck:  # every kind of blow falls before one falls again
            self.deck = self.chance.sample(BLOWS, len(BLOWS))
        name = self.deck.pop()
        self.report.blows[name] = self.report.blows.get(name, 0) + 1
        if name == "flush":
            self._flush()
        elif name == "work-horse":
            self._kill_horses()
        else:
            _kill(self.product.state().parts.get(name))

    def _flush(self) -> None:
        client = connect(self.product.state().redis_url, timeout=1.0)
        try:
            client.flushall()
        except RedisError:
            return  # it is dead just now
        finally:
            client.close()

    def _kill_horses(self) -> None:
        """Wait for a job to begin, then strike at some moment of it."""
        deadline = clock.monotonic() + 1.0
        while not (horses := self._horses()) and clock.monotonic() < deadline:
            clock.sleep(0.001)
        clock.sleep(self.chance.random() * 0.04)
        for horse in horses:
            _kill(horse)

    def _horses(self) -> list[int]:
        parts = self.product.state().parts.items()
        return [h for name, pid in parts if name.startswith("worker") for h in children_of(pid)]

    def _is_calm(self) -> bool:
        with self.app.app_context():
            waiting = select(OutboxDelivery.id).where(
                OutboxDelivery.state != DONE, OutboxDelivery.handler.in_(HANDLERS)
            )
            untold = select(OutboxEvent.id).where(OutboxEvent.hearers.is_not(None))
            looked = [db.session.execute(each.limit(1)).first() for each in (untold, waiting)]
            return looked == [None, None]

    def _count(self) -> None:
        with self.app.app_context():
            facts = tiny.facts()
            assert len(facts) == self.report.committed, self.report
            for handler in HANDLERS:
                effects = tiny.effects(handler)
                lost = sorted(facts - effects.keys())
                invented = sorted(effects.keys() - facts)
                twice = sorted(number for number, count in effects.items() if count != 1)
                assert not (lost or invented or twice), (
                    f"{self.report}: {handler} lost {lost}, invented {invented}, twice {twice}"
                )


def _kill(pid: int | None) -> None:
    if pid is not None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def storm(seed: int, facts: int, folder: Path | None = None, database_url: str = "") -> Report:
    """Run one storm; raises `AssertionError`, with the seed, where a promise was broken."""
    with tempfile.TemporaryDirectory(prefix="portevoix-storm-") as made:
        data = (folder or Path(made)) / "data"
        env = {"PORTEVOIX_DATABASE_URL": database_url} if database_url else {}
        product = Running(data, **env)
        try:
            product.wait_until_up()
            app = tiny.create(tiny.settings_in(data, **env))
            report = Storm(seed, facts, product, app).rage()
            with app.app_context():
                db.engine.dispose()
            assert product.stop() == 0, product.said()
        finally:
            product.end()
    print(report)
    return report
