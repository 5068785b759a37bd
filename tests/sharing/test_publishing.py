"""Publishing through the stand-in: what was promised is what is there, and each no is told."""

from __future__ import annotations

import datetime as dt

import pytest

from app import clock, outbox
from app.db import db
from app.errors import DomainError
from app.sharing import grants, publisher, reach, service, stop
from app.sharing.errors import DailyCapReached, DuplicateText, NotPossible
from app.sharing.models import Share
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing.kit import kept, member, press, share, story


def test_it_publishes_what_the_preview_promised(any_house: House, standin: StandIn) -> None:
    ines, story_id = member(any_house), story(any_house)
    words = "Ça tient (vraiment) #bois : 100 % d'assemblages_collés @Limoges 🎉"
    pressed = press(ines, story_id, words)
    outbox.drain()
    found = share(pressed.id)
    posts = standin.posts()
    assert found.status == "published" and found.post_urn == posts[0]["urn"]
    assert posts[0]["text"] == found.post_text == f"Je travaille chez Halvenne.\n\n{words}"
    assert posts[0]["content"]["title"] == "Trente-huit mètres et pas un boulon"
    assert posts[0]["content"]["source"].endswith(f"/r/{found.code}")


def test_one_press_is_one_post_however_often_the_worker_works(
    house: House, standin: StandIn
) -> None:
    pressed = press(member(house), story(house))
    outbox.drain()
    publisher.publish_due()
    assert len(standin.posts()) == 1 and share(pressed.id).attempt == 1


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("401-revoked", "paused", "reconnect"),
        ("401-expired", "paused", "reconnect"),
        ("403", "failed", "permission"),
        ("404", "failed", "refused"),
        ("422-duplicate", "failed", "duplicate"),
        ("426", "paused", "version"),
        ("429", "scheduled", "quota"),
        ("400-FIELD_LENGTH_TOO_LONG", "failed", "text"),
        ("400-INVALID_VALUE_FOR_FIELD", "failed", "refused"),
        ("400-MEDIA_ASSET_WAITING_UPLOAD", "scheduled", "not-ready"),
        ("400-MEDIA_ASSET_PROCESSING_FAILED", "failed", "picture"),
        ("409", "scheduled", "waiting"),
        ("500", "unknown", None),
        ("500-html", "unknown", None),
        ("drop_after_accept", "unknown", None),
        ("silence:5+commit", "unknown", None),
        ("half", "unknown", None),
        ("no_header", "published", None),
    ],
)
def test_every_answer_ends_in_a_true_state(
    house: House, standin: StandIn, fault: str, status: str, reason: str | None
) -> None:
    pressed = press(member(house), story(house))
    standin.fault(fault, path="/rest/posts", method="POST", times=1)
    publisher.publish_due()
    found = share(pressed.id)
    assert (found.status, found.reason) == (status, reason)
    assert len(standin.posts()) == (1 if fault in COMMITTED else 0)


COMMITTED = ("drop_after_accept", "silence:5+commit", "half", "no_header")


def test_an_unknown_one_is_adopted_when_the_network_has_it(house: House, standin: StandIn) -> None:
    ines = member(house)
    pressed = press(ines, story(house))
    standin.fault("drop_after_accept", path="/rest/posts", method="POST", times=1)
    publisher.publish_due()
    assert share(pressed.id).status == "unknown"
    clock.freeze(START + dt.timedelta(minutes=5))
    service.check(ines.id, pressed.id)
    publisher.publish_due()
    found = share(pressed.id)
    assert found.status == "published" and found.post_urn == standin.posts()[0]["urn"]
    assert len(standin.posts()) == 1


def test_an_unknown_one_that_is_missing_is_sent(house: House, standin: StandIn) -> None:
    ines = member(house)
    pressed = press(ines, story(house))
    standin.fault("500", path="/rest/posts", method="POST", times=1)
    publisher.publish_due()
    clock.freeze(START + dt.timedelta(minutes=5))
    service.check(ines.id, pressed.id)
    publisher.publish_due()
    assert share(pressed.id).status == "published" and len(standin.posts()) == 1


def test_a_check_that_learns_nothing_leaves_it_unknown(house: House, standin: StandIn) -> None:
    ines = member(house)
    pressed = press(ines, story(house))
    standin.fault("drop_after_accept", path="/rest/posts", method="POST", times=1)
    publisher.publish_due()
    for fault in ("403", "426", "400-INVALID_VALUE_FOR_FIELD"):
        clock.freeze(clock.now() + dt.timedelta(minutes=5))
        standin.fault(fault, path="/rest/posts", method="POST", times=1)
        service.check(ines.id, pressed.id)
        publisher.publish_due()
        assert share(pressed.id).status == "unknown", fault
    clock.freeze(START + dt.timedelta(hours=25))
    with pytest.raises(NotPossible):
        service.check(ines.id, pressed.id)


