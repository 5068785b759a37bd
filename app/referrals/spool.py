"""The spool: where an opened link is on disk before its visitor is sent on.

Each web process appends to a file of its own, whole records of one size. One thread writes:
what comes while the disk is busy goes out together with its next write, and each is told once
its record is safe from a power cut. One ingester for each host moves what stands here into the
database and removes a file that is read and whose writer is gone: the writer holds a lock on it
as long as it lives.

A record holds no address and no browser string. What the disk refuses is cut off again, so
that a file is whole records and, after a power cut, at most one torn one at its end; losses
are counted where counting needs no space.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import logging
import os
import secrets
import struct
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from app import clock
from app.config import Settings
from app.db import new_id
from app.referrals import forks

log = logging.getLogger(__name__)

SUFFIX = ".clicks"
LIMIT = 8 * 1024 * 1024  # bytes; then a file of its own begins
SAID_EVERY = 60.0  # seconds between two lines of the log about losses

QUIET = 5.0  # seconds without a record after which the thread that writes ends
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# The order is the format: new verdicts come last.
VERDICTS = ("person", "head", "probe", "prefetch", "robot", "scanner", "self", "colleague")
_NUMBER = {verdict: number for number, verdict in enumerate(VERDICTS)}
_MAGIC, _VERSION = b"PV", 1
_BODY = struct.Struct("<2sBB16s16s16sq32s")  # magic, version, verdict, ids, microseconds, key
_CHECK = struct.Struct("<I")
SIZE = _BODY.size + _CHECK.size
NOBODY = bytes(16)  # in place of the share where there is none
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One opening. `visitor_key` is 64 hexadecimal figures; `verdict` one of `VERDICTS`."""

    click_id: uuid.UUID
    link_id: uuid.UUID
    share_id: uuid.UUID | None
    occurred_at: dt.datetime
    verdict: str
    visitor_key: str


def encode(click: bytes, link: bytes, share: bytes, at: int, verdict: str, key: bytes) -> bytes:
    """A record of its bare parts: ids of 16 bytes, microseconds since 1970, a key of 32 bytes."""
    body = _BODY.pack(_MAGIC, _VERSION, _NUMBER[verdict], click, link, share, at, key)
    return body + _CHECK.pack(zlib.crc32(body))


def pack(line: Line) -> bytes:
    """The `SIZE` bytes of one opening."""
    return encode(
        line.click_id.bytes,
        line.link_id.bytes,
        line.share_id.bytes if line.share_id else NOBODY,
        (line.occurred_at - _EPOCH) // _MICROSECOND,
        line.verdict,
        bytes.fromhex(line.visitor_key),
    )


Parts = tuple[bytes, bytes, bytes, int, str, bytes]


def decode(raw: bytes) -> Parts | None:
    """The bare parts of a record in the order of `encode`; None where it is torn, damaged or of
    a version to come."""
    if len(raw) != SIZE or zlib.crc32(raw[: _BODY.size]) != _CHECK.unpack_from(raw, _BODY.size)[0]:
        return None
    magic, version, number, click, link, share, at, key = _BODY.unpack_from(raw)
    if magic != _MAGIC or version != _VERSION or number >= len(VERDICTS):
        return None
    return click, link, share, at, VERDICTS[number], key


def unpack(raw: bytes) -> Line | None:
    """The opening of a record; None where `decode` finds none."""
    parts = decode(raw)
    if parts is None:
        return None
    click, link, share, at, verdict, key = parts
    return Line(
        uuid.UUID(bytes=click),
        uuid.UUID(bytes=link),
        None if share == NOBODY else uuid.UUID(bytes=share),
        _EPOCH + at * _MICROSECOND,
        verdict,
        key.hex(),
    )


# --- the folder --------------------------------------------------------------------------


def folder(settings: Settings) -> Path:
    """Where this host's spool files are."""
    return settings.data_dir / "spool"


