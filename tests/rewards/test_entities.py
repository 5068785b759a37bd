"""Shared once, said otherwise here: what the people of an entity find, pay and are handed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select

from app import ledger, outbox
from app.db import db, transaction
from app.errors import InvalidInput
from app.people import service as people
from app.people.models import Person, Segment, SegmentPerson
from app.rewards import effective, overrides, queries, service
from app.rewards.errors import NoSuchReward, NotForThisKind, OutOfStock
from app.rewards.models import Redemption, Reward, RewardOverride
from app.rewards.overrides import OwnTerms
from app.settings import entities
from tests.rewards.conftest import Shop
from tests.rewards.test_member_pages import text_of
from tests.rewards.test_races import at_once


def entity(name: str) -> uuid.UUID:
    return entities.make(name[:3].upper(), name, actor_id=None).id


def moved(person: Person, entity_id: uuid.UUID | None) -> Person:
    """The same person in an entity, or in none."""
    with transaction() as session:
        session.get_one(Person, person.id).entity_id = entity_id
    return person


def segment(name: str, *person_ids: uuid.UUID) -> uuid.UUID:
    """A list of people."""
    with transaction() as session:
        row = Segment(name=name, rule=None)
        session.add(row)
        session.flush()
        session.add_all(SegmentPerson(segment_id=row.id, person_id=each) for each in person_ids)
        return row.id


class Group:
    """Two entities and somebody of each, with points."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.bois, self.mer = entity("Bois"), entity("Mer")
        self.anne = moved(shop.member(2000, "Anne Morvan"), self.bois)
        self.yann = moved(shop.member(2000, "Yann Le Goff"), self.mer)

    def say(self, reward_id: uuid.UUID, entity_id: uuid.UUID, **terms: object) -> None:
        overrides.override(reward_id, entity_id, OwnTerms(**terms), actor_id=self.shop.hr.id)  # type: ignore[arg-type]

    def titles(self, person: Person) -> list[str]:
        page = text_of(self.shop.house.browser(person), "/play/rewards")
        return [
            row.title
            for row in queries.rewards(queries.RewardFilter()).rows
            if f"/{row.id}" in page
        ]


@pytest.fixture
def group(shop: Shop) -> Group:
    return Group(shop)


@pytest.fixture
def any_group(any_shop: Shop) -> Group:
    return Group(any_shop)


def stock_left(reward_id: uuid.UUID, entity_id: uuid.UUID | None = None) -> int | None:
    if entity_id is None:
        return db.session.scalar(select(Reward.stock_left).where(Reward.id == reward_id))
    return db.session.scalar(
        select(RewardOverride.stock_left).where(
            RewardOverride.reward_id == reward_id, RewardOverride.entity_id == entity_id
        )
    )


def test_it_shares_a_reward_with_every_entity(any_group: Group) -> None:
    g, reward = any_group, any_group.shop.reward(cost=80, stock=3)
    for person in (g.anne, g.yann, g.shop.member(100, "Sans Entité")):
        assert service.redeem(person.id, reward.id).cost == 80
    assert stock_left(reward.id) == 0


def test_it_takes_the_price_of_ones_entity_and_leaves_the_rest_as_it_is_shared(
    any_group: Group,
) -> None:
    g, reward = any_group, any_group.shop.reward(cost=80, stock=5)
    g.say(reward.id, g.bois, cost=120)
    assert service.redeem(g.anne.id, reward.id).cost == 120
    assert service.redeem(g.yann.id, reward.id).cost == 80
    assert (stock_left(reward.id), g.shop.balance(g.anne).available) == (3, 1880)
    g.say(reward.id, g.bois)  # says nothing any more
    assert service.redeem(g.anne.id, reward.id).cost == 80


def test_it_sells_from_the_stock_of_the_entity_and_gives_it_back_there(any_group: Group) -> None:
    g, reward = any_group, any_group.shop.reward(cost=10, stock=1)
    g.say(reward.id, g.bois, has_own_stock=True, stock=2)
    first = service.redeem(g.anne.id, reward.id)
    second = service.redeem(g.anne.id, reward.id)
    with pytest.raises(OutOfStock):
        service.redeem(g.anne.id, reward.id)
    assert (stock_left(reward.id), stock_left(reward.id, g.bois)) == (1, 0)
    service.redeem(g.yann.id, reward.id)
    assert (stock_left(reward.id), stock_left(reward.id, g.bois)) == (0, 0)
    with pytest.raises(InvalidInput) as refused:
        g.say(reward.id, g.bois, has_own_stock=True, stock=1)
    assert "stock" in refused.value.errors
    moved(g.anne, g.mer)  # what was taken goes back to where it came from
    service.cancel(first.id, g.anne.id)
    assert (stock_left(reward.id), stock_left(reward.id, g.bois)) == (0, 1)
    overrides.share_again(reward.id, g.bois, actor_id=g.shop.hr.id)
    service.cancel(second.id, g.anne.id)
    assert stock_left(reward.id) == 0
    g.say(reward.id, g.bois, has_own_stock=True, stock=2)
    assert stock_left(reward.id, g.bois) == 2
    assert ledger.verify().ok


