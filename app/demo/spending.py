"""Points of the demo: what they buy, and the one award that a person gave by hand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial

from sqlalchemy import select

from app.db import db
from app.demo.days import LIVED, Act, Calendar
from app.demo.people import id_of
from app.demo.shelf import REDEMPTIONS, REWARDS, DemoRedemption
from app.play import accounts, by_hand
from app.rewards import service as rewards
from app.rewards.models import Redemption, Reward

BY_HAND = ("maelle", 20, 17, "Idée retenue : « Que deviennent nos chutes ? »")


def acts(calendar: Calendar) -> Iterator[Act]:
    """The shelf on the second day, then what people take from it."""
    yield Act(calendar.at(LIVED - 1, 9, 0), _fill_the_shelf)
    for place, told in enumerate(REDEMPTIONS):
        yield Act(calendar.at(told.days_ago, 12, 15 + place), partial(_redeem, told))
        settled = told.delivered if told.delivered is not None else told.cancelled
        if settled is not None:
            yield Act(calendar.at(settled, 16, 15 + place), partial(_settle, told))
    yield Act(calendar.at(BY_HAND[2], 15, 30), _award_by_hand)


def _fill_the_shelf() -> None:
    for told in REWARDS:
        title, description = told.en
        rewards.create_reward(
            title=told.title, description=told.description, cost=told.cost, stock=told.stock,
            pay_class=told.pay_class, deliverer_id=id_of(told.deliverer), actor_id=id_of("marc"),
            language="fr", other_title=title, other_description=description,
        )  # fmt: skip


def _reward(title: str) -> uuid.UUID:
    return db.session.scalars(select(Reward.id).where(Reward.title == title)).one()


def _redeem(told: DemoRedemption) -> None:
    """Nobody orders what they cannot pay."""
    reward = db.session.scalars(select(Reward).where(Reward.title == told.title)).one()
    if accounts.balance_of(id_of(told.by)).available >= reward.cost:
        rewards.redeem(id_of(told.by), reward.id)


def _settle(told: DemoRedemption) -> None:
    """Marc hands it over; what is called off is called off by whoever had ordered it."""
    redemption_id = db.session.scalars(
        select(Redemption.id).where(
            Redemption.person_id == id_of(told.by), Redemption.reward_id == _reward(told.title)
        )
    ).one_or_none()
    if redemption_id is None:
        return
    if told.delivered is not None:
        rewards.fulfil(redemption_id, id_of("marc"))
    else:
        rewards.cancel(redemption_id, id_of(told.by))


def _award_by_hand() -> None:
    key, points, _day, words = BY_HAND
    by_hand.give(id_of(key), points, words, actor_id=id_of("pauline"), reference="demo-idea")
