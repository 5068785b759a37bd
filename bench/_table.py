"""What the smaller benchmarks share: sides that take turns, medians, one way to print.

Each side is a function that does one piece of work. The sides alternate for three rounds; a
row compares the medians, and says nothing where the rounds of a side differ by more than
60 %: then the machine was busy with something else.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

ROUNDS = 3
NOISE = 0.6


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` in the direction of its target: at most `most`, or at least `least`. None where
    the rounds differ too much. `ours` and `theirs` are medians in `unit`."""

    work: str
    unit: str
    ours: float
    theirs: float
    ratio: float | None
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where nothing was promised or nothing can be said."""
        if self.ratio is None or (self.most is None and self.least is None):
            return None
        low_enough = self.most is None or self.ratio <= self.most
        return low_enough and (self.least is None or self.ratio >= self.least)


def alternate(
    sides: Mapping[str, Callable[[], object]],
    *,
    count: int = 1,
    rounds: int = ROUNDS,
    turn: int = 0,
) -> dict[str, list[float]]:
    """Seconds for one piece of work of each side, round by round; `count` pieces a round. With
    a `turn` the sides change places after so many pieces, so that a busy moment of the machine
    falls on all of them."""
    times: dict[str, list[float]] = {side: [] for side in sides}
    for act in sides.values():
        act()
    for _ in range(rounds):
        spent = dict.fromkeys(sides, 0.0)
        for done in range(0, count, turn or count):
            for side, act in sides.items():
                began = time.perf_counter()
                for _ in range(min(turn or count, count - done)):
                    act()
                spent[side] += time.perf_counter() - began
        for side, seconds in spent.items():
            times[side].append(seconds / count)
    return times


def is_noise(rounds: Iterable[float]) -> bool:
    """The slowest round took more than 60 % longer than the fastest."""
    found = list(rounds)
    return max(found) > min(found) * (1 + NOISE)


def compare(
    work: str,
    unit: str,
    ours: list[float],
    theirs: list[float],
    *,
    most: float | None = None,
    least: float | None = None,
    note: str = "",
) -> Row:
    """A row: our median by theirs."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratio = None if is_noise(ours) or is_noise(theirs) else mine / other
    return Row(work, unit, mine, other, ratio, most, least, note)


def show(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Print the rows as they come; the same as plain values."""
    print(f"{'work':58} {'unit':>9} {'ours':>10} {'other':>10} {'ratio':>8}  target")
    found = []
    for row in rows:
        ratio = "not measured" if row.ratio is None else f"{row.ratio:8.2f}"
        target = f"<= {row.most:g}" if row.most is not None else ""
        target = f">= {row.least:g}" if row.least is not None else target
        met = {True: "met", False: "MISSED", None: ""}[row.met]
        print(
            f"{row.work:58} {row.unit:>9} {row.ours:10.3g} {row.theirs:10.3g} {ratio:>8}  "
            f"{target} {met} {row.note}".rstrip(),
            flush=True,
        )
        found.append(asdict(row) | {"met": row.met})
    return found
