"""How the demo lives: acts in the order of their time, and a mark of how far it came.

Acts that only write share a transaction with the mark, so that a fill which is killed goes on
exactly where it stopped; an act that is `alone` (it draws, imports or speaks to a network) looks
itself whether it was done. After each day everything that follows from it is delivered.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from zoneinfo import ZoneInfo

from app import clock, outbox
from app.db import db, transaction
from app.outbox import service as relay
from app.outbox.models import PeriodicRun

LIVED = 150  # days
_PRESENT, _LIVED = "demo.present", "demo.lived"
_EVENING = dt.time(19, 40)
_MORNING = ("play.post_due", "ledger.seal")
_WEEKLY = ("referrals.forget", "sharing.remind", "house.forget")
_AT_ONCE = 200
LONGEST_LEASE = dt.timedelta(minutes=15)  # longer than any claim of a process that died
_NEVER = dt.timedelta(days=36_500)
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does at one moment of the product's clock."""

    at: dt.datetime
    do: Callable[[], object]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days before the moment at which the demo was begun, on the organisation's wall clock."""

    present: dt.datetime
    zone: ZoneInfo

    def at(self, days_ago: float, hour: int = 10, minute: int = 12) -> dt.datetime:
        """A working hour so many days ago; never after the present."""
        return min(self.moment(days_ago, hour, minute), self.present)

    def moment(self, days_ago: float, hour: int, minute: int) -> dt.datetime:
        """The same, also of a day to come (negative)."""
        day = self.present.astimezone(self.zone).date() - dt.timedelta(days=int(days_ago))
        wall = dt.datetime.combine(day, dt.time(hour, minute), self.zone)
        return wall.astimezone(dt.UTC)

    def days_ago(self, at: dt.datetime) -> int:
        """How many days before the present's day."""
        return (self.present.astimezone(self.zone).date() - at.astimezone(self.zone).date()).days

    def evening(self, days_ago: int) -> dt.datetime:
        """When the day's work is over; of today, now."""
        return self.at(days_ago, _EVENING.hour, _EVENING.minute)


def present() -> dt.datetime:
    """The moment the demo is dated by: now, or when a fill that was killed began."""
    known = _mark(_PRESENT)
    if known is None:
        known = clock.now().replace(microsecond=0)
        _set_mark(_PRESENT, known)
    return known


def _mark(name: str) -> dt.datetime | None:
    row = db.session.get(PeriodicRun, name, populate_existing=True)
    return None if row is None else row.ran_at


def _set_mark(name: str, at: dt.datetime) -> None:
    with transaction() as session:
        session.merge(PeriodicRun(name=name, ran_at=at))


def live(calendar: Calendar, acts: Iterable[Act], tell: Tell | None = None) -> None:
    """Do everything that was not done yet, and let each day end. The clock stays held."""
    reached = _mark(_LIVED)
    if reached is not None:
        _settle(min(calendar.evening(calendar.days_ago(reached)), calendar.present))
    waiting = [act for act in _in_order(calendar, acts) if reached is None or act.at > reached]
    for days_ago, of_day in groupby(waiting, lambda act: calendar.days_ago(act.at)):
        if tell is not None:
            tell(LIVED - days_ago + 1, LIVED + 1)
        for batch in _batches(of_day):
            _do(batch)
        _settle(calendar.evening(days_ago))


def _in_order(calendar: Calendar, acts: Iterable[Act]) -> Iterator[Act]:
    """By their time, each at a moment of its own."""
    last = calendar.at(LIVED + 1)
    every = [*acts, *_mornings(calendar)]
    for act in sorted(every, key=lambda act: act.at):
        last = max(act.at, last + dt.timedelta(microseconds=1))
        yield Act(last, act.do, act.alone)


def _mornings(calendar: Calendar) -> Iterator[Act]:
    """What the scheduler would have handed over."""
    for days_ago in range(LIVED, -1, -1):
        names = _MORNING + (_WEEKLY if days_ago % 7 == 0 else ())
        yield Act(calendar.at(days_ago, 2, 12), partial(_hand_over, names))


def _hand_over(names: tuple[str, ...]) -> None:
    with transaction():
        for name in names:
            outbox.record(f"periodic.{name}")


def _batches(acts: Iterable[Act]) -> Iterator[list[Act]]:
    """Neighbours that may share a transaction."""
    for alone, some in groupby(acts, lambda act: act.alone):
        if alone:
            yield from ([act] for act in some)
        else:
            yield [*some]


def _do(batch: list[Act]) -> None:
    if batch[0].alone:
        clock.freeze(batch[0].at)
        batch[0].do()
        _set_mark(_LIVED, batch[0].at)
        return
    with transaction():
        for act in batch:
            clock.freeze(act.at)
            act.do()
        _set_mark(_LIVED, batch[-1].at)


def _settle(evening: dt.datetime) -> None:
    """Deliver what the day brought, and what that brings."""
    clock.freeze(max(evening, clock.now()))
    while batch := relay.due(_AT_ONCE, resend_after=_NEVER):
        inside: list[uuid.UUID] = []
        outside: list[uuid.UUID] = []
        for delivery in batch:
            handler = outbox.registered(delivery.handler)
            (outside if handler and handler.outside else inside).append(delivery.id)
        with transaction():  # a day's points are one transaction: a fill waits for the disk less
            done = [outbox.deliver(delivery_id) for delivery_id in inside]
        done += [outbox.deliver(delivery_id) for delivery_id in outside]
        if not any(done):  # what is left was claimed by a fill that died
            clock.travel(LONGEST_LEASE)
