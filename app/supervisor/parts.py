"""The parts of a running product, and how each is started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app import clock
from app.supervisor import processes

SHORTEST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
# A part that lived so long was well: the next pause is the shortest again.
WELL_SECONDS = 10.0


@dataclass
class Part:
    """One process and, unless it stays in its parent's, its session. `title` is what `ps`
    shows."""

    name: str
    title: str
    work: Callable[[], int]
    own_session: bool = True
    pid: int = 0
    born: float = 0.0
    pause: float = 0.0
    due: float = field(default=0.0)

    @property
    def is_running(self) -> bool:
        return self.pid != 0

    def start(self) -> None:
        """Fork it."""
        self.born = clock.monotonic()
        self.pid = processes.fork(self.title, self.work, own_session=self.own_session)

    def bury(self) -> str:
        """It has ended: end what it left behind, plan the next start; how it ended.

        Its pid stays taken until everything of its session is dead, so no stranger is hit.
        """
        pid, self.pid = self.pid, 0
        clean = processes.end_session(pid)
        status = processes.take_leave(pid) if clean or processes.has_ended(pid) else -9
        well = clock.monotonic() - self.born > WELL_SECONDS
        longer = SHORTEST_PAUSE_SECONDS if well else self.pause * 2 or SHORTEST_PAUSE_SECONDS
        self.pause = min(longer, LONGEST_PAUSE_SECONDS)
        self.due = clock.monotonic() + self.pause
        how = processes.describe(status)
        return how if clean else f"{how}, a process of it would not die"
