"""What an opened link answers. Plain values in and out, so that it can stand before Flask.

Nothing of the visitor is kept: the verdict is given here, on the spot, and the visitor's
address and browser leave with the request.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.db import db
from app.referrals import clicks, links
from app.referrals.clicks import Hit
from app.referrals.links import Target

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """302 with where to go on, 404 for a code we never gave (no location), or 410 for a link
    that was withdrawn: then `location` is the offer without it, if it led to one."""

    status: int
    location: str | None


def hit(
    code: str,
    seen: Hit,
    *,
    secret: bytes,
    reader_id: uuid.UUID | None = None,
    language: str | None = None,
) -> Answer:
    """Record one opening and say where it leads.

    `secret` is the visitor secret of the day. `reader_id` is who is signed in, if anybody;
    `language` was asked for in the address and travels on.
    """
    target = links.find(code)
    if target is None:
        return Answer(404, None)
    if not target.alive:
        return Answer(410, target.url(lang=language) if target.offer_id else None)
    click = _record(target, seen, secret, reader_id)
    return Answer(302, target.url(r=code, k=click, lang=language))


def _record(target: Target, seen: Hit, secret: bytes, reader_id: uuid.UUID | None) -> str | None:
    """The signed click id. Where it cannot be stored the visitor is sent on without one."""
    verdict = _verdict(target, seen, reader_id)
    key = clicks.visitor_key(secret, seen, target.link_id)
    try:
        click_id = clicks.record(target.link_id, verdict, key, share_id=target.share_id)
    except SQLAlchemyError as error:
        db.session.rollback()
        log.error("an opening was lost: %s", type(error).__name__)
        return None
    return clicks.sign(click_id, target.link_id)


def _verdict(target: Target, seen: Hit, reader_id: uuid.UUID | None) -> str:
    """A program stays a program; a person of the house is no visitor."""
    verdict = clicks.classify(seen)
    if verdict != "person" or reader_id is None:
        return verdict
    return "self" if reader_id == target.person_id else "colleague"
