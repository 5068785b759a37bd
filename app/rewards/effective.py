"""What a reward is for somebody: decided here, once, for the shelf, Today, the API, the press
that redeems it, the receipt and who hands it over.

A reward is shared by all entities, or belongs to one. Of a shared one, an entity may say
otherwise for its own people (`RewardOverride`): another price, description or deliverer, a stock
of its own, or that it is not on their shelf. What it does not say stands as it is shared. What
is not on somebody's shelf does not exist for them.

The columns below want `Reward` joined with `differing(entity)` on its outer side. Its texts are
told in the language of the parameter `READS`; what an entity says itself, it says in one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.people import audiences, kinds
from app.people.models import Person
from app.people.segments import segments_of
from app.rewards.errors import NoSuchReward, NotForThisKind, OutOfStock, RewardWithdrawn
from app.rewards.models import Redemption, Reward, RewardOverride
from app.web.two_languages import READER, in_other

_OWN: Final = RewardOverride.has_own_stock.is_(True)
price: Final = func.coalesce(RewardOverride.cost, Reward.cost)
_IN_OTHER: Final = in_other(Reward.language, Reward.other_title)
title: Final = case((_IN_OTHER, Reward.other_title), else_=Reward.title)
language: Final = case((_IN_OTHER, READER), else_=Reward.language)
description: Final = func.coalesce(
    RewardOverride.description,
    case((_IN_OTHER, Reward.other_description), else_=Reward.description),
)
other_description: Final = func.coalesce(RewardOverride.description, Reward.other_description)
deliverer: Final = func.coalesce(RewardOverride.deliverer_id, Reward.deliverer_id)
stock: Final = case((_OWN, RewardOverride.stock), else_=Reward.stock)
left: Final = case((_OWN, RewardOverride.stock_left), else_=Reward.stock_left)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Whose shelf it is. `classes`: what their kind may ask for without a word of the reward;
    None: all."""

    person_id: uuid.UUID
    segment_ids: frozenset[uuid.UUID]
    classes: frozenset[str] | None


def reader(person_id: uuid.UUID) -> Shopper:
    """The reader of this request as a shopper."""
    return Shopper(person_id, audiences.mine(person_id), kinds.classes_for_reader())


def entity_of(person_id: uuid.UUID) -> Any:
    """The entity somebody belongs to at the moment of the statement."""
    return select(Person.entity_id).where(Person.id == person_id).scalar_subquery()


def differing(entity: Any) -> ColumnElement[bool]:
    """What an entity says of each reward: an identifier, an expression, or None for no entity,
    which says nothing."""
    return and_(RewardOverride.reward_id == Reward.id, RewardOverride.entity_id == entity)


def redeemed() -> ColumnElement[bool]:
    """What the entity of a redemption says of its reward; the entity is that of its day."""
    return and_(
        RewardOverride.reward_id == Redemption.reward_id,
        RewardOverride.entity_id == Redemption.entity_id,
    )


def on_shelf(entity: Any, *, with_hidden: bool = False) -> Iterator[ColumnElement[bool]]:
    """Conditions: it is shared or the entity's own, and the entity does not hide it."""
    yield or_(Reward.entity_id.is_(None), Reward.entity_id == entity)
    if not with_hidden:
        yield RewardOverride.is_hidden.is_not(True)


def _meant(entity: Any, segment_ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    return and_(*on_shelf(entity), audiences.meant_for(Reward.id, segment_ids))


def for_shopper(shopper: Shopper) -> Iterator[ColumnElement[bool]]:
    """Conditions: it is on the shelf of this person, and of a class their kind may ask for."""
    yield _meant(entity_of(shopper.person_id), shopper.segment_ids)
    if shopper.classes is not None:
        yield or_(Reward.pay_class.in_(shopper.classes), Reward.is_open_outside)


@dataclass(frozen=True, slots=True)
class Sale:
    """What somebody gets one of: the price, whose terms these are, and from which stock."""

    cost: int
    entity_id: uuid.UUID | None
    from_own_stock: bool


def sale(session: Session, person_id: uuid.UUID, reward_id: uuid.UUID) -> Sale:
    """The terms for one person, under the caller's lock on the reward, which keeps them still.

    Raises `NoSuchReward` for what is not on their shelf, `NotForThisKind`, `RewardWithdrawn`,
    `OutOfStock`.
    """
    row = session.execute(
        select(
            price.label("cost"), left.label("left"), Person.entity_id, Person.kind,
            RewardOverride.has_own_stock, Reward.withdrawn_at, Reward.pay_class,
            Reward.is_open_outside,
        )
        .select_from(Reward)
        .join(Person, Person.id == person_id)
        .outerjoin(RewardOverride, differing(Person.entity_id))
        .where(Reward.id == reward_id, _meant(Person.entity_id, segments_of(person_id)))
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NoSuchReward
    if not (row.is_open_outside or kinds.may_ask_for(row.kind, row.pay_class)):
        raise NotForThisKind
    if row.withdrawn_at is not None:
        raise RewardWithdrawn
    if row.left == 0:
        raise OutOfStock
    return Sale(row.cost, row.entity_id, bool(row.has_own_stock))


def deliverer_of(session: Session, redemption_id: uuid.UUID) -> uuid.UUID | None:
    """Who hands a redemption over today."""
    return session.scalar(
        select(deliverer)
        .select_from(Redemption)
        .join(Reward, Reward.id == Redemption.reward_id)
        .outerjoin(RewardOverride, redeemed())
        .where(Redemption.id == redemption_id)
    )
