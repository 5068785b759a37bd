"""Reads about rewards and redemptions: plain rows, pages by key, no totals."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.orm import aliased

from app.db import db
from app.people import audiences, names
from app.people.models import Person
from app.people.queries import has_left, mailbox
from app.people.segments import people_in
from app.rewards import effective, words
from app.rewards.effective import Shopper, deliverer, left, price, stock
from app.rewards.models import RESERVED, Redemption, Reward, RewardOverride
from app.settings.models import Entity
from app.web.cursors import Beside, beside, encode_cursor, throughout
from app.web.two_languages import READS

MAX_PAGE = 200
LOW = 2  # left, from which on a stock is marked
_Rows = Select[*tuple[Any, ...]]
_TITLES = (Reward.title, Reward.other_title)


@dataclass(frozen=True, slots=True)
class RewardRow:
    """A reward as lists show it, in the terms of whom the list is for. `stock` and `stock_left`
    are None without limit; `entity_name` is that of the entity whose own it is, `differing` how
    many entities say otherwise of it, `is_changed` that the entity of the list does, `is_hidden`
    that it is not on the shelf of its people. `language` is that of the title as it stands here,
    None where nobody said; the `other_` texts are those of the other language, empty without."""

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
    is_open_outside: bool
    entity_id: uuid.UUID | None
    entity_name: str | None
    differing: int
    is_changed: bool
    is_hidden: bool
    language: str | None
    other_title: str
    other_description: str

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
    """A redemption with everybody's name. `cost` is the price of that day, `entity_name` where
    the member belonged then; `has_left` says that nobody is named any more; `language` is that of
    the title, None where nobody said."""

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
    person_site: str | None
    deliverer_id: uuid.UUID
    deliverer_name: str
    deliverer_email: str
    entity_name: str | None = None
    has_left: bool = False
    language: str | None = None

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
    """What a list of redemptions shows, in the reader's `language` (None: as it was written). `q`
    looks in the member's name and the titles; `within` are the segments whose people a limited
    role reaches (None: everybody)."""

    status: str = ""
    person_id: uuid.UUID | None = None
    deliverer_id: uuid.UUID | None = None
    reward_id: uuid.UUID | None = None
    q: str = ""
    within: frozenset[uuid.UUID] | None = None
    language: str | None = None

    @property
    def oldest_first(self) -> bool:
        """What waits is served in the order it came; what is over is looked up backwards."""
        return self.status == RESERVED


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))


# ---- Rewards

_elsewhere = aliased(RewardOverride)
_DIFFERING = (
    select(func.count())
    .where(_elsewhere.reward_id == Reward.id)
    .correlate(Reward)
    .scalar_subquery()
)


def _rewards(entity: Any) -> _Rows:
    """Rewards in the terms of an entity; None: as they are shared."""
    return (
        select(
            Reward.id, effective.title, effective.description, price, stock, left, Reward.pay_class,
            Reward.created_at, Reward.withdrawn_at, deliverer, Person.name, Person.email,
            Person.departed_at.is_not(None), Reward.is_open_outside, Reward.entity_id,
            Entity.name, _DIFFERING, RewardOverride.reward_id.is_not(None),
            func.coalesce(RewardOverride.is_hidden, false()), effective.language,
            Reward.other_title, effective.other_description,
        )
        .select_from(Reward)
        .outerjoin(RewardOverride, effective.differing(entity))
        .join(Person, Person.id == deliverer)
        .outerjoin(Entity, Entity.id == Reward.entity_id)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RewardFilter:
    """What a list of rewards shows, by price, in the reader's `language` (None: as it was written).
    `q` looks in the titles, `low` keeps what is sold out or nearly (see `RewardRow.is_low`),
    `orphaned` what somebody hands over who has left.

    With `shopper` it is that person's shelf; with `entity_id` what people of that entity find, in
    their terms, `with_hidden` also what it hides from them; with neither, everything as it is
    shared. `within` are the segments of a limited role that keeps some of it (None: all).
    """

    withdrawn: bool = False
    in_stock: bool = False
    low: bool = False
    orphaned: bool = False
    pay_class: str = ""
    cost_up_to: int | None = None
    q: str = ""
    shopper: Shopper | None = None
    entity_id: uuid.UUID | None = None
    with_hidden: bool = False
    within: frozenset[uuid.UUID] | None = None
    language: str | None = None

    @property
    def entity(self) -> Any:
        """Whose terms are told."""
        return effective.entity_of(self.shopper.person_id) if self.shopper else self.entity_id


def _reward_conditions(f: RewardFilter) -> Iterator[ColumnElement[bool]]:
    gone = Reward.withdrawn_at
    yield gone.is_not(None) if f.withdrawn else gone.is_(None)
    yield from _whose(f)
    if f.in_stock:
        yield or_(left.is_(None), left > 0)
    if f.low:
        yield or_(left <= LOW, left * 10 <= stock)
    if f.orphaned:
        yield Person.departed_at.is_not(None)
    if f.pay_class:
        yield Reward.pay_class == f.pay_class
    if f.cost_up_to is not None:
        yield price <= f.cost_up_to
    for word in f.q.split()[:5]:
        yield _titled(word)


def _titled(word: str) -> ColumnElement[bool]:
    """A word of either title finds it, whoever reads."""
    return or_(*(title.icontains(word, autoescape=True) for title in _TITLES))


def _whose(f: RewardFilter) -> Iterator[ColumnElement[bool]]:
    if f.shopper is not None:
        yield from effective.for_shopper(f.shopper)
    elif f.entity_id is not None:
        yield from effective.on_shelf(f.entity_id, with_hidden=f.with_hidden)
    yield audiences.kept_within(Reward.id, f.within)


def rewards(
    f: RewardFilter, *, after: str | None = None, before: str | None = None, limit: int = 50
) -> Beside[RewardRow]:
    """The rewards by price after one place of the list, or before another. Raises `InvalidInput`
    for a cursor that is none."""
    reads = {READS: f.language}
    return beside(
        _rewards(f.entity).where(*_reward_conditions(f)),
        (price, Reward.id),
        lambda part: [RewardRow(*row) for row in db.session.execute(part, reads)],
        lambda row: encode_cursor(row.cost, row.id),
        after=after,
        before=before,
        limit=_bounded(limit),
        rising=True,
    )


def titles(
    ids: Collection[uuid.UUID],
    *,
    within: frozenset[uuid.UUID] | None = None,
    language: str | None = None,
) -> dict[uuid.UUID, str]:
    """How some rewards are called, withdrawn or not, as far as a limited role keeps them."""
    wanted = select(Reward.id, effective.title.label("title")).where(
        Reward.id.in_(ids), audiences.kept_within(Reward.id, within)
    )
    found = db.session.execute(wanted, {READS: language})
    return {row.id: row.title for row in found}


def reward(
    reward_id: uuid.UUID,
    *,
    shopper: Shopper | None = None,
    within: frozenset[uuid.UUID] | None = None,
    language: str | None = None,
) -> RewardRow | None:
    """One reward, withdrawn or not: as it is shared, or as it is for `shopper`, in a reader's
    `language` or as it was written; None for what is not on their shelf, or not kept within a
    limited role's reach."""
    f = RewardFilter(shopper=shopper, within=within)
    query = _rewards(f.entity).where(Reward.id == reward_id, *_whose(f))
    row = db.session.execute(query, {READS: language}).one_or_none()
    return RewardRow(*row) if row else None