def test_it_counts_the_stock_of_one_shelf_only_for_that_shelf(any_group: Group) -> None:
    g, reward = any_group, any_group.shop.reward(cost=10, stock=3)
    g.say(reward.id, g.bois, has_own_stock=True, stock=4)
    service.redeem(g.anne.id, reward.id)
    service.redeem(g.yann.id, reward.id)
    hr = g.shop.hr.id
    service.update_reward(reward.id, **g.shop.terms(cost=10, stock=1), actor_id=hr)
    assert (stock_left(reward.id), stock_left(reward.id, g.bois)) == (0, 3)
    g.say(reward.id, g.bois, has_own_stock=True, stock=None)
    service.redeem(g.anne.id, reward.id)
    assert stock_left(reward.id, g.bois) is None


def test_it_hides_from_one_entity_what_the_others_find(group: Group) -> None:
    group.shop.reward(title="Livre")
    hidden = group.shop.reward(title="Panier")
    group.say(hidden.id, group.bois, is_hidden=True)
    own = group.shop.reward(title="Scie", entity_id=group.bois)
    assert set(group.titles(group.anne)) == {"Livre", "Scie"}
    assert set(group.titles(group.yann)) == {"Livre", "Panier"}
    told = []
    for person, reward_id in (
        (group.anne, hidden.id), (group.yann, own.id), (group.anne, uuid.uuid4()),
    ):  # fmt: skip
        with pytest.raises(NoSuchReward):
            service.redeem(person.id, reward_id)
        page = group.shop.house.browser(person).get(f"/play/rewards/{reward_id}")
        told.append((page.status_code, "There is no such reward" in page.text))
    assert told == [(404, True)] * 3


def test_a_reward_meant_for_some_is_unknown_to_the_others(group: Group) -> None:
    chosen = segment("Chantier", group.anne.id)
    reward = group.shop.reward(title="Casque", audience=[chosen])
    assert (group.titles(group.anne), group.titles(group.yann)) == (["Casque"], [])
    assert service.redeem(group.anne.id, reward.id).cost == 80
    with pytest.raises(NoSuchReward):
        service.redeem(group.yann.id, reward.id)
    api = group.shop.house.caller(group.yann)
    assert api.get("/rewards")["items"] == []
    assert api.call("POST", "/redemptions", {"reward_id": str(reward.id)}).status_code == 404


def test_what_is_seen_is_what_is_paid_everywhere(group: Group) -> None:
    """Shelf, page, API, receipt and who hands over, for each of two entities."""
    shop, mine = group.shop, group.shop.person("Louis Caradec")
    reward = shop.reward(cost=80, stock=9)
    group.say(
        reward.id, group.bois, cost=130, has_own_stock=True, stock=2, deliverer_id=mine.id,
        description="Au comptoir de Bois.",
    )  # fmt: skip
    for person, cost, left, by, text in (
        (group.anne, 130, 2, mine, "Au comptoir de Bois."),
        (group.yann, 80, 9, shop.deliverer, "À retirer à l’accueil."),
    ):
        browser = shop.house.browser(person)
        assert f"<b>{cost}</b>" in text_of(browser, "/play/rewards")
        page = text_of(browser, f"/play/rewards/{reward.id}")
        assert all(word in page for word in (text, by.name, f"{left} left", f"−{cost}"))
        (item,) = shop.house.caller(person).get("/rewards")["items"]
        assert (item["cost"], item["stock_left"], item["deliverer"], item["description"]) == (
            cost, left, str(by.id), text,
        )  # fmt: skip
        assert not {"entity", "audience"} & set(item)
        one = service.redeem(person.id, reward.id)
        assert by.name in text_of(browser, f"/play/redemptions/{one.id}")
        assert by.name in text_of(browser, "/")
        outbox.drain()
        assert by.email in {address for address, _subject in shop.mails()}
        assert person.name in text_of(shop.house.browser(by), "/play/deliveries")
        assert service.fulfil(one.id, by.id).status == "fulfilled"


