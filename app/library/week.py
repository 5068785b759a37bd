"""The editors' week: what appears on which day, what waits to be read again, what has grown old."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select, union_all

from app import clock
from app.db import db
from app.library.models import Story, StoryText, StoryTopic, Topic
from app.library.queries import (
    Reach,
    StoryFilter,
    Viewer,
    kept_among,
    own_text,
    state_of,
    studio,
    topic_names,
)
from app.library.topics import name_read
from app.media.service import PictureView, pictures
from app.people import audiences
from app.web.two_languages import READS

OLD_DAYS: Final = 21
"""A topic without anything newer is said to grow old."""
MOST: Final = 60
DRAFTS: Final = 6
TOPICS: Final = 12
RECENT: Final = 1_000
"""The newest stories: a topic among them is found there, the others by all of their own."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A story on its day. `at` is when members see it first; `state` one of
    `queries.STATES`."""

    id: uuid.UUID
    title: str
    language: str
    topics: tuple[str, ...]
    languages: int
    state: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Day:
    """One day on the organisation's wall clock."""

    date: dt.date
    slots: list[Slot]


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft to read again, with its picture where it has one; `can_publish` by the reader."""

    id: uuid.UUID
    title: str
    language: str
    summary: str
    topics: tuple[str, ...]
    author_name: str | None
    languages: int
    updated_at: dt.datetime
    picture: PictureView | None
    is_sensitive: bool
    has_day: bool
    can_publish: bool


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a topic last had something new; None when it never had."""

    name: str
    code: str
    newest_at: dt.datetime | None

    def days(self, now: dt.datetime) -> int | None:
        return (now - self.newest_at).days if self.newest_at else None


def monday_of(week: str, today: dt.date) -> dt.date:
    """The Monday of an ISO week as `2026-W47`; of the present one for anything else."""
    try:
        found = dt.date.fromisoformat(f"{week}-1") if len(week) == 8 else today
    except ValueError:
        found = today
    return found - dt.timedelta(days=found.weekday())


def week_name(monday: dt.date) -> str:
    """`2026-W47`, as addresses write a week."""
    year, week, _day = monday.isocalendar()
    return f"{year:04}-W{week:02}"


def week(
    monday: dt.date, zone: ZoneInfo, within: Reach = None, language: str | None = None
) -> list[Day]:
    """Seven days for a reader of `language`, and what appears on each: published and scheduled stories, and drafts that have
    a day already; those kept `within` a reach. In two statements, whatever the size."""
    begin = dt.datetime.combine(monday, dt.time(), zone)
    end = dt.datetime.combine(monday + dt.timedelta(days=7), dt.time(), zone)
    rows = _rows(begin, end, within)
    topics = topic_names([row.id for row in rows], language)
    days = [Day(monday + dt.timedelta(days=number), []) for number in range(7)]
    now = clock.now()
    for row in rows:
        at = row.visible_from or row.published_at
        slot = Slot(
            row.id, row.title, row.language, topics.get(row.id, ()), row.languages,
            state_of(row.status, row.visible_from, row.expires_at, now), at,
        )  # fmt: skip
        days[(at.astimezone(zone).date() - monday).days].slots.append(slot)
    for day in days:
        day.slots.sort(key=lambda slot: slot.at)
    return days


def _rows(begin: dt.datetime, end: dt.datetime, within: Reach) -> Sequence[Any]:
    own, kept = own_text(), audiences.kept_within(Story.id, within)
    planned = select(Story.id).where(
        kept,
        Story.status.in_(("published", "draft")),
        Story.visible_from >= begin,
        Story.visible_from < end,
    )
    at_once = select(Story.id).where(
        kept,
        Story.visible_from.is_(None),
        Story.status == "published",
        Story.published_at >= begin,
        Story.published_at < end,
    )
    return db.session.execute(
        select(
            Story.id, Story.status, Story.visible_from, Story.expires_at, Story.published_at,
            own.title, own.language, _languages(),
        )
        .join(own, and_(own.story_id == Story.id, own.language == Story.language))
        .where(Story.id.in_(select(union_all(planned, at_once).subquery().c.id)))
        .order_by(Story.id.desc())
        .limit(MOST)
    ).all()  # fmt: skip


def _languages() -> Any:
    return (
        select(func.count())
        .where(StoryText.story_id == Story.id)
        .correlate(Story)
        .scalar_subquery()
        .label("languages")
    )


def drafts(viewer: Viewer) -> list[Draft]:
    """The drafts a writer may read again, the last made first."""
    rows = studio(StoryFilter(status="draft"), viewer, limit=DRAFTS).rows
    ids = [row.id for row in rows]
    if not ids:
        return []
    own = own_text()
    more = {
        row.id: row
        for row in db.session.execute(
            select(Story.id, Story.picture_id, Story.visible_from, own.summary, own.language)
            .join(own, and_(own.story_id == Story.id, own.language == Story.language))
            .where(Story.id.in_(ids))
        )
    }
    mine = kept_among(ids, viewer.curates)
    drawn = pictures([row.picture_id for row in more.values() if row.picture_id])
    sensitive = set(
        db.session.scalars(
            select(StoryTopic.story_id)
            .join(Topic, Topic.id == StoryTopic.topic_id)
            .where(StoryTopic.story_id.in_(ids), Topic.is_sensitive)
        )
    )
    return [
        Draft(
            row.id, row.title, more[row.id].language, more[row.id].summary, row.topics,
            row.author_name, len(row.languages), row.updated_at,
            drawn.get(more[row.id].picture_id), row.id in sensitive,
            more[row.id].visible_from is not None, row.id in mine,
        )
        for row in rows
    ]  # fmt: skip


def freshness(
    now: dt.datetime, within: Reach = None, language: str | None = None
) -> list[Freshness]:
    """The topics, by their names for a reader, and when each last had something new that is kept `within` a reach, the oldest
    first. Most topics are among the `RECENT` stories; only those that are not are looked up through
    all of theirs. A limited reach is looked up through what it keeps."""
    if within is not None:
        return _oldest_first(
            _newest_of(now, audiences.kept_within(Story.id, within), language), now
        )
    recent = (
        select(Story.id)
        .where(Story.status == "published")
        .order_by(Story.published_at.desc(), Story.id.desc())
        .limit(RECENT)
        .subquery()
    )
    found = _newest_of(now, Story.id.in_(select(recent.c.id)), language)
    rest = db.session.scalars(select(Topic.id).where(Topic.id.not_in(list(found)))).all()
    if rest:
        found |= _newest_of(now, StoryTopic.topic_id.in_(rest), language)
    return _oldest_first(found, now)


def _oldest_first(found: dict[uuid.UUID, Freshness], now: dt.datetime) -> list[Freshness]:
    return sorted(found.values(), key=lambda topic: topic.newest_at or now)[:TOPICS]


def _newest_of(
    now: dt.datetime, which: ColumnElement[bool], language: str | None
) -> dict[uuid.UUID, Freshness]:
    newest = func.max(func.coalesce(Story.visible_from, Story.published_at))
    query = (
        select(Topic.id, name_read.label("name"), Topic.code, newest.label("newest_at"))
        .join(StoryTopic, StoryTopic.topic_id == Topic.id)
        .join(Story, Story.id == StoryTopic.story_id)
        .where(
            which,
            Story.status == "published",
            or_(Story.visible_from.is_(None), Story.visible_from <= now),
        )
        .group_by(Topic.id)
    )
    rows = db.session.execute(query, {READS: language})
    return {row.id: Freshness(row.name, row.code, row.newest_at) for row in rows}
