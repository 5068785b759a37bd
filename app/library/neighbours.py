"""What features above the library add to its pages.

Imports go down only, so the page of a story cannot ask sharing for its composer. A feature
that has something to show beside a story says so here, once, at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.library.material import Material


@dataclass(frozen=True, slots=True)
class Section:
    """Something to show beside a story: a template and what it shows, which it finds as
    `section.shown`."""

    template: str
    shown: Mapping[str, object]


Beside = Callable[[Material], Section | None]

_beside: list[Beside] = []


def beside_story(draw: Beside) -> None:
    """`draw` makes a section for the page of a story, or None where it has nothing to show."""
    if draw not in _beside:
        _beside.append(draw)


def sections(story: Material) -> list[Section]:
    """What stands beside one story."""
    return [section for draw in _beside if (section := draw(story)) is not None]
