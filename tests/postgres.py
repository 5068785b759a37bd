"""A PostgreSQL server of the tests' own, from Debian's package, as a user who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

USER = "portevoix"
ROOM = 2 * 1024**3
MISSING = "no PostgreSQL server here (Debian: package postgresql)"


def programs() -> Path | None:
    """Where `initdb` and `pg_ctl` are, the newest version first; None without them."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    return next((folder for folder in found if (folder / "postgres").exists()), None)


def _quick() -> Path | None:
    """Memory, where there is enough: a database is copied for each test."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return memory if has_room else None


class Server:
    """A running server on a Unix socket. It waits for the disk only when `durable`."""

    def __init__(self, folder: Path, durable: bool = False) -> None:
        self.home = Path(
            tempfile.mkdtemp(prefix="portevoix-pg-", dir=None if durable else _quick())
        )
        if os.getuid() == 0:
            shutil.chown(self.home, "postgres")
        data = str(self.home / "data")
        _run([str(folder / "initdb"), "-D", data, "-A", "trust", "-U", USER, "-N"])
        self._control = [str(folder / "pg_ctl"), "-D", data, "-w", "-l", str(self.home / "log")]
        options = f"-k {self.home} -c listen_addresses="
        if not durable:
            options += " -c fsync=off -c synchronous_commit=off"
        self._begin = [*self._control, "-o", options, "start"]
        _run(self._begin)

    def halt(self) -> None:
        """Take it away at once, as a power cut would; its files stay."""
        _run([*self._control, "-m", "immediate", "stop"])

    def go_on(self) -> None:
        """Bring it back after `halt`."""
        _run(self._begin)

    def address(self, name: str) -> str:
        """The address of one database, as PORTEVOIX_DATABASE_URL takes it."""
        return f"postgresql://{USER}@/{name}?host={self.home}"

    def create(self, name: str, template: str = "template1") -> str:
        """A new database, a copy of `template`; its address."""
        self._tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.address(name)

    def drop(self, name: str) -> None:
        """Remove it, whoever still uses it."""
        self._tell(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _tell(self, statement: str) -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        """End it and remove its files."""
        _run([*self._control, "-m", "immediate", "stop"])
        shutil.rmtree(self.home, ignore_errors=True)


def _run(words: list[str]) -> None:
    """PostgreSQL refuses to run as root."""
    before = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run(
        [*before, *words],
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def start(*, durable: bool = False) -> Server:
    """A server for this test run; the test that asks is skipped where there is none.

    `durable`: what is committed is on the disk, as in an installation (benchmarks).
    """
    folder = programs()
    if folder is None:
        pytest.skip(MISSING)
    return Server(folder, durable)
