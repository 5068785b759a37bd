"""The switch is thrown while two real workers are in the middle of a crowd, a slice (`make
soak` has five hundred); and posts that were on their way when it was thrown."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import pytest

from app import clock
from app.sharing import publisher, service, stop
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing import crowd, kit
from tests.sharing.crowd import Installation, place, variables

__all__ = ["place", "variables"]


def test_none_leaves_after_a_stop_and_lifting_it_asks(place: Installation) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    print(crowd.halt(place, seed, 50, 10, crowd.UNEVEN))


def _lead(house: House) -> uuid.UUID:
    return house.person("Paul Lead", "lead").id


@pytest.mark.parametrize("fault", ["500", "401-revoked", "429"])
def test_a_post_that_was_on_its_way_is_not_put_back_in_line(
    house: House, standin: StandIn, fault: str
) -> None:
    """Its picture meets trouble after the stop: it waits for its author, also once sharing goes
    on, and not for the worker."""
    ines, lead = kit.member(house), _lead(house)
    pressed = kit.press(ines, crowd.story_with_picture(house))
    claimed = publisher.claim()
    assert claimed is not None
    standing = stop.stop(lead, "Un accident.").id
    standin.fault(fault, path="/rest/images", times=None)
    publisher.attempt(claimed)
    found = kit.share(pressed.id)
    assert found.status == "paused" and found.reason in ("stopped", "reconnect")
    standin.clear_faults()
    stop.lift(lead, standing)
    clock.freeze(START + dt.timedelta(hours=20))
    publisher.publish_due()
    assert kit.share(pressed.id).status == "paused" and standin.posts() == []


def test_an_attempt_that_died_during_a_stop_waits_for_its_author(
    house: House, standin: StandIn
) -> None:
    ines, lead = kit.member(house), _lead(house)
    pressed = kit.press(ines, kit.story(house))
    assert publisher.claim() is not None  # and then its process is gone
    standing = stop.stop(lead, "Un accident.").id
    clock.freeze(START + dt.timedelta(minutes=3))
    publisher.publish_due()
    assert (kit.share(pressed.id).status, kit.share(pressed.id).reason) == ("paused", "stopped")
    stop.lift(lead, standing)
    publisher.publish_due()
    assert (kit.share(pressed.id).status, kit.share(pressed.id).reason) == ("paused", "asks")
    assert standin.posts() == []
    service.reschedule(ines.id, pressed.id, None)
    publisher.publish_due()
    assert len(standin.posts()) == 1
