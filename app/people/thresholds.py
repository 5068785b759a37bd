"""Below how many people a figure is not told (rules W2, W5, C6; feature F102), in one place.

`JOINING` bears on counts about joining, `TEAM` on totals of what a group did. An organisation
may ask for more people than these, never for fewer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, TypeVar

from app.settings import organisation

JOINING: Final = 10
TEAM: Final = 5

Key = TypeVar("Key")
Member = TypeVar("Member")


def joining() -> int:
    """How many people a group needs before anything is counted about joining in it (W2)."""
    return _at_least("joining_threshold", JOINING)


def team() -> int:
    """How many people must have done something before their total is told (W5, C6)."""
    return _at_least("team_threshold", TEAM)


def _at_least(setting: str, floor: int) -> int:
    return max(floor, int(getattr(organisation(), setting, None) or 0))


def told(count: int, people: int, least: int) -> int | None:
    """`count`, or None where it rests on fewer than `least` people."""
    return count if people >= least else None


def told_part(part: int, whole: int, least: int) -> int | None:
    """How many of a group did something; None in a group below `least`, and where so few did,
    or did not, that the number would tell who (it would be no secret in a group of which all,
    or none, joined)."""
    few = min(TEAM, least)
    return part if whole >= least and part >= few and whole - part >= few else None


def apart(
    groups: Mapping[Key, Collection[Member]], least: int
) -> list[tuple[Key | None, set[Member]]]:
    """Groups of `least` or more, the largest first; the others together under None, and never so
    few that a subtraction would tell them apart. Nothing when no group is large enough."""
    by_size = sorted(groups.items(), key=lambda group: (-len(group[1]), str(group[0])))
    shown: list[tuple[Key | None, set[Member]]] = [
        (name, set(ids)) for name, ids in by_size if name and len(ids) >= least
    ]
    rest = {id_ for name, ids in by_size if not name or len(ids) < least for id_ in ids}
    while rest and len(rest) < least and shown:
        rest |= shown.pop()[1]
    if not shown:
        return []
    return [*shown, *([(None, rest)] if rest else [])]
