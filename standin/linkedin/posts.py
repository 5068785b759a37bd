"""Posts as a member: create, read, update, delete (reference, sections 5.1 to 5.3)."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from typing import Any
from urllib.parse import quote, unquote

from standin.linkedin import content, errors, little, media, members
from standin.linkedin.clock import parse, rfc3339
from standin.linkedin.rest import Caller, check_urn, urn_key, versioned
from standin.linkedin.wire import (
    Answer,
    Json,
    Refused,
    Request,
    as_json,
    denied,
    refuse,
    refuse_input,
)
from standin.linkedin.world import World

KINDS = ("share", "ugcPost")
TEXT_UNITS = 3_000
VISIBILITIES = ("PUBLIC", "CONNECTIONS", "LOGGED_IN", "CONTAINER")
_FIELDS = frozenset(
    {
        "author", "commentary", "visibility", "distribution", "content", "lifecycleState",
        "isReshareDisabledByAuthor", "reshareContext", "adContext", "container",
        "contentLandingPage", "contentCallToActionLabel",
    }
)  # fmt: skip
_EDITABLE = frozenset(
    {
        "commentary", "contentCallToActionLabel", "contentLandingPage", "lifecycleState",
        "adContext",
    }
)  # fmt: skip
_KEPT_HEADERS = ("linkedin-version", "x-restli-protocol-version", "content-type", "user-agent")


# POST /rest/posts


def create(world: World, request: Request) -> Answer:
    """201 with an empty body; the URN is in `x-restli-id` alone (section 0, item 7)."""
    caller = versioned(world, request)
    caller.need_scope("w_member_social", "posts", "CREATE")
    body = request.json()
    for name in body:
        if name not in _FIELDS:
            what = "unrecognized field found but not allowed"
            refuse_input("UNPROCESSABLE_ENTITY", f"/{name}", what, status=422)
    _check_author(caller, body)
    commentary = _commentary(body)
    _check_audience(body)
    shown = content.check(caller, body.get("content"))
    parent = _parent(world, body)
    if not commentary.strip() and shown is None and parent is None:
        refuse_input("INVALID_VALUE_BLANK_FIELD", "/commentary", "the post is empty")
    elements = little.read(commentary)
    if parent is not None:
        shown = {"kind": "reshare", "parent": parent}
    urn = publish(
        caller,
        request,
        commentary=commentary,
        text=checked_length(little.visible(elements), "/commentary"),
        content=shown,
        visibility=body["visibility"],
        body=body,
        via="posts",
    )
    return Answer(201, headers={"x-restli-id": urn})


def publish(
    caller: Caller,
    request: Request,
    *,
    commentary: str,
    text: str,
    content: Json | None,
    visibility: str,
    body: Json,
    via: str,
) -> str:
    """Writes the post and gives its URN; 422 when the author said the same within 48 hours."""
    world = caller.world
    same_as = _same_as(caller.urn, text, content)
    _refuse_duplicate(world, same_as)
    urn = _new_urn(world, content)
    media.mark_used(world, _media_in(content))
    world.store.run(
        "INSERT INTO post (urn, author, commentary, text, cut, visibility, content, body, via,"
        " token, headers, same_as, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        urn, caller.urn, commentary, text, int(via == "posts" and little.is_cut(commentary)),
        visibility, json.dumps(content), json.dumps(body), via, caller.fingerprint,
        json.dumps(_headers_of(request)), same_as, world.timestamp(),
    )  # fmt: skip
    return urn


def checked_length(text: str, path: str) -> str:
    """The text, or 400 `FIELD_LENGTH_TOO_LONG` past 3,000 UTF-16 units as the reader sees it."""
    if little.units(text) > TEXT_UNITS:
        refuse_input("FIELD_LENGTH_TOO_LONG", path, f"at most {TEXT_UNITS} are allowed")
    return text


def _check_author(caller: Caller, body: Json) -> None:
    if body.get("author") is None:
        refuse_input("MISSING_FIELD", "/author", "the field is required")
    urn = check_urn(body["author"], ("person", "organization"), "/author")
    if urn.startswith("urn:li:organization:"):  # needs the organisation scopes
        denied("posts", "CREATE", caller.version)
    caller.act_as(urn, "posts", "CREATE")


def _commentary(body: Json) -> str:
    commentary = body.get("commentary")
    if commentary is None:
        refuse_input("MISSING_FIELD", "/commentary", "the field is required")
    if not isinstance(commentary, str) or not content.is_sound(commentary):
        content.wrong("/commentary", "a text is expected")
    return commentary


def _check_audience(body: Json) -> None:
    """Visibility, distribution, lifecycle, resharing (table of section 5.1)."""
    _one_of(body, "visibility", VISIBILITIES)
    distribution = body.get("distribution")
    if distribution is None:
        refuse_input("MISSING_FIELD", "/distribution", "the field is required")
    if not isinstance(distribution, dict):
        content.wrong("/distribution", "an object is expected")
    _one_of(distribution, "feedDistribution", ("MAIN_FEED",), "/distribution")
    for name in ("targetEntities", "thirdPartyDistributionChannels"):
        if distribution.get(name, []) != []:
            content.wrong(f"/distribution/{name}", "an empty list is expected for a member")
    _one_of(body, "lifecycleState", ("PUBLISHED",))
    if not isinstance(body.get("isReshareDisabledByAuthor", False), bool):
        content.wrong("/isReshareDisabledByAuthor", "true or false is expected")


def _one_of(given: Json, name: str, values: tuple[str, ...], path: str = "") -> None:
    value = given.get(name)
    if value is None:
        refuse_input("MISSING_FIELD", f"{path}/{name}", "the field is required")
    if value not in values:
        content.wrong(f"{path}/{name}", f"one of {', '.join(values)} is expected")


def _parent(world: World, body: Json) -> str | None:
    """The post that is reshared, which must exist."""
    context = body.get("reshareContext")
    if context is None:
        return None
    if not isinstance(context, dict) or body.get("content") is not None:
        content.wrong("/reshareContext", "an object with a parent and no content is expected")
    urn = check_urn(context.get("parent"), KINDS, "/reshareContext/parent")
    row = find(world, urn)
    if row is None or row["deleted_at"] is not None:
        refuse_input("INVALID_URN_ID", "/reshareContext/parent", "no such post")
    return urn


def _same_as(author: str, text: str, shown: Json | None) -> str:
    """What makes two posts the same: author, visible text, article source; for a post without
    words whatever else it shows."""
    more: object = (shown or {}).get("source")
    if not text.strip() and more is None:
        more = shown
    packed = json.dumps([author, text, more], sort_keys=True)
    return hashlib.sha256(packed.encode()).hexdigest()


def _refuse_duplicate(world: World, same_as: str) -> None:
    """422 naming the post, also when it was deleted since (section 0, item 9)."""
    since = world.timestamp() - world.knobs.duplicate_hours * 3_600
    row = world.store.one(
        "SELECT urn FROM post WHERE same_as = ? AND created_at > ? ORDER BY serial DESC",
        same_as,
        since,
    )
    if row is not None:
        raise Refused(errors.duplicate(str(row["urn"])))


def _new_urn(world: World, shown: Json | None) -> str:
    """Text, link and image come back as share; video, document and poll as ugcPost (section 4)."""
    kind = "ugcPost" if shown and shown["kind"] in ("video", "document", "poll") else "share"
    while True:
        number = (int(world.timestamp() * 1000) << 22) | secrets.randbits(22)
        if find(world, f"urn:li:{kind}:{number}") is None:
            return f"urn:li:{kind}:{number}"


def _media_in(shown: Json | None) -> list[str]:
    return content.media_in(shown)


def _headers_of(request: Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}


# GET, PARTIAL_UPDATE and DELETE


def find(world: World, urn: str) -> sqlite3.Row | None:
    """The post's row, deleted or not."""
    return world.store.one("SELECT * FROM post WHERE urn = ?", urn)


