"""The charter's text: how it is typed, filled, shown and fingerprinted.

The text of a version in one language is one Markdown document, its title the first heading.
Those bytes are what a page shows, what a download holds and what the hash of a proof covers.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

ORGANISATION: Final = "{organisation}"
"""Stands in a text for the organisation's name, which is filled in when the text is shown."""

TITLE_LIMIT: Final = 120
BODY_LIMIT: Final = 20_000
NOTE_LIMIT: Final = 500
BLOCK_LIMIT: Final = 300
"""Paragraphs, headings and list items of a body: a charter that people can read."""

# Controls but the line break, and signs that turn the direction of what follows.
_UNWANTED: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_GAPS: Final = re.compile(r"\n{3,}")


def clean_body(typed: str) -> str:
    """A text as it is kept: NFC, one kind of line break, no control characters."""
    text = unicodedata.normalize("NFC", typed.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (_UNWANTED.sub("", line.replace("\t", "    ")).rstrip() for line in text.split("\n"))
    return _GAPS.sub("\n\n", "\n".join(lines)).strip("\n")


def clean_line(typed: str) -> str:
    """The same for a title or a note: one line."""
    return " ".join(part for part in re.split(r"[ \n]+", clean_body(typed)) if part)


def filled(text: str, organisation: str) -> str:
    """`text` with the organisation's name in its place."""
    return text.replace(ORGANISATION, organisation)


def document(title: str, body: str) -> str:
    """One language of a version as a Markdown document."""
    return f"# {title}\n\n{body}\n"


def text_hash(text: str) -> str:
    """SHA-256 (hex) of a document's bytes in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
