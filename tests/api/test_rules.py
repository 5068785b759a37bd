"""Rules of points by the API: the next version, and its rehearsal."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.play import rules
from tests.conftest import START, Caller, House
from tests.play.kit import DAY, Posts, member


def fields(**more: Any) -> dict[str, Any]:
    return {
        "fact": "share", "name_fr": "Publication", "name_en": "Post", "amount": 20, "cap": 2,
        "cap_period": "week", "starts_at": "2026-12-01T00:00:00Z",
    } | more  # fmt: skip


@pytest.fixture
def lead(house: House) -> Caller:
    return house.caller(house.person("Pauline Delmotte", "lead", joined=False))


def versions() -> list[int]:
    return [rule.version for rule in rules.versions() if rule.fact == "share"]


def test_it_plans_a_version_and_the_same_key_plans_it_once(lead: Caller) -> None:
    first = lead.post("/rules", fields(), Idempotency_Key="a")
    again = lead.post("/rules", fields(), Idempotency_Key="a")
    assert first == again
    assert first["version"] == 2
    assert first["starts_at"] == "2026-12-01T00:00:00Z"
    assert versions() == [2, 1]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"starts_at": "2026-01-01T00:00:00Z"}, "starts_at"),
        ({"fact": "likes"}, "fact"),
        ({"amount": -1}, "amount"),
        ({"cap": 0}, "cap"),
        ({"amount": 10, "cap": 3}, "amount"),
    ],
)
def test_it_refuses_by_field_what_no_version_can_say(
    lead: Caller, more: dict[str, Any], field: str
) -> None:
    assert field in lead.post("/rules", fields(**more), 422)["errors"]
    assert versions() == [1]


def test_it_rehearses_a_version_in_sums(house: House, lead: Caller) -> None:
    posts = Posts(house, member(house))
    for days in (1, 2, 3):
        posts.post(START - days * DAY)
    made = lead.post("/rules", fields())
    told = lead.post(f"/rules/{made['id']}/rehearsal", {"days": 30}, 200)
    assert (told["facts"], told["people"], told["segments"]) == (3, None, [])
    assert told["before"]["points"] == 30
    assert told["after"]["points"] == 20 * told["after"]["rewarded"]
    assert told["after"]["rewarded"] + told["after"]["beyond"] == 3
    lead.post(f"/rules/{made['id']}/rehearsal", {"days": 7}, 422)
    lead.post("/rules/nothing/rehearsal", {}, 404)


@pytest.mark.parametrize("role", ["recruiter", "curator", "auditor"])
def test_others_write_no_rule(house: House, role: str) -> None:
    caller = house.caller(house.person("Théo Rossignac", role, joined=False))
    caller.post("/rules", fields(), 403)
    address = f"/rules/{rules.versions()[0].id}/rehearsal"
    caller.post(address, {}, 200 if role == "auditor" else 403)
    assert versions() == [1]


def test_a_start_without_a_moment_is_now(lead: Caller) -> None:
    made = lead.post("/rules", fields(starts_at=None))
    assert dt.datetime.fromisoformat(made["starts_at"]) == START
