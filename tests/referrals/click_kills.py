"""Openings under fire: a real web server with its ingester, visitors who come all the time, and
somebody who kills.

`kills(...)`: web workers, the web's main process and the ingester are killed with SIGKILL, the
ingester in each phase of its work. `outage(...)`: the database is away, or locked by another
connection. Whatever happens, each opening that was answered is stored exactly once, and the
figures are what the rows add up to. The suite tells slices, `make soak` full counts.
"""

from __future__ import annotations

import http.client
import logging
import os
import random
import signal
import socket
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import func, select

from app import clock, create_app, migrating
from app.db import db
from app.referrals import click_statements, clicks, ingester, links, spool
from app.referrals.models import Click, ClickCount, ClickHour
from app.settings import save_organisation
from app.supervisor import processes, web
from app.supervisor.options import Options
from tests.conftest import House, settings_for
from tests.postgres import Server
from tests.supervisor.running import children_of, eventually, is_alive

PHASES = (
    "before-copy", "after-copy", "before-commit", "after-commit", "before-remove", "after-remove",
)  # fmt: skip
VICTIMS = ("worker", "main", "ingester", *PHASES)
SMALL_FILE = 40 * spool.SIZE
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Mobile Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
)
CODES = 6
LOCK_PATIENCE = 16.0  # seconds; so long a connection waits for SQLite's lock before it says so
WARM = 120  # requests until each worker knows each code


def _stab(orders: Path, phase: str) -> None:
    """The ingester dies here and now, if that was ordered."""
    with suppress(FileNotFoundError):
        if orders.read_text() == phase:
            orders.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def _wounded(orders: Path, before: str, act: Callable[..., Any], after: str) -> Callable[..., Any]:
    @wraps(act)
    def wrapped(*given: Any, **named: Any) -> Any:
        _stab(orders, before)
        answer = act(*given, **named)
        _stab(orders, after)
        return answer

    return wrapped


def _vulnerable(app: Flask, orders: Path) -> int:
    """The real ingester; it can be told where to die."""
    for owner, name, before, after in (
        (click_statements, "insert_clicks", "before-copy", "after-copy"),
        (clicks, "store", "", "before-commit"),
        (ingester.Ingester, "_keep", "", "after-commit"),
        (ingester, "remove", "before-remove", "after-remove"),
    ):
        setattr(owner, name, _wounded(orders, before, getattr(owner, name), after))
    return ingester.run(app)


