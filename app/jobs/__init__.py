"""Work outside requests: the relay hands deliveries to RQ, workers run them, the scheduler
keeps time.

One machine or many run the same code. The queue server may be away or lose everything: the
database holds what must be done (`app.outbox`), the queue only says it quickly. Nothing in
a request ever enqueues; it leaves a hint for the relay (`wake`) and goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings

__all__ = ["start"]


def start(app: Flask, settings: Settings) -> None:
    """Let facts recorded by this process wake the relay. Opens no connection yet."""
    from app.jobs import tasks, wake

    tasks.bind(app)
    wake.install(settings.redis_url)
