"""Reads shaped for pages and programs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from app.db import db
from app.sharing.errors import UnknownShare
from app.sharing.models import Share
from app.web.cursors import Beside, of_model

OPEN = ("scheduled", "paused", "publishing", "unknown")


@dataclass(frozen=True, slots=True)
class ShareFilter:
    """What a member looks for among their own posts."""

    person_id: uuid.UUID
    statuses: tuple[str, ...] = ()
    story_id: uuid.UUID | None = None
    offer_id: uuid.UUID | None = None


def own_share(person_id: uuid.UUID, share_id: uuid.UUID) -> Share:
    """One share of a member. Raises `UnknownShare` for anybody else's too."""
    share = db.session.get(Share, share_id, populate_existing=True)
    if share is None or share.person_id != person_id:
        raise UnknownShare
    return share


def shares(
    wanted: ShareFilter, *, after: str | None = None, before: str | None = None, limit: int = 20
) -> Beside[Share]:
    """A member's shares, the newest first: those after one place of the list or before another.
    Raises `InvalidInput` for a cursor that is none."""
    query = select(Share).where(Share.person_id == wanted.person_id)
    if wanted.statuses:
        query = query.where(Share.status.in_(wanted.statuses))
    if wanted.story_id is not None:
        query = query.where(Share.story_id == wanted.story_id)
    if wanted.offer_id is not None:
        query = query.where(Share.offer_id == wanted.offer_id)
    keys = (Share.created_at, Share.id)
    return of_model(query, keys, after=after, before=before, limit=limit)


def caption_uses(story_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How often each way to begin was posted, so that the next colleague is offered another."""
    rows = db.session.execute(
        select(Share.caption_id, func.count())
        .where(Share.story_id == story_id, Share.caption_id.is_not(None))
        .group_by(Share.caption_id)
    ).all()
    return {row[0]: row[1] for row in rows if row[0] is not None}


def rotated(
    story_id: uuid.UUID,
    starts: tuple[tuple[uuid.UUID, str, str], ...],
    person_id: uuid.UUID,
) -> list[tuple[uuid.UUID, str, str]]:
    """The ways to begin, the least posted first; among equals each colleague has an order of
    their own, and always the same."""
    uses = caption_uses(story_id)

    def place(start: tuple[uuid.UUID, str, str]) -> tuple[int, int]:
        return uses.get(start[0], 0), uuid.uuid5(person_id, start[0].hex).int

    return sorted(starts, key=place)
