"""What features above the points add to its pages.

Imports go down only, so the statement cannot ask the rewards what a line was spent on. A
feature that spends points says here, once, at the start, how its lines are told.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """A line in the words of the feature that made it. `url` leads to its receipt."""

    title: str
    about: str = ""
    evidence: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Something to show beside the statement: a template and what it shows, which it finds
    as `section.shown`."""

    template: str
    shown: Mapping[str, object]


Teller = Callable[[Collection[uuid.UUID]], dict[uuid.UUID, Told]]
Beside = Callable[[], Section]

_tellers: dict[str, Teller] = {}
_beside: list[Beside] = []


def tells(code: str, teller: Teller) -> None:
    """Lines of this ledger code are told by `teller`: subjects in, words out, one query."""
    _tellers[code] = teller


def told(subjects: dict[str, set[uuid.UUID]]) -> dict[uuid.UUID, Told]:
    """The words for the subjects of a page's lines, by code."""
    found: dict[uuid.UUID, Told] = {}
    for code, ids in subjects.items():
        if code in _tellers and ids:
            found |= _tellers[code](ids)
    return found


def stands_beside(draw: Beside) -> None:
    """`draw` makes a section for the side of the statement; its template
    finds the points to spend as `available`."""
    if draw not in _beside:
        _beside.append(draw)


def beside() -> list[Section]:
    """The sections for the side of the statement."""
    return [draw() for draw in _beside]