def delivers(person_id: uuid.UUID) -> bool:
    """Whether somebody hands over any reward, withdrawn ones included, for all or an entity."""
    theirs = select(Reward.id).where(Reward.deliverer_id == person_id)
    elsewhere = select(RewardOverride.reward_id).where(RewardOverride.deliverer_id == person_id)
    found = select(or_(theirs.exists(), elsewhere.exists()))
    return bool(db.session.scalar(found))


# ---- Redemptions

_member, _deliverer, _settler = aliased(Person), aliased(Person), aliased(Person)


_SETTLED_AND_GONE = and_(Redemption.status != RESERVED, has_left(_member))


def _shown(column: Any, instead: str | None = None) -> ColumnElement[Any]:
    """What is told of a member: all while there is something to hand over; once it is settled,
    nothing of somebody who left (rule W2)."""
    return case((_SETTLED_AND_GONE, instead), else_=column)


# Somebody who called it off for themselves and then left is not named there either.
_settler_shown = case(
    (and_(_SETTLED_AND_GONE, Redemption.settled_by == Redemption.person_id), None),
    else_=_settler.name,
)
_REDEMPTIONS: _Rows = (
    select(
        Redemption.id, Redemption.status, Redemption.cost, Redemption.created_at,
        Redemption.settled_at, Redemption.settled_by, _settler_shown, Redemption.reward_id,
        effective.title, Reward.pay_class, Redemption.person_id, _shown(_member.name, ""),
        _shown(mailbox(_member), ""), _shown(_member.site), deliverer, _deliverer.name,
        _deliverer.email, Entity.name, _SETTLED_AND_GONE, effective.language,
    )
    .join(Reward, Reward.id == Redemption.reward_id)
    .join(_member, _member.id == Redemption.person_id)
    .outerjoin(RewardOverride, effective.redeemed())
    .join(_deliverer, _deliverer.id == deliverer)
    .outerjoin(_settler, _settler.id == Redemption.settled_by)
    .outerjoin(Entity, Entity.id == Redemption.entity_id)
)  # fmt: skip


