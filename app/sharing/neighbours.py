"""What features above sharing add to its pages.

Imports go down only, so the composer cannot ask the points what a share brings. The feature
that knows says here, once, at the start, who tells.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from app.sharing.composing import Subject


@dataclass(frozen=True, slots=True)
class WorthLine:
    """One rule that may give points: what for, how many, and its limits in words."""

    label: str
    points: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    """What one share may bring, said before it is pressed (F17). `summary` is the line that
    is seen first ("15 points, then 2 a visit"), `note` what is left of a limit."""

    summary: str
    lines: tuple[WorthLine, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class EarnedLine:
    """What one rule made of a post: how many `points` it gave or holds, and why in words.
    `state`: 'yours', 'held', 'capped' (above a limit) or 'undone'."""

    label: str
    points: int
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Earned:
    """What one post has brought so far: `points` that are there, `held` that wait for their
    day. `url` leads to the lines themselves."""

    points: int
    held: int
    lines: tuple[EarnedLine, ...]
    url: str


Teller = Callable[[uuid.UUID, Subject], Worth]
Counter = Callable[[uuid.UUID], Earned | None]

_tellers: list[Teller] = []
_counters: list[Counter] = []


def worth_by(teller: Teller) -> None:
    """`teller` (person id, subject) says what a share brings; the last one to say so counts."""
    _tellers[:] = [teller]


def worth(person_id: uuid.UUID, subject: Subject) -> Worth | None:
    """What this person may gain by sharing this; None where nobody gives points."""
    return _tellers[0](person_id, subject) if _tellers else None


def earned_by(counter: Counter) -> None:
    """`counter` (share id) says what a post brought; the last one to say so counts."""
    _counters[:] = [counter]


def earned(share_id: uuid.UUID) -> Earned | None:
    """What a post brought its author so far; None where nobody gives points."""
    return _counters[0](share_id) if _counters else None