class Site:
    """A web server of its own with its workers and its ingester, and a few links to open."""

    def __init__(self, folder: Path, database_url: str = "", server: str = "granian") -> None:
        folder.mkdir(exist_ok=True)
        clock.release()
        self.folder = folder
        given = {"DATABASE_URL": database_url} if database_url else {}
        self.settings = settings_for(folder, TRUSTED_PROXIES="1", **given)
        self.app = create_app(self.settings)
        self.options = Options(server, 2, 4, 1)
        self.orders = folder / "stab"
        self.codes = self._prepare()
        self.listener = web.bind("127.0.0.1", 0)
        web.listen(self.listener)
        self.address: tuple[str, int] = self.listener.getsockname()[:2]
        self.main = 0
        self.start()

    def _prepare(self) -> list[str]:
        with self.app.app_context():
            migrating.upgrade()
            save_organisation(
                name="Halvenne", brand="#00664a", privacy_contact="vie@halvenne.example"
            )
            house = House(self.app)
            person = house.person()
            offers = [house.offer(f"Charpente {number}") for number in range(CODES)]
            codes = [links.link_for(person.id, offer, "link").code for offer in offers]
            self._let_go()
        return codes

    def _let_go(self) -> None:
        db.session.remove()
        db.engine.dispose()

    def start(self) -> None:
        """Start the web server, or start it again on the same socket."""

        def serve() -> int:
            self._own_output()
            spool.LIMIT = SMALL_FILE
            return web.serve(
                self.app, self.listener, self.options, lambda app: _vulnerable(app, self.orders)
            )

        self.main = processes.fork("pv-web", serve)

    def _own_output(self) -> None:
        output = os.open(self.folder / "web.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.dup2(output, 1)
        os.dup2(output, 2)
        logging.basicConfig(
            stream=os.fdopen(2, "w", closefd=False), level=logging.WARNING, force=True
        )

    def said(self) -> str:
        file = self.folder / "web.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def named(self, title: str) -> list[int]:
        """Children of the web's main process by what `ps` calls them."""
        found = []
        for pid in children_of(self.main):
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == title:
                    found.append(pid)
        return found

    def wait_until_whole(self) -> None:
        eventually(
            lambda: len(self.named("pv-web-worker")) == 2 and self.named("pv-ingester"),
            f"two workers and an ingester\n{self.said()}", 30,
        )  # fmt: skip

    def warm(self) -> None:
        """Until each worker knows each code."""
        visitor = Visitor(self.address)
        for number in range(WARM):
            visitor.close()
            visitor.open(self.codes[number % CODES], random.Random(number))
        assert visitor.answered and not visitor.wrong, visitor.wrong

    def stop(self) -> None:
        """As an operator would; what is left is read by another ingester."""
        processes.send(self.main, signal.SIGTERM)
        assert processes.take_leave(self.main) == 0, self.said()
        self.main = 0
        with self.app.app_context():
            ingester.ingest(self.settings)
            self._let_go()

    def close(self) -> None:
        """Nothing of it stays."""
        if self.main:
            for pid in [*children_of(self.main), self.main]:
                processes.send(pid, signal.SIGKILL)
            processes.take_leave(self.main)
        self.listener.close()

    def judge(self, answered: Counter[uuid.UUID]) -> int:
        """Each answered opening is stored exactly once, and the figures agree; how many rows."""
        with self.app.app_context():
            rows = db.session.execute(select(Click.id, Click.link_id, Click.verdict)).all()
            known = Counter(row.id for row in rows)
            missing = answered.keys() - known.keys()
            assert not missing, f"{len(missing)} of {len(answered)} are missing"
            assert set(known.values()) <= {1}
            assert set(answered.values()) <= {1}
            counted = {
                (c.link_id, c.verdict): c.count for c in db.session.scalars(select(ClickCount))
            }
            assert counted == Counter((row.link_id, row.verdict) for row in rows)
            hours = select(func.sum(ClickHour.count))
            assert db.session.scalar(hours) == len(rows)
            self._let_go()
        left = list(spool.folder(self.settings).glob(f"*{spool.SUFFIX}"))
        assert left == [], left
        return len(rows)

    def stored(self) -> set[uuid.UUID]:
        """What is in the database now."""
        with self.app.app_context():
            found = set(db.session.scalars(select(Click.id)))
            self._let_go()
        return found


class Visitor:
    """Somebody who opens links one after the other. What has no answer is asked again."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.answered: Counter[uuid.UUID] = Counter()
        self.wrong: list[str] = []
        self.broken = 0
        self.slowest = 0.0
        self._connection: http.client.HTTPConnection | None = None

    def open(self, code: str, chance: random.Random) -> None:
        address = f"198.51.{chance.randrange(256)}.{chance.randrange(256)}"
        headers = {"User-Agent": chance.choice(BROWSERS), "X-Forwarded-For": address}
        began = clock.monotonic()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(*self.address, timeout=20)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.request("GET", f"/r/{code}", headers=headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.broken += 1
            self.close()
            return
        self.slowest = max(self.slowest, clock.monotonic() - began)
        self._note(answer)

    def _note(self, answer: http.client.HTTPResponse) -> None:
        place = answer.headers["Location"] or ""
        given = parse_qs(urlsplit(place).query).get("k", [""])[0]
        signed = clicks.read_signed(given)
        if answer.status != 302 or signed is None:
            self.wrong.append(f"{answer.status} {place[:60]}")
        else:
            self.answered[signed[0]] += 1

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Load:
    """Visitors in threads, so many openings a second together."""

    site: Site
    seed: int
    rate: float
    visitors: list[Visitor] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, count: int) -> None:
        for number in range(count):
            visitor = Visitor(self.site.address)
            self.visitors.append(visitor)
            work = threading.Thread(target=self._come, args=(visitor, number, count))
            self._threads.append(work)
            work.start()

    def _come(self, visitor: Visitor, number: int, count: int) -> None:
        chance = random.Random(self.seed * 100 + number)
        due, gap = clock.monotonic() + number / self.rate, count / self.rate
        while not self._over.is_set():
            self._over.wait(max(due - clock.monotonic(), 0.0))
            visitor.open(chance.choice(self.site.codes), chance)
            due = max(due + gap, clock.monotonic() - 1.0)
        visitor.close()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def answered(self) -> Counter[uuid.UUID]:
        return sum((v.answered for v in self.visitors), Counter[uuid.UUID]())

    @property
    def wrong(self) -> list[str]:
        return [each for visitor in self.visitors for each in visitor.wrong]


@contextmanager
def _visited(site: Site, seed: int, rate: float, visitors: int) -> Any:
    load = Load(site, seed, rate)
    load.start(visitors)
    try:
        yield load
    finally:
        load.stop()


@dataclass
class Kills:
    """What one round did."""

    seed: int
    where: str
    killed: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    rows: int = 0
    broken: int = 0

    def __str__(self) -> str:
        told = ", ".join(f"{count} {victim}" for victim, count in sorted(self.killed.items()))
        return (
            f"{self.where}: {self.killed.total()} kills ({told}), {self.answered} openings "
            f"answered, none missing, none twice, {self.rows} rows, {self.broken} broken connections"
        )


def kills(
    folder: Path, seed: int, victims: list[str], *, database_url: str = "", rate: float = 150.0,
    server: str = "granian",
) -> Kills:  # fmt: skip
    """Kill these one after the other while visitors come; raises `AssertionError` where a
    promise was broken."""
    chance = random.Random(seed)
    site = Site(folder, database_url, server)
    told = Kills(seed, f"{'postgresql' if database_url else 'sqlite'}, {server}")
    try:
        site.wait_until_whole()
        with _visited(site, seed, rate, 6) as load:
            for victim in victims:
                clock.sleep(chance.uniform(0.05, 0.6))
                _kill(site, victim, chance)
                told.killed[victim] += 1
                site.wait_until_whole()
            clock.sleep(0.3)
        site.stop()
        assert not load.wrong, load.wrong[:5]
        told.answered, told.broken = len(load.answered), sum(v.broken for v in load.visitors)
        told.rows = site.judge(load.answered)
    finally:
        site.close()
    return told


def _kill(site: Site, victim: str, chance: random.Random) -> None:
    if victim == "main":
        os.kill(site.main, signal.SIGKILL)
        processes.take_leave(site.main)
        clock.sleep(chance.uniform(0.0, 0.2))
        site.start()
    elif victim in PHASES:
        [pid] = site.named("pv-ingester")
        site.orders.write_text(victim)
        eventually(lambda: not is_alive(pid), f"the ingester dies {victim}", 20)
        assert not site.orders.exists()
    else:
        pid = chance.choice(site.named("pv-web-worker" if victim == "worker" else "pv-ingester"))
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), f"the {victim} is gone", 5)


@dataclass
class Outage:
    """What one outage did. Times in seconds."""

    where: str
    seconds: float
    rate: float
    answered: int = 0
    during: int = 0
    slowest: float = 0.0
    after: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.where} for {self.seconds:.0f} s under {self.rate:.0f}/s: {self.answered} openings "
            f"answered ({self.during} meanwhile), the slowest after "
            f"{self.slowest * 1000:.0f} ms, all stored {self.after:.1f} s after its end"
        )


def outage(
    folder: Path, seed: int, seconds: float, rate: float, server: Server | None = None,
    within: float = 120.0,
) -> Outage:  # fmt: skip
    """PostgreSQL is taken away, or (without one) SQLite locked, while visitors come."""
    site = Site(folder, server.create(f"outage_{seed}") if server else "")
    told = Outage("PostgreSQL away" if server else "SQLite locked", seconds, rate)
    try:
        site.wait_until_whole()
        site.warm()
        with _visited(site, seed, rate, 8) as load:
            clock.sleep(1.0)
            with _away(server) if server else _locked(site):
                before = len(load.answered)
                clock.sleep(seconds)
                told.during = len(load.answered) - before
            ended = clock.monotonic()
            clock.sleep(0.5)
        answered = load.answered
        eventually(lambda: answered.keys() <= site.stored(), "every opening is stored", within)
        told.after = clock.monotonic() - ended
        told.slowest = max(visitor.slowest for visitor in load.visitors)
        assert not load.wrong, load.wrong[:5]
        assert not sum(visitor.broken for visitor in load.visitors)
        site.stop()
        told.answered = len(answered)
        site.judge(answered)
        if server or seconds > LOCK_PATIENCE:
            assert "openings wait in the spool" in site.said()
    finally:
        site.close()
    return told


@contextmanager
def _away(server: Server) -> Any:
    server.halt()
    try:
        yield
    finally:
        server.go_on()


@contextmanager
def _locked(site: Site) -> Any:
    other = sqlite3.connect(site.folder / "portevoix.db", timeout=15, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
