"""What an opened link answers. Plain values in and out, so that it can stand before Flask.

Nothing of the visitor is kept: the verdict is given here, on the spot, and the visitor's
address and browser leave with the request. An opening is in the spool, safe from a power
cut, before its visitor is sent on; the ingester brings it into the database.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import cast

from flask import Flask

from app import clock
from app.config import Settings
from app.db import new_id
from app.referrals import clicks
from app.referrals.clicks import Hit
from app.referrals.code_map import CodeMap
from app.referrals.links import Target
from app.referrals.spool import Line, Spool, folder


@dataclass(frozen=True, slots=True)
class Answer:
    """302 with where to go on, 404 for a code we never gave (no location), or 410 for a link
    that was withdrawn: then `location` is the offer without it, if it led to one."""

    status: int
    location: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """What the openings of one application share: the codes that this process remembers, and
    its spool."""

    codes: CodeMap
    spool: Spool


def start(app: Flask, settings: Settings) -> Door:
    """Make the door of an application; nothing is opened before the first visitor comes."""
    door = Door(CodeMap(settings), Spool(folder(settings)))
    app.extensions["portevoix-door"] = door
    return door


def door_of(app: Flask) -> Door:
    """The one that `start` made."""
    return cast(Door, app.extensions["portevoix-door"])


def hit(
    door: Door,
    code: str,
    seen: Hit,
    *,
    secret: bytes,
    reader_id: uuid.UUID | None = None,
    language: str | None = None,
) -> Answer:
    """Keep one opening and say where it leads. In an application context.

    `secret` is the visitor secret of the day. `reader_id` is who is signed in, if anybody;
    `language` was asked for in the address and travels on.
    """
    target = door.codes.load(code)
    if target is None:
        return Answer(404, None)
    if not target.alive:
        return Answer(410, target.url(lang=language) if target.offer_id else None)
    click = _keep(door.spool, target, seen, secret, reader_id)
    return Answer(302, target.url(r=code, k=click, lang=language))


def _keep(
    spool: Spool, target: Target, seen: Hit, secret: bytes, reader_id: uuid.UUID | None
) -> str | None:
    """The signed click id. Where it cannot be kept the visitor is sent on without one."""
    line = Line(
        new_id(),
        target.link_id,
        target.share_id,
        clock.now(),
        _verdict(target, seen, reader_id),
        clicks.visitor_key(secret, seen, target.link_id),
    )
    return clicks.sign(line.click_id, target.link_id) if spool.append(line) else None


def _verdict(target: Target, seen: Hit, reader_id: uuid.UUID | None) -> str:
    """A program stays a program; a person of the house is no visitor."""
    verdict = clicks.classify(seen)
    if verdict != "person" or reader_id is None:
        return verdict
    return "self" if reader_id == target.person_id else "colleague"
