"""Today and the library cost the same few statements whatever there is, and read by index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from app import clock, outbox
from app.db import db
from app.library import follows
from app.people.models import Person
from app.referrals import service as referrals
from tests.conftest import START
from tests.today.conftest import DAY, Morning

BUDGET = {"/": 17, "/library": 8, "/library?topics=mine": 9, "/library?topic=bois&q=a": 9}
LARGE = re.compile(r"\bSCAN (story|story_topic|story_text|share|offer|referral|click\w*)\b")


def fill(morning: Morning, reader: Person, turn: int) -> None:
    """One more of everything."""
    story = morning.story(
        title=f"Récit {turn}", topics=["Bois", f"Sujet {turn}"], picture_id=morning.picture(),
        alt="Une halle.", translations={"en": {"title": "A story", "body": "Text.", "alt": "A"}},
    )  # fmt: skip
    follows.follow(reader.id, f"Sujet {turn}")
    follows.follow(reader.id, "bois")
    morning.post(story, reader, title=f"Publication {turn}")
    morning.post(story, reader, status="paused", reason="asks", published_at=None)
    referral = morning.house.referral(reader, morning.house.offer(f"Offre {turn}"))
    morning.house.offer(f"Libre {turn}")
    referrals.set_stage(referral, "interview", actor_id=morning.curator.id, actor_role="recruiter")
    outbox.drain()


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def browser(morning: Morning) -> FlaskClient:
    return morning.house.browser(morning.maelle)


def test_ten_times_as_much_costs_the_same(
    morning: Morning, browser: FlaskClient, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    fill(morning, morning.maelle, 0)
    few = {}
    for path, budget in BUDGET.items():
        browser.get(path)  # what a process reads once is read
        few[path] = count_queries(lambda path=path: browser.get(path))  # type: ignore[misc]
        assert few[path] <= budget, path
    for turn in range(1, 10):
        fill(morning, morning.maelle, turn)
    for path in BUDGET:
        browser.get(path)
        assert count_queries(lambda path=path: browser.get(path)) == few[path], path  # type: ignore[misc]


@pytest.mark.parametrize(
    "path", ["/", "/library", "/library?topics=mine", "/library?q=bois&topic=bois", "/offers"]
)
def test_no_page_of_a_member_reads_a_large_table_through(
    morning: Morning, browser: FlaskClient, path: str
) -> None:
    fill(morning, morning.maelle, 0)
    clock.freeze(START + DAY)
    with statements() as seen:
        assert browser.get(path).status_code == 200
    asked = [(s, p) for s, p in seen if s.lstrip().startswith("SELECT")]
    assert asked
    with db.engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            read_through = [row[-1] for row in plan if LARGE.search(row[-1])]
            assert read_through == [], statement
