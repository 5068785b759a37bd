"""What members earned in a month: kept scores, the first ten of those who are named, one's own
rank.

The scores follow the ledger by a job each minute: the accounts that moved since it last looked
get their month counted again from their own chain, so looking twice changes nothing and a
posting waits for nobody. Transfers are found by their identifiers, which rise with the time of
writing; one that was committed late is found because each run looks two minutes back.

A list names only members who agreed to be named and do not rest, shows no bottom, and nothing at
all below a threshold of people or before staff and council were told (`people.activation`). One's own rank is for oneself.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, func, select, update

from app import clock, ledger
from app.db import db, transaction
from app.errors import NotFound
from app.people import activation, pauses, thresholds
from app.people.activation import Activation
from app.people.models import Consent, Membership, Person
from app.people.names import short_name
from app.play.models import PointsAccount, Score, ScoreMark, ScoreStep
from app.web import current_settings
from app.web.pages import local_today

TOP: Final = 10
NAMED: Final = "recognition"
"""The choice that lets colleagues see one's name in results."""
PART: Final = 500
_LOOK_BACK_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the list; equal points share a rank."""

    rank: int
    name: str
    points: int
    is_me: bool


@dataclass(frozen=True, slots=True)
class Board:
    """A month as one member sees it. `is_shown` is False below the threshold, and while the
    activation gate is closed (`is_open`, rule W3): then nobody's points show to anybody else.
    `my_rank` is None for who earned nothing that month or rests."""

    period: str
    starts_on: dt.date
    ends_on: dt.date
    is_shown: bool
    places: tuple[Place, ...]
    my_points: int
    my_rank: int | None
    threshold: int
    is_open: bool
    activation: Activation


# --- months ------------------------------------------------------------------------------


def period_at(instant: dt.datetime) -> str:
    """The month of an instant on the organisation's calendar, as `2026-11`."""
    return f"{instant.astimezone(current_settings().timezone):%Y-%m}"


def _first_day(period: str) -> dt.date:
    """Raises `NotFound` for what names no month."""
    try:
        if len(period) == len("2026-11"):
            return dt.date.fromisoformat(f"{period}-01")
    except ValueError:
        pass
    raise NotFound(_l("There is no such month."))


def _next(first: dt.date) -> dt.date:
    return (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def _instant(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), current_settings().timezone)


# --- keeping the scores ------------------------------------------------------------------


def fold() -> int:
    """Bring the scores up to the ledger; how many accounts were counted again."""
    mark, counted = db.session.get(ScoreMark, 1), 0
    after = _a_little_before(mark.transfer_id) if mark else None
    while moved := ledger.moved_since(after, PART):
        after = moved[-1][0]
        accounts = {account_id for _transfer, account_id in moved}
        _count_again(accounts, after)
        counted += len(accounts)
        if len(moved) < PART:
            break
    return counted


def _a_little_before(transfer_id: uuid.UUID) -> uuid.UUID:
    """The identifier that one written two minutes earlier would have at least."""
    written_ms = transfer_id.int >> 80
    return uuid.UUID(int=max(written_ms - _LOOK_BACK_MS, 0) << 80)


def _count_again(accounts: Iterable[uuid.UUID], upto: uuid.UUID) -> None:
    """This month and the one before: a point posted in its last minute belongs to it."""
    this_month = _first_day(period_at(clock.now()))
    last_month = (this_month - dt.timedelta(days=1)).replace(day=1)
    with transaction() as session:
        mine = select(PointsAccount.account_id).where(PointsAccount.account_id.in_(accounts))
        members = list(session.scalars(mine))
        began = {
            day: ledger.status_at(members, _instant(day))
            for day in (last_month, this_month, _next(this_month))
        }
        for first in (last_month, this_month):
            earned = {id_: began[_next(first)][id_] - began[first][id_] for id_ in members}
            _keep(f"{first:%Y-%m}", earned)
        mark = session.get(ScoreMark, 1) or ScoreMark(id=1, transfer_id=upto)
        mark.transfer_id = max(mark.transfer_id, upto)
        session.add(mark)