def test_a_change_of_entity_moves_no_past_redemption(group: Group) -> None:
    mine = group.shop.person("Louis Caradec")
    reward = group.shop.reward(cost=80)
    group.say(reward.id, group.bois, cost=130, deliverer_id=mine.id)
    one = service.redeem(group.anne.id, reward.id)
    moved(group.anne, group.mer)
    row = queries.redemption(one.id)
    assert row is not None
    assert (row.cost, row.deliverer_id, row.entity_name) == (130, mine.id, "Bois")
    assert service.redeem(group.anne.id, reward.id).cost == 80


def test_it_refuses_terms_that_are_not_whole(group: Group) -> None:
    reward = group.shop.reward()
    gone = group.shop.person("Partie Ailleurs")
    people.depart(gone.id)
    wrong: dict[str, dict[str, object]] = {
        "cost": {"cost": 0},
        "stock": {"has_own_stock": True, "stock": -1},
        "deliverer": {"deliverer_id": gone.id},
        "description": {"description": "x" * 1001},
    }
    for field, terms in wrong.items():
        with pytest.raises(InvalidInput) as refused:
            group.say(reward.id, group.bois, **terms)
        assert set(refused.value.errors) == {field}
    own = group.shop.reward(entity_id=group.mer)
    with pytest.raises(NoSuchReward):
        group.say(own.id, group.bois, cost=5)
    with pytest.raises(InvalidInput):
        group.shop.reward(entity_id=uuid.uuid4())


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
def test_ten_pieces_go_to_ten_of_two_entities(any_group: Group, own: bool) -> None:
    """Twenty-four buyers of two entities with two prices, while HR changes the terms."""
    g, reward = any_group, any_group.shop.reward(cost=10, stock=4 if own else 10)
    say = partial(g.say, reward.id, g.bois, cost=20)
    if own:
        say = partial(say, has_own_stock=True, stock=6)
    say()
    buyers = [moved(g.shop.member(100, f"B {n}"), g.bois) for n in range(12)]
    buyers += [moved(g.shop.member(100, f"M {n}"), g.mer) for n in range(12)]
    ids = [buyer.id for buyer in buyers]
    acts: list[Callable[[], object]] = [
        partial(service.redeem, each, reward.id, key="one") for each in ids
    ]
    told = at_once(g.shop.house.app, *acts, *[say] * 3)
    assert told == {"done": 13, "out-of-stock": 14}
    sold = db.session.execute(
        select(Redemption.cost, Redemption.entity_id, Redemption.from_own_stock)
    ).all()
    assert len(sold) == 10
    assert all((row.cost == 20) is (row.entity_id == g.bois) for row in sold)
    assert all(row.from_own_stock is (own and row.entity_id == g.bois) for row in sold)
    if own:
        assert [row.entity_id for row in sold].count(g.bois) == 6
        assert stock_left(reward.id, g.bois) == 0
    assert stock_left(reward.id) == 0
    spent = sum(100 - g.shop.balance(buyer).available for buyer in buyers)
    assert spent == sum(row.cost for row in sold)
    assert ledger.verify().ok


def test_it_keeps_in_step_when_shares_and_cancellations_meet(any_group: Group) -> None:
    g, reward = any_group, any_group.shop.reward(cost=10, stock=30)
    g.say(reward.id, g.bois, has_own_stock=True, stock=20)
    ones = [service.redeem(g.anne.id, reward.id).id for _ in range(6)]
    acts: list[Callable[[], object]] = [partial(service.cancel, one, g.anne.id) for one in ones]
    acts += [partial(g.say, reward.id, g.bois, has_own_stock=True, stock=20) for _ in range(4)]
    acts += [partial(service.redeem, g.anne.id, reward.id) for _ in range(4)]
    assert at_once(g.shop.house.app, *acts) == {"done": 14}
    kept = select(func.count()).select_from(Redemption).where(Redemption.status == "reserved")
    assert (stock_left(reward.id, g.bois), db.session.scalar(kept)) == (16, 4)
    assert stock_left(reward.id) == 30


# ---- Former employees and partners


@pytest.mark.parametrize("kind", ["alumni", "partner"])
def test_it_opens_payroll_to_outsiders_only_where_the_reward_says_so(shop: Shop, kind: str) -> None:
    person = shop.member(500, "Rozenn Autret")
    closed = shop.reward(title="Bon", pay_class="voucher")
    said = shop.reward(title="Place", pay_class="voucher", is_open_outside=True)
    gift = shop.reward(title="Livre", pay_class="gift in kind")
    with transaction() as session:
        session.get_one(Person, person.id).kind = kind
    page = text_of(shop.house.browser(person), "/play/rewards")
    assert [f"/{each.id}" in page for each in (closed, said, gift)] == [False, True, True]
    assert shop.house.browser(person).get(f"/play/rewards/{closed.id}").status_code == 404
    with pytest.raises(NotForThisKind):
        service.redeem(person.id, closed.id)
    assert service.redeem(person.id, said.id).cost == 80
    shown = {item["title"] for item in shop.house.caller(person).get("/rewards")["items"]}
    assert shown == {"Place", "Livre"}


