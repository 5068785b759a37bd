"""Where codes lead, as a web process remembers it; asked on each opening of a link.

A code that begins to lead elsewhere raises one number in the database (`links.changed`), and
a process that sees another number forgets all it knew. SQLite tells in microseconds whether
anybody wrote at all, so there the number is looked at on each opening that follows a write.
With PostgreSQL a thread of the process's own reads it four times a second while links are
opened; an opening waits for it only after a quiet time, and never long: while the database is
away, what was known last is what visitors are given.

A code that is not remembered is always asked for in the database.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import threading
import uuid
from dataclasses import dataclass, field
from typing import Protocol

import psycopg
from sqlalchemy import make_url, select
from werkzeug.urls import iri_to_uri

from app import clock
from app.config import Settings
from app.db import db
from app.referrals import forks, links
from app.referrals.links import Target
from app.referrals.models import LinkVersion
from app.referrals.spool import NOBODY

LIMIT = 20_000
"""Codes in memory, about half a kilobyte each. Beyond, the one that came first goes."""

_ASK = "SELECT version FROM link_version WHERE id = 1"


@dataclass(frozen=True, slots=True)
class Lead:
    """A living target, with what an answer needs of it made ready once."""

    target: Target
    link: bytes = field(init=False)
    share: bytes = field(init=False)
    link_text: str = field(init=False)
    place: str = field(init=False)

    def __post_init__(self) -> None:
        share: uuid.UUID | None = self.target.share_id
        object.__setattr__(self, "link", self.target.link_id.bytes)
        object.__setattr__(self, "link_text", str(self.target.link_id))
        object.__setattr__(self, "share", share.bytes if share else NOBODY)
        object.__setattr__(self, "place", iri_to_uri(self.target.location))


class Watch(Protocol):
    """Tells the number that rises when a code begins to lead elsewhere."""

    def version(self) -> int | None:
        """The newest one known; None before it could be read."""

    def close(self) -> None:
        """Let go of connections."""


class CodeMap:
    """What one process remembers."""

    def __init__(self, settings: Settings, limit: int = LIMIT) -> None:
        self._watch: Watch = (
            SqliteWatch(settings.database_url)
            if settings.is_sqlite
            else PostgresWatch(settings.database_url)
        )
        self._limit = limit
        self._lock = threading.Lock()
        self._version: int | None = None
        self._leads: dict[str, Lead] = {}

    def get(self, code: str) -> Lead | None:
        """Where a code leads now; None where the database must be asked."""
        version = self._watch.version()
        if version != self._version:
            self._forget(version)
        lead = self._leads.get(code)
        if lead is None or _is_over(lead.target.expires_at):
            return None
        return lead

    def _forget(self, version: int | None) -> None:
        with self._lock:
            self._leads, self._version = {}, version

    def load(self, code: str) -> Target | None:
        """Ask the database, and remember a living target. In an application context."""
        # Read before the target: what is changed after it was read has a number above it.
        version = db.session.scalar(select(LinkVersion.version).where(LinkVersion.id == 1))
        target = links.find(code)
        if target is not None and target.alive:
            self._keep(code, target, version)
        return target

    def _keep(self, code: str, target: Target, version: int | None) -> None:
        with self._lock:
            if version is None or version != self._version:
                return  # by an older or a newer number than what is remembered here
            if len(self._leads) >= self._limit:
                del self._leads[next(iter(self._leads))]
            self._leads[code] = Lead(target)

    def close(self) -> None:
        """Forget everything and let go of connections."""
        self._forget(None)
        self._watch.close()


def _is_over(at: dt.datetime | None) -> bool:
    return at is not None and at <= clock.now()


# --- SQLite ------------------------------------------------------------------------------


LOOK_EVERY = 0.005
"""Seconds. Each look lets other threads run, and to come back among many costs more than the
look; within so short a time openings and a change are simultaneous."""


class SqliteWatch:
    """A connection of its own that only reads. `data_version` changes with every commit of any
    other connection; the number itself is read again only then."""

    def __init__(self, url: str) -> None:
        self._file = make_url(url).database or ""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._version: int | None = None
        self._look_at = 0.0
        self._told = -1
        forks.begin_anew(self)

    def version(self) -> int | None:
        now = clock.monotonic()
        if now < self._look_at and self._told == links.told():
            return self._version
        with self._lock:
            self._look_at, self._told = now + LOOK_EVERY, links.told()
            try:
                return self._look()
            except sqlite3.Error:  # away or busy: asked again with the next opening
                self._drop()
                return self._version

    def _look(self) -> int | None:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._file}?mode=rw", uri=True, isolation_level=None, timeout=0.2,
                check_same_thread=False,
            )  # fmt: skip
            self._seen = None
        # All rows, so that no statement, and with it no snapshot, stays open.
        [(seen,)] = self._connection.execute("PRAGMA data_version").fetchall()
        if seen != self._seen:
            rows = self._connection.execute(_ASK).fetchall()
            self._version, self._seen = (rows[0][0] if rows else None), seen
        return self._version

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        with self._lock:
            self._drop()

    def after_fork(self) -> None:
        """A connection must be neither used nor closed in a child."""
        if self._connection is not None:
            forks.leave(self._connection)
        self._connection, self._lock = None, threading.Lock()

    def __del__(self) -> None:
        self._drop()


# --- PostgreSQL --------------------------------------------------------------------------

EVERY = 0.25
"""Seconds between two readings while links are opened."""
OLDEST = 0.75
"""Seconds after which an opening waits for a reading."""
PATIENCE = 0.3
"""Seconds that it waits; where that was in vain, none waits until the database answers."""
IDLE = 5.0
"""Seconds without an opening after which thread and connection end."""


class PostgresWatch:
    """Reads in a thread of its own, because a database that hangs must not hold a visitor."""

    def __init__(self, url: str) -> None:
        self._address = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._begin()
        forks.begin_anew(self)

    def _begin(self) -> None:
        self._news = threading.Condition()
        self._version: int | None = None
        self._read_at = float("-inf")
        self._is_wanted = self._is_away = self._is_running = False

    def version(self) -> int | None:
        now = clock.monotonic()
        if now - self._read_at < EVERY:
            return self._version
        with self._news:
            self._want()
            if now - self._read_at >= OLDEST and not self._is_away:
                is_read = self._news.wait_for(lambda: self._read_at > now - OLDEST, PATIENCE)
                self._is_away = not is_read
            return self._version

    def _want(self) -> None:
        self._is_wanted = True
        if not self._is_running:
            self._is_running = True
            threading.Thread(target=self._run, name="links", daemon=True).start()
        self._news.notify_all()

    def _run(self) -> None:
        connection: psycopg.Connection[tuple[int]] | None = None
        while True:
            with self._news:
                if not self._news.wait_for(lambda: self._is_wanted, IDLE):
                    self._is_running = False
                    break
                self._is_wanted = False
            began = clock.monotonic()
            try:
                connection = connection or self._connect()
                row = connection.execute(_ASK).fetchone()
            except psycopg.Error:
                if connection is not None:
                    connection.close()
                    connection = None
                clock.sleep(EVERY)
                continue
            with self._news:
                self._version, self._read_at = (row[0] if row else None), began
                self._is_away = False
                self._news.notify_all()
        if connection is not None:
            connection.close()

    def _connect(self) -> psycopg.Connection[tuple[int]]:
        return psycopg.connect(
            self._address, autocommit=True, connect_timeout=2, application_name="portevoix-links"
        )

    def close(self) -> None:
        """The thread ends by itself soon after the last opening."""

    def after_fork(self) -> None:
        """Threads stay with the parent, and so does what they use."""
        self._begin()
