"""The one SQLite file in which members, tokens, media and posts outlive the process."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

Value = str | int | float | bytes | None

SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS client (
    client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, name TEXT NOT NULL,
    redirect_uris TEXT NOT NULL, scope TEXT NOT NULL, member_day_limit INTEGER NOT NULL, app_day_limit INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS member (
    sub TEXT PRIMARY KEY, person TEXT NOT NULL, client_id TEXT, name TEXT NOT NULL,
    given_name TEXT NOT NULL, family_name TEXT NOT NULL, email TEXT, has_picture INTEGER NOT NULL,
    country TEXT NOT NULL, language TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS code (
    hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, sub TEXT NOT NULL,
    scope TEXT NOT NULL, created_at REAL NOT NULL, used_at REAL);
CREATE TABLE IF NOT EXISTS token (
    hash TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, client_id TEXT, sub TEXT,
    scope TEXT NOT NULL, issued INTEGER NOT NULL, created_at REAL NOT NULL,
    expires_at REAL NOT NULL, revoked_at REAL, userinfo_calls INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS token_member ON token (sub, client_id);
CREATE TABLE IF NOT EXISTS refresh_token (
    hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, sub TEXT NOT NULL, scope TEXT NOT NULL,
    created_at REAL NOT NULL, expires_at REAL NOT NULL, revoked_at REAL);
CREATE TABLE IF NOT EXISTS media (
    urn TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, upload_key TEXT NOT NULL UNIQUE,
    upload_expires_at REAL NOT NULL, size_bytes INTEGER, uploaded_at REAL, failure TEXT,
    used INTEGER NOT NULL DEFAULT 0, format TEXT, width INTEGER, height INTEGER, sha256 TEXT,
    content BLOB);
CREATE TABLE IF NOT EXISTS media_part (
    urn TEXT NOT NULL, first_byte INTEGER NOT NULL, etag TEXT NOT NULL, PRIMARY KEY (urn, first_byte));
CREATE TABLE IF NOT EXISTS post (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, urn TEXT NOT NULL UNIQUE, author TEXT NOT NULL,
    commentary TEXT NOT NULL, text TEXT NOT NULL, cut INTEGER NOT NULL, visibility TEXT NOT NULL,
    content TEXT NOT NULL, body TEXT NOT NULL, via TEXT NOT NULL, token TEXT NOT NULL,
    headers TEXT NOT NULL, same_as TEXT NOT NULL, created_at REAL NOT NULL, edited_at REAL,
    deleted_at REAL);
CREATE INDEX IF NOT EXISTS post_author ON post (author, serial);
CREATE INDEX IF NOT EXISTS post_same ON post (same_as, created_at);
CREATE TABLE IF NOT EXISTS counter (
    day TEXT NOT NULL, name TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (day, name));
"""

_WHAT_RESET_EMPTIES = (
    "code", "token", "refresh_token", "media", "media_part", "post", "counter",
)  # fmt: skip


class Store:
    """Rows by SQL, one transaction at a time; in memory when there is no folder."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        where = ":memory:" if folder is None else str(folder / "linkedin.sqlite3")
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA busy_timeout=10000")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")  # durable before it is answered
        self._make_tables()

    def _make_tables(self) -> None:
        """Tables of this version; what another version had written is let go."""
        with self.transaction():
            found = self.all("SELECT name FROM sqlite_master WHERE type = 'table'")
            row = self.one("PRAGMA user_version")
            if row is not None and row["user_version"] != SCHEMA_VERSION:
                for name in (table["name"] for table in found):
                    if not name.startswith("sqlite_"):
                        self.run(f"DROP TABLE {name}")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self.run(statement)
            self.run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept or nothing; alone with the store meanwhile."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def one(self, sql: str, *values: Value) -> sqlite3.Row | None:
        """The first row."""
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """Every row."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Value) -> int:
        """Changes rows; how many."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def put(self, table: str, **values: Value) -> None:
        """Writes one row, in place of the one with the same key."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self.run(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", *values.values())

    def setting(self, name: str) -> str | None:
        """A text kept under `name`."""
        row = self.one("SELECT value FROM setting WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def reset(self) -> None:
        """Empties all but applications, members and the signing key."""
        with self.transaction():
            for table in _WHAT_RESET_EMPTIES:
                self.run(f"DELETE FROM {table}")

    def close(self) -> None:
        """Ends after the transaction under way."""
        with self._lock:
            self._connection.close()


def hash_of(secret: str) -> str:
    """What is kept of a token or code: never the thing itself."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def fingerprint(secret: str) -> str:
    """The first twelve signs of the hash, by which a token may be told apart on pages."""
    return hash_of(secret)[:12]