def test_it_is_withdrawn_on_request(house: House, standin: StandIn) -> None:
    ines = member(house)
    pressed = press(ines, story(house))
    outbox.drain()
    service.withdraw(ines.id, pressed.id)
    outbox.drain()
    assert share(pressed.id).status == "withdrawn"
    assert standin.posts()[0]["deleted_at"] is not None


def test_it_is_cancelled_until_the_last_second(house: House, standin: StandIn) -> None:
    ines = member(house)
    pressed = press(ines, story(house))
    claimed = publisher.claim()
    assert claimed is not None
    service.withdraw(ines.id, pressed.id)
    publisher.attempt(claimed)
    assert share(pressed.id).status == "cancelled" and standin.posts() == []


def test_it_stops_everything_at_once(house: House, standin: StandIn) -> None:
    ines, lead = member(house), kept(house.person("Paul Lead", "lead").id)
    pressed = press(ines, story(house))
    claimed = publisher.claim()
    assert claimed is not None
    standing_id = stop.stop(lead.id, "Un accident. Merci d’attendre.").id
    publisher.attempt(claimed)
    assert (share(pressed.id).status, share(pressed.id).reason) == ("paused", "stopped")
    stop.lift(lead.id, standing_id)
    publisher.publish_due()
    assert (share(pressed.id).status, share(pressed.id).reason) == ("paused", "asks")
    service.reschedule(ines.id, pressed.id, None)
    publisher.publish_due()
    assert len(standin.posts()) == 1


def test_a_dead_attempt_goes_back_or_is_unknown(house: House, standin: StandIn) -> None:
    ines, story_id = member(house), story(house)
    first = press(ines, story_id, "Un")
    claimed = publisher.claim()
    assert claimed is not None
    clock.freeze(START + dt.timedelta(minutes=3))
    publisher.reap()
    assert share(first.id).status == "scheduled"
    assert publisher.mark_sent(claimed) is False, "an attempt that was given up may not post"
    again = publisher.claim()
    assert again is not None and again.attempt == 2
    assert publisher.mark_sent(claimed) is False
    assert publisher.mark_sent(again) is True
    clock.freeze(START + dt.timedelta(minutes=9))
    publisher.reap()
    assert share(first.id).status == "unknown"


def test_the_cap_and_the_same_text_are_told_before(house: House, standin: StandIn) -> None:
    ines, story_id = member(house), story(house)
    press(ines, story_id, "Un")
    with pytest.raises(DuplicateText):
        press(ines, story_id, "Un")
    press(ines, story_id, "Deux")
    press(ines, story_id, "Trois")
    with pytest.raises(DailyCapReached):
        press(ines, story_id, "Quatre")


def test_leaving_cancels_revokes_and_forgets(house: House, standin: StandIn) -> None:
    from app.people import service as people

    ines = member(house)
    later = press(ines, story(house), publish_at=START + dt.timedelta(hours=5))
    people.leave(ines.id)
    outbox.drain()
    assert (share(later.id).status, share(later.id).reason) == ("cancelled", "left")
    assert grants.grant_of(ines.id) is None
    clock.freeze(START + dt.timedelta(hours=6))
    publisher.publish_due()
    assert standin.posts() == []


def test_visits_are_measured_and_the_rest_is_not(house: House, standin: StandIn) -> None:
    pressed = press(member(house), story(house))
    outbox.drain()
    found = share(pressed.id)
    browser = house.app.test_client()
    answer = browser.get(
        f"/r/{found.code}", headers={"User-Agent": "Mozilla/5.0 (X11) Firefox/140"}
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://halvenne.example/recits/trois-ponts"
    house.ingest()
    figures = reach.reach_of([db.session.get_one(Share, pressed.id)])[pressed.id]
    assert figures["clicks"] is not None and figures["clicks"].value == 1
    assert figures["impressions"] is None


def test_taking_the_charter_back_pauses_what_is_planned(house: House, standin: StandIn) -> None:
    from app.charters import service as charters

    ines = member(house)
    planned = press(ines, story(house), publish_at=START + dt.timedelta(hours=5))
    charters.withdraw(ines.id)
    outbox.drain()
    assert (share(planned.id).status, share(planned.id).reason) == ("paused", "charter")
    with pytest.raises(DomainError) as refused:
        service.reschedule(ines.id, planned.id, None)
    assert refused.value.code == "charter-not-accepted"
    assert standin.posts() == []