def host_of(folder: Path) -> str:
    """The name of the host whose folder this is: 32 hexadecimal figures, made at the first call
    and kept beside the files, because positions in the database are told apart by it."""
    file = folder / "host"
    with contextlib.suppress(OSError):
        return file.read_text()
    _make(folder)
    draft = folder / f"host.{secrets.token_hex(4)}"
    _write_whole(draft, secrets.token_hex(16).encode())
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)  # where another process was faster its name stands
    draft.unlink()
    _sync_entries(folder)
    return file.read_text()


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync_entries(folder.parent)


def _sync_entries(folder: Path) -> None:
    """A new name is safe from a power cut only with the folder it stands in."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_whole(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError(f"{file.name} could not be written whole")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- losses ------------------------------------------------------------------------------

_LOST = struct.Struct("<qq")  # how many since ever, microseconds of the last one


def lost(folder: Path) -> int:
    """How many openings this host could not keep, since it was installed."""
    return _losses(folder)[0]


def last_lost_at(folder: Path) -> dt.datetime | None:
    """When it last happened."""
    count, at = _losses(folder)
    return _EPOCH + at * _MICROSECOND if count else None


def _losses(folder: Path) -> tuple[int, int]:
    try:
        raw = (folder / "lost").read_bytes()
    except OSError:
        return 0, 0
    return _LOST.unpack(raw) if len(raw) == _LOST.size else (0, 0)


class _Losses:
    """Counts losses of all processes of a host in one small file. It is opened, and takes the
    space it will ever need, while all is well; then counting only overwrites it."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / "lost", os.O_RDWR | os.O_CREAT, 0o600)
        with self._alone():
            if os.fstat(self._descriptor).st_size != _LOST.size:
                os.pwrite(self._descriptor, _LOST.pack(0, 0), 0)
                os.fsync(self._descriptor)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def add(self, count: int) -> bool:
        """False where even this cannot be written."""
        try:
            with self._alone():
                known, _ = _LOST.unpack(os.pread(self._descriptor, _LOST.size, 0))
                now = (clock.now() - _EPOCH) // _MICROSECOND
                os.pwrite(self._descriptor, _LOST.pack(known + count, now), 0)
        except (OSError, struct.error):
            return False
        return True

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


# --- writing -----------------------------------------------------------------------------


class _File:
    """One file of the spool with its lock, from its first byte to its last."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        # It gets its name when it is locked: unlocked, it would seem to be left behind.
        name = new_id().hex
        draft = folder / f"{name}.new"
        self.path = folder / f"{name}{SUFFIX}"
        self.descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_DSYNC, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(draft, self.path)
            os.fsync(self.descriptor)
            _sync_entries(folder)
        except BaseException:
            self.close()
            for left in (draft, self.path):
                left.unlink(missing_ok=True)
            raise

    def add(self, raw: bytes) -> tuple[int, OSError | None]:
        """How many of these records are on disk for good, counted from the first, and why not
        all of them."""
        view, written, refused = memoryview(raw), 0, None
        while written < len(raw) and refused is None:
            try:
                # Synced as it is written (O_DSYNC): one call where a write and a sync are two.
                written += os.pwrite(self.descriptor, view[written:], self.size + written)
            except OSError as error:
                refused = error
        whole = written // SIZE
        self.size += whole * SIZE
        if refused is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, self.size)
        return whole, refused

    def close(self) -> None:
        """Also lets go of the lock."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


Tell = Callable[[bool], object]


class _Wait:
    """Called once with the outcome that a thread waits for."""

    __slots__ = ("_is_kept", "_told")

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._told.acquire()
        self._is_kept = False

    def __call__(self, is_kept: bool) -> None:
        self._is_kept = is_kept
        self._told.release()

    def outcome(self) -> bool:
        self._told.acquire()
        return self._is_kept


