"""Rewards of payroll and amounts of rules, where the organisation asks for a second person."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from app import clock
from app.approvals import service
from app.db import db
from app.errors import InvalidInput
from app.people.models import Person
from app.play import guarded as guarded_rules
from app.play import rules
from app.play.rules import Terms
from app.rewards import guarded, overrides
from app.rewards.models import Reward, RewardOverride
from app.rewards.overrides import OwnTerms
from app.settings import entities
from tests.approvals.test_roles import open_request, set_rule
from tests.conftest import House

HIRE = Terms("hire", "Embauche", "Hire", 900, 100, 90)


@pytest.fixture
def hr(house: House) -> tuple[Person, Person]:
    set_rule(money=True)
    return house.person("Anne Martin", "hr"), house.person("Paul Ferré", "hr", language="en")


def voucher(person: Person, **more: object) -> dict[str, object]:
    return {
        "title": "Un bon d’achat", "description": "", "cost": 100, "stock": 5,
        "pay_class": "voucher", "deliverer_id": person.id, "actor_id": person.id,
    } | more  # fmt: skip


def on_sale() -> list[tuple[str, int, int | None]]:
    db.session.expire_all()
    rows = db.session.scalars(select(Reward).order_by(Reward.title))
    return [(row.title, row.cost, row.stock) for row in rows]


def test_it_puts_a_voucher_on_sale_by_two(hr):
    anne, paul = hr
    made = guarded.create_reward(**voucher(anne))
    assert made.waits and on_sale() == []
    assert service.approve(made.request_id, paul.id)
    assert on_sale() == [("Un bon d’achat", 100, 5)]


def test_it_keeps_both_languages_of_what_waited(hr):
    anne, paul = hr
    told = {"language": "fr", "other_title": "A voucher"}
    made = guarded.create_reward(**voucher(anne, description="", **told))
    assert service.approve(made.request_id, paul.id)
    reward = db.session.scalars(select(Reward)).one()
    assert (reward.title, reward.other_title) == ("Un bon d’achat", "A voucher")


def test_it_puts_a_book_on_sale_at_once(hr):
    anne, _ = hr
    made = guarded.create_reward(**voucher(anne, pay_class="gift in kind"))
    assert not made.waits and on_sale() == [("Un bon d’achat", 100, 5)]


def test_it_puts_a_voucher_on_sale_at_once_by_default(hr):
    anne, _ = hr
    set_rule()
    assert isinstance(guarded.create_reward(**voucher(anne)).result, Reward)


def test_it_tells_the_first_person_what_is_impossible(hr):
    anne, _ = hr
    with pytest.raises(InvalidInput) as refusal:
        guarded.create_reward(**voucher(anne, cost=0))
    assert "cost" in refusal.value.errors
    assert on_sale() == []


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        ({"cost": 50}, True),
        ({"stock": 50}, True),
        ({"stock": None}, True),
        ({"pay_class": "gift in kind"}, True),
        ({"title": "Un autre bon"}, False),
        ({"description": "À la librairie"}, False),
    ],
)
def test_it_asks_about_price_stock_and_class_alone(hr, change, waits):
    anne, paul = hr
    first = guarded.create_reward(**voucher(anne))
    service.approve(first.request_id, paul.id)
    reward_id = db.session.scalars(select(Reward.id)).one()
    fields = voucher(anne) | change
    made = guarded.update_reward(reward_id, **fields)
    assert made.waits is waits
    name, value = next(iter(change.items()))
    if waits:
        assert getattr(db.session.get(Reward, reward_id), name) != value
        assert service.approve(made.request_id, paul.id)
    db.session.expire_all()
    assert getattr(db.session.get(Reward, reward_id), name) == value


def test_it_asks_when_something_becomes_a_cash_bonus(hr):
    anne, _ = hr
    guarded.create_reward(**voucher(anne, pay_class="gift in kind"))
    reward_id = db.session.scalars(select(Reward.id)).one()
    assert guarded.update_reward(reward_id, **voucher(anne, pay_class="cash bonus")).waits


def test_it_asks_when_one_entity_gets_another_price(hr):
    anne, paul = hr
    service.approve(guarded.create_reward(**voucher(anne)).request_id, paul.id)
    reward_id = db.session.scalars(select(Reward.id)).one()
    entity_id = entities.make("L", "Lorient", actor_id=None).id
    words = OwnTerms(description="À la librairie de Lorient")
    assert not guarded.override(reward_id, entity_id, words, actor_id=anne.id).waits
    made = guarded.override(reward_id, entity_id, OwnTerms(cost=10), actor_id=anne.id)
    assert made.waits
    db.session.expire_all()
    assert db.session.get(RewardOverride, (reward_id, entity_id)).cost is None
    service.approve(made.request_id, paul.id)
    db.session.expire_all()
    assert db.session.get(RewardOverride, (reward_id, entity_id)).cost == 10
    back = guarded.share_again(reward_id, entity_id, actor_id=paul.id)
    assert back.waits
    service.approve(back.request_id, anne.id)
    assert [row.terms for row in overrides.by_entity(reward_id)] == [None]


def test_it_starts_other_amounts_of_a_rule_by_two(hr):
    anne, paul = hr
    made = guarded_rules.plan(HIRE, starts_at=None, actor_id=anne.id, key="k")
    assert made.waits
    assert rules.in_force("hire", clock.now()).amount == 200
    assert service.approve(made.request_id, paul.id)
    assert rules.in_force("hire", clock.now()).amount == 900


def test_it_starts_another_name_of_a_rule_at_once(hr):
    anne, _ = hr
    named = rules.in_force("hire", clock.now()).terms._replace(name_en="A hire")
    assert not guarded_rules.plan(named, starts_at=None, actor_id=anne.id).waits
    assert rules.in_force("hire", clock.now()).name_en == "A hire"


def test_it_never_starts_a_rule_before_its_approval(hr):
    anne, paul = hr
    start = clock.now() + dt.timedelta(days=1)
    made = guarded_rules.plan(HIRE, starts_at=start, actor_id=anne.id)
    clock.freeze(clock.now() + dt.timedelta(days=3))
    assert service.approve(made.request_id, paul.id)
    assert rules.versions()[0].fact
    assert rules.in_force("hire", clock.now()).starts_at == clock.now()


def test_it_refuses_a_rule_that_cannot_be_before_anybody_is_asked(hr):
    anne, _ = hr
    with pytest.raises(InvalidInput):
        guarded_rules.plan(HIRE._replace(amount=-1), starts_at=None, actor_id=anne.id)


# --- by the API and on the pages ---------------------------------------------------------


def test_it_tells_a_program_that_it_waits(house: House, hr):
    anne, _ = hr
    fields = {
        "title": "Un bon d’achat", "description": "", "cost": 100, "stock": 5,
        "pay_class": "voucher", "deliverer": "me",
    }  # fmt: skip
    caller = house.caller(anne)
    told = [caller.post("/rewards", fields, 202, Idempotency_Key="k") for _ in range(2)]
    assert told[0] == told[1]
    assert told[0]["waits_for"] == "second-person"
    assert told[0]["request_id"] == str(open_request().id)
    rule = {"fact": "hire", "name_fr": "E", "name_en": "H", "amount": 5, "starts_at": None}
    assert caller.post("/rules", rule, 202)["waits_for"] == "second-person"
    assert on_sale() == []


def test_it_keeps_what_was_typed_in_the_studio(house: House, hr):
    anne, paul = hr
    browser = house.browser(anne)
    typed = {
        "title": "Un bon d’achat", "description": "À la librairie", "cost": "100", "stock": "5",
        "pay_class": "voucher", "deliverer": anne.email,
    }  # fmt: skip
    browser.post("/studio/rewards?lang=en", data=typed)
    assert "It waits for a second person" in browser.get("/studio/rewards?lang=en").text
    page = browser.get("/studio/approvals?view=mine&lang=en").text
    assert "Put “Un bon d’achat” on sale: Voucher, 100 points each, 5 in all." in page
    assert "Withdraw the request" in page and '/approval"' not in page
    second = house.browser(paul)
    page = second.get("/studio/approvals?lang=en").text
    (action,) = re.findall(r'action="(/studio/approvals/[\w-]+/approval)"', page)
    assert second.post(action).status_code == 303
    db.session.expire_all()
    reward = db.session.scalars(select(Reward)).one()
    assert reward.description == "À la librairie"
    assert reward.deliverer_id == anne.id


def test_it_says_on_the_list_what_is_no_longer_possible(house: House, hr):
    anne, paul = hr
    deliverer = house.person("Marc Olive")
    made = guarded.create_reward(**voucher(anne, deliverer_id=deliverer.id))
    from app.people import service as people

    people.depart(deliverer.id)
    browser = house.browser(paul)
    answer = browser.post(f"/studio/approvals/{made.request_id}/approval")
    assert answer.status_code == 303
    page = browser.get("/studio/approvals?lang=en").text
    assert "Name somebody who works here to deliver it." in page
    assert open_request().id == made.request_id
    assert on_sale() == []
