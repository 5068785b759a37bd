"""F17, F18: what a post would bring is said before it is pressed, limits included."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from app import clock, outbox
from app.db import transaction
from app.play import rules
from app.play.models import RuleVersion
from app.sharing import neighbours
from app.sharing.composing import Subject
from app.sharing.neighbours import Worth
from tests.conftest import START, House
from tests.play.kit import DAY, HOUR, WEEK, Posts, member

STORY = Subject(
    kind="story", id=uuid.uuid4(), language="en", languages=("en",), title="The hall",
    summary="", format="article",
)  # fmt: skip
OFFER = Subject(
    kind="offer", id=uuid.uuid4(), language="en", languages=("en",), title="Site manager",
    summary="", format="article",
)  # fmt: skip


@pytest.fixture
def posts(house: House) -> Iterator[Posts]:
    found = Posts(house, member(house))
    with house.app.test_request_context("/?lang=en"):
        yield found


def promised(posts: Posts, subject: Subject = STORY) -> Worth:
    """As the composer asks for it."""
    found = neighbours.worth(posts.person_id, subject)
    assert found is not None
    return found


def numbers(worth: Worth) -> dict[str, int]:
    return {line.label: line.points for line in worth.lines}


def test_it_names_each_rule_with_its_limit(posts: Posts) -> None:
    worth = promised(posts)
    assert worth.summary == "15 points, then 2 a visit"
    assert numbers(worth) == {"Post this story": 10, "Your own words": 5, "Each counted visit": 2}
    assert [line.note for line in worth.lines] == [
        "At most 3 times a week.",
        "From 40% of the text on. At most once a day.",
        "At most 20 times a day. On hold for 7 days while it is checked, then yours.",
    ]
    assert worth.note.startswith("Your rewarded post number 1 of 3 this week.")
    assert "Never any points for a like, a comment or a follower." in worth.note


def test_it_speaks_of_an_offer_as_an_offer(posts: Posts) -> None:
    assert "Post this offer" in numbers(promised(posts, OFFER))


def test_it_says_which_place_in_the_week_the_post_would_take(posts: Posts) -> None:
    posts.post(START - HOUR)
    outbox.drain()
    assert promised(posts).note.startswith("Your rewarded post number 2 of 3 this week.")


def test_it_keeps_what_it_promised(posts: Posts) -> None:
    """Whatever was posted before, the next post brings what was said."""
    for _ in range(5):
        worth = promised(posts)
        said = numbers(worth)
        before = posts.balance.available
        posts.post(own=100)
        outbox.drain()
        clock.travel(dt.timedelta(minutes=1))
        assert posts.balance.available - before == said["Post this story"] + said["Your own words"]


def test_it_says_before_that_a_limit_is_reached(posts: Posts) -> None:
    for n in range(3):
        posts.post(START - n * HOUR, own=100)
    outbox.drain()
    worth = promised(posts)
    assert worth.summary == "2 points a visit"
    assert numbers(worth) == {"Post this story": 0, "Your own words": 0, "Each counted visit": 2}
    assert worth.lines[0].note == "Reached for now. At most 3 times a week."
    assert worth.note.startswith("The post itself gives no points now; sharing stays open.")


def test_it_counts_by_the_day_and_by_the_week(posts: Posts) -> None:
    for n in range(3):
        posts.post(START - n * HOUR, own=100)
    outbox.drain()
    clock.travel(DAY)
    assert numbers(promised(posts))["Your own words"] == 5
    assert numbers(promised(posts))["Post this story"] == 0
    clock.travel(WEEK)
    assert promised(posts).note.startswith("Your rewarded post number 1 of 3 this week.")


def test_it_gives_a_place_back_that_a_withdrawn_post_had(posts: Posts) -> None:
    share_id = posts.post(START - HOUR)
    outbox.drain()
    posts.withdraw(share_id, HOUR)
    outbox.drain()
    assert promised(posts).note.startswith("Your rewarded post number 1 of 3 this week.")


def test_it_follows_the_version_in_force(posts: Posts) -> None:
    rules.start_version("share", name_fr="Publication", name_en="Post", amount=4)
    rules.start_version("visit", name_fr="Visite", name_en="Visit", amount=0)
    worth = promised(posts)
    assert worth.summary == "9 points"
    assert numbers(worth) == {"Post this story": 4, "Your own words": 5}
    assert "number" not in worth.note


def test_it_says_when_nothing_counts(posts: Posts) -> None:
    with transaction() as session:
        session.execute(delete(RuleVersion))
    assert promised(posts) == Worth("No points for sharing at the moment", ())


def test_it_asks_little(posts: Posts, count_queries: Callable[[Callable[[], Any]], int]) -> None:
    for n in range(3):
        posts.visits(posts.post(START - n * HOUR, own=100), 5)
    outbox.drain()
    assert count_queries(lambda: promised(posts)) <= 3
