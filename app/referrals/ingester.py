"""The ingester: it moves openings from this host's spool into the database, each once.

A batch is one transaction: how far each file has been read (compared with what was known, and
set), the openings themselves, the figures of their links, and the facts that follow. Whatever
is killed, and whenever, a file is read on from where the last commit left it. Only once that
is committed a file that was read to its end is removed, and only if its writer is gone: a
writer holds a lock on its file.

Lines are taken in the order of their time, whichever file they stand in, and never beyond the
moment at which the pass began: what a visitor asked for one after the other, in whichever
processes, is read in that order, because an answer is only given once its line is on disk.

One ingester works on each host, by a lock; another one waits. Should two work all the same
(a folder on a file system without locks), the slower one finds a position that it did not
expect and starts again from there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import gc
import heapq
import logging
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, cast

from flask import Flask
from sqlalchemy import Connection, CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.config import Settings
from app.db import db, transaction
from app.referrals import clicks, spool
from app.referrals.click_statements import give_room
from app.referrals.clicks import Opening
from app.referrals.models import SpoolFile
from app.referrals.spool import SIZE, SUFFIX
from app.web.health import Gauged
from app.web.pages import current_settings

log = logging.getLogger(__name__)

# Openings in one transaction. A large batch touches hardly more pages of the indexes than a small
# one; it holds SQLite's write lock for a third of a second, and only behind a flood.
BATCH = 20_000
_CHUNK = 512  # records read from a file at once
IDLE_SECONDS = 0.05
# Between the batches of a crowd: an opening of a batch of 500 costs four times one of 10,000.
GATHER_SECONDS = 1.0
CROWD = 100  # records in one pass
NICENESS = 15  # visitors come first; what they leave can wait
LONGEST_PAUSE_SECONDS = 2.0
LAST_PASS_SECONDS = 1.0
# A line from further ahead than this was written before the clock was set back.
_AHEAD = 2_000_000  # microseconds
BEAT_SECONDS = 1.0
STILL_HERE_SECONDS = 24 * 3600.0
LOCK_FILE = "ingester.lock"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
STOPPING = (signal.SIGTERM, signal.SIGINT)


class Overtaken(Exception):
    """Another ingester has moved a position; nothing of this batch is kept."""


class _Read(NamedTuple):
    """A record of a file; `opening` is None for a damaged one, `end` where it ends."""

    at: int
    opening: Opening | None
    file: _File
    end: int


class _File:
    """A spool file that is being read. `position` is committed; None before the first time."""

    def __init__(self, path: Path, position: int | None) -> None:
        self.path, self.position = path, position
        self.descriptor = os.open(path, os.O_RDONLY)
        self.is_left = False  # its writer is gone, and its size final

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    @property
    def waiting(self) -> int:
        """Bytes of whole records that were not read yet."""
        size = self.size
        return max(size - size % SIZE - (self.position or 0), 0)

    def look_for_writer(self) -> None:
        """Take the lock that a writer holds as long as it lives."""
        if not self.is_left:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.is_left = True

    def records(self, until: int) -> Iterator[_Read]:
        """What was not read yet, up to an instant. A damaged record at the end of a file whose
        writer lives may still become whole."""
        at, place = 0, self.position or 0
        while chunk := os.pread(self.descriptor, _CHUNK * SIZE, place):
            for start in range(0, len(chunk) - SIZE + 1, SIZE):
                parts = spool.decode(chunk[start : start + SIZE])
                place += SIZE
                if parts is None:
                    if not self.is_left and place + SIZE > self.size:
                        return
                    yield _Read(at, None, self, place)
                    continue
                click, link, share, at, verdict, key = parts
                if until < at <= until + _AHEAD:
                    return
                opening = Opening(at, click, link, share, verdict, key.hex())
                yield _Read(at, opening, self, place)
            if len(chunk) % SIZE:
                return

    def close(self) -> None:
        os.close(self.descriptor)


_BY_TIME = attrgetter("at")


class _Batch:
    """Openings to store together, and how far that brings each file."""

    def __init__(self, records: Iterable[_Read]) -> None:
        self.openings: list[Opening] = []
        self.ends: dict[_File, int] = {}
        self.damaged: Counter[_File] = Counter()
        for _, opening, file, end in records:
            self.ends[file] = end
            if opening is None:
                self.damaged[file] += 1
            else:
                self.openings.append(opening)

    @property
    def read(self) -> int:
        """How many records it holds, damaged ones included."""
        return len(self.openings) + self.damaged.total()


class Ingester:
    """What one process knows of this host's spool. Steps need an application context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = spool.host_of(folder)
        self._files: dict[str, _File] = {}
        self._is_known = False  # positions are those of the database
        self._refresh_at = 0.0

    def has_work(self) -> bool:
        """Whether a step would find something to read or to remove. Asks the folder only."""
        self._look()
        return any(file.is_left or file.waiting for file in self._files.values())

    def step(self) -> int:
        """Store what waits, one batch at most, and remove files that are over; how many records
        were read. After an error the positions are asked for again: what was committed counts."""
        self._look()
        try:
            self._know_positions()
            batch = self._next()
            if batch.read:
                self._keep(batch)
            self._remove_read()
        except Overtaken:
            log.warning("another ingester reads the spool of this host")
            self._is_known = False
            return 0
        except BaseException:
            self._is_known = False
            raise
        return batch.read

    def close(self) -> None:
        """Let go of all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    # --- files

    def _look(self) -> None:
        """Learn of new files, and of writers that have ended."""
        names = {entry.name for entry in os.scandir(self.folder) if entry.name.endswith(SUFFIX)}
        for name in self._files.keys() - names:
            self._files.pop(name).close()
        for name in names - self._files.keys():
            with contextlib.suppress(FileNotFoundError):
                self._files[name] = _File(self.folder / name, None)
                self._is_known = False
        for file in self._files.values():
            file.look_for_writer()

    def _next(self) -> _Batch:
        until = (clock.now() - _EPOCH) // _MICROSECOND
        sources = [file.records(until) for file in self._files.values() if file.waiting]
        return _Batch(islice(heapq.merge(*sources, key=_BY_TIME), BATCH))

    def _remove_read(self) -> None:
        """Remove files that are read to the end and left by their writers: the file first, for
        good, then the note about it."""
        over = [file for file in self._files.values() if file.is_left and not file.waiting]
        for file in over:
            if torn := file.size % SIZE:
                log.error("spool file %s: its last %d bytes are torn", file.name, torn)
            remove(file.path)
            self._files.pop(file.name).close()
        if over:
            _sync(self.folder)
            self._forget([file.name for file in over if file.position is not None])

    # --- the database

    def _know_positions(self) -> None:
        """Ask how far files were read; now and then say which ones are still there."""
        if self._is_known and clock.monotonic() < self._refresh_at:
            return
        found = positions(self.host)
        for file in self._files.values():
            file.position = found.get(file.name)
        self._is_known = True
        if clock.monotonic() >= self._refresh_at:
            self._say_which_are_here(found)
            self._refresh_at = clock.monotonic() + STILL_HERE_SECONDS

    def _say_which_are_here(self, known: Iterable[str]) -> None:
        """So that what is kept about files of this host neither grows nor seems forgotten."""
        gone = [name for name in known if not (self.folder / name).exists()]
        here = [name for name in known if name not in gone]
        if here:
            with transaction() as session:
                session.execute(
                    update(SpoolFile)
                    .where(SpoolFile.host == self.host, SpoolFile.name.in_(here))
                    .values(read_at=clock.now())
                )
        self._forget(gone)

    def _forget(self, names: list[str]) -> None:
        if names:
            with transaction() as session:
                session.execute(
                    delete(SpoolFile).where(SpoolFile.host == self.host, SpoolFile.name.in_(names))
                )

    def _keep(self, batch: _Batch) -> None:
        with transaction() as session:
            for file in sorted(batch.ends, key=lambda file: file.name):
                self._advance(session.connection(), file, batch.ends[file])
            clicks.store(batch.openings)
        for file, end in batch.ends.items():
            file.position = end
        for file, count in batch.damaged.items():
            log.error("spool file %s: %d damaged records were left out", file.name, count)
            note_damaged(self.folder, count)

    def _advance(self, connection: Connection, file: _File, end: int) -> None:
        """Move a position on from where we know it. Raises `Overtaken`."""
        now = clock.now()
        if file.position is None:
            values = {"host": self.host, "name": file.name, "position": end, "read_at": now}
            make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            moved = connection.execute(
                make(SpoolFile).values(values).on_conflict_do_nothing(),
                execution_options={"preserve_rowcount": True},
            )
        else:
            moved = connection.execute(
                update(SpoolFile)
                .where(
                    SpoolFile.host == self.host,
                    SpoolFile.name == file.name,
                    SpoolFile.position == file.position,
                )
                .values(position=end, read_at=now)
            )
        if cast(CursorResult[Any], moved).rowcount != 1:
            raise Overtaken


def positions(host: str) -> dict[str, int]:
    """How far each file of a host was read, by name."""
    rows = db.session.execute(
        select(SpoolFile.name, SpoolFile.position).where(SpoolFile.host == host)
    )
    return {row.name: row.position for row in rows}


def remove(path: Path) -> None:
    """A file that nobody writes to and whose every line is in the database."""
    path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ingest(settings: Settings) -> int:
    """Store everything that stands in this host's spool now; how many records were read."""
    ingester, total = Ingester(spool.folder(settings)), 0
    try:
        while read := ingester.step():
            total += read
    finally:
        ingester.close()
    return total


