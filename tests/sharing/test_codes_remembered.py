"""A process that remembers where a post's link leads hears of every way in which that ends."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from app import outbox
from app.library import service as stories
from app.people import membership
from app.people.models import Person
from app.sharing import grants, service, stop
from app.sharing.models import Share
from tests.conftest import House
from tests.referrals.public_kit import Visitor
from tests.sharing import kit

End = Callable[[House, Person, Share], object]


@pytest.fixture
def ana(house: House) -> Person:
    return kit.member(house, "Ana Prigent")


@pytest.fixture
def story_id(house: House) -> uuid.UUID:
    return kit.story(house)


@pytest.fixture
def post(ana: Person, story_id: uuid.UUID) -> Share:
    """Planned for later on LinkedIn: it may be cancelled in every way there is."""
    kit.connect(ana.id)
    return kit.press(ana, story_id, publish_at=service.clock.now() + service.FARTHEST / 2)


def _curator(house: House) -> Person:
    return house.person("Ewen Le Goff", "curator")


ENDS: dict[str, End] = {
    "its author takes it back": lambda h, p, s: service.withdraw(p.id, s.id),
    "its story is withdrawn": lambda h, p, s: stories.withdraw_story(s.story_id, _curator(h).id),
    "its author leaves": lambda h, p, s: (membership.leave(p.id), outbox.drain()),
    "its grant ends": lambda h, p, s: grants.end(p.id),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_its_link_ends_at_once_when(house: House, ana: Person, post: Share, end: End) -> None:
    visitor = Visitor(house.app)
    for _ in range(2):
        assert visitor.open("GET", f"/r/{post.code}").status_code == 302
    end(house, ana, post)
    assert visitor.open("GET", f"/r/{post.code}").status_code == 410


def test_its_link_leads_where_the_story_leads_now(
    house: House, post: Share, story_id: uuid.UUID
) -> None:
    visitor, curator = Visitor(house.app), _curator(house)
    addresses = ["https://halvenne.example/a", "https://halvenne.example/été"]
    for address, place in zip(addresses, [addresses[0], addresses[1].replace("é", "%C3%A9")],
                              strict=True):  # fmt: skip
        stories.change_story(story_id, {"url": address}, curator.id)
        answers = [visitor.open("GET", f"/r/{post.code}") for _ in range(2)]
        assert [answer.headers["Location"] for answer in answers] == [place] * 2


def test_a_story_that_comes_back_is_led_to_again(
    house: House, post: Share, story_id: uuid.UUID
) -> None:
    visitor, curator = Visitor(house.app), _curator(house)
    visitor.open("GET", f"/r/{post.code}")
    stories.withdraw_story(story_id, curator.id)
    assert visitor.open("GET", f"/r/{post.code}").status_code == 410
    stories.publish_story(story_id, curator.id)
    assert visitor.open("GET", f"/r/{post.code}").status_code == 302


def test_a_stop_of_sharing_leaves_links_alone(house: House, post: Share) -> None:
    visitor = Visitor(house.app)
    visitor.open("GET", f"/r/{post.code}")
    stop.stop(house.person("Ewen Le Goff", "admin").id)
    assert visitor.open("GET", f"/r/{post.code}").status_code == 302
