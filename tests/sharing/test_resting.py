"""A pause and planned posts: they wait without a word, and ask where their moment has passed."""

from __future__ import annotations

import datetime as dt

from app import clock, outbox
from app.db import transaction
from app.people import pauses
from app.sharing import ideas, publisher, service, stop
from app.sharing.resting import RESTED, RESTING
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing import kit

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def test_what_was_planned_waits_and_what_missed_its_moment_asks(
    house: House, standin: StandIn
) -> None:
    ines = kit.member(house)
    soon = kit.press(ines, kit.story(house), publish_at=START + HOUR)
    later = kit.press(
        ines, kit.story(house, url="https://halvenne.example/b"), publish_at=START + 3 * DAY
    )
    pauses.pause(ines.id)
    outbox.drain()
    for share in (soon, later):
        assert (kit.share(share.id).status, kit.share(share.id).reason) == ("paused", RESTING)
    clock.freeze(START + DAY)
    publisher.publish_due()
    pauses.resume(ines.id)
    outbox.drain()
    assert (kit.share(soon.id).status, kit.share(soon.id).reason) == ("paused", RESTED)
    assert (kit.share(later.id).status, kit.share(later.id).reason) == ("scheduled", None)
    assert standin.posts() == []
    clock.freeze(START + 3 * DAY)
    outbox.drain()
    publisher.publish_due()
    assert kit.share(later.id).status == "published"
    service.reschedule(ines.id, soon.id, None)
    publisher.publish_due()
    assert len(standin.posts()) == 2


def test_a_post_that_is_pressed_during_a_pause_goes(house: House, standin: StandIn) -> None:
    ines = kit.member(house)
    pauses.pause(ines.id)
    outbox.drain()
    clock.freeze(START + HOUR)
    pressed = kit.press(ines, kit.story(house))
    publisher.publish_due()
    assert kit.share(pressed.id).status == "published"


def test_a_stop_outlasts_a_pause(house: House, standin: StandIn) -> None:
    ines, lead = kit.member(house), house.person("Paul Lead", "lead").id
    planned = kit.press(ines, kit.story(house), publish_at=START + DAY)
    pauses.pause(ines.id)
    outbox.drain()
    standing = stop.stop(lead, "Un accident.").id
    pauses.resume(ines.id)
    outbox.drain()
    assert (kit.share(planned.id).status, kit.share(planned.id).reason) == ("paused", "stopped")
    stop.lift(lead, standing)
    assert kit.share(planned.id).status == "scheduled"


def test_facts_that_come_late_or_twice_change_nothing(house: House, standin: StandIn) -> None:
    ines = kit.member(house)
    planned = kit.press(ines, kit.story(house), publish_at=START + DAY)
    pauses.pause(ines.id)
    pauses.resume(ines.id)
    outbox.drain()
    assert kit.share(planned.id).status == "scheduled"
    pauses.pause(ines.id)
    outbox.drain()
    with transaction():
        outbox.record("person.resumed", person_id=str(ines.id))
        outbox.record("person.paused", person_id=str(ines.id))
    outbox.drain()
    assert kit.share(planned.id).reason == RESTING


def test_ideas_do_not_reach_who_rests(house: House) -> None:
    from app.people import service as people

    ines = kit.member(house)
    people.give_consent(ines.id, "ideas")
    assert ideas._due_members(ideas.NOBODY) == [ines.id]
    pauses.pause(ines.id)
    assert ideas._due_members(ideas.NOBODY) == []
