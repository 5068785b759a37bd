"""How far stories were carried, for editors: totals of a story, never who.

Visits are measured on our own links. A small number of people is told as such and not counted
out, so that nobody can be guessed from it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, func, select

from app.db import db
from app.library.models import Story, StoryText
from app.people import audiences, thresholds
from app.referrals.models import ClickCount
from app.sharing.models import Share

_CARRIED: Final = ("published", "intent", "unknown")


@dataclass(frozen=True, slots=True)
class Carried:
    """`people` who carried a story, None for fewer than `thresholds.team()`; measured `visits`."""

    people: int | None
    visits: int


@dataclass(frozen=True, slots=True)
class CarriedStory:
    """A story in a list of what worked."""

    id: uuid.UUID
    title: str
    language: str
    carried: Carried


def _totals(*columns: Any) -> Select[Any]:
    return (
        select(
            *columns,
            func.count(Share.person_id.distinct()).label("people"),
            func.coalesce(func.sum(ClickCount.count), 0).label("visits"),
        )
        .select_from(Share)
        .outerjoin(
            ClickCount, and_(ClickCount.link_id == Share.link_id, ClickCount.verdict == "person")
        )
        .where(Share.status.in_(_CARRIED))
    )


def _as_carried(row: Any) -> Carried:
    return Carried(thresholds.told(row.people, row.people, thresholds.team()), int(row.visits))


def carried(story_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Carried]:
    """The totals of some stories; those that nobody carried are left out."""
    wanted = list(story_ids)
    if not wanted:
        return {}
    rows = db.session.execute(
        _totals(Share.story_id).where(Share.story_id.in_(wanted)).group_by(Share.story_id)
    )
    return {row.story_id: _as_carried(row) for row in rows}


def most_visited(
    since: dt.datetime, limit: int = 5, *, within: frozenset[uuid.UUID] | None = None
) -> list[CarriedStory]:
    """The stories published since then whose posts brought most visits; those kept `within` a
    reach."""
    total = func.coalesce(func.sum(ClickCount.count), 0)
    rows = db.session.execute(
        _totals(Story.id, StoryText.title, StoryText.language)
        .join(Story, Story.id == Share.story_id)
        .join(
            StoryText,
            and_(StoryText.story_id == Story.id, StoryText.language == Story.language),
        )
        .where(Story.status == "published", Story.published_at >= since)
        .where(audiences.kept_within(Story.id, within))
        .group_by(Story.id, StoryText.title, StoryText.language)
        .having(total > 0)
        .order_by(total.desc(), Story.id)
        .limit(limit)
    )
    return [CarriedStory(row.id, row.title, row.language, _as_carried(row)) for row in rows]
