"""What the network allows, and what a 429 asks for (N7)."""

from __future__ import annotations

import datetime as dt

import pytest

from app import clock, outbox
from app.sharing import publisher, quotas
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing import kit


@pytest.mark.parametrize("limit", ["MEMBER", "APPLICATION"])
def test_a_429_stops_whom_it_names_until_the_reset(
    house: House, standin: StandIn, limit: str
) -> None:
    first, second = kit.member(house), kit.member(house, "Théo Rossignac")
    story_id = kit.story(house)
    standin.fault({"do": "status", "error": "429", "limit": limit}, path="/rest/posts", times=1)
    one = kit.press(first, story_id).id
    publisher.publish_due()
    other = kit.press(second, story_id, "Autre").id
    publisher.publish_due()
    clock.freeze(START + dt.timedelta(hours=2))
    publisher.publish_due()
    assert (kit.share(one).status, kit.share(one).reason) == ("scheduled", "quota")
    assert kit.share(other).status == ("published" if limit == "MEMBER" else "scheduled")
    clock.freeze(quotas.next_midnight() + dt.timedelta(minutes=1))
    outbox.drain()
    assert kit.share(one).status == kit.share(other).status == "published"
    assert len(standin.posts()) == 2


def test_a_retry_after_is_honoured(house: House, standin: StandIn) -> None:
    member = kit.member(house)
    fault = {"do": "status", "error": "429", "limit": "MEMBER", "retry_after": 90}
    standin.fault(fault, path="/rest/posts", times=1)
    share_id = kit.press(member, kit.story(house)).id
    publisher.publish_due()
    clock.freeze(START + dt.timedelta(seconds=60))
    publisher.publish_due()
    assert kit.share(share_id).status == "scheduled"
    clock.freeze(START + dt.timedelta(seconds=120))
    publisher.publish_due()
    assert kit.share(share_id).status == "published"


def test_we_stay_below_the_limit_by_ourselves(any_house: House, standin: StandIn) -> None:
    member, story_id = kit.member(any_house), kit.story(any_house)
    of_member, _of_application = quotas.LIMITS["self_serve"]
    quotas.count("linkedin", member.id, of_member)
    share_id = kit.press(member, story_id).id
    publisher.publish_due()
    assert kit.share(share_id).reason == "quota" and standin.posts() == []
    clock.freeze(quotas.next_midnight() + dt.timedelta(minutes=1))
    publisher.publish_due()
    assert kit.share(share_id).status == "published"
