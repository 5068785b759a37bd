"""The visitor secret of the day: in a private file or in the queue server, never in a table.

One machine keeps it in a file with mode 600; several hosts share a key of the queue server
that expires after 48 hours. Once it is gone no visitor key can be computed again.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import secrets
import threading
from pathlib import Path

import redis

from app import clock
from app.config import Settings

KEPT = dt.timedelta(hours=48)
_cache: dict[int, bytes] = {}  # by the day
_finding = threading.Lock()


def secret_of_day(settings: Settings, now: dt.datetime | None = None) -> bytes:
    """32 bytes that are the same all day for all processes."""
    today = (now or clock.now()).toordinal()
    known = _cache.get(today)
    if known is None:
        with _finding:
            known = _cache.get(today)
            if known is None:
                known = _find(settings, dt.date.fromordinal(today).isoformat())
                _cache.clear()
                _cache[today] = known
    return known


def _find(settings: Settings, today: str) -> bytes:
    if settings.redis_url and settings.redis_url.startswith("redis"):
        return _from_queue_server(settings.redis_url, today)
    try:
        return _from_file(settings.data_dir / "visitor_secret", today)
    except OSError:  # a full disk must not hold a visitor
        return secrets.token_bytes(32)  # a repeat may count twice; nobody is named


def _from_queue_server(url: str, today: str) -> bytes:
    client = redis.Redis.from_url(url, socket_timeout=2)
    try:
        name = f"portevoix:visitor-secret:{today}"
        client.set(name, secrets.token_bytes(32), nx=True, ex=KEPT)
        found = client.get(name)
        return found if isinstance(found, bytes) else secrets.token_bytes(32)
    except redis.RedisError:
        return secrets.token_bytes(32)  # without it a repeat may count twice; nobody is named
    finally:
        client.close()


def _from_file(file: Path, today: str) -> bytes:
    """One process after the other, so that all find the same."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        known = _read(file)
        if today not in known:
            oldest = (clock.now() - KEPT).date().isoformat()
            known = {day: value for day, value in known.items() if day > oldest}
            known[today] = secrets.token_hex(32)
            _write(file, known)
        return bytes.fromhex(known[today])
    finally:
        os.close(folder)


def _write(file: Path, known: dict[str, str]) -> None:
    draft = file.with_name(f"{file.name}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(known, out)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, str]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}
