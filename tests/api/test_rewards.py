"""Rewards by the API: as the contract says them, and what HR may add for entities and segments."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.rewards import overrides
from app.rewards.overrides import OwnTerms
from tests.conftest import Caller, House
from tests.rewards.conftest import Shop
from tests.rewards.test_entities import entity, moved, segment

PLAIN = {
    "id", "title", "description", "cost", "stock", "stock_left", "pay_class", "deliverer",
    "created_at", "language", "translations",
}  # fmt: skip


def new(**fields: Any) -> dict[str, Any]:
    return {
        "title": "Livre", "cost": 80, "stock": 3, "pay_class": "gift in kind", "deliverer": "me",
    } | fields  # fmt: skip


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


@pytest.fixture
def hr(shop: Shop) -> Caller:
    return shop.house.caller(shop.hr)


@pytest.mark.parametrize("missing", ["cost", "stock", "deliverer"])
def test_it_refuses_a_reward_that_is_not_whole(hr: Caller, missing: str) -> None:
    fields = {name: value for name, value in new().items() if name != missing}
    refused = hr.call("POST", "/rewards", fields)
    assert refused.status_code == 422 and missing in refused.json["errors"]


def test_a_prize_of_chance_is_said_in_full(hr: Caller) -> None:
    for word in ("chance prize", "chance prize (free, unlinked)"):
        made = hr.post("/rewards", new(pay_class=word))
        assert made["pay_class"] == "chance prize (free, unlinked)"
    assert hr.call("POST", "/rewards", new(pay_class="lottery")).status_code == 422


def test_it_takes_and_tells_a_reward_in_both_languages(shop: Shop, hr: Caller) -> None:
    english = {"title": "A book", "description": "At reception."}
    texts: dict[str, Any] = {"description": "À l’accueil.", "translations": {"en": english}}
    made = hr.post("/rewards", new(**texts, language="fr"))
    member = shop.house.caller(shop.member(100, language="en"))
    (item,) = member.get("/rewards")["items"]
    for told in (made, item):
        assert (told["title"], told["description"]) == ("Livre", "À l’accueil.")
        assert (told["language"], told["translations"]) == ("fr", {"en": english})
    assert hr.post("/rewards", new(**texts))["language"] == "fr"
    plain = hr.post("/rewards", new())
    assert (plain["language"], plain["translations"]) == (None, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"translations": {"en": {"title": "Book"}}, "language": "en"},
        {"translations": {"en": {"title": "Book"}, "fr": {"title": "Livre"}}},
        {"translations": {"en": {"title": "Book"}}, "description": "À l’accueil."},
        {"translations": {"br": {"title": "Levr"}}},
        {"translations": {"en": {"title": ""}}},
        {"translations": {"en": {"title": "x" * 121}}},
    ],
)
def test_it_refuses_a_translation_that_is_not_one(hr: Caller, wrong: dict[str, Any]) -> None:
    refused = hr.call("POST", "/rewards", new(**wrong))
    assert refused.status_code == 422
    assert "translations" in str(refused.json["errors"])
    assert hr.call("POST", "/rewards", new(language="br")).json["errors"].keys() == {"language"}


def test_members_find_what_the_contract_says_and_no_more(shop: Shop, hr: Caller) -> None:
    assert set(hr.post("/rewards", new())) == PLAIN | {"entity", "audience"}
    member = shop.house.caller(shop.member(100))
    (item,) = member.get("/rewards")["items"]
    assert set(item) == PLAIN
    assert member.call("GET", "/rewards?entity=shared").status_code == 403
    assert member.call("POST", "/rewards", new()).status_code == 403


def test_hr_makes_a_reward_of_an_entity_for_a_segment(shop: Shop, hr: Caller) -> None:
    bois, mer = entity("Bois"), entity("Mer")
    anne, yann = moved(shop.member(100, "Anne M"), bois), moved(shop.member(100, "Yann G"), mer)
    chosen = segment("Chantier", anne.id, yann.id)
    made = hr.post("/rewards", new(entity=str(bois), audience=[str(chosen)]))
    assert (made["entity"], made["audience"]) == (str(bois), [str(chosen)])
    for person, titles in ((anne, ["Livre"]), (yann, [])):
        found = shop.house.caller(person).get("/rewards")["items"]
        assert [item["title"] for item in found] == titles
    for field, value in (("entity", "x"), ("entity", str(uuid.uuid4())), ("audience", ["x"])):
        refused = hr.call("POST", "/rewards", new(**{field: value}))
        assert refused.status_code == 422 and field in refused.json["errors"]


def test_hr_reads_what_the_people_of_an_entity_find(shop: Shop, hr: Caller) -> None:
    bois, shared = entity("Bois"), shop.reward(cost=80)
    hidden = shop.reward(title="Panier")
    overrides.override(shared.id, bois, OwnTerms(cost=120), actor_id=shop.hr.id)
    overrides.override(hidden.id, bois, OwnTerms(is_hidden=True), actor_id=shop.hr.id)
    (item,) = hr.get(f"/rewards?entity={bois}")["items"]
    assert (item["id"], item["cost"]) == (str(shared.id), 120)
    costs = [item["cost"] for item in hr.get("/rewards?entity=shared")["items"]]
    assert costs == [80, 80]
    assert hr.call("GET", "/rewards?entity=x").status_code == 404
    anne = shop.house.caller(moved(shop.member(500, "Anne M"), bois))
    redeemed = anne.post("/redemptions", {"reward_id": str(shared.id)})
    assert redeemed["cost"] == 120


def test_the_document_describes_them(house: House) -> None:
    paths = house.app.test_client().get("/api/v1/openapi.json").get_json()
    listed = paths["paths"]["/api/v1/rewards"]["get"]["parameters"]
    assert "entity" in {parameter.get("name") for parameter in listed}
    assert {"entity", "audience"} <= set(paths["components"]["schemas"]["RewardIn"]["properties"])
