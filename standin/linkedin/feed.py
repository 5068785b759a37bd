"""The feed as a member would see it, in a neutral look that says it is a stand-in."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from standin.linkedin import little, pages, posts
from standin.linkedin.little import Element, Hashtag, Mention, Text
from standin.linkedin.wire import Answer, Json, Request
from standin.linkedin.words import words_for
from standin.linkedin.world import World

PAGE_POSTS = 20
# The feed folds after roughly 140 signs on a phone and 210 on a desktop (section 5.2).
FOLD_PHONE_UNITS, FOLD_UNITS, FOLD_LINES = 140, 210, 3

_ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]'»]")


def feed(world: World, request: Request) -> Answer:
    """Newest first; `?before=` leads to older posts."""
    before = request.query.get("before", "")
    rows = world.store.all(
        "SELECT * FROM post WHERE deleted_at IS NULL AND serial < ? ORDER BY serial DESC LIMIT ?",
        int(before) if before.isdecimal() and len(before) < 18 else 2**62,
        PAGE_POSTS + 1,
    )
    shown = rows[:PAGE_POSTS]
    older = f"/feed/?before={shown[-1]['serial']}" if len(rows) > PAGE_POSTS else None
    found = [_card(world, request, row) for row in shown]
    return pages.render(request, "feed.html", posts=found, older=older)


def update(world: World, request: Request, raw: str) -> Answer:
    """One post; 404 for one that never was, 410 for one that was deleted."""
    row = posts.find(world, unquote(raw))
    words = words_for(request)
    if row is None or row["deleted_at"] is not None:
        status, sentence = (404, words["not_found"]) if row is None else (410, words["deleted"])
        return pages.render(request, "update.html", status, post=None, sentence=sentence)
    return pages.render(request, "update.html", post=_card(world, request, row))


def _card(world: World, request: Request, row: sqlite3.Row) -> Json:
    listed = posts.as_listed(world, row)
    content = listed["content"]
    return {
        "urn": row["urn"],
        "name": listed["author"]["name"] or "?",
        "created_at": listed["created_at"],
        "ago": _ago(world.timestamp() - row["created_at"], words_for(request)),
        "edited": row["edited_at"] is not None,
        "visibility": row["visibility"],
        "text": row["text"],
        "fold": fold(row["text"]),
        "parts": list(_parts(_elements(row))),
        "content": None if content is None or content["kind"] == "reshare" else _seen(content),
        "reshares": json.loads(row["body"]).get("reshareContext", {}).get("parent"),
        "path": posts.path_of(row["urn"]),
    }


def fold(text: str) -> str:
    """`all` when the text is folded everywhere, `phone` on a phone alone, empty when nowhere."""
    length, lines = little.units(text), text.count("\n") + 1
    if length > FOLD_UNITS or lines > FOLD_LINES:
        return "all"
    return "phone" if length > FOLD_PHONE_UNITS else ""


def _elements(row: sqlite3.Row) -> list[Element]:
    return little.read(row["commentary"]) if row["via"] == "posts" else [Text(row["text"])]


def _parts(elements: list[Element]) -> Iterator[dict[str, str]]:
    """Pieces of the text with how each is shown."""
    for element in elements:
        match element:
            case Text(value):
                yield from _linked(value)
            case Hashtag(word):
                yield {"kind": "hashtag", "text": "#" + word, "href": ""}
            case Mention(name):
                yield {"kind": "mention", "text": name, "href": ""}


def _linked(text: str) -> Iterator[dict[str, str]]:
    """Plain text in which addresses are links (section 5.1)."""
    at = 0
    for found in _ADDRESS.finditer(text):
        yield {"kind": "plain", "text": text[at : found.start()], "href": ""}
        yield {"kind": "link", "text": found[0], "href": found[0]}
        at = found.end()
    yield {"kind": "plain", "text": text[at:], "href": ""}


def _seen(content: Json) -> Json:
    """The content with paths for its pictures and the host of its link."""
    seen = dict(content)
    for name in ("thumbnail", "image"):
        if content.get(name):
            seen[name] = _picture(content[name])
    if content["kind"] == "images":
        seen["images"] = [_picture(image) for image in content["images"]]
    if content["kind"] == "article":
        seen["host"] = urlsplit(content["source"]).hostname or content["source"]
    return seen


def _picture(image: Json) -> Json:
    return image | {"path": urlsplit(image["url"] or "").path}


def _ago(seconds: float, words: dict[str, str]) -> str:
    if seconds < 60:
        return words["now"]
    for limit, unit in ((3_600, "minutes"), (86_400, "hours")):
        if seconds < limit:
            return f"{int(seconds // (limit / {'minutes': 60, 'hours': 24}[unit]))} {words[unit]}"
    return f"{int(seconds // 86_400)} {words['days']}"
