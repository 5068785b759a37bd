"""The process that keeps time: it hands due deliveries to the queue and records periodic jobs.

It runs once for the whole installation, by a lease in the database; others wait for it.
A queue server or a database that is away is said once and asked again, ever more slowly;
nothing is lost meanwhile, because what must be done stands in the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Sequence

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.config import Settings
from app.jobs import lease, wake
from app.jobs.periodic import Periodic, record_due
from app.jobs.queue import DeliveryQueue, connect
from app.jobs.relay import LIMIT, relay_once

log = logging.getLogger(__name__)

LEASE_NAME = "scheduler"
LEASE_LENGTH = dt.timedelta(seconds=15)
RENEW_SECONDS = 5.0
PAUSE_SECONDS = 1
LONGEST_PAUSE_SECONDS = 10.0


class Trouble:
    """One thing that may be away: says so once, then when it is back; the pause grows."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._pause = 0.0
        self._until = 0.0

    @property
    def is_on(self) -> bool:
        """It was away when it was last asked."""
        return bool(self._pause)

    @property
    def is_over(self) -> bool:
        """Worth another try now."""
        return clock.monotonic() >= self._until

    def came(self, error: Exception) -> None:
        """It is away."""
        if not self._pause:
            log.warning("%s is away, everything waits in the database: %s", self.what, error)
        self._pause = min(self._pause * 2 or 0.5, LONGEST_PAUSE_SECONDS)
        self._until = clock.monotonic() + self._pause

    def went(self) -> None:
        """It answered."""
        if self._pause:
            log.warning("%s is back", self.what)
        self._pause = self._until = 0.0


class Scheduler:
    """One process's attempt to be the scheduler."""

    def __init__(
        self, app: Flask, settings: Settings, url: str, entries: Sequence[Periodic], holder: str
    ) -> None:
        self.app = app
        self.zone = settings.timezone
        self.resend_after = dt.timedelta(seconds=settings.relay_resend_seconds)
        self.entries = entries
        self.holder = holder
        self.client = connect(url)
        self.queue = DeliveryQueue(connection=self.client)
        self.stopping = False
        self._queue_trouble = Trouble("the queue server")
        self._database_trouble = Trouble("the database")
        self._held_until = 0.0
        self._renew_at = 0.0

    def run(self) -> None:
        """Until `stopping`; then the lease is given back."""
        while not self.stopping:
            if self._try(self._database_trouble, self._hold):
                self._try(self._database_trouble, self._keep_time)
                busy = self._try(self._queue_trouble, self._relay) and not self.stopping
                if not busy:
                    self._wait_for_hint()
            else:
                clock.sleep(PAUSE_SECONDS)
        self._held_until = 0.0
        self._try(self._database_trouble, self._release)

    def _try(self, trouble: Trouble, step: Callable[[], bool]) -> bool:
        """Run one step in a context of its own; False when something is away."""
        if not trouble.is_over:
            return False
        try:
            with self.app.app_context():
                answer = step()
        except RedisError as error:
            self._queue_trouble.came(error)
            return False
        except SQLAlchemyError as error:
            self._database_trouble.came(error)
            return False
        trouble.went()
        return answer

    def _hold(self) -> bool:
        if clock.monotonic() >= self._renew_at:
            asked = clock.monotonic()
            if not lease.hold(LEASE_NAME, self.holder, LEASE_LENGTH):
                self._held_until = 0.0
                return False
            self._renew_at = asked + RENEW_SECONDS
            self._held_until = asked + LEASE_LENGTH.total_seconds()
        return clock.monotonic() < self._held_until

    def _keep_time(self) -> bool:
        return bool(record_due(self.entries, self.zone))

    def _relay(self) -> bool:
        if self._queue_trouble.is_on:
            self.client.ping()
        return relay_once(self.queue, self.resend_after) >= LIMIT

    def _wait_for_hint(self) -> None:
        if not self._queue_trouble.is_over:
            clock.sleep(PAUSE_SECONDS)
            return
        try:
            wake.wait(self.client, PAUSE_SECONDS)
        except RedisError as error:
            self._queue_trouble.came(error)

    def _release(self) -> bool:
        lease.release(LEASE_NAME, self.holder)
        return True


def installation_holder(settings: Settings) -> str:
    """The name of the scheduler that `up` runs: the same after a restart, so that it goes on
    with the lease of the one that was killed. `up` sees to it that there is only one."""
    folder = hashlib.sha256(str(settings.data_dir).encode()).hexdigest()[:16]
    return f"{socket.gethostname()[:40]}:{folder}"


def process_holder() -> str:
    """The name of a scheduler started alone; no two are equal."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def run(
    app: Flask, settings: Settings, url: str, entries: Sequence[Periodic], holder: str | None = None
) -> int:
    """Be the scheduler of this process until SIGTERM or SIGINT; the exit status."""
    scheduler = Scheduler(app, settings, url, entries, holder or process_holder())

    def stop(*_: object) -> None:
        scheduler.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    scheduler.run()
    return 0
