"""What will be posted, to the letter: one function for the preview, the press and the worker.

What the preview promised is what is stored and what is sent. Texts are cleaned of what
nobody can see; nothing else about them is changed (rule W10).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from app.integrations.linkedin import little

ARTICLE, IMAGE, TEXT = "article", "image", "text"
_SHINGLE = 4
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is passed on: a story or an offer, as the composer needs it. `starts` are
    (caption id, kind, text); `source_text` is what words are compared with."""

    kind: str
    id: uuid.UUID
    language: str
    languages: tuple[str, ...]
    title: str
    summary: str
    format: str
    picture_id: uuid.UUID | None = None
    alt: str = ""
    mention: str = ""
    networks: tuple[str, ...] = ()
    topic_ids: frozenset[uuid.UUID] = frozenset()
    starts: tuple[tuple[uuid.UUID, str, str], ...] = ()
    source_text: str = ""


@dataclass(frozen=True, slots=True)
class Composition:
    """A post before it is pressed. `units` are UTF-16 code units, as the network counts them;
    `shown` and `folded` are the text before and after the feed's fold."""

    words: str
    post_text: str
    units: int
    shown: str
    folded: str
    own_words_percent: int

    @property
    def is_too_long(self) -> bool:
        return self.units > little.MAX_UNITS


def compose(subject: Subject, words: str, disclosure_text: str) -> Composition:
    """The exact text: the legal mention and the disclosure first (rules L1, L2), then the
    member's words."""
    words = little.clean(words)
    first = " ".join(part for part in (subject.mention, disclosure_text) if part)
    first = little.clean(first) if disclosure_text else ""
    post_text = "\n\n".join(part for part in (first, words) if part)
    shown, folded = little.fold(post_text)
    return Composition(
        words, post_text, little.units(post_text), shown, folded, own_words(words, subject)
    )


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = [w.casefold() for w in _WORD.findall(text)]
    if len(words) < _SHINGLE:
        return {(w,) for w in words}
    return {tuple(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1)}


def own_words(words: str, subject: Subject) -> int:
    """How much of a text is the member's own, in percent: the share of its runs of four words
    that stand neither in a caption nor in the story."""
    mine = _shingles(words)
    if not mine:
        return 0
    given = _shingles(subject.source_text)
    for _id, _kind, text in subject.starts:
        given |= _shingles(text)
    return round(100 * len(mine - given) / len(mine))