def read(world: World, request: Request, raw: str) -> Answer:
    """403 for a self-serve token (section 0, item 8); 200 with `r_member_social` or the knob."""
    caller = versioned(world, request)
    urn = urn_key(raw, KINDS)
    _need_reading(caller)
    row = find(world, urn)
    if row is None or row["deleted_at"] is not None:
        raise Refused(errors.not_found("Post not found"))
    return as_json(_as_read(row))


def read_all(world: World, request: Request) -> Answer:
    """The finder `q=author`, refused like a single read."""
    caller = versioned(world, request)
    if request.query.get("q") != "author":
        refuse(400, "The finder is not known")
    _need_reading(caller)
    author = check_urn(request.query.get("author"), ("person",), "/author")
    rows = world.store.all(
        "SELECT * FROM post WHERE author = ? AND deleted_at IS NULL ORDER BY serial DESC", author
    )
    start, count = _page(request)
    return as_json(
        {
            "elements": [_as_read(row) for row in rows[start : start + count]],
            "paging": {"start": start, "count": count, "total": len(rows), "links": []},
        }
    )


def update(world: World, request: Request, raw: str) -> Answer:
    """PARTIAL_UPDATE of an own post: 204."""
    caller = versioned(world, request)
    urn = urn_key(raw, KINDS)
    if request.headers.get("x-restli-method", "").upper() != "PARTIAL_UPDATE":
        refuse(400, "POST on an entity needs X-RestLi-Method: PARTIAL_UPDATE")
    caller.need_scope("w_member_social", "posts", "PARTIAL_UPDATE")
    row = _own(caller, urn, "PARTIAL_UPDATE")
    if row["deleted_at"] is not None:
        raise Refused(errors.not_found("Post not found"))
    changes = _patch(request)
    if "commentary" in changes:
        commentary = _commentary(changes)
        text = checked_length(little.visible(little.read(commentary)), "/patch/$set/commentary")
        world.store.run(
            "UPDATE post SET commentary = ?, text = ?, cut = ?, edited_at = ? WHERE urn = ?",
            commentary, text, int(little.is_cut(commentary)), world.timestamp(), urn,
        )  # fmt: skip
    return Answer(204)


