"""Redeeming, handing over, calling off: stock, points and state move together."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select

from app import ledger, outbox
from app.db import db
from app.errors import InvalidInput
from app.ledger.errors import InsufficientPoints
from app.outbox.models import OutboxEvent
from app.people import service as people
from app.people.models import Person
from app.rewards import queries, service
from app.rewards.errors import (
    MembersOnly,
    NoSuchRedemption,
    NoSuchReward,
    NotTheDeliverer,
    OutOfStock,
    RedemptionSettled,
    RewardWithdrawn,
)
from app.rewards.models import Redemption, Reward
from tests.rewards.conftest import Shop


def left(reward: Reward) -> int | None:
    return db.session.scalar(select(Reward.stock_left).where(Reward.id == reward.id))


def facts(kind: str) -> int:
    return db.session.scalar(select(func.count()).where(OutboxEvent.kind == kind)) or 0


def made() -> int:
    return db.session.scalar(select(func.count()).select_from(Redemption)) or 0


def test_it_reserves_stock_and_points_at_once(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(), shop.member(100)
    redemption = service.redeem(member.id, reward.id)
    assert (redemption.status, redemption.cost, redemption.person_id) == ("reserved", 80, member.id)
    assert left(reward) == 2
    assert shop.balance(member).available == 20
    assert facts("redemption.reserved") == 1
    assert ledger.verify().ok


def test_it_refuses_a_redemption_above_the_balance(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(), shop.member(79)
    with pytest.raises(InsufficientPoints) as refusal:
        service.redeem(member.id, reward.id)
    assert (refusal.value.status, refusal.value.code) == (409, "insufficient-points")
    assert (left(reward), shop.balance(member).available, made()) == (3, 79, 0)


def test_it_refuses_what_is_sold_out(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(stock=1), shop.member(500)
    service.redeem(member.id, reward.id)
    with pytest.raises(OutOfStock) as refusal:
        service.redeem(member.id, reward.id)
    assert (refusal.value.status, refusal.value.code) == (409, "out-of-stock")
    assert (left(reward), shop.balance(member).available, made()) == (0, 420, 1)


def test_it_sells_without_limit_where_there_is_none(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(stock=None, cost=1), shop.member(20)
    for _ in range(20):
        service.redeem(member.id, reward.id)
    assert (left(reward), shop.balance(member).available, made()) == (None, 0, 20)


def test_it_refuses_a_reward_off_the_shelf(shop: Shop) -> None:
    reward, member = shop.reward(), shop.member(100)
    service.withdraw_reward(reward.id, actor_id=shop.hr.id)
    with pytest.raises(RewardWithdrawn) as refusal:
        service.redeem(member.id, reward.id)
    assert (refusal.value.status, refusal.value.code) == (409, "reward-withdrawn")
    with pytest.raises(NoSuchReward):
        service.redeem(member.id, uuid.uuid4())


def test_it_refuses_who_does_not_take_part(shop: Shop) -> None:
    reward = shop.reward()
    stranger, gone = shop.person("Léo Marin"), shop.member(100)
    people.leave(gone.id)
    for person in (stranger, gone):
        with pytest.raises(MembersOnly) as refusal:
            service.redeem(person.id, reward.id)
        assert refusal.value.status == 403
    assert (left(reward), made()) == (3, 0)


def test_it_makes_one_redemption_of_one_key(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(stock=1), shop.member(500)
    first = service.redeem(member.id, reward.id, key="press-1")
    again = service.redeem(member.id, reward.id, key="press-1")
    assert again.id == first.id
    assert (left(reward), shop.balance(member).available, made()) == (0, 420, 1)
    with pytest.raises(OutOfStock):
        service.redeem(member.id, reward.id, key="press-2")
    assert facts("redemption.reserved") == 1


def test_it_keeps_the_keys_of_two_members_apart(shop: Shop) -> None:
    reward = shop.reward()
    mine = service.redeem(shop.member(100).id, reward.id, key="same")
    theirs = service.redeem(shop.member(100, "Hugo Meynard").id, reward.id, key="same")
    assert mine.id != theirs.id


def test_it_spends_the_points_when_it_is_handed_over(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(), shop.member(100)
    redemption_id = service.redeem(member.id, reward.id).id
    done = service.fulfil(redemption_id, shop.deliverer.id)
    assert (done.status, done.settled_by) == ("fulfilled", shop.deliverer.id)
    assert service.fulfil(redemption_id, shop.hr.id).settled_by == shop.deliverer.id
    assert (left(reward), shop.balance(member).available) == (2, 20)
    assert facts("redemption.fulfilled") == 1
    with pytest.raises(RedemptionSettled) as refusal:
        service.cancel(redemption_id, member.id)
    assert (refusal.value.status, refusal.value.code) == (409, "already-settled")
    assert ledger.verify().ok


def test_it_gives_points_and_stock_back(any_shop: Shop) -> None:
    shop = any_shop
    reward, member = shop.reward(), shop.member(100)
    redemption_id = service.redeem(member.id, reward.id).id
    assert service.cancel(redemption_id, member.id).status == "cancelled"
    assert service.cancel(redemption_id, shop.hr.id).settled_by == member.id
    assert (left(reward), shop.balance(member).available) == (3, 100)
    assert facts("redemption.cancelled") == 1
    with pytest.raises(RedemptionSettled):
        service.fulfil(redemption_id, shop.deliverer.id)
    assert ledger.verify().ok


def test_it_lets_only_those_concerned_settle(shop: Shop) -> None:
    member = shop.member(500)
    other = shop.member(0, "Théo Rossignac", "recruiter", "lead")
    redemption_id = service.redeem(member.id, shop.reward().id).id
    for act in (service.fulfil, service.cancel):
        with pytest.raises(NoSuchRedemption):
            act(redemption_id, other.id)
        with pytest.raises(NoSuchRedemption):
            act(uuid.uuid4(), shop.hr.id)
    with pytest.raises(NotTheDeliverer):
        service.fulfil(redemption_id, member.id)
    with pytest.raises(NoSuchRedemption):
        service.readable(redemption_id, other.id, other.roles)
    for person in (member, shop.deliverer, shop.hr):
        assert service.readable(redemption_id, person.id, person.roles).id == redemption_id


@pytest.mark.parametrize("role", ["hr", "admin"])
def test_it_lets_hr_and_administrators_settle(shop: Shop, role: str) -> None:
    actor: Person = shop.person("Inès Tavarès", role)
    member, reward = shop.member(500), shop.reward()
    assert service.fulfil(service.redeem(member.id, reward.id).id, actor.id).status == "fulfilled"
    assert service.cancel(service.redeem(member.id, reward.id).id, actor.id).status == "cancelled"


def test_it_follows_the_deliverer_of_today(shop: Shop) -> None:
    reward, member = shop.reward(), shop.member(100)
    redemption_id = service.redeem(member.id, reward.id).id
    other = shop.person("Sofiane Adel")
    service.update_reward(reward.id, **shop.terms(deliverer_id=other.id), actor_id=shop.hr.id)
    with pytest.raises(NoSuchRedemption):
        service.fulfil(redemption_id, shop.deliverer.id)
    assert service.fulfil(redemption_id, other.id).status == "fulfilled"


def test_it_takes_only_declared_reasons(shop: Shop) -> None:
    redemption_id = service.redeem(shop.member(100).id, shop.reward().id).id
    with pytest.raises(InvalidInput):
        service.cancel(redemption_id, shop.hr.id, reason="she was rude")
    assert service.cancel(redemption_id, shop.hr.id, reason="out-of-stock").status == "cancelled"


def test_it_delivers_what_was_redeemed_before_the_withdrawal(shop: Shop) -> None:
    reward, member = shop.reward(), shop.member(200)
    first, second = (service.redeem(member.id, reward.id).id for _ in range(2))
    service.withdraw_reward(reward.id, actor_id=shop.hr.id)
    assert service.fulfil(first, shop.deliverer.id).status == "fulfilled"
    assert service.cancel(second, member.id).status == "cancelled"


def test_it_serves_what_waits_in_the_order_it_came(shop: Shop) -> None:
    reward, member = shop.reward(stock=None, cost=1), shop.member(10)
    ids = [service.redeem(member.id, reward.id).id for _ in range(5)]
    asked = queries.RedemptionFilter(status="reserved", deliverer_id=shop.deliverer.id)
    assert [row.id for row in queries.each_redemption(asked)] == ids
    mine = queries.RedemptionFilter(person_id=member.id)
    first = queries.redemptions(mine, limit=3)
    rest = queries.redemptions(mine, after=first.next, limit=3)
    assert [row.id for row in (*first.rows, *rest.rows)] == ids[::-1]
    assert rest.next is None


def test_it_finds_by_name_and_title_and_takes_no_word_for_a_pattern(shop: Shop) -> None:
    reward = shop.reward(title="Cent plants de douglas à 100 %")
    service.redeem(shop.member(100, "Nadia Ferrand").id, reward.id)
    for words, found in (("ferr", 1), ("DOUGLAS nadia", 1), ("100 %", 1), ("%", 1), ("_", 0)):
        rows = queries.redemptions(queries.RedemptionFilter(q=words)).rows
        assert len(rows) == found, words


def test_it_writes_to_those_concerned(shop: Shop) -> None:
    reward, member = shop.reward(), shop.member(500)
    outbox.drain()
    shop.mails()
    first = service.redeem(member.id, reward.id).id
    outbox.drain()
    assert [to for to, _subject in shop.mails()] == [shop.deliverer.email]
    service.fulfil(first, shop.deliverer.id)
    outbox.drain()
    ((to, subject),) = shop.mails()
    assert (to, reward.title in subject) == (member.email, True)
    second = service.redeem(member.id, reward.id).id
    service.cancel(second, member.id)
    outbox.drain()
    # The reservation was over before its mail left, so that one is not sent.
    assert {to for to, _subject in shop.mails()} == {member.email, shop.deliverer.email}
    third = service.redeem(member.id, reward.id).id
    service.cancel(third, shop.hr.id, reason="out-of-stock")
    outbox.drain()
    assert [to for to, _subject in shop.mails()] == [member.email]


def test_it_turns_to_hr_when_the_deliverer_has_left(shop: Shop) -> None:
    reward, member = shop.reward(), shop.member(500)
    people.depart(shop.deliverer.id)
    outbox.drain()
    shop.mails()
    service.redeem(member.id, reward.id)
    outbox.drain()
    assert [to for to, _subject in shop.mails()] == [shop.hr.email]
