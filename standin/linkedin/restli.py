"""Rest.li's way of writing values in an address (reference, section 4, "URN encoding").

Parentheses, commas and the colon between key and value stay literal; strings inside are
percent-encoded whole.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

Value = str | list["Value"] | dict[str, "Value"]

_PLAIN = re.compile(r"[^(),:]*")


class Unreadable(ValueError):
    """The text does not follow the rules."""


def parameters(raw_query: str) -> dict[str, list[str]]:
    """The values of each name as sent, still encoded."""
    found: dict[str, list[str]] = {}
    for pair in filter(None, raw_query.split("&")):
        name, _, value = pair.partition("=")
        found.setdefault(unquote(name), []).append(value)
    return found


def value(raw: str) -> Value:
    """A string, a record `(key:value,…)` or a list `List(…)`. Raises Unreadable."""
    parsed, end = _value(raw, 0)
    if end != len(raw):
        raise Unreadable(f"unexpected {raw[end]!r} at position {end}")
    return parsed


def key(raw: str) -> str:
    """A key in a path: reserved signs are encoded. Raises Unreadable."""
    if not raw or _PLAIN.fullmatch(raw) is None:
        raise Unreadable("the key is not percent-encoded")
    return unquote(raw)


def _value(raw: str, at: int) -> tuple[Value, int]:
    if raw.startswith("List(", at):
        return _list(raw, at + 5)
    if raw.startswith("(", at):
        return _record(raw, at + 1)
    return _string(raw, at)


def _string(raw: str, at: int) -> tuple[str, int]:
    found = _PLAIN.match(raw, at)
    end = found.end() if found else at
    return unquote(raw[at:end]), end


def _list(raw: str, at: int) -> tuple[Value, int]:
    items: list[Value] = []
    while not raw.startswith(")", at):
        item, at = _value(raw, at)
        items.append(item)
        at = _after_item(raw, at)
    return items, at + 1


def _record(raw: str, at: int) -> tuple[Value, int]:
    fields: dict[str, Value] = {}
    while not raw.startswith(")", at):
        name, at = _string(raw, at)
        if not raw.startswith(":", at):
            raise Unreadable(f"a colon is missing at position {at}")
        fields[name], at = _value(raw, at + 1)
        at = _after_item(raw, at)
    return fields, at + 1


def _after_item(raw: str, at: int) -> int:
    """Past a comma, or on the closing parenthesis."""
    if raw.startswith(",", at):
        return at + 1
    if not raw.startswith(")", at):
        raise Unreadable(f"a closing parenthesis is missing at position {at}")
    return at