def delete(world: World, request: Request, raw: str) -> Answer:
    """204; 404 for a post that never was. Deleting twice is allowed (a knob makes it 404)."""
    caller = versioned(world, request)
    return remove(caller, urn_key(raw, KINDS))


def remove(caller: Caller, urn: str) -> Answer:
    """Deletes an own post for either of the two endpoints."""
    caller.need_scope("w_member_social", "posts", "DELETE")
    row = _own(caller, urn, "DELETE")
    if row["deleted_at"] is not None and caller.world.knobs.second_delete == 404:
        raise Refused(errors.not_found("Post not found"))
    caller.world.store.run(
        "UPDATE post SET deleted_at = coalesce(deleted_at, ?) WHERE urn = ?",
        caller.world.timestamp(),
        urn,
    )
    return Answer(204)


def _own(caller: Caller, urn: str, method: str) -> sqlite3.Row:
    row = find(caller.world, urn)
    if row is None:
        raise Refused(errors.not_found("Post not found"))
    caller.act_as(row["author"], "posts", method)
    return row


def _patch(request: Request) -> Json:
    patch = request.json().get("patch")
    changes = patch.get("$set") if isinstance(patch, dict) else None
    if not isinstance(changes, dict) or not changes:
        refuse_input("MISSING_FIELD", "/patch/$set", "the field is required")
    for name in changes:
        if name not in _EDITABLE:
            content.wrong(f"/patch/$set/{name}", "the field cannot be edited")
    return changes


def _need_reading(caller: Caller) -> None:
    if not caller.world.knobs.read_posts and "r_member_social" not in caller.scopes:
        denied("partnerApiPostsExternal", "GET", caller.version)


def _page(request: Request) -> tuple[int, int]:
    """`start` and `count` of a finder."""
    values = [request.query.get("start", "0"), request.query.get("count", "10")]
    if not all(value.isdecimal() for value in values):
        refuse(400, "start and count are numbers")
    return int(values[0]), min(int(values[1]), 100)


def _as_read(row: sqlite3.Row) -> Json:
    """A post as reads answer it: hashtags in template form (section 5.2)."""
    body: Json = json.loads(row["body"])
    created = int(row["created_at"] * 1000)
    edited = int((row["edited_at"] or row["created_at"]) * 1000)
    return body | {
        "id": row["urn"],
        "commentary": little.stored(little.read(row["commentary"])),
        "createdAt": created,
        "publishedAt": created,
        "lastModifiedAt": edited,
    }


# What members see, for tests (`GET /_standin/posts`) and for the feed.


def listed(world: World, author: str | None = None, since: str | None = None) -> list[Json]:
    """Every post, newest last, deleted ones included. Raises ValueError for an unreadable time."""
    after = parse(since).timestamp() if since else 0.0
    who = None if author is None else members.PERSON + unquote(author).removeprefix(members.PERSON)
    rows = world.store.all(
        "SELECT * FROM post WHERE (? IS NULL OR author = ?) AND created_at >= ? ORDER BY serial",
        who,
        who,
        after,
    )
    return [as_listed(world, row) for row in rows]


def as_listed(world: World, row: sqlite3.Row) -> Json:
    """One post of the list."""
    return {
        "urn": row["urn"],
        "author": {"urn": row["author"], "name": members.name_of(world, row["author"])},
        "commentary": row["commentary"],
        "text": row["text"],
        "cut": bool(row["cut"]),
        "visibility": row["visibility"],
        "content": _shown(world, json.loads(row["content"])),
        "via": row["via"],
        "created_at": rfc3339(row["created_at"]),
        "edited_at": rfc3339(row["edited_at"]),
        "deleted_at": rfc3339(row["deleted_at"]),
        "token": row["token"],
        "headers": json.loads(row["headers"]),
        "url": world.address + path_of(row["urn"]),
    }


def path_of(urn: str) -> str:
    """The public address of a post, without its host (section 4)."""
    return f"/feed/update/{quote(urn, safe=':')}/"


def _shown(world: World, kept: dict[str, Any] | None) -> Json | None:
    """The content with each image's `sha256`, `width`, `height` and `url`."""
    if kept is None:
        return None
    shown: Json = dict(kept)
    for name in ("thumbnail", "image"):
        if kept.get(name):
            shown[name] = media.as_shown(world, kept[name])
    if kept["kind"] == "images":
        shown["images"] = [{**i, **media.as_shown(world, i["urn"])} for i in kept["images"]]
    return shown