# --- what operators ask -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """How this host's spool is. `waiting` in bytes; `passed_at` when the ingester last looked,
    None if it never did; `lost` openings could not be kept, `damaged` ones not be read."""

    waiting: int
    passed_at: dt.datetime | None
    lost: int
    damaged: int


def state(settings: Settings) -> State:
    """Asks the folder and the database."""
    folder = spool.folder(settings)
    if not folder.is_dir():
        return State(0, None, 0, 0)
    known = positions(spool.host_of(folder))
    waiting = 0
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            size = path.stat().st_size
            waiting += max(size - size % SIZE - known.get(path.name, 0), 0)
    passed_at, damaged = _beaten(folder)
    return State(waiting, passed_at, spool.lost(folder), damaged)


def figures() -> list[Gauged]:
    """The same for `/metrics`."""
    found = state(current_settings())
    since = (clock.now() - found.passed_at).total_seconds() if found.passed_at else 0.0
    return [
        Gauged("portevoix_spool_waiting_bytes", "Openings that wait to be stored", found.waiting),
        Gauged("portevoix_spool_pass_age_seconds", "Since the ingester last looked", since),
        Gauged("portevoix_clicks_lost_total", "Openings that could not be kept", found.lost),
        Gauged("portevoix_spool_damaged_openings", "Records not readable", found.damaged),
    ]


def _beaten(folder: Path) -> tuple[dt.datetime | None, int]:
    """The lock's file is touched by each pass, and holds how many records were damaged."""
    try:
        file = folder / LOCK_FILE
        text, at = file.read_text(), file.stat().st_mtime
    except OSError:
        return None, 0
    return dt.datetime.fromtimestamp(at, dt.UTC), int(text or 0)


