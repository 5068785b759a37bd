"""How many processes run what; only `up` and `web` ask."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from app.config import PREFIX, SettingsError

SERVERS = ("granian", "gunicorn")


@dataclass(frozen=True, slots=True)
class Options:
    """`threads` is for each web worker."""

    server: str
    web_workers: int
    threads: int
    job_workers: int


def _number(env: Mapping[str, str], name: str, default: int, high: int) -> int:
    raw = env.get(PREFIX + name) or str(default)
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= high):
        raise SettingsError(PREFIX + name, f"a whole number from 1 to {high}, not {raw!r}")
    return int(raw)


def load(environ: Mapping[str, str] | None = None) -> Options:
    """Read and check. Raises `SettingsError`."""
    env = os.environ if environ is None else environ
    server = env.get(PREFIX + "SERVER") or SERVERS[0]
    if server not in SERVERS:
        raise SettingsError(PREFIX + "SERVER", f"{' or '.join(SERVERS)}, not {server!r}")
    cores = len(os.sched_getaffinity(0))
    return Options(
        server=server,
        web_workers=_number(env, "WEB_WORKERS", min(2, cores), 64),
        threads=_number(env, "WEB_THREADS", 8, 256),
        job_workers=_number(env, "JOB_WORKERS", 2, 64),
    )
