"""The stand-in's own clock, which tests may set and move."""

from __future__ import annotations

import datetime as dt
import time

_FIRST = dt.datetime(1971, 1, 1, tzinfo=dt.UTC).timestamp()
_LAST = dt.datetime(9990, 1, 1, tzinfo=dt.UTC).timestamp()


class Clock:
    """Runs with the machine's clock, shifted by as much as it was told."""

    def __init__(self, now: dt.datetime | None = None) -> None:
        self._shift_seconds = 0.0
        if now is not None:
            self.set(now)
        self._first_shift_seconds = self._shift_seconds

    def timestamp(self) -> float:
        """Seconds since 1970 in UTC."""
        return time.time() + self._shift_seconds

    def now(self) -> dt.datetime:
        """The present instant, aware, in UTC."""
        return dt.datetime.fromtimestamp(self.timestamp(), dt.UTC)

    def set(self, now: dt.datetime) -> None:
        """Runs on from `now` (naive is taken for UTC)."""
        aware = now if now.tzinfo else now.replace(tzinfo=dt.UTC)
        self.advance(aware.timestamp() - self.timestamp())

    def advance(self, seconds: float) -> None:
        """Jumps by `seconds`, backwards when negative. Raises ValueError outside 1971 to 9990."""
        shift = self._shift_seconds + seconds
        if not _FIRST < time.time() + shift < _LAST:
            raise ValueError("the clock shows years from 1971 to 9990")
        self._shift_seconds = shift

    def back_to_start(self) -> None:
        """Runs on as if it had never been set or moved since the start."""
        self._shift_seconds = self._first_shift_seconds


def rfc3339(seconds: float | None) -> str | None:
    """`2026-11-22T09:00:00.125Z` for seconds since 1970; nothing for nothing."""
    if seconds is None:
        return None
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> dt.datetime:
    """An RFC 3339 instant; naive is taken for UTC. Raises ValueError."""
    moment = dt.datetime.fromisoformat(text.strip().replace(" ", "+"))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
