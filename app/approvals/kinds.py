"""The kinds of act that may wait for a second person, as their features register them.

This package knows no feature and nobody: a feature brings what an act does and what it is called
(`register`), the directory brings who holds which role (`know_people`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from app.errors import Sentence

Payload = dict[str, object]
"""What an act needs to happen: codes, identifiers, and the programme's own words of a thing."""

Apply = Callable[[Payload, uuid.UUID], object]
"""Does the act by the feature's own service, in the transaction of the decision; the identifier
is that of the person who asked for it. What it returns goes to whoever acted alone. Raises a
`DomainError` where it cannot be done any more."""

Describe = Callable[[Sequence[Payload]], list[str]]
"""Some acts of a kind in words for somebody who may decide, one sentence each, in one go."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`roles` ask for it and, held for the whole organisation, decide it. `link` leads to
    where the thing stands, if it does."""

    code: str
    title: Sentence
    roles: frozenset[str]
    apply: Apply
    describe: Describe
    link: Callable[[Payload], str] | None = None


Holders = Callable[[Collection[str], bool], frozenset[uuid.UUID]]
"""Who holds one of some roles, is here and may use it: for the whole organisation, or (False)
anywhere in it."""

_kinds: Final[dict[str, Kind]] = {}
_holders: Holders = lambda roles, everywhere: frozenset()  # noqa: E731


def register(kind: Kind) -> None:
    """Have acts of this kind wait where a second person is asked for."""
    _kinds[kind.code] = kind


def kind_of(code: str) -> Kind:
    """A registered kind. Raises `KeyError` for one that no feature brings."""
    return _kinds[code]


def all_kinds() -> list[Kind]:
    """Every kind, in the order of registration."""
    return list(_kinds.values())


def decided_by(roles: Collection[str]) -> list[str]:
    """The kinds that somebody with these roles decides."""
    return [kind.code for kind in _kinds.values() if kind.roles & {*roles}]


def know_people(holders: Holders) -> None:
    """Say who holds which role."""
    global _holders
    _holders = holders


def able(kind: Kind) -> frozenset[uuid.UUID]:
    """Who may decide about acts of this kind at present."""
    return _holders(kind.roles, True)


def may_ask(kind: Kind) -> frozenset[uuid.UUID]:
    """Who may ask for acts of this kind: a role for a part of the organisation is enough, its
    pages keep to that part."""
    return _holders(kind.roles, False)
