"""One file that holds the installation, and back.

A backup is a tar file: the database, the media folder, clicks that wait in their spool, the
few notes of the data folder that a restored product needs, and `manifest.json` at the end.
It never holds a key: keep PORTEVOIX_SECRET_KEY (or `secret_key` of the data folder)
elsewhere, stored secrets cannot be read without it.

SQLite is copied by its own backup, which waits for nobody; PostgreSQL by its `pg_dump`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from sqlalchemy import URL, make_url

from app import clock, migrating
from app.cli import Refused
from app.config import Settings
from app.media.store import folder_of

FORMAT = "portevoix-backup-1"
MANIFEST = "manifest.json"
SQLITE, POSTGRES = "database.sqlite", "database.pgdump"
MEDIA, SPOOL = "media", "spool"
NOTES = ("clock_offset", "demo_filled")
BLOCK = 1 << 20


@dataclass
class Manifest:
    """What a backup says about itself; `files` are SHA-256 by name."""

    format: str = FORMAT
    made_at: str = ""
    revisions: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


# Writing


def write(settings: Settings, draft: Path, folder: Path) -> Manifest:
    """Make the tar file `draft`, using `folder` for the copy of the database. The manifest
    knows every file, so it comes last: a backup without it was cut short."""
    database = _copy_database(settings, folder)
    manifest = Manifest(made_at=clock.now().isoformat(), revisions=sorted(migrating.revisions()))
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with tarfile.open(fileobj=out, mode="w") as tar:
            _add(tar, manifest, database, database.name)
            for name, path in _files(settings):
                _add(tar, manifest, path, name)
            words = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size, info.mode = len(words), 0o600
            tar.addfile(info, io.BytesIO(words))
        out.flush()
        os.fsync(out.fileno())
    return manifest


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files beside the database: name in the backup, and where they are."""
    for name in NOTES:
        if (settings.data_dir / name).is_file():
            yield name, settings.data_dir / name
    for name, folder in ((MEDIA, folder_of(settings)), (SPOOL, settings.data_dir / SPOOL)):
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _add(tar: tarfile.TarFile, manifest: Manifest, path: Path, name: str) -> None:
    """Add one file as long as it is now; a spool may grow meanwhile. One that has gone since
    it was listed is left out."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return
    with source:
        info = tarfile.TarInfo(name)
        info.size, info.mode = os.fstat(source.fileno()).st_size, 0o600
        reader = _Hashing(source)
        tar.addfile(info, reader)
        manifest.files[name] = reader.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A file that is digested while it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._source = source

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self.digest.update(block)
        return block


def _copy_database(settings: Settings, folder: Path) -> Path:
    url = make_url(settings.database_url)
    if not settings.is_sqlite:
        target = folder / POSTGRES
        _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={target}")
        return target
    source = Path(url.database or "")
    if not source.is_file():
        raise Refused(f"there is no database yet in {source}")
    target = folder / SQLITE
    with (
        contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")
    return target


def _run(program: str, url: URL, *words: str) -> None:
    """Run one of PostgreSQL's programs; what it must know goes by its environment, because
    others can read a command line."""
    if shutil.which(program) is None:
        raise Refused(f"{program} is not installed here (Debian: package postgresql-client)")
    known = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": str(url.port) if url.port else None,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    env = {**os.environ, **{name: str(value) for name, value in known.items() if value}}
    done = subprocess.run([program, *words], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{program} failed: {done.stderr.strip()}")


# Reading


def unpack(file: Path, folder: Path) -> Manifest:
    """Read and check all of `file` into `folder`. Raises `Refused` and changes nothing else."""
    found: dict[str, str] = {}
    manifest = None
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                if member.name == MANIFEST:
                    manifest = _read_manifest(tar, member)
                else:
                    found[member.name] = _extract(tar, _expected(member), folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refused(f"{file} cannot be read: {error}") from error
    if manifest is None:
        raise Refused(f"{file} is not a backup of Portevoix, or only the beginning of one")
    if found != manifest.files:
        wrong = sorted(set(found.items()) ^ set(manifest.files.items()))
        raise Refused(f"{file} is damaged: {wrong[0][0]}")
    return manifest


def _read_manifest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Manifest:
    stream = tar.extractfile(member)
    try:
        manifest = Manifest(**json.loads(stream.read() if stream else b""))
    except (ValueError, TypeError) as error:
        raise Refused("this is not a backup of Portevoix") from error
    if manifest.format != FORMAT:
        raise Refused(f"a backup of another format ({manifest.format})")
    if not set(manifest.revisions) <= migrating.revisions():
        raise Refused("the backup was made by a newer version: update Portevoix first")
    return manifest


def _expected(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file that belongs in a backup; anything else, and names that lead elsewhere, are
    refused."""
    path = PurePosixPath(member.name)
    inside = path.parts[:1] in ((MEDIA,), (SPOOL,)) and len(path.parts) > 1
    known = inside or member.name in (SQLITE, POSTGRES, *NOTES)
    if not member.isfile() or ".." in path.parts or not known:
        raise Refused(f"the backup holds something unexpected: {member.name}")
    return member


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> str:
    """Write one file below `folder`; its SHA-256."""
    target = folder / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    digest = hashlib.sha256()
    with target.open("wb") as out:
        while source is not None and (block := source.read(BLOCK)):
            digest.update(block)
            out.write(block)
    return digest.hexdigest()


def put_back(settings: Settings, folder: Path) -> None:
    """Move what was unpacked to where the product looks for it."""
    stamp = f"before-restore-{clock.now():%Y%m%dT%H%M%S}"
    _put_back_database(settings, folder, stamp)
    for name, target in ((MEDIA, folder_of(settings)), (SPOOL, settings.data_dir / SPOOL)):
        _swap(folder / name, target, stamp)
    for name in NOTES:
        (settings.data_dir / name).unlink(missing_ok=True)
        if (folder / name).exists():
            (folder / name).rename(settings.data_dir / name)


def _put_back_database(settings: Settings, folder: Path, stamp: str) -> None:
    url = make_url(settings.database_url)
    wanted = SQLITE if settings.is_sqlite else POSTGRES
    if not (folder / wanted).exists():
        raise Refused("the backup is of the other kind of database than PORTEVOIX_DATABASE_URL")
    if not settings.is_sqlite:
        words = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
        _run("pg_restore", url, *words, f"--dbname={url.database}", str(folder / POSTGRES))
        return
    _check_sqlite(folder / SQLITE)
    target = Path(url.database or "")
    _fold_journal(target)
    for suffix in ("-wal", "-shm", ""):
        old = target.with_name(target.name + suffix)
        if old.exists():
            old.rename(target.with_name(f"{target.name}.{stamp}{suffix}"))
    shutil.move(folder / SQLITE, target)


def _fold_journal(database: Path) -> None:
    """Bring a database's journal into its file, so that one file is all of it. A damaged one
    keeps its journal beside it."""
    if not database.exists():
        return
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(database)) as connection,
    ):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _check_sqlite(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()
    if answer != ("ok",):
        raise Refused("the database in the backup is damaged")


def _swap(new: Path, target: Path, stamp: str) -> None:
    if target.exists():
        target.rename(target.with_name(f"{target.name}.{stamp}"))
    if new.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(new, target)
