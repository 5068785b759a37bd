"""Putting rewards on sale, changing them, taking them off."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.people import service as people
from app.rewards import queries, service
from app.rewards.errors import NoSuchReward, RewardWithdrawn
from app.rewards.models import PAY_CLASSES
from app.rewards.queries import RewardFilter
from app.web.cursors import Beside, encode_cursor, throughout
from tests.rewards.conftest import Shop


def test_it_puts_a_reward_on_sale_at_once(shop: Shop) -> None:
    made = shop.reward(title="  Un livre\tau choix ")
    part = queries.rewards(RewardFilter())
    assert [(r.id, r.title, r.stock, r.stock_left, r.deliverer_name) for r in part.rows] == [
        (made.id, "Un livre au choix", 3, 3, "Gaël Lebrun")
    ]
    assert part.next is None
    noted = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "reward.created")
    ).one()
    assert (noted.actor_id, noted.target_id) == (shop.hr.id, str(made.id))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("title", " ", "title"),
        ("title", "x" * 121, "title"),
        ("description", "x" * 1001, "description"),
        ("cost", 0, "cost"),
        ("cost", 1_000_001, "cost"),
        ("stock", -1, "stock"),
        ("stock", 1_000_001, "stock"),
        ("pay_class", "exempt", "pay_class"),
        ("deliverer_id", uuid.UUID(int=7), "deliverer"),
    ],
)
def test_it_refuses_a_reward_that_is_not_whole(
    shop: Shop, field: str, value: Any, named: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        shop.reward(**{field: value})
    assert [*refusal.value.errors] == [named]
    assert queries.rewards(RewardFilter()) == Beside([])


def test_it_refuses_a_deliverer_who_has_left(shop: Shop) -> None:
    people.depart(shop.deliverer.id)
    with pytest.raises(InvalidInput) as refusal:
        shop.reward()
    assert [*refusal.value.errors] == ["deliverer"]


def test_it_takes_every_pay_class_of_the_law_page(shop: Shop) -> None:
    for pay_class in PAY_CLASSES:
        assert shop.reward(pay_class=pay_class).pay_class == pay_class


def test_it_lets_a_new_price_hold_for_later_redemptions_only(shop: Shop) -> None:
    reward, member = shop.reward(cost=80), shop.member(300)
    first = service.redeem(member.id, reward.id)
    service.update_reward(reward.id, **shop.terms(cost=100), actor_id=shop.hr.id)
    second = service.redeem(member.id, reward.id)
    rows = {row.id: row.cost for row in queries.by_ids({first.id, second.id})}
    assert rows == {first.id: 80, second.id: 100}
    assert shop.balance(member).available == 120
    service.cancel(first.id, member.id)
    assert shop.balance(member).available == 200


def test_it_refuses_a_stock_below_what_is_taken(shop: Shop) -> None:
    reward, member = shop.reward(stock=3), shop.member(300)
    service.fulfil(service.redeem(member.id, reward.id).id, shop.hr.id)
    service.redeem(member.id, reward.id)
    service.cancel(service.redeem(member.id, reward.id).id, member.id)
    with pytest.raises(InvalidInput) as refusal:
        service.update_reward(reward.id, **shop.terms(stock=1), actor_id=shop.hr.id)
    assert [*refusal.value.errors] == ["stock"]
    for stock, left in ((2, 0), (10, 8), (None, None), (5, 3)):
        service.update_reward(reward.id, **shop.terms(stock=stock), actor_id=shop.hr.id)
        found = queries.reward(reward.id)
        assert found is not None
        assert (found.stock, found.stock_left) == (stock, left)


def test_it_changes_nothing_of_a_withdrawn_reward(shop: Shop) -> None:
    reward = shop.reward()
    assert service.withdraw_reward(reward.id, actor_id=shop.hr.id)
    assert not service.withdraw_reward(reward.id, actor_id=shop.hr.id)
    with pytest.raises(RewardWithdrawn):
        service.update_reward(reward.id, **shop.terms(), actor_id=shop.hr.id)
    assert queries.rewards(RewardFilter()) == Beside([])
    assert [row.id for row in queries.rewards(RewardFilter(withdrawn=True)).rows] == [reward.id]


def test_it_knows_no_reward_that_was_never_made(shop: Shop) -> None:
    with pytest.raises(NoSuchReward):
        service.withdraw_reward(uuid.uuid4(), actor_id=shop.hr.id)
    assert queries.reward(uuid.uuid4()) is None


def test_it_turns_the_shelf_page_by_page_without_missing_one(shop: Shop) -> None:
    made = {shop.reward(cost=cost, title=f"n° {n}").id for n, cost in enumerate((5, 5, 5, 80, 9))}
    shop.reward(stock=0)
    asked = RewardFilter(in_stock=True)
    seen = list(throughout(lambda after: queries.rewards(asked, after=after, limit=2)))
    assert {row.id for row in seen} == made
    assert [row.cost for row in seen] == [5, 5, 5, 9, 80]


@pytest.mark.parametrize("after", ["?", "WzFd", "bm8", encode_cursor("x", uuid.UUID(int=7))])
def test_it_refuses_a_place_in_the_list_that_it_never_gave(shop: Shop, after: str) -> None:
    with pytest.raises(InvalidInput):
        queries.rewards(RewardFilter(), after=after)
    with pytest.raises(InvalidInput):
        queries.redemptions(queries.RedemptionFilter(), after=after)
