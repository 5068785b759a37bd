"""Reads about rewards and redemptions: plain rows, pages by key, no totals."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import aliased

from app.db import db
from app.people import names
from app.people.models import Person
from app.people.queries import has_left
from app.rewards import words
from app.rewards.models import RESERVED, Redemption, Reward
from app.web.cursors import encode_cursor, unreadable

MAX_PAGE = 200
LOW = 2  # left, from which on a stock is marked
_Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class RewardRow:
    """A reward as lists show it. `stock` and `stock_left` are None without limit."""

    id: uuid.UUID
    title: str
    description: str
    cost: int
    stock: int | None
    stock_left: int | None
    pay_class: str
    created_at: dt.datetime
    withdrawn_at: dt.datetime | None
    deliverer_id: uuid.UUID
    deliverer_name: str
    deliverer_email: str
    deliverer_left: bool

    @property
    def drawing(self) -> str:
        return words.drawing(self.pay_class, self.id)

    @property
    def is_low(self) -> bool:
        """Two or fewer are left, or a tenth of all there ever were."""
        if self.stock is None or self.stock_left is None:
            return False
        return self.stock_left <= LOW or self.stock_left * 10 <= self.stock

    @property
    def is_on_sale(self) -> bool:
        return self.withdrawn_at is None and self.stock_left != 0

    def missing(self, available: int) -> int:
        """How many points are still needed; 0 when it is within reach."""
        return max(0, self.cost - available)


@dataclass(frozen=True, slots=True)
class RedemptionRow:
    """A redemption with everybody's name. `cost` is the price of that day."""

    id: uuid.UUID
    status: str
    cost: int
    created_at: dt.datetime
    settled_at: dt.datetime | None
    settled_by: uuid.UUID | None
    settled_by_name: str | None
    reward_id: uuid.UUID
    title: str
    pay_class: str
    person_id: uuid.UUID
    person_name: str
    person_email: str
    person_employee_id: str | None
    person_site: str | None
    deliverer_id: uuid.UUID
    deliverer_name: str
    deliverer_email: str

    @property
    def drawing(self) -> str:
        return words.drawing(self.pay_class, self.reward_id)

    @property
    def initials(self) -> str:
        return names.initials(self.person_name)

    @property
    def avatar(self) -> int:
        return names.avatar(self.person_id)

    @property
    def is_open(self) -> bool:
        return self.status == RESERVED


@dataclass(frozen=True, slots=True)
class RedemptionFilter:
    """What a list of redemptions shows. `q` looks in the member's name and the title."""

    status: str = ""
    person_id: uuid.UUID | None = None
    deliverer_id: uuid.UUID | None = None
    reward_id: uuid.UUID | None = None
    q: str = ""

    @property
    def oldest_first(self) -> bool:
        """What waits is served in the order it came; what is over is looked up backwards."""
        return self.status == RESERVED


def _decode_place(after: str) -> tuple[str, uuid.UUID]:
    try:
        first, key = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        return str(first), uuid.UUID(key)
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable() from error


def _after_cost(after: str) -> ColumnElement[bool]:
    cost, key = _decode_place(after)
    if not cost.isascii() or not cost.isdigit() or len(cost) > 9:
        raise unreadable()
    return or_(Reward.cost > int(cost), and_(Reward.cost == int(cost), Reward.id > key))


def _after_moment(after: str, *, oldest_first: bool) -> ColumnElement[bool]:
    text, key = _decode_place(after)
    try:
        at = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except ValueError as error:
        raise unreadable() from error
    column = Redemption.created_at
    if oldest_first:
        return or_(column > at, and_(column == at, Redemption.id > key))
    return or_(column < at, and_(column == at, Redemption.id < key))


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))


# ---- Rewards

_REWARDS: _Rows = select(
    Reward.id, Reward.title, Reward.description, Reward.cost, Reward.stock, Reward.stock_left,
    Reward.pay_class, Reward.created_at, Reward.withdrawn_at, Reward.deliverer_id, Person.name,
    Person.email, Person.departed_at.is_not(None),
).join(Person, Person.id == Reward.deliverer_id)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RewardFilter:
    """What a list of rewards shows, by price. `q` looks in the title, `low` keeps what is sold
    out or nearly (see `RewardRow.is_low`), `classes` only those (None: all)."""

    withdrawn: bool = False
    in_stock: bool = False
    low: bool = False
    cost_up_to: int | None = None
    q: str = ""
    classes: frozenset[str] | None = None


def _reward_conditions(f: RewardFilter) -> Iterator[ColumnElement[bool]]:
    gone = Reward.withdrawn_at
    yield gone.is_not(None) if f.withdrawn else gone.is_(None)
    if f.classes is not None:
        yield Reward.pay_class.in_(f.classes)
    if f.in_stock:
        yield or_(Reward.stock_left.is_(None), Reward.stock_left > 0)
    if f.low:
        yield or_(Reward.stock_left <= LOW, Reward.stock_left * 10 <= Reward.stock)
    if f.cost_up_to is not None:
        yield Reward.cost <= f.cost_up_to
    for word in f.q.split()[:5]:
        yield Reward.title.icontains(word, autoescape=True)


