"""When to publish: what a member's day holds already, and a sensible moment that is free.

A sensible moment is a working day in the morning, on the organisation's wall clock (rule W9),
when the member has room that day and no colleague posts the same at the same time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select

from app import clock
from app.db import db
from app.sharing.composing import Subject
from app.sharing.grants import LINKEDIN
from app.sharing.models import Share
from app.sharing.service import COUNTED, daily_cap, day_of
from app.sharing.subjects import STORY
from app.web import current_settings

MORNING: Final = dt.time(8, 40)
STEP: Final = dt.timedelta(minutes=20)
STEPS: Final = 6  # the last one begins at 10:20
NOTICE: Final = dt.timedelta(minutes=15)
DAYS: Final = 21
RECENT: Final = dt.timedelta(hours=3)
MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class Diary:
    """What bears on the choice of a moment. `just_posted`: colleagues who published the same
    in the last three hours."""

    free_at: dt.datetime
    posts_today: int
    cap: int
    just_posted: int

    @property
    def is_full_today(self) -> bool:
        return self.posts_today >= self.cap


def diary(person_id: uuid.UUID, subject: Subject) -> Diary:
    """Two statements: the cap, and the posts of this member or about this subject from today."""
    now, cap = clock.now(), daily_cap()
    today, tomorrow = day_of(now)
    rows = _posts(person_id, subject, min(today, now - RECENT))
    mine = [at for author, at in rows if author == person_id]
    others = {author for author, at in rows if author != person_id and now - RECENT <= at <= now}
    return Diary(
        free_at=_free(now, cap, mine, [at for _author, at in rows]),
        posts_today=sum(today <= at < tomorrow for at in mine),
        cap=cap,
        just_posted=len(others),
    )


def _posts(
    person_id: uuid.UUID, subject: Subject, since: dt.datetime
) -> list[tuple[uuid.UUID, dt.datetime]]:
    same = Share.story_id if subject.kind == STORY else Share.offer_id
    rows = db.session.execute(
        select(Share.person_id, Share.publish_at)
        .where(
            or_(Share.person_id == person_id, same == subject.id),
            Share.network == LINKEDIN,
            Share.status.in_(COUNTED),
            Share.publish_at >= since,
        )
        .order_by(Share.publish_at)
        .limit(MOST)
    )
    return [(row.person_id, row.publish_at) for row in rows if row.publish_at]


def _free(
    now: dt.datetime, cap: int, mine: list[dt.datetime], taken: list[dt.datetime]
) -> dt.datetime:
    """The first moment that suits; when all are taken, a busy morning is better than none."""
    mornings = [morning for morning in _mornings(now) if morning[0] >= now + NOTICE]
    for morning in mornings:
        first, after = day_of(morning[0])
        if sum(first <= other < after for other in mine) >= cap:
            continue
        for at in morning:
            if all(abs(other - at) >= STEP for other in taken):
                return at
    return mornings[0][0]


def _mornings(now: dt.datetime) -> Iterator[list[dt.datetime]]:
    """The working mornings of the next weeks, each with its moments."""
    zone = current_settings().timezone
    today = now.astimezone(zone).date()
    for ahead in range(DAYS):
        day = today + dt.timedelta(days=ahead)
        if day.weekday() < 5:
            first = dt.datetime.combine(day, MORNING, zone).astimezone(dt.UTC)
            yield [first + n * STEP for n in range(STEPS)]
