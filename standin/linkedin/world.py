"""Everything one stand-in holds, handed to each of its routes."""

from __future__ import annotations

import collections
import contextlib
import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from standin.linkedin.clock import Clock, rfc3339
from standin.linkedin.faults import Faults
from standin.linkedin.knobs import Knobs
from standin.linkedin.store import Store
from standin.linkedin.wire import Json


class Journal:
    """Counts of requests by method and route, and the last 200, without secrets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: collections.Counter[str] = collections.Counter()
        self._last: collections.deque[Json] = collections.deque(maxlen=200)
        self._in_progress = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """While a whole request is handled."""
        with self._lock:
            self._in_progress += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_progress -= 1

    def note(self, entry: Json) -> None:
        """A request, answered or not, whole or not."""
        with self._lock:
            self._counts[f"{entry['method']} {entry['path']}"] += 1
            self._last.append(entry)

    def as_json(self) -> Json:
        """`counts` by method and route, `in_progress`, and `last`, oldest first."""
        with self._lock:
            return {
                "counts": dict(sorted(self._counts.items())),
                "in_progress": self._in_progress,
                "last": list(self._last),
            }

    def clear(self) -> None:
        """Forgets counts and entries."""
        with self._lock:
            self._counts.clear()
            self._last.clear()


@dataclass(slots=True)
class World:
    """The store, the switches and the address of one stand-in."""

    store: Store
    first_knobs: Knobs = field(default_factory=Knobs)
    clock: Clock = field(default_factory=Clock)
    address: str = ""
    knobs: Knobs = field(init=False)
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        self.turn_knobs_back()

    def timestamp(self) -> float:
        """Seconds since 1970 on the stand-in's clock."""
        return self.clock.timestamp()

    def moment(self) -> str | None:
        """The same as RFC 3339, for lists."""
        return rfc3339(self.timestamp())

    def turn_knobs_back(self) -> None:
        """Every knob as at the start."""
        self.knobs = copy.deepcopy(self.first_knobs)

    def reset(self) -> None:
        """As at the start, but for applications, members and the signing key."""
        self.store.reset()
        self.turn_knobs_back()
        self.clock.back_to_start()
        self.faults.clear()
        self.journal.clear()