def note_damaged(folder: Path, count: int) -> None:
    """Count records that could not be read, since ever."""
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        known = int(os.pread(descriptor, 20, 0) or 0)
        os.pwrite(descriptor, str(known + count).encode(), 0)
    finally:
        os.close(descriptor)


# --- the process -------------------------------------------------------------------------


def run(app: Flask) -> int:
    """Be this host's ingester until SIGTERM or SIGINT; then read what is there; 0."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    os.nice(NICENESS)
    gc.freeze()
    gc.disable()  # see `_beat`
    folder = spool.folder(app.extensions["portevoix"])
    with app.app_context():
        db.engine.dispose(close=False)  # whatever the parent had open is the parent's
        give_room(db.engine)
    spool.host_of(folder)
    held = _hold(folder)
    return 0 if held is None else _Loop(app, Ingester(folder), held).run()


def _asked_to_stop(seconds: float) -> bool:
    """Wait so long for the signal."""
    return signal.sigtimedwait(STOPPING, seconds) is not None


def _hold(folder: Path) -> int | None:
    """The one lock of this host, waited for; None where the end came first."""
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _asked_to_stop(IDLE_SECONDS * 4):
                return None
        else:
            return descriptor


class _Away(Exception):
    """The database cannot be used now; the kind of the error."""


def _rest(read: int) -> float:
    """Seconds before the next pass, after one that read so many records."""
    if read >= BATCH:
        return 0.0
    return GATHER_SECONDS if read >= CROWD else IDLE_SECONDS


class _Loop:
    """Pass after pass. What is away is said once, then asked again ever more slowly; meanwhile
    everything waits in the spool."""

    def __init__(self, app: Flask, ingester: Ingester, held: int) -> None:
        self.app, self.ingester, self.held = app, ingester, held
        self._pause = 0.0
        self._beat_at = 0.0

    def run(self) -> int:
        wait = 0.0
        while not _asked_to_stop(wait):
            read = self._pass()
            wait = self._pause or _rest(read)
        deadline = clock.monotonic() + LAST_PASS_SECONDS
        while self._pass() >= BATCH and clock.monotonic() < deadline:
            continue
        self.ingester.close()
        return 0

    def _pass(self) -> int:
        """One step; how many records were read."""
        read = 0
        try:
            if self.ingester.has_work():
                with self.app.app_context():
                    read = self._step()
            self._beat()
        except _Away as error:
            self._came(str(error))
            return 0
        except OSError as error:
            self._came(error.strerror or type(error).__name__)
            return 0
        if self._pause:
            log.warning("openings are stored again")
            self._pause = 0.0
        return read

    def _step(self) -> int:
        """A driver that is used bare for a batch speaks for itself."""
        driver = cast(Any, db.engine.dialect).loaded_dbapi
        try:
            return self.ingester.step()
        except (SQLAlchemyError, driver.Error) as error:
            db.session.remove()
            db.engine.dispose()
            # Its own words may hold what stands in the rows.
            raise _Away(type(error).__name__) from None

    def _came(self, why: str) -> None:
        if not self._pause:
            log.warning("openings wait in the spool, they cannot be stored: %s", why)
        self._pause = min(self._pause * 2 or IDLE_SECONDS, LONGEST_PAUSE_SECONDS)

    def _beat(self) -> None:
        if clock.monotonic() >= self._beat_at:
            now = clock.timestamp()
            os.utime(self.held, (now, now))
            gc.collect()  # not in the midst of a batch, whose rows it would walk again and again
            self._beat_at = clock.monotonic() + BEAT_SECONDS