class Spool:
    """The spool of one process. Nothing is opened before the first record; the thread that
    writes ends after a quiet time, and a forked child begins anew with a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: _File | None = None
        self._losses: _Losses | None = None
        self._begin()
        self._uncounted = self._unsaid = 0
        self._said_at: float | None = None
        forks.begin_anew(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._coming: SimpleQueue[tuple[bytes, Tell] | None] = SimpleQueue()

    def append(self, line: Line) -> bool:
        """Keep one opening; True once it is on disk, False if it could not be kept."""
        return self.keep(pack(line))

    def keep(self, raw: bytes) -> bool:
        """The same for a record of `encode`."""
        wait = _Wait()
        self.keep_then(raw, wait)
        return wait.outcome()

    def keep_then(self, raw: bytes, tell: Tell) -> None:
        """The same, without waiting: the outcome is told in the thread that writes. A thread
        that waits has to be woken and to queue for the interpreter, which costs more than all
        else that is done for an opening."""
        self._coming.put((raw, tell))
        if self._writer is None:
            self._begin_to_write()

    def _begin_to_write(self) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="spool", daemon=True)
                self._writer.start()

    def _write(self) -> None:
        """Until a quiet time, or until the spool is closed."""
        while turns := self._taken():
            kept = 0
            try:
                kept = self._keep([raw for raw, _ in turns])
            except Exception:
                log.exception("openings of links could not be kept")
            for place, (_, tell) in enumerate(turns):
                try:
                    tell(place < kept)
                except Exception:
                    log.exception("an opened link could not be answered")

    def _taken(self) -> list[tuple[bytes, Tell]]:
        """All that has come, waited for if nothing has; empty where this thread is to end."""
        turns: list[tuple[bytes, Tell]] = []
        with contextlib.suppress(Empty):
            turn = self._coming.get(timeout=QUIET)
            while turn is not None:
                turns.append(turn)
                turn = self._coming.get_nowait()
            if turns:
                self._coming.put(None)  # the end was asked for in their midst
        if not turns:
            self._writer = None
            if not self._coming.empty():  # by somebody who still saw this thread
                self._begin_to_write()
        return turns

    def _keep(self, records: list[bytes]) -> int:
        """How many were kept, counted from the first."""
        kept, why = 0, None
        try:
            file = self._ready(len(records) * SIZE)
            kept, why = file.add(b"".join(records))
        except OSError as error:
            why = error
        if why is not None:
            if why.errno not in FULL:  # of such a file nobody knows what the next write does
                self._leave()
            self._count(len(records) - kept, why)
        return kept

    def _ready(self, size: int) -> _File:
        """The file to write to, with room for `size` bytes."""
        if self._losses is None:
            _make(self.folder)
            self._losses = _Losses(self.folder)
        if self._uncounted and self._losses.add(self._uncounted):
            self._uncounted = 0
        if self._file is None:
            self._file = _File(self.folder)
        elif self._file.size + size > LIMIT:
            with contextlib.suppress(OSError):  # a file that grows is better than none
                following = _File(self.folder)
                self._leave()
                self._file = following
        return self._file

    def _leave(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _count(self, count: int, why: OSError) -> None:
        self._uncounted += count
        if self._losses is not None and self._losses.add(self._uncounted):
            self._uncounted = 0
        self._unsaid += count
        now = clock.monotonic()
        if self._said_at is None or now - self._said_at >= SAID_EVERY:
            log.error("%d openings of links could not be kept: %s", self._unsaid, why.strerror)
            self._unsaid, self._said_at = 0, now

    def close(self) -> None:
        """Let go of the file, so that the ingester may remove it once it is read."""
        writer = self._writer
        if writer is not None:
            self._coming.put(None)
            writer.join()
        self._leave()
        self._losses = None

    def __del__(self) -> None:
        self._leave()

    def after_fork(self) -> None:
        """The thread stayed with the parent. Its lock must end with it, too: the parent's
        descriptors are closed here."""
        self._begin()
        self.close()