def rewards(
    f: RewardFilter, *, after: str | None = None, limit: int = 50
) -> tuple[list[RewardRow], str | None]:
    """One page by price, and the cursor of the next. Raises `InvalidInput` for an unreadable
    `after`."""
    return _page_of_rewards(_REWARDS.where(*_reward_conditions(f)), after, limit)


def on_sale(
    *,
    after: str | None = None,
    limit: int = 50,
    in_stock: bool = False,
    classes: frozenset[str] | None = None,
) -> tuple[list[RewardRow], str | None]:
    """The shelf by price, and the cursor of its next page. `in_stock` leaves out what is
    sold out for now, `classes` what the reader's kind may not ask for. Raises `InvalidInput`
    for an unreadable `after`."""
    return rewards(RewardFilter(in_stock=in_stock, classes=classes), after=after, limit=limit)


def _page_of_rewards(
    query: _Rows, after: str | None, limit: int
) -> tuple[list[RewardRow], str | None]:
    limit = _bounded(limit)
    if after:
        query = query.where(_after_cost(after))
    found = db.session.execute(query.order_by(Reward.cost, Reward.id).limit(limit + 1)).all()
    rows = [RewardRow(*row) for row in found[:limit]]
    return rows, encode_cursor(rows[-1].cost, rows[-1].id) if len(found) > limit else None


def reward(reward_id: uuid.UUID) -> RewardRow | None:
    """One reward, withdrawn or not."""
    row = db.session.execute(_REWARDS.where(Reward.id == reward_id)).one_or_none()
    return RewardRow(*row) if row else None


def delivers(person_id: uuid.UUID) -> bool:
    """Whether somebody hands over any reward, withdrawn ones included."""
    theirs = select(Reward.id).where(Reward.deliverer_id == person_id).limit(1)
    return db.session.scalar(theirs) is not None


# ---- Redemptions

_member, _deliverer, _settler = aliased(Person), aliased(Person), aliased(Person)


def _shown(column: Any, instead: str | None = None) -> ColumnElement[Any]:
    """What is told of a member: all while there is something to hand over; once it is settled,
    nothing of somebody who left (rule W2)."""
    settled_and_gone = and_(Redemption.status != RESERVED, has_left(_member))
    return case((settled_and_gone, instead), else_=column)


_REDEMPTIONS: _Rows = (
    select(
        Redemption.id, Redemption.status, Redemption.cost, Redemption.created_at,
        Redemption.settled_at, Redemption.settled_by, _settler.name, Redemption.reward_id,
        Reward.title, Reward.pay_class, Redemption.person_id, _shown(_member.name, ""),
        _shown(_member.email, ""), _shown(_member.employee_id), _shown(_member.site),
        Reward.deliverer_id, _deliverer.name,
        _deliverer.email,
    )
    .join(Reward, Reward.id == Redemption.reward_id)
    .join(_member, _member.id == Redemption.person_id)
    .join(_deliverer, _deliverer.id == Reward.deliverer_id)
    .outerjoin(_settler, _settler.id == Redemption.settled_by)
)  # fmt: skip


def _conditions(f: RedemptionFilter) -> Iterator[ColumnElement[bool]]:
    if f.status:
        yield Redemption.status == f.status
    if f.person_id is not None:
        yield Redemption.person_id == f.person_id
    if f.deliverer_id is not None:
        yield Reward.deliverer_id == f.deliverer_id
    if f.reward_id is not None:
        yield Redemption.reward_id == f.reward_id
    for word in f.q.split()[:5]:
        yield or_(
            _shown(_member.name, "").icontains(word, autoescape=True),
            Reward.title.icontains(word, autoescape=True),
        )


def redemptions(
    f: RedemptionFilter, *, after: str | None = None, limit: int = 50
) -> tuple[list[RedemptionRow], str | None]:
    """One page and the cursor of the next. Raises `InvalidInput` for an unreadable `after`."""
    limit = _bounded(limit)
    query = _REDEMPTIONS.where(*_conditions(f))
    if after:
        query = query.where(_after_moment(after, oldest_first=f.oldest_first))
    keys = (Redemption.created_at, Redemption.id)
    order = keys if f.oldest_first else tuple(key.desc() for key in keys)
    found = db.session.execute(query.order_by(*order).limit(limit + 1)).all()
    rows = [RedemptionRow(*row) for row in found[:limit]]
    more = len(found) > limit
    return rows, encode_cursor(rows[-1].created_at, rows[-1].id) if more else None


def each_redemption(f: RedemptionFilter) -> Iterator[RedemptionRow]:
    """Every redemption of a filter, read page by page, for an export."""
    after: str | None = None
    while True:
        rows, after = redemptions(f, after=after, limit=MAX_PAGE)
        yield from rows
        if after is None:
            return


def redemption(redemption_id: uuid.UUID) -> RedemptionRow | None:
    """One redemption, for whom the caller has checked."""
    row = db.session.execute(_REDEMPTIONS.where(Redemption.id == redemption_id)).one_or_none()
    return RedemptionRow(*row) if row else None


def by_ids(ids: Collection[uuid.UUID]) -> list[RedemptionRow]:
    """Some redemptions by id, oldest first."""
    if not ids:
        return []
    query = _REDEMPTIONS.where(Redemption.id.in_(ids))
    found = db.session.execute(query.order_by(Redemption.created_at, Redemption.id)).all()
    return [RedemptionRow(*row) for row in found]
