"""One running product for each data folder.

The lock is the kernel's (flock), so nothing stale can be left behind. Every part inherits
it: while it is held, something of that run is still alive. What runs and where its queue
server listens is written beside it for the console.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app import clock

LOCK_FILE = "up.lock"
STATE_FILE = "up.json"
LAST_BREATH_SECONDS = 5.0
# The console looks whether something runs by holding the lock for an instant.
GLANCE_SECONDS = 0.2


class AlreadyRunning(Exception):
    """Another `up` has this data folder."""


@dataclass
class State:
    """What runs, for the console and for the next start."""

    pid: int
    address: str
    redis_url: str
    runtime: str = ""
    parts: dict[str, int] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)


def acquire(data_dir: Path) -> int:
    """Take the data folder; the open file that holds it. Raises `AlreadyRunning` naming the pid.

    Parts of a run that was killed need a moment to die: they are waited for.
    """
    descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o640)
    began = clock.monotonic()
    while not _lock(descriptor):
        pid = _holder(descriptor)
        patience = GLANCE_SECONDS if pid is None or _is_alive(pid) else LAST_BREATH_SECONDS
        if clock.monotonic() - began > patience:
            os.close(descriptor)
            whose = f"by process {pid}" if pid else "by another process"
            raise AlreadyRunning(f"Portevoix already runs in {data_dir} ({whose}).")
        clock.sleep(0.05)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_held(data_dir: Path) -> bool:
    """Whether something runs in this data folder."""
    try:
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def write(data_dir: Path, state: State) -> None:
    """Replace the note about what runs, whole."""
    draft = data_dir / f"{STATE_FILE}.new"
    draft.write_text(json.dumps(asdict(state)))
    draft.replace(data_dir / STATE_FILE)


def read(data_dir: Path) -> State | None:
    """The last note, also of a run that is over; None where there is none."""
    try:
        return State(**json.loads((data_dir / STATE_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(data_dir: Path) -> State | None:
    """What runs in this data folder now, or None."""
    return read(data_dir) if is_held(data_dir) else None


def remove(data_dir: Path) -> None:
    """Nothing runs any more."""
    (data_dir / STATE_FILE).unlink(missing_ok=True)
