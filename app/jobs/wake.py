"""A hint to the relay that there is something to do.

It may get lost, because the relay looks every second anyway; so a request never waits for
it: a tenth of a second at most, and after a failure nobody asks for five seconds.
"""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app import clock
from app.outbox import service as outbox

KEY = "portevoix:wake"
TIMEOUT_SECONDS = 0.1
BREAK_SECONDS = 5.0


class Waker:
    """Leaves one hint in the queue server, with a circuit breaker."""

    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._silent_until = 0.0

    def __call__(self) -> None:
        if clock.monotonic() < self._silent_until:
            return
        try:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.lpush(KEY, 1)
                pipe.ltrim(KEY, 0, 0)
                pipe.execute()
        except (RedisError, OSError):
            self._silent_until = clock.monotonic() + BREAK_SECONDS


def install(url: str | None) -> None:
    """Wake the relay through the queue server at `url`; without one, let it look by itself."""
    outbox.set_waker(Waker(url) if url else None)


def wait(client: Redis, seconds: int) -> bool:
    """Wait for a hint, at most `seconds`; whether one came. Raises `RedisError`."""
    return client.blpop([KEY], timeout=seconds) is not None
