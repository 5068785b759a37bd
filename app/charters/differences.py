"""What changed between two texts of the charter, for somebody who agreed to the first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from app.web.markdown import Block, blocks

SAME, ADDED, REMOVED, CHANGED = "same", "added", "removed", "changed"
_ALIKE: Final = 0.4
"""Share of common words from which two paragraphs are one that was rewritten."""
_LOOK_AHEAD: Final = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a paragraph: 'same', 'added' or 'removed'."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """One paragraph, heading or list item that is 'added', 'removed' or 'changed'.

    `under` is the heading above it ("" for none, and for a heading itself).
    """

    kind: str
    under: str
    pieces: tuple[Piece, ...]


def difference(before: str, after: str) -> list[Change]:
    """Every paragraph that is not the same in two Markdown documents, in reading order."""
    old, new = blocks(before), blocks(after)
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    return [
        change
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
        for change in _replaced(_Side(old, i1, i2), _Side(new, j1, j2))
    ]


@dataclass(frozen=True, slots=True)
class _Side:
    """A run of blocks inside the whole text they belong to."""

    blocks: Sequence[Block]
    start: int
    end: int

    def under(self, at: int) -> str:
        """The heading above the block at one place."""
        if self.blocks[at].kind == "heading":
            return ""
        above = (b.words for b in reversed(self.blocks[:at]) if b.kind == "heading")
        return next(above, "")

    def whole(self, at: int, kind: str) -> Change:
        """The block at one place, come or gone as a whole."""
        return Change(kind, self.under(at), (Piece(kind, self.blocks[at].words),))


def _replaced(old: _Side, new: _Side) -> Iterator[Change]:
    """Pair what was rewritten; what finds no partner was removed or added."""
    at = new.start
    for place in range(old.start, old.end):
        partner = _partner(old.blocks[place], new, at)
        if partner is None:
            yield old.whole(place, REMOVED)
            continue
        yield from (new.whole(n, ADDED) for n in range(at, partner))
        pieces = _pieces(old.blocks[place].words, new.blocks[partner].words)
        yield Change(CHANGED, new.under(partner), pieces)
        at = partner + 1
    yield from (new.whole(n, ADDED) for n in range(at, new.end))


def _partner(block: Block, new: _Side, at: int) -> int | None:
    for place in range(at, min(at + _LOOK_AHEAD, new.end)):
        other = new.blocks[place]
        if other.kind == block.kind and _alike(block.words, other.words):
            return place
    return None


def _alike(one: str, other: str) -> bool:
    left, right = Counter(_words(one)), Counter(_words(other))
    return 2 * (left & right).total() >= _ALIKE * (left.total() + right.total())


def _words(text: str) -> list[str]:
    # Not `split()`: French keeps its narrow spaces before some punctuation.
    return [word for word in re.split(r"[ \n]+", text) if word]


def _pieces(before: str, after: str) -> tuple[Piece, ...]:
    old, new = _words(before), _words(after)
    found: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new).get_opcodes():
        if tag == "equal":
            found.append(Piece(SAME, " ".join(old[i1:i2])))
            continue
        gone, come = " ".join(old[i1:i2]), " ".join(new[j1:j2])
        found += [Piece(kind, words) for kind, words in ((REMOVED, gone), (ADDED, come)) if words]
    return tuple(found)
