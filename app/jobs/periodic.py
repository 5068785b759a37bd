"""What happens by the clock.

A periodic job is a fact like any other, `periodic.<name>`, recorded in the transaction that
notes when it ran; the outbox and the workers do the rest. While an earlier one is still
under way no second one is recorded, so nothing piles up when workers are away. The list of
the product is `app.schedule`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.exc import IntegrityError

from app import clock, outbox
from app.db import db, transaction
from app.outbox.models import PeriodicRun


@dataclass(frozen=True, slots=True)
class Periodic:
    """One entry: every so many seconds, or daily at a time of the organisation's wall."""

    name: str
    seconds: int | None = None
    at: dt.time | None = None

    @property
    def kind(self) -> str:
        """The fact its handlers listen to."""
        return f"periodic.{self.name}"

    def is_due(self, ran_at: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> bool:
        """Whether it should run now, having last run at `ran_at`."""
        if self.seconds is not None:
            return now - ran_at >= dt.timedelta(seconds=self.seconds)
        return ran_at < self._latest(now, zone)

    def _latest(self, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The last time the wall clock showed `at`."""
        wall = now.astimezone(zone)
        at = self.at or dt.time()
        today = dt.datetime.combine(wall.date(), at, zone).astimezone(dt.UTC)
        if today <= now:
            return today
        return dt.datetime.combine(wall.date() - dt.timedelta(days=1), at, zone).astimezone(dt.UTC)


def every(name: str, *, seconds: int = 0, minutes: int = 0, hours: int = 0) -> Periodic:
    """Runs again when that much time has passed; the first time at once."""
    total = seconds + 60 * minutes + 3600 * hours
    if total <= 0:
        raise ValueError(f"the periodic job {name} needs a time between two runs")
    return Periodic(name, seconds=total)


def daily(name: str, at: str) -> Periodic:
    """Runs once a day at `at` ("HH:MM") in the organisation's zone; missed, at the next start."""
    return Periodic(name, at=dt.time.fromisoformat(at))


def record_due(entries: Iterable[Periodic], zone: ZoneInfo) -> list[str]:
    """Record the fact of every entry that is due; their names."""
    now = clock.now()
    ran: dict[str, dt.datetime] = {
        row.name: row.ran_at
        for row in db.session.execute(select(PeriodicRun.name, PeriodicRun.ran_at))
    }
    return [entry.name for entry in entries if _record(entry, ran.get(entry.name), now, zone)]


def _record(entry: Periodic, ran_at: dt.datetime | None, now: dt.datetime, zone: ZoneInfo) -> bool:
    if ran_at is None:
        return _record_first(entry, now)
    if not entry.is_due(ran_at, now, zone):
        return False
    with transaction() as session:
        if outbox.is_under_way(entry.kind):
            return False
        # Only one of two schedulers finds the time it has read.
        changed = session.execute(
            update(PeriodicRun)
            .where(PeriodicRun.name == entry.name, PeriodicRun.ran_at == ran_at)
            .values(ran_at=now)
        )
        if cast(CursorResult[object], changed).rowcount != 1:
            return False
        outbox.record(entry.kind)
    return True


def _record_first(entry: Periodic, now: dt.datetime) -> bool:
    """The first time: at once for "every", at its next hour for "daily"."""
    at_once = entry.seconds is not None
    try:
        with transaction() as session:
            session.execute(insert(PeriodicRun).values(name=entry.name, ran_at=now))
            if at_once:
                outbox.record(entry.kind)
    except IntegrityError:
        return False
    return at_once