def test_the_studio_has_a_switch_for_outsiders(shop: Shop) -> None:
    hr, reward = shop.house.browser(shop.hr), shop.reward(pay_class="voucher")
    form = {
        "title": reward.title, "cost": "80", "stock": "3", "pay_class": "voucher",
        "deliverer": shop.deliverer.email,
    }  # fmt: skip
    assert 'name="is_open_outside"' in text_of(hr, f"/studio/rewards/{reward.id}")
    for switch, expected in (({"is_open_outside": "y"}, True), ({}, False)):
        hr.post(f"/studio/rewards/{reward.id}", data=form | switch)
        row = queries.reward(reward.id)
        assert row is not None and row.is_open_outside is expected


# ---- The studio


def test_hr_says_otherwise_for_an_entity_and_shares_again(group: Group) -> None:
    shop, reward = group.shop, group.shop.reward(cost=80, stock=3)
    hr, page = shop.house.browser(shop.hr), f"/studio/rewards/{reward.id}"
    own = f"{page}/entities/{group.bois}"
    assert text_of(hr, page).count("As it is shared") == 2
    assert "All share: 80 points." in text_of(hr, own)
    wrong = hr.post(own, data={"cost": "0,5", "has_own_stock": "y", "stock": ""})
    assert wrong.status_code == 422 and wrong.text.count('-error"><svg') == 2
    typed = {"cost": "1 200", "has_own_stock": "y", "stock": "4", "deliverer": shop.hr.email}
    assert hr.post(own, data=typed).location == f"{page}#entities"
    told = text_of(hr, page)
    assert "1,200 points, a stock of their own, 4 of 4 left, handed over by Pauline" in told
    assert "otherwise for 1 entity" in text_of(hr, "/studio/rewards")
    theirs = text_of(hr, f"/studio/rewards?entity={group.bois}")
    assert "1,200" in theirs and "changed for Bois" in theirs
    assert 'value="1200"' in text_of(hr, own)
    assert hr.post(own, data={"is_hidden": "y", "cost": "5"}).status_code == 303
    assert "Not on their shelf" in text_of(hr, page)
    assert "not on the shelf of Bois" in text_of(hr, f"/studio/rewards?entity={group.bois}")
    assert hr.post(f"{own}/removal").status_code == 303
    assert text_of(hr, page).count("As it is shared") == 2
    unknown = f"{page}/entities/{uuid.uuid4()}"
    assert [hr.get(unknown).status_code, hr.post(unknown).status_code] == [404, 404]


def test_hr_makes_a_reward_of_an_entity_for_some(group: Group) -> None:
    shop, chosen = group.shop, segment("Chantier", group.anne.id)
    hr = shop.house.browser(shop.hr)
    typed = {
        "title": "Scie japonaise", "cost": "80", "stock": "3", "pay_class": "gift in kind",
        "deliverer": shop.deliverer.email, "entity": str(group.bois), "audience": str(chosen),
    }  # fmt: skip
    for field in ("entity", "audience"):
        refused = hr.post("/studio/rewards", data=typed | {field: str(uuid.uuid4())})
        assert refused.status_code == 422 and f'id="{field}-error"' in refused.text
    assert hr.post("/studio/rewards", data=typed).status_code == 303
    listed = text_of(hr, "/studio/rewards")
    assert "Bois alone" in listed and "Chantier" in listed
    assert group.titles(group.anne) == ["Scie japonaise"]
    moved(group.anne, group.mer)
    assert group.titles(group.anne) == []


def test_the_entities_page_says_what_each_has_of_its_own(group: Group) -> None:
    shop, admin = group.shop, group.shop.person("Marc Quéméner", "admin")
    group.say(shop.reward().id, group.bois, cost=10)
    shop.reward(entity_id=group.bois)
    page = text_of(shop.house.browser(admin), "/studio/entities")
    assert f'href="/studio/rewards?entity={group.bois}"' in page
    assert "1 reward of its own" in page and "1 shared reward changed" in page
    assert "Archive Bois? What it has of its own keeps holding" in page
    assert "Archive Mer?" not in page


def test_the_terms_of_a_sale_are_those_of_the_buyers_entity(group: Group) -> None:
    reward = group.shop.reward(cost=80)
    group.say(reward.id, group.bois, cost=7)
    for person, cost in ((group.anne, 7), (group.yann, 80)):
        with group.shop.house.app.test_request_context(), transaction() as session:
            assert effective.sale(session, person.id, reward.id).cost == cost
