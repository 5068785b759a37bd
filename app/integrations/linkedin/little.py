"""Little text: how the commentary of a post is written (section 5.2).

Fifteen characters are reserved. One of them unescaped and part of no valid element does
not fail the call: the post is created and its text is cut there. So everything reserved is
escaped, hashtags are the only element we emit, and what somebody types that looks like a
mention stays plain text. `clean` comes first: its result is what is counted, previewed,
written and, word for word, what a reader sees.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_UNITS: Final = 3000
"""UTF-16 code units of a post's text as it is read, before escaping."""
FOLD_UNITS: Final = 210
FOLD_LINES: Final = 3

_RESERVED: Final = re.compile(r"[|{}@\[\]()<>#\\*_~]")
# `\w` is exactly the letters and numbers of Unicode and the low line. Nothing inside an
# address is a hashtag, so an address is one piece, with or without its scheme.
_PIECES: Final = re.compile(
    r"(?P<address>(?:https?://|(?<!\w)www\.)\S+|(?<![\w.-])(?:[\w-]++\.)+[a-z]{2,}/\S*)"
    r"|(?<![\w&])#(?P<tag>\w+)"
    r"|[|{}@\[\]()<>#\\*_~]",
    re.IGNORECASE,
)


def write(text: str) -> str:
    """`text` as little text, each character of it shown to the reader as it stands."""
    return _PIECES.sub(_written, text)


def _written(piece: re.Match[str]) -> str:
    if piece["tag"] and _is_hashtag(piece):
        return "#" + _escaped(piece["tag"])
    return _escaped(piece[0])


def _is_hashtag(piece: re.Match[str]) -> bool:
    """A tag has a letter, and does not follow the accents that end a word."""
    start = piece.start()
    follows_accent = start > 0 and _is_mark(piece.string[start - 1])
    return not follows_accent and any(c.isalpha() for c in piece["tag"])


def _escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


# --- cleaning --------------------------------------------------------------------------

_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# The flag of a country's part is a black flag and a few "tag" letters. Everywhere else tag
# characters hide words from whoever reads before pressing.
_FLAG: Final = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
# Not in the list, because they make signs or put them in order: joiners, variation
# selectors, and the marks (not the overrides) of direction.
_UNSEEN: Final = (
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u180e\u200b\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef"
    "\ufeff\uffa0\ufff0-\ufffc\ud800-\udfff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
_UNSEEN_OR_FLAG: Final = re.compile(f"(?P<flag>{_FLAG})|{_UNSEEN}")


def clean(text: str) -> str:
    """What we preview and send: line ends as `\\n`, nothing invisible without honest use.

    The outer white space goes; blank lines, spaces and letters stay as typed, without
    Unicode normalisation. Cleaning twice changes nothing.
    """
    lines = _LINE_ENDS.sub("\n", text)
    return _UNSEEN_OR_FLAG.sub(lambda found: found["flag"] or "", lines).strip()


# --- counting and folding --------------------------------------------------------------


def units(text: str) -> int:
    """UTF-16 code units, as LinkedIn counts characters; most emoji are two or more."""
    return len(text) + sum(c > "\uffff" for c in text)


def fold(text: str, units: int = FOLD_UNITS) -> tuple[str, str]:
    """Where the feed folds: what is shown, and the rest behind "…more" (maybe nothing).

    After `units` UTF-16 units at most, without cutting what a reader sees as one sign, or
    after the third line break. About 210 units on a desktop, 140 on a phone.
    """
    end = _whole_signs(text, _fitting(text, units))
    end = _after_line(text[:end], FOLD_LINES) or end
    return text[:end], text[end:]


def _fitting(text: str, limit: int) -> int:
    """How many characters of `text` fit into `limit` units."""
    used = 0
    for at, sign in enumerate(text):
        used += units(sign)
        if used > limit:
            return at
    return len(text)


def _after_line(text: str, count: int) -> int:
    """Where the line after the `count`th line break begins, or 0."""
    at = 0
    for _ in range(count):
        at = text.find("\n", at) + 1
        if at == 0:
            return 0
    return at


def _whole_signs(text: str, end: int) -> int:
    """`end`, or the nearest place before it that is not inside one sign."""
    at = end
    while 0 < at < len(text) and _is_inside_sign(text, at):
        at -= 1
    return at or end


def _is_inside_sign(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` breaks what a reader sees as one sign."""
    if _is_extender(text[at]) or text[at - 1] == "\u200d":
        return True
    return _is_flag_half(text[at]) and _flag_halves_before(text, at) % 2 == 1


def _is_extender(sign: str) -> bool:
    """Accents, joiners, variation selectors, skin tones and tags hang on what is before."""
    return (
        _is_mark(sign)
        or sign in "\u200c\u200d"
        or "\U0001f3fb" <= sign <= "\U0001f3ff"
        or "\U000e0020" <= sign <= "\U000e007f"
    )


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign).startswith("M")


def _is_flag_half(sign: str) -> bool:
    return "\U0001f1e6" <= sign <= "\U0001f1ff"


def _flag_halves_before(text: str, at: int) -> int:
    """How many halves (two make a flag) stand right before `text[at]`."""
    first = at
    while first > 0 and _is_flag_half(text[first - 1]):
        first -= 1
    return at - first
