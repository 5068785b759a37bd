"""The receipt of a post says what the post earned, and leads to the lines."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import outbox
from app.people.models import Person
from app.people.service import join
from app.play import earned
from tests.conftest import House
from tests.play.kit import DAY, HOUR, Posts, pass_time


@pytest.fixture
def author(house: House) -> Person:
    person = house.person("Maëlle Kerjan", joined=False, language="en")
    join(person.id)
    return person


@pytest.fixture
def posts(house: House, author: Person) -> Posts:
    return Posts(house, author.id)


@pytest.fixture
def browser(house: House, author: Person) -> FlaskClient:
    return house.browser(author)


def part(browser: FlaskClient, share_id: uuid.UUID, lang: str = "en") -> str:
    """The words of the part about points."""
    page = browser.get(f"/shares/{share_id}?lang={lang}").get_data(as_text=True)
    inside = page.partition('id="t-earned"')[2].partition("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", inside))


def post(posts: Posts, **fields: Any) -> uuid.UUID:
    """A post with the personal link that its receipt shows."""
    return posts.post(code=uuid.uuid4().hex[:12], **fields)


def told(share_id: uuid.UUID) -> list[tuple[str, int]]:
    return [(line.state, line.points) for line in earned.of_share(share_id).lines]


def test_it_says_what_each_rule_gave_and_holds(posts: Posts, browser: FlaskClient) -> None:
    share_id = post(posts, own=60)
    posts.visits(share_id, 3)
    outbox.drain()
    assert told(share_id) == [("yours", 10), ("yours", 5), ("held", 6)]
    words = part(browser, share_id)
    assert "Post Version 1 of “Post”. +10" in words
    assert "Your own words" in words
    assert "3 counted visits Yours on 24 November 2026. Version 1 of “Counted visit”." in words
    assert "+6 on hold" in words
    assert "So far 15 points and 6 on hold" in words


def test_what_is_held_is_the_authors_once_its_day_has_come(
    house: House, author: Person, posts: Posts
) -> None:
    share_id = post(posts)
    posts.visit(share_id)
    outbox.drain()
    pass_time(8 * DAY)
    assert told(share_id) == [("yours", 10), ("yours", 2)]
    assert "on hold" not in part(house.browser(author), share_id)


def test_it_tells_what_lies_above_a_limit(posts: Posts, browser: FlaskClient) -> None:
    *_first, fourth = [post(posts) for _ in range(4)]
    outbox.drain()
    assert told(fourth) == [("capped", 0)]
    assert "Above the limit, so worth nothing. At most 3 times a week." in part(browser, fourth)


def test_it_tells_that_points_went_back(posts: Posts, browser: FlaskClient) -> None:
    share_id = post(posts)
    outbox.drain()
    posts.withdraw(share_id, HOUR)
    outbox.drain()
    assert told(share_id) == [("undone", 0)]
    assert "withdrawn within 24 hours" in part(browser, share_id)


def test_it_says_why_there_is_nothing(posts: Posts, browser: FlaskClient) -> None:
    unsigned = post(posts, disclosure="none")
    fresh = post(posts, announce=False)
    outbox.drain()
    assert "without the line that says where you work" in part(browser, unsigned)
    assert "Nothing so far" in part(browser, fresh)
    assert part(browser, post(posts, status="failed")) == ""


def test_it_leads_to_the_lines_of_that_post_only(posts: Posts, browser: FlaskClient) -> None:
    share_id, other = post(posts, own=60), post(posts, title="Une autre")
    outbox.drain()
    page = browser.get(f"/shares/{share_id}").get_data(as_text=True)
    assert f'href="/play?about={share_id}"' in page
    statement = browser.get(f"/play?about={share_id}").get_data(as_text=True)
    assert statement.count('class="entry-what"') == 2
    assert f"/shares/{other}" not in statement


def test_nobody_else_reads_it(house: House, posts: Posts) -> None:
    share_id = post(posts)
    outbox.drain()
    stranger = house.person("Hugo Meynard", joined=False)
    join(stranger.id)
    client = house.browser(stranger)
    assert client.get(f"/shares/{share_id}").status_code == 404
    assert client.get(f"/play?about={share_id}").get_data(as_text=True).count("entry-what") == 0


def test_it_costs_one_statement_however_many_visits(
    posts: Posts, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    share_id = post(posts)
    posts.visits(share_id, 12)
    outbox.drain()
    earned.of_share(share_id)  # a process reads each version of a rule once
    assert count_queries(lambda: earned.of_share(share_id)) == 1
