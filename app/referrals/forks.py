"""Objects that hold what a forked child must not share: locks, files, connections."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class BeginsAnew(Protocol):
    """Something that can shed what its parent process had."""

    def after_fork(self) -> None:
        """Called in the child, before anything else runs there."""


_known: weakref.WeakSet[BeginsAnew] = weakref.WeakSet()
_left: list[object] = []


def begin_anew(each: BeginsAnew) -> None:
    """Have `after_fork` called in every child, as long as the object lives."""
    _known.add(each)


def leave(thing: object) -> None:
    """Keep something of the parent's for good that must not even be closed here."""
    _left.append(thing)


def _after_fork() -> None:
    for each in list(_known):
        each.after_fork()


os.register_at_fork(after_in_child=_after_fork)
