"""Shared once, said otherwise here: what an entity changes of a shared reward for its people."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app import audit, clock
from app.db import db, transaction
from app.errors import Sentence
from app.people.models import Person
from app.rewards import service
from app.rewards.errors import NoSuchReward, RewardWithdrawn
from app.rewards.models import Reward, RewardOverride
from app.settings.models import Entity


@dataclass(frozen=True, slots=True)
class OwnTerms:
    """What an entity says of a shared reward. None stands as it is shared; with `has_own_stock`,
    `stock` is all it ever had for its own people, None without limit."""

    is_hidden: bool = False
    cost: int | None = None
    description: str | None = None
    deliverer_id: uuid.UUID | None = None
    has_own_stock: bool = False
    stock: int | None = None

    @property
    def says_nothing(self) -> bool:
        return self == OwnTerms()


def override(
    reward_id: uuid.UUID, entity_id: uuid.UUID, terms: OwnTerms, *, actor_id: uuid.UUID
) -> None:
    """From now on the entity's people find the reward in these terms; terms that say nothing
    share it again. Redemptions made before keep their price and their stock.

    Raises `InvalidInput` by field, `NoSuchReward` for one of an entity alone, `RewardWithdrawn`.
    """
    terms = _cleaned(terms)
    if terms.says_nothing:
        share_again(reward_id, entity_id, actor_id=actor_id)
        return
    with transaction() as session:
        reward = service.locked(session, reward_id)
        if reward.entity_id is not None:
            raise NoSuchReward
        if reward.withdrawn_at is not None:
            raise RewardWithdrawn
        _check(session, terms, entity_id)
        own_of = entity_id if terms.has_own_stock else None
        left = service.left_of(session, reward_id, terms.stock, own_of) if own_of else None
        row = session.get(RewardOverride, (reward_id, entity_id), populate_existing=True)
        row = row or RewardOverride(reward_id=reward_id, entity_id=entity_id)
        for field, value in asdict(terms).items():
            setattr(row, field, value)
        row.stock_left, row.changed_at = left, clock.now()
        session.add(row)
        audit.record(
            "reward.overridden", "reward", reward_id, actor_id=actor_id, entity=str(entity_id),
            cost=terms.cost, hidden=terms.is_hidden,
        )  # fmt: skip


def share_again(reward_id: uuid.UUID, entity_id: uuid.UUID, *, actor_id: uuid.UUID) -> bool:
    """The entity's people find the reward as it is shared. False when they did already; raises
    `NoSuchReward`."""
    with transaction() as session:
        service.locked(session, reward_id)
        row = session.get(RewardOverride, (reward_id, entity_id), populate_existing=True)
        if row is None:
            return False
        session.delete(row)
        audit.record(
            "reward.shared_again", "reward", reward_id, actor_id=actor_id, entity=str(entity_id)
        )
    return True


def _cleaned(terms: OwnTerms) -> OwnTerms:
    """What is hidden needs no other word; texts without their edges, none for an empty one."""
    if terms.is_hidden:
        return OwnTerms(is_hidden=True)
    text = (terms.description or "").strip() or None
    stock = terms.stock if terms.has_own_stock else None
    return OwnTerms(False, terms.cost, text, terms.deliverer_id, terms.has_own_stock, stock)


def _faults(terms: OwnTerms) -> Iterator[tuple[str, Sentence]]:
    if terms.cost is not None and not 1 <= terms.cost <= service.MAX_COST:
        yield "cost", _l("Give a whole number of points from 1 to 1,000,000.")
    if len(terms.description or "") > service.MAX_DESCRIPTION:
        yield "description", _l("At most %(most)d characters.", most=service.MAX_DESCRIPTION)
    if terms.stock is not None and not 0 <= terms.stock <= service.MAX_STOCK:
        yield "stock", _l("Give a whole number from 0 to 1,000,000, or no limit.")


def _check(session: Session, terms: OwnTerms, entity_id: uuid.UUID) -> None:
    errors = dict(_faults(terms))
    if terms.deliverer_id is not None and not service.is_present(session, terms.deliverer_id):
        errors["deliverer"] = _l("Name somebody who works here to deliver it.")
    if session.get(Entity, entity_id) is None:
        errors["entity"] = _l("Choose one of the entities.")
    if errors:
        raise service.check_form(errors)


# ---- Reads


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One entity and what it says of a reward; `terms` None: nothing."""

    entity_id: uuid.UUID
    name: str
    is_archived: bool
    terms: OwnTerms | None
    stock_left: int | None
    deliverer_name: str | None
    deliverer_email: str | None


def by_entity(reward_id: uuid.UUID) -> list[EntityRow]:
    """Every entity in use, and archived ones that say something, by name; in one read."""
    deliverer = aliased(Person)
    rows = db.session.execute(
        select(Entity, RewardOverride, deliverer.name, deliverer.email)
        .outerjoin(
            RewardOverride,
            (RewardOverride.entity_id == Entity.id) & (RewardOverride.reward_id == reward_id),
        )
        .outerjoin(deliverer, deliverer.id == RewardOverride.deliverer_id)
        .where(Entity.archived_at.is_(None) | RewardOverride.entity_id.is_not(None))
        .order_by(Entity.name, Entity.id)
    )
    return [_entity_row(*row) for row in rows]


def _entity_row(
    entity: Entity, row: RewardOverride | None, name: str | None, email: str | None
) -> EntityRow:
    terms = (
        OwnTerms(
            row.is_hidden, row.cost, row.description, row.deliverer_id, row.has_own_stock, row.stock
        )
        if row is not None
        else None
    )
    left = row.stock_left if row is not None else None
    return EntityRow(
        entity.id, entity.name, entity.archived_at is not None, terms, left, name, email
    )


def counts() -> dict[uuid.UUID, tuple[int, int]]:
    """Of each entity: how many rewards on sale are its own, and of how many shared ones it says
    otherwise."""
    on_sale = Reward.withdrawn_at.is_(None)
    own = select(Reward.entity_id, func.count()).where(on_sale).group_by(Reward.entity_id)
    other = (
        select(RewardOverride.entity_id, func.count())
        .join(Reward, Reward.id == RewardOverride.reward_id)
        .where(on_sale)
        .group_by(RewardOverride.entity_id)
    )
    owned = {key: number for key, number in db.session.execute(own) if key is not None}
    said = {row[0]: row[1] for row in db.session.execute(other)}
    return {key: (owned.get(key, 0), said.get(key, 0)) for key in {*owned, *said}}
