"""Figures and their truth (F115): measured, declared, or not measured; never a zero for an
unknown. LinkedIn's own come in `community_management` mode, batched, slower with age."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import clock, create_app, outbox
from app.db import db
from app.errors import InvalidInput
from app.people.models import Person
from app.sharing import grants, queries, quotas, reach
from app.sharing.errors import UnknownShare
from app.sharing.models import Share
from standin.linkedin import CMA_CLIENT_ID, CMA_CLIENT_SECRET, StandIn
from tests.conftest import START, House, serving, settings_for
from tests.sharing import kit
from tests.sharing.conftest import linked

SCOPES = "r_basicprofile w_member_social r_member_postAnalytics"


@pytest.fixture
def app(template: Path, tmp_path: Path, standin: StandIn) -> Iterator[Flask]:
    """An installation whose application passed LinkedIn's review."""
    shutil.copy(template, tmp_path / "portevoix.db")
    variables = linked(
        tmp_path, standin, LINKEDIN_MODE="community_management",
        LINKEDIN_CLIENT_ID=CMA_CLIENT_ID, LINKEDIN_CLIENT_SECRET=CMA_CLIENT_SECRET,
    )  # fmt: skip
    yield from serving(create_app(settings_for(tmp_path, **variables)))


def _measured_member(house: House, standin: StandIn, scope: str = SCOPES) -> Person:
    """A member whose token may read figures."""
    member = kit.member(house)
    subject = member.id.hex[:12]
    standin.set(analytics_delay_seconds=0)
    standin.add_members([{"sub": subject, "name": "Maëlle Kerjan"}])
    token = standin.issue_token(member=subject, scope=scope, client_id=CMA_CLIENT_ID)
    kit.connect(member.id, subject, token)
    grant = grants.grant_of(member.id)
    assert grant is not None
    grant.scopes = scope.split()
    grant.mode = "community_management"
    db.session.commit()
    return member


def _published(house: House, member: Person) -> Share:
    pressed = kit.press(member, kit.story(house))
    outbox.drain()
    found = kit.share(pressed.id)
    assert found.status == "published"
    return found


def _figures(share: Share) -> reach.Reach:
    fresh = queries.own_share(share.person_id, share.id)
    return reach.reach_of([fresh])[fresh.id]


def test_linkedins_figures_come_after_a_day_and_then_more_rarely(
    house: House, standin: StandIn
) -> None:
    share = _published(house, _measured_member(house, standin))
    share_id = share.id
    assert _figures(share)["impressions"] is None, "not measured is not zero"
    assert reach.poll_due() == 0, "not on the first day"
    looked = []
    for day in range(1, 40):
        clock.freeze(START + dt.timedelta(days=day, minutes=5))
        if reach.poll_due():
            looked.append(day)
        db.session.rollback()
    assert looked == [1, 2, 4, 8, 15, 30]
    found = _figures(kit.share(share_id))
    for metric in ("impressions", "reached", "reactions"):
        figure = found[metric]
        assert figure is not None and figure.truth == "measured"
    assert found["comments"] is None
    calls = standin.requests()["counts"]["GET /rest/memberCreatorPostAnalytics"]
    assert calls == 18, "six looks, three metrics each"


def test_no_elements_is_no_value(house: House, standin: StandIn) -> None:
    share = _published(house, _measured_member(house, standin))
    standin.set(analytics_delay_seconds=10**9)
    clock.freeze(START + dt.timedelta(days=1, minutes=5))
    assert reach.poll_due() == 1
    assert _figures(share)["impressions"] is None


def test_a_token_without_the_scope_is_not_tried(house: House, standin: StandIn) -> None:
    share = _published(house, _measured_member(house, standin, "r_basicprofile w_member_social"))
    clock.freeze(START + dt.timedelta(days=1, minutes=5))
    reach.poll_due()
    assert "GET /rest/memberCreatorPostAnalytics" not in standin.requests()["counts"]
    assert _figures(share)["impressions"] is None


def test_a_429_for_the_application_stops_the_round_until_the_reset(
    house: House, standin: StandIn
) -> None:
    member = _measured_member(house, standin)
    _published(house, member)
    standin.fault({"do": "status", "error": "429", "limit": "APPLICATION"},
                  path="/rest/memberCreatorPostAnalytics", times=None)  # fmt: skip
    clock.freeze(START + dt.timedelta(days=1, minutes=5))
    assert reach.poll_due() == 0
    until = quotas.waits_until("linkedin", member.id, "community_management")
    assert until == quotas.next_midnight()


def test_disconnecting_deletes_what_the_network_said_and_keeps_what_the_author_said(
    house: House, standin: StandIn
) -> None:
    member = _measured_member(house, standin)
    share = _published(house, member)
    clock.freeze(START + dt.timedelta(days=1, minutes=5))
    reach.poll_due()
    reach.declare(member.id, share.id, {"impressions": "9", "comments": "1 204"})
    before = _figures(share)
    assert before["comments"] is not None and before["comments"].value == 1204
    assert before["comments"].truth == "declared"
    assert before["impressions"] is not None and before["impressions"].truth == "measured"
    grants.end(member.id)
    after = _figures(share)
    assert after["impressions"] is None
    assert after["comments"] is not None and after["clicks"] is not None


def test_a_declared_figure_is_a_whole_number_of_its_author(house: House, standin: StandIn) -> None:
    member = kit.member(house)
    share = _published(house, member)
    for wrong in ("-1", "12.5", "beaucoup", "9" * 12, "٣"):
        with pytest.raises(InvalidInput):
            reach.declare(member.id, share.id, {"reactions": wrong})
    reach.declare(member.id, share.id, {"reactions": "12"})
    reach.declare(member.id, share.id, {"reactions": ""})
    assert _figures(share)["reactions"] is None
    with pytest.raises(UnknownShare):
        reach.declare(kit.member(house, "Théo Rossignac").id, share.id, {"reactions": "1"})


def test_a_post_without_our_link_has_no_measured_visits(house: House, standin: StandIn) -> None:
    member = kit.member(house)
    words_only = kit.story(house, kind="news", url=None, summary="Sans lien.")
    pressed = kit.press(member, words_only)
    outbox.drain()
    found = kit.share(pressed.id)
    assert found.format == "text" and standin.posts()[0]["content"] is None
    assert _figures(found)["clicks"] is None
