"""The invented members who may sign in, and the names shown beside posts."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from standin.linkedin.registry import CLIENT_ID
from standin.linkedin.store import Store
from standin.linkedin.wire import Answer, Json, Request, refuse
from standin.linkedin.world import World

PERSON = "urn:li:person:"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COLOURS = ("#4a5d6b", "#6b4a5d", "#5d6b4a", "#4a6b62", "#6b5a4a", "#554a6b")


def add_invented(store: Store) -> None:
    """Puts the members of `members.json` into an empty store."""
    if store.one("SELECT 1 FROM member LIMIT 1") is None:
        text = resources.files("standin.linkedin").joinpath("members.json").read_text("utf-8")
        add(store, json.loads(text))


def add(store: Store, members: Iterable[Mapping[str, Any]]) -> None:
    """Adds or replaces members: `sub` and `name`, and what else a profile has. Raises ValueError."""
    for given in members:
        sub, name = given.get("sub"), given.get("name")
        if not isinstance(sub, str) or not is_person_id(sub) or not isinstance(name, str):
            raise ValueError("a member has a sub (letters, digits, - and _) and a name")
        _write(store, sub, sub, None, dict(given))


def is_person_id(text: str) -> bool:
    """Whether `text` may stand at the end of a person's URN."""
    return _ID.fullmatch(text) is not None


def named(world: World, name: str) -> str:
    """The sub of somebody who typed a name on the consent page; the same name, the same person."""
    sub = _derived("typed", name)
    if find(world, sub) is None:
        _write(world.store, sub, sub, None, {"name": name})
    return sub


def sub_for(world: World, sub: str, client_id: str) -> str:
    """The id of the same human in this application (section 1: ids are application-specific)."""
    row = find(world, sub)
    if row is None or client_id == CLIENT_ID:
        return sub
    known = world.store.one(
        "SELECT sub FROM member WHERE person = ? AND client_id = ?", row["person"], client_id
    )
    if known is not None:
        return str(known["sub"])
    derived = _derived(client_id, str(row["person"]))
    _write(world.store, derived, str(row["person"]), client_id, dict(row))
    return derived


def find(world: World, sub: str) -> sqlite3.Row | None:
    """The member's row."""
    return world.store.one("SELECT * FROM member WHERE sub = ?", sub)


def choosable(world: World) -> list[sqlite3.Row]:
    """Who may sign in, as they stand before any application."""
    return world.store.all("SELECT * FROM member WHERE client_id IS NULL ORDER BY rowid")


def name_of(world: World, urn: str) -> str:
    """The display name beside a post; "Membre <id>" for somebody never introduced."""
    sub = urn.removeprefix(PERSON)
    row = find(world, sub)
    return f"Membre {sub}" if row is None else str(row["name"])


def as_json(row: sqlite3.Row) -> Json:
    """The list of `GET /_standin/members`."""
    return {
        "sub": row["sub"], "urn": PERSON + row["sub"], "person": row["person"],
        "client_id": row["client_id"], "name": row["name"], "email": row["email"],
    }  # fmt: skip


def picture_address(world: World, row: sqlite3.Row) -> str | None:
    """Where the profile picture lies for four weeks (section 3: such addresses expire)."""
    if not row["has_picture"]:
        return None
    expires = int(world.timestamp()) + 28 * 86_400
    return f"{world.address}/dms/image/profile-displayphoto/{row['sub']}?e={expires}"


def show_picture(world: World, request: Request, sub: str) -> Answer:
    """A drawn picture with the member's initial; gone after the time in its address."""
    row = find(world, sub)
    expires = request.query.get("e", "")
    if row is None or not row["has_picture"] or not expires.isdecimal():
        refuse(404, "No such picture")
    if int(expires) < world.timestamp():
        refuse(403, "URL signature expired")
    return Answer(200, _drawn(str(row["name"]), sub), {"Content-Type": "image/png"})


def _drawn(name: str, sub: str) -> bytes:
    colour = _COLOURS[hashlib.sha256(sub.encode()).digest()[0] % len(_COLOURS)]
    image = Image.new("RGB", (200, 200), colour)
    font = ImageFont.load_default(size=110)
    ImageDraw.Draw(image).text((100, 100), name[:1].upper(), "white", font, anchor="mm")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _write(store: Store, sub: str, person: str, client_id: str | None, given: Json) -> None:
    first, _, last = given["name"].strip().partition(" ")
    store.put(
        "member",
        sub=sub,
        person=person,
        client_id=client_id,
        name=given["name"],
        given_name=given.get("given_name") or first,
        family_name=given.get("family_name") or last,
        email=given.get("email"),
        has_picture=int(given.get("has_picture", True)),
        country=given.get("country") or "FR",
        language=given.get("language") or "fr",
    )


def _derived(*parts: str) -> str:
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest)[:10].decode()