def _keep(period: str, earned: dict[uuid.UUID, int]) -> None:
    """Write the changed scores of a month, and the steps that follow from them."""
    session = db.session()
    known = {
        score.account_id: score
        for score in session.scalars(
            select(Score)
            .where(Score.period == period, Score.account_id.in_(earned))
            .with_for_update()
        )
    }
    steps: Counter[int] = Counter()
    for account_id, points in earned.items():
        score = known.get(account_id)
        before = score.points if score else 0
        if points == before or (points <= 0 and score is None):
            continue
        if score is None:
            session.add(Score(period=period, account_id=account_id, points=points,
                              rank_key=-points, reached_at=clock.now()))  # fmt: skip
        elif points <= 0:
            session.delete(score)
        else:
            score.points, score.rank_key, score.reached_at = points, -points, clock.now()
        steps[before] -= 1
        steps[points] += 1
    for points, people in steps.items():
        if points > 0 and people:
            _step(period, points, people)


def _step(period: str, points: int, people: int) -> None:
    session = db.session()
    session.flush()
    changed = session.execute(
        update(ScoreStep)
        .where(ScoreStep.period == period, ScoreStep.points == points)
        .values(people=ScoreStep.people + people)
        .execution_options(synchronize_session=False, preserve_rowcount=True)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        session.add(ScoreStep(period=period, points=points, people=people))


# --- reading -----------------------------------------------------------------------------


def board(person_id: uuid.UUID, period: str = "") -> Board:
    """A month's list for one reader, the present month when none is named. Raises `NotFound`
    for what is no month."""
    period = period or period_at(clock.now())
    first = _first_day(period)
    people = _people(period)
    points = my_points(person_id, period)
    least, gate = thresholds.joining(), activation.current()
    is_open = gate.is_open_on(local_today())
    is_shown = is_open and people >= least
    return Board(
        period=period,
        starts_on=first,
        ends_on=_next(first) - dt.timedelta(days=1),
        is_shown=is_shown,
        places=tuple(_places(period, person_id)) if is_shown else (),
        my_points=points,
        my_rank=_my_rank(person_id, period, points) if is_shown else None,
        threshold=least,
        is_open=is_open,
        activation=gate,
    )


def _my_rank(person_id: uuid.UUID, period: str, points: int) -> int | None:
    return rank(period, points) if points and not pauses.is_resting(person_id) else None


def my_points(person_id: uuid.UUID, period: str) -> int:
    """What a member earned in a month."""
    found = db.session.scalar(
        select(Score.points)
        .join(PointsAccount, PointsAccount.account_id == Score.account_id)
        .where(PointsAccount.person_id == person_id, Score.period == period)
    )
    return found or 0


def rank(period: str, points: int) -> int:
    """One more than the members with more points."""
    above = select(func.sum(ScoreStep.people)).where(
        ScoreStep.period == period, ScoreStep.points > points
    )
    return int(db.session.scalar(above) or 0) + 1


def _people(period: str) -> int:
    found = select(func.sum(ScoreStep.people)).where(ScoreStep.period == period)
    return int(db.session.scalar(found) or 0)


def top(period: str, limit: int = TOP) -> list[tuple[uuid.UUID, str, int]]:
    """(person, name, points) of the first of those who agreed to be named; of equals, who
    reached it earlier."""
    rows = db.session.execute(
        select(Person.id, Person.name, Score.points)
        .select_from(Score)
        .join(PointsAccount, PointsAccount.account_id == Score.account_id)
        .join(Person, Person.id == PointsAccount.person_id)
        # Asked of each in turn: joined, SQLite begins with all who agreed and sorts them.
        .where(
            Score.period == period,
            Person.departed_at.is_(None),
            Person.suspended_at.is_(None),
            exists().where(
                Membership.person_id == PointsAccount.person_id, Membership.left_at.is_(None)
            ),
            exists().where(
                Consent.person_id == PointsAccount.person_id,
                Consent.purpose == NAMED,
                Consent.withdrawn_at.is_(None),
            ),
            ~pauses.rests(PointsAccount.person_id),
        )
        .order_by(Score.rank_key, Score.reached_at, Score.account_id)
        .limit(limit)
    )
    return [(row.id, row.name, row.points) for row in rows]


def _places(period: str, reader_id: uuid.UUID) -> list[Place]:
    places: list[Place] = []
    for number, (person_id, name, points) in enumerate(top(period), start=1):
        same = places and places[-1].points == points
        place = places[-1].rank if same else number
        places.append(Place(place, short_name(name), points, person_id == reader_id))
    return places
