"""The whole way: press, publication at the stand-in, visits by the post's own link, points,
withdrawal. F13, F18, F62, F65, F67, N5."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import clock, create_app, ledger, outbox
from app.people.models import Person
from app.play import accounts, share_awards
from app.referrals import ingester
from app.sharing import service
from app.sharing.models import Share
from standin.linkedin import StandIn
from tests.conftest import House, serving, settings_for
from tests.sharing import kit
from tests.sharing.conftest import linked

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"
ROBOT = "LinkedInBot/1.0 (compatible; Mozilla/5.0; +http://www.linkedin.com)"
WORDS = "Mon grand-père aurait vérifié deux fois chaque assemblage, puis il aurait souri."


@pytest.fixture
def app(template: Path, tmp_path: Path) -> Iterator[Flask]:
    """The product, its LinkedIn being a stand-in that takes invented tokens."""
    shutil.copy(template, tmp_path / "portevoix.db")
    with StandIn(lenient=True) as standin:
        yield from serving(create_app(settings_for(tmp_path, **linked(tmp_path, standin))))


def points(person: Person) -> tuple[int, int, int]:
    have = accounts.balance_of(person.id)
    return have.available, have.pending, have.status_points


def open_link(client: FlaskClient, share: Share, agent: str = PHONE) -> int:
    status = client.get(f"/r/{share.code}", headers={"User-Agent": agent}).status_code
    ingester.ingest(client.application.extensions["portevoix"])
    outbox.drain()
    return status


def published(person: Person, house: House) -> Share:
    pressed = kit.press(person, kit.story(house), WORDS)
    outbox.drain()
    found = kit.share(pressed.id)
    assert found.status == "published"
    return found


def test_a_post_its_words_and_its_visits_give_points(house: House) -> None:
    maelle, hugo = kit.member(house), house.person("Hugo Meynard")
    our_browsers = house.browser(maelle), house.browser(hugo)
    share = published(maelle, house)
    assert points(maelle) == (15, 0, 15)
    visitor = house.app.test_client()
    assert open_link(visitor, share) == 302
    assert points(maelle) == (15, 2, 15)
    open_link(visitor, share)  # within ten seconds: a repeat
    open_link(house.app.test_client(), share, ROBOT)
    for browser in our_browsers:
        open_link(browser, share)
    assert points(maelle) == (15, 2, 15)
    clock.travel(dt.timedelta(days=7))
    share_awards.announce_due()
    outbox.drain()
    assert points(maelle) == (17, 0, 17)
    assert ledger.verify().ok


def test_a_post_that_its_author_takes_back_the_same_day_gives_its_points_back(
    house: House,
) -> None:
    maelle = kit.member(house)
    share = published(maelle, house)
    open_link(house.app.test_client(), share)
    clock.travel(dt.timedelta(hours=3))
    service.withdraw(maelle.id, share.id)
    outbox.drain()
    assert kit.share(share.id).status == "withdrawn"
    assert points(maelle) == (0, 2, 0)
    assert open_link(house.app.test_client(), share) == 410
    assert points(maelle) == (0, 2, 0)
    assert ledger.verify().ok


def test_a_copied_link_earns_by_its_visits(house: House) -> None:
    maelle = kit.member(house)
    pressed = kit.press(maelle, kit.story(house), WORDS, network="copy")
    outbox.drain()
    assert points(maelle) == (0, 0, 0)
    assert open_link(house.app.test_client(), pressed) == 302
    assert points(maelle) == (0, 2, 0)


def test_removing_the_disclosure_costs_the_points_and_not_the_post(house: House) -> None:
    maelle = kit.member(house)
    pressed = kit.press(maelle, kit.story(house), WORDS, disclosure="none")
    outbox.drain()
    assert kit.share(pressed.id).status == "published"
    open_link(house.app.test_client(), pressed)
    assert points(maelle) == (0, 0, 0)
