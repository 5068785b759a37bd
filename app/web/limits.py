"""How often one address may knock. A limit slows, it never locks an account."""

from __future__ import annotations

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.config import Settings

limiter = Limiter(key_func=get_remote_address, default_limits=[])


def start(app: Flask, settings: Settings) -> None:
    """Count in the queue server, so that all hosts count together; in memory while it is away."""
    url = settings.redis_url or "memory://"
    if url.startswith("unix://"):
        url = f"redis+{url}"
    app.config.update(
        RATELIMIT_STORAGE_URI=url,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_ENABLED=settings.env != "test",
    )
    limiter.init_app(app)
