"""Posts side by side in one job: threads come as there is work, and a slow one holds up nobody.

Posts are claimed a few ahead, by one thread at a time and in one transaction, so that the
others find theirs ready. There is always one thread more than there is work: while somebody is
at work (a silent network may take a minute) it looks for what has become due meanwhile. The
others go home when they find nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from flask import Flask

from app import clock

AHEAD = 8
"""Claimed in one go: a fraction of a second's work for the threads of a shift."""
LOOK_AGAIN_SECONDS = 0.5

Work = TypeVar("Work")


class Shift(Generic[Work]):
    """One job's threads. `claim(n)` takes up to `n` pieces of work, `do` works on one and must
    not raise; nothing new is claimed after `seconds`."""

    def __init__(
        self,
        app: Flask,
        claim: Callable[[int], list[Work]],
        do: Callable[[Work], None],
        *,
        seconds: float,
        threads: int,
    ) -> None:
        self._app, self._claim, self._do = app, claim, do
        self._deadline = clock.monotonic() + seconds
        self._most = threads
        self._changed = threading.Condition()
        self._ready: deque[Work] = deque()
        self._helpers: list[threading.Thread] = []
        self._present, self._at_work, self._done = 1, 0, 0
        self._looks_at = 0.0
        self._one_waits = False
        self._error: Exception | None = None

    def run(self) -> int:
        """Work in the calling thread, too; how many pieces were done. Raises what `claim` raised."""
        self._stay()
        for helper in self._helpers:  # the list may still grow meanwhile
            helper.join()
        if self._error is not None:
            raise self._error
        return self._done

    def _stay(self) -> None:
        try:
            while (work := self._next()) is not None:
                try:
                    self._do(work)
                finally:
                    self._finished()
        except Exception as error:  # noqa: BLE001  told to the caller of `run`
            self._error = error
        finally:
            with self._changed:
                self._present -= 1

    def _help(self) -> None:
        with self._app.app_context():
            self._stay()

    def _finished(self) -> None:
        with self._changed:
            self._at_work -= 1
            self._done += 1
            self._looks_at = 0.0  # whose post this was may have another
            self._changed.notify()

    def _next(self) -> Work | None:
        """A piece of work; None when it is time to go home."""
        with self._changed:
            while True:
                self._look()
                if self._ready:
                    self._at_work += 1
                    work = self._ready.popleft()
                    self._call_helpers()
                    return work
                if self._one_waits or not self._at_work or self._is_over:
                    return None
                self._wait()

    def _look(self) -> None:
        """Claim what is due, unless somebody has just seen that there is no more."""
        now = clock.monotonic()
        if self._ready or now < self._looks_at or self._is_over:
            return
        self._ready.extend(self._claim(AHEAD))
        if len(self._ready) < AHEAD:
            self._looks_at = now + LOOK_AGAIN_SECONDS

    @property
    def _is_over(self) -> bool:
        return clock.monotonic() >= self._deadline

    def _wait(self) -> None:
        self._one_waits = True
        try:
            self._changed.wait(LOOK_AGAIN_SECONDS)
        finally:
            self._one_waits = False

    def _call_helpers(self) -> None:
        """One thread more than there is work, within the limit."""
        while self._present < min(self._at_work + len(self._ready) + 1, self._most):
            self._present += 1
            helper = threading.Thread(target=self._help, daemon=True)
            self._helpers.append(helper)
            helper.start()
