"""Several hands at once: exactly one of them gets each thing, and the others are told why."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select

from app import ledger
from app.db import db, transaction
from app.errors import DomainError
from app.rewards import service
from app.rewards.models import Redemption, Reward
from tests.rewards.conftest import Shop, give
from tests.rewards.race import race


def test_it_sells_the_last_ten_to_ten_of_two_hundred(any_app: Flask) -> None:
    url = any_app.extensions["portevoix"].database_url
    db.session.remove()
    outcome = race(url, seed=1)
    assert outcome.is_fair, outcome


def at_once(app: Flask, *acts: Callable[[], object]) -> Counter[str]:
    """Every act in its own thread at the same moment; what each was told."""
    told: list[str] = []
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            together.wait(30)
            try:
                act()
                told.append("done")
            except DomainError as refusal:
                told.append(refusal.code)
            except Exception as error:  # noqa: BLE001 - shown by the assertion
                told.append(repr(error))

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    return Counter(told)


def status_of(redemption_id: uuid.UUID) -> str | None:
    return db.session.scalar(select(Redemption.status).where(Redemption.id == redemption_id))


def stock_of(reward_id: uuid.UUID) -> int | None:
    return db.session.scalar(select(Reward.stock_left).where(Reward.id == reward_id))


def test_it_makes_one_redemption_of_a_key_pressed_twenty_times(any_shop: Shop) -> None:
    shop = any_shop
    reward_id, member_id = shop.reward(stock=5, cost=10).id, shop.member(500).id
    press = lambda: service.redeem(member_id, reward_id, key="double")  # noqa: E731
    assert at_once(shop.house.app, *[press] * 20) == {"done": 20}
    assert db.session.scalar(select(func.count()).select_from(Redemption)) == 1
    assert stock_of(reward_id) == 4
    assert ledger.verify().ok


def test_it_never_spends_the_same_points_twice(any_shop: Shop) -> None:
    shop = any_shop
    rewards = [shop.reward(stock=5, cost=80).id for _ in range(6)]
    member = shop.member(170)
    member_id = member.id
    acts = [lambda reward_id=r: service.redeem(member_id, reward_id) for r in rewards]
    assert at_once(shop.house.app, *acts) == {"done": 2, "insufficient-points": 4}
    assert shop.balance(member).available == 10
    assert sum(stock_of(r) or 0 for r in rewards) == 28
    assert ledger.verify().ok


def test_it_settles_once_whoever_comes_first(any_shop: Shop) -> None:
    shop = any_shop
    reward_id, member = shop.reward(stock=50, cost=10).id, shop.member(200)
    member_id, deliverer_id, hr_id = member.id, shop.deliverer.id, shop.hr.id
    for _ in range(8):
        one = service.redeem(member_id, reward_id).id
        told = at_once(
            shop.house.app,
            lambda one=one: service.fulfil(one, deliverer_id),
            lambda one=one: service.cancel(one, member_id),
            lambda one=one: service.fulfil(one, hr_id),
            lambda one=one: service.cancel(one, hr_id),
        )
        assert told == {"done": 2, "already-settled": 2}
    rows = db.session.execute(
        select(Redemption.status, func.count()).group_by(Redemption.status)
    ).all()
    counted: dict[str, int] = {row[0]: row[1] for row in rows}
    delivered = counted.get("fulfilled", 0)
    assert sum(counted.values()) == 8
    assert stock_of(reward_id) == 50 - delivered
    assert shop.balance(member).available == 200 - 10 * delivered
    assert ledger.verify().ok


def test_it_stays_in_step_when_all_verbs_meet(any_shop: Shop) -> None:
    """Redeeming, calling off and a change of stock lock in one order: nobody waits for ever."""
    shop = any_shop
    reward_id, hr_id = shop.reward(stock=30, cost=10).id, shop.hr.id
    members = [shop.member(100, f"Camille {n}") for n in range(6)]
    ids = [m.id for m in members]
    open_ones = [(i, service.redeem(i, reward_id).id) for i in ids]
    terms = shop.terms(cost=10, stock=40)
    acts: list[Callable[[], object]] = [
        lambda: service.update_reward(reward_id, **terms, actor_id=hr_id) for _ in range(4)
    ]
    acts += [lambda i=i: service.redeem(i, reward_id) for i in ids]
    acts += [lambda i=i, r=r: service.cancel(r, i) for i, r in open_ones]
    assert at_once(shop.house.app, *acts) == {"done": 16}
    assert stock_of(reward_id) == 34
    assert [shop.balance(m).available for m in members] == [90] * 6
    assert ledger.verify().ok


def test_it_never_blocks_an_award_that_arrives_meanwhile(any_shop: Shop) -> None:
    """An award locks the person, then the account; redeeming and settling must not come the
    other way round, or PostgreSQL ends one of them."""
    shop = any_shop
    reward_id, member = shop.reward(stock=None, cost=1).id, shop.member(100)
    member_id = member.id
    open_ones = [service.redeem(member_id, reward_id).id for _ in range(6)]

    def award() -> None:
        with transaction():
            give(member_id, 10)

    acts: list[Callable[[], object]] = [award] * 6
    acts += [lambda: service.redeem(member_id, reward_id) for _ in range(6)]
    acts += [lambda r=r: service.cancel(r, member_id) for r in open_ones]
    for _ in range(3):
        assert at_once(shop.house.app, *acts) == {"done": 18}
    assert shop.balance(member).available == 100 + 3 * 60 - 3 * 6
    assert ledger.verify().ok
