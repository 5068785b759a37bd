"""Reads "little" text as LinkedIn does (reference, section 5.2).

Elements: plain text, `\\` before a reserved character, hashtag `#word`, mention `@[Name](urn)`,
template `{hashtag|\\#|word}`. At the first unescaped reserved character that starts none of
these the text is cut; the blank before it stays.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

RESERVED = frozenset("|{}@[]()<>#\\*_~")

_MENTION = re.compile(
    r"@\[(?P<name>(?:\\[|{}@\[\]()<>#\\*_~]|[^\]\)\\\r\n])+)\]"
    r"\((?P<urn>urn:li:(?:organization:[0-9]+|person:[A-Za-z0-9_-]+))\)"
)
_TEMPLATE_START = "{hashtag|\\#|"


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, its escapes taken away."""

    value: str


@dataclass(frozen=True, slots=True)
class Hashtag:
    """A hashtag; `word` is without the number sign."""

    word: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person or an organisation named by `urn`; members read `name`."""

    name: str
    urn: str


Element = Text | Hashtag | Mention


def read(text: str) -> list[Element]:
    """The elements of `text` up to the place where LinkedIn cuts it, or all of them."""
    return _scan(text)[0]


def visible(elements: list[Element]) -> str:
    """What a member reads."""
    return "".join(map(_shown, elements))


def is_cut(text: str) -> bool:
    """Whether something of `text` is lost to an unescaped reserved character."""
    return _scan(text)[1] < len(text)


def units(text: str) -> int:
    """Length in UTF-16 code units, the measure of section 5.2 ("Length")."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def stored(elements: list[Element]) -> str:
    """The form in which reads answer a post: reserved characters escaped, hashtags as templates."""
    return "".join(map(_stored, elements))


def _shown(element: Element) -> str:
    match element:
        case Text(value):
            return value
        case Hashtag(word):
            return "#" + word
        case Mention(name):
            return name


def _stored(element: Element) -> str:
    match element:
        case Text(value):
            return _escaped(value)
        case Hashtag(word):
            return f"{_TEMPLATE_START}{_escaped(word)}}}"
        case Mention(name, urn):
            return f"@[{_escaped(name)}]({urn})"


def _escaped(value: str) -> str:
    return "".join("\\" + sign if sign in RESERVED else sign for sign in value)


def _scan(text: str) -> tuple[list[Element], int]:
    """The elements and the index at which reading ended (the length when nothing was cut)."""
    elements: list[Element] = []
    plain: list[str] = []
    at = 0
    while at < len(text):
        sign = text[at]
        if sign not in RESERVED:
            plain.append(sign)
            at += 1
        elif sign == "\\" and text[at + 1 : at + 2] in RESERVED:
            plain.append(text[at + 1])
            at += 2
        else:
            found = _element(text, at, before=_last_sign(elements, plain))
            if found is None:
                break
            _flush(plain, elements)
            elements.append(found[0])
            at = found[1]
    _flush(plain, elements)
    return elements, at


def _flush(plain: list[str], elements: list[Element]) -> None:
    if plain:
        elements.append(Text("".join(plain)))
        plain.clear()


def _last_sign(elements: list[Element], plain: list[str]) -> str:
    """The sign that a member reads just before; empty at the beginning."""
    if plain:
        return plain[-1]
    return _shown(elements[-1])[-1] if elements else ""


def _element(text: str, at: int, before: str) -> tuple[Element, int] | None:
    """The element that starts at the reserved character `text[at]`, and where it ends."""
    match text[at]:
        case "#":
            return _hashtag(text, at, before)
        case "@":
            return _mention(text, at)
        case "{":
            return _template(text, at)
        case _:
            return None


def _hashtag(text: str, at: int, before: str) -> tuple[Element, int] | None:
    """`#word`, not glued to a word or an ampersand before it; a number alone is no hashtag."""
    if before and (before == "&" or _in_word(before)):
        return None
    word, end = _word(text, at + 1)
    return (Hashtag(word), end) if _is_tag(word) else None


def _template(text: str, at: int) -> tuple[Element, int] | None:
    if not text.startswith(_TEMPLATE_START, at):
        return None
    word, end = _word(text, at + len(_TEMPLATE_START))
    return (Hashtag(word), end + 1) if _is_tag(word) and text[end : end + 1] == "}" else None


def _mention(text: str, at: int) -> tuple[Element, int] | None:
    found = _MENTION.match(text, at)
    if found is None:
        return None
    name = re.sub(r"\\(.)", r"\1", found["name"])
    return Mention(name, found["urn"]), found.end()


def _word(text: str, at: int) -> tuple[str, int]:
    """Letters, numbers and escaped underscores from `at` on, and where they end."""
    signs: list[str] = []
    while at < len(text):
        if text.startswith("\\_", at):
            signs.append("_")
            at += 2
        elif text[at] != "_" and _in_word(text[at]):
            signs.append(text[at])
            at += 1
        else:
            break
    return "".join(signs), at


def _in_word(sign: str) -> bool:
    return sign == "_" or unicodedata.category(sign)[0] in "LN"


def _is_tag(word: str) -> bool:
    return any(sign == "_" or unicodedata.category(sign)[0] != "N" for sign in word)
