"""What sharing may rely on: what can be shared now, where links lead (F2)."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from app import clock
from app.library import service
from app.library.errors import NetworkNotOffered, StoryExpired, StoryWithdrawn, UnknownStory
from app.library.material import material, public_url_path, shareable, target_of
from tests.conftest import START
from tests.library.conftest import Desk

DAY = dt.timedelta(days=1)


def test_it_is_shareable_inside_its_window_only(any_desk: Desk) -> None:
    found = any_desk.draft(visible_from=START + DAY, expires_at=START + 2 * DAY)
    with pytest.raises(UnknownStory):
        shareable(found)
    assert material(found).status == "draft"
    service.publish_story(found, any_desk.curator.id)
    with pytest.raises(UnknownStory):
        shareable(found)
    clock.freeze(START + DAY)
    assert shareable(found).title == "Trente-huit mètres"
    clock.freeze(START + 2 * DAY)
    with pytest.raises(StoryExpired) as caught:
        shareable(found)
    assert (caught.value.status, caught.value.code) == (410, "story-expired")


def test_a_withdrawn_one_is_gone_and_says_so(any_desk: Desk) -> None:
    found = any_desk.story()
    service.withdraw_story(found, any_desk.curator.id)
    with pytest.raises(StoryWithdrawn) as caught:
        shareable(found)
    assert (caught.value.status, caught.value.code) == (410, "story-withdrawn")


def test_it_is_offered_on_its_networks_or_on_all(desk: Desk) -> None:
    everywhere, one = desk.story(), desk.story(networks=["linkedin"])
    assert shareable(everywhere, network="mastodon").networks == ()
    assert shareable(one, network="linkedin").networks == ("linkedin",)
    with pytest.raises(NetworkNotOffered) as caught:
        shareable(one, "fr", "mastodon")
    assert (caught.value.status, list(caught.value.errors)) == (422, ["network"])


def test_a_link_leads_to_the_address_or_to_the_storys_own_page(any_desk: Desk) -> None:
    away, here = any_desk.story(url="https://halvenne.example/a"), any_desk.story()
    assert target_of(away)[0] == "https://halvenne.example/a"
    url, slug, is_gone = target_of(here)
    assert (url, is_gone) == (None, False)
    assert public_url_path(slug) == f"/s/{slug}"
    service.withdraw_story(here, any_desk.curator.id)
    assert target_of(here).is_gone
    for unknown in (any_desk.draft(), uuid.UUID(int=1)):
        with pytest.raises(UnknownStory):
            target_of(unknown)


def test_what_was_posted_in_its_time_still_leads_on(desk: Desk) -> None:
    found = desk.story(url="https://halvenne.example/a", expires_at=START + DAY)
    clock.freeze(START + 2 * DAY)
    assert target_of(found) == ("https://halvenne.example/a", target_of(found).slug, False)