def _conditions(f: RedemptionFilter) -> Iterator[ColumnElement[bool]]:
    if f.status:
        yield Redemption.status == f.status
    if f.person_id is not None:
        yield Redemption.person_id == f.person_id
    if f.deliverer_id is not None:
        yield deliverer == f.deliverer_id
    if f.reward_id is not None:
        yield Redemption.reward_id == f.reward_id
    if f.within is not None:
        yield Redemption.person_id.in_(select(Person.id).where(people_in(f.within)))
    for word in f.q.split()[:5]:
        yield or_(_shown(_member.name, "").icontains(word, autoescape=True), _titled(word))


def redemptions(
    f: RedemptionFilter, *, after: str | None = None, before: str | None = None, limit: int = 50
) -> Beside[RedemptionRow]:
    """The redemptions after one place of the list, or before another. Raises `InvalidInput` for
    a cursor that is none."""
    reads = {READS: f.language}
    return beside(
        _REDEMPTIONS.where(*_conditions(f)),
        (Redemption.created_at, Redemption.id),
        lambda part: [RedemptionRow(*row) for row in db.session.execute(part, reads)],
        lambda row: encode_cursor(row.created_at, row.id),
        after=after,
        before=before,
        limit=_bounded(limit),
        rising=f.oldest_first,
    )


def each_redemption(f: RedemptionFilter) -> Iterator[RedemptionRow]:
    """Every redemption of a filter, read part by part, for an export."""
    return throughout(lambda after: redemptions(f, after=after, limit=MAX_PAGE))


def redemption(
    redemption_id: uuid.UUID,
    *,
    within: frozenset[uuid.UUID] | None = None,
    language: str | None = None,
) -> RedemptionRow | None:
    """One redemption, for whom the caller has checked, in a reader's `language` or as it was
    written; None for that of somebody outside the reach of a limited role."""
    found = by_ids({redemption_id}, within=within, language=language)
    return found[0] if found else None


def by_ids(
    ids: Collection[uuid.UUID],
    *,
    within: frozenset[uuid.UUID] | None = None,
    language: str | None = None,
) -> list[RedemptionRow]:
    """Some redemptions by id, oldest first, as far as a limited role reaches; in a reader's
    `language` or as they were written."""
    if not ids:
        return []
    wanted = _conditions(RedemptionFilter(within=within))
    query = _REDEMPTIONS.where(Redemption.id.in_(ids), *wanted)
    query = query.order_by(Redemption.created_at, Redemption.id)
    found = db.session.execute(query, {READS: language}).all()
    return [RedemptionRow(*row) for row in found]
