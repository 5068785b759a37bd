"""The monthly check of rule L5: posts sent, and posts sent with the line that says where their
author works. Counted from what was sent, never by reading profiles; never by name."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import case, distinct, func, select

from app import clock
from app.db import db
from app.people import thresholds
from app.sharing import disclosures
from app.sharing.models import Share

SENT: Final = ("published", "withdrawn")


class Month(NamedTuple):
    """One month on the organisation's wall clock. Both counts are None where few people posted."""

    first_day: dt.date
    sent: int | None
    with_disclosure: int | None
    is_empty: bool

    @property
    def is_complete(self) -> bool:
        """Whether every post carried the line, as the rule wants."""
        return self.sent == self.with_disclosure


def months(zone: ZoneInfo, count: int = 3) -> list[Month]:
    """The last months, the present one first."""
    first = clock.now().astimezone(zone).date().replace(day=1)
    found = []
    for _ in range(count):
        found.append(_month(first, zone))
        first = (first - dt.timedelta(days=1)).replace(day=1)
    return found


def _month(first: dt.date, zone: ZoneInfo) -> Month:
    following = (first + dt.timedelta(days=32)).replace(day=1)
    sent, carrying, authors = db.session.execute(
        select(
            func.count(),
            func.count(case((Share.disclosure != disclosures.NONE, 1))),
            func.count(distinct(Share.person_id)),
        ).where(
            Share.status.in_(SENT),
            Share.published_at >= _midnight(first, zone),
            Share.published_at < _midnight(following, zone),
        )
    ).one()
    if authors < thresholds.team():
        return Month(first, None, None, sent == 0)
    return Month(first, sent, carrying, is_empty=False)


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
