"""What happens by the clock."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock, outbox
from app.db import db
from app.jobs.periodic import Periodic, daily, every, record_due
from app.outbox.models import OutboxEvent

PARIS = ZoneInfo("Europe/Paris")
TICK = every("tiny.tick", minutes=10)


def at(text: str) -> None:
    clock.freeze(dt.datetime.fromisoformat(text))


def events(kind: str) -> int:
    return db.session.execute(
        select(func.count()).select_from(OutboxEvent).where(OutboxEvent.kind == kind)
    ).scalar_one()


def test_it_runs_at_once_and_again_when_the_time_has_passed(in_app: Flask) -> None:
    at("2026-03-02T10:00:00+00:00")
    assert record_due([TICK], PARIS) == ["tiny.tick"]
    outbox.drain()
    at("2026-03-02T10:09:59+00:00")
    assert record_due([TICK], PARIS) == []
    at("2026-03-02T10:10:00+00:00")
    assert record_due([TICK], PARIS) == ["tiny.tick"]
    assert events("periodic.tiny.tick") == 2


def test_it_does_not_pile_up_while_nobody_works(in_app: Flask) -> None:
    at("2026-03-02T10:00:00+00:00")
    assert record_due([TICK], PARIS) == ["tiny.tick"]
    at("2026-03-02T12:00:00+00:00")
    assert record_due([TICK], PARIS) == []
    outbox.drain()
    assert record_due([TICK], PARIS) == ["tiny.tick"]


def test_it_runs_daily_at_the_hour_of_the_wall_through_a_change_of_time(in_app: Flask) -> None:
    nightly = [daily("tiny.nightly", "02:30")]
    at("2026-03-27T12:00:00+00:00")
    assert record_due(nightly, PARIS) == []  # not at the first start, but at its hour
    ran = []
    for hour in range(24 * 4):
        at("2026-03-27T12:30:00+00:00")
        clock.travel(dt.timedelta(hours=hour))
        if record_due(nightly, PARIS):
            ran.append(f"{clock.now():%d %H:%M}")
    # 02:30 is 01:30 in UTC in winter; on the 29th there is no 02:30 and it runs when it would be.
    assert ran == ["28 01:30", "29 01:30", "30 00:30", "31 00:30"]


def test_it_catches_up_once_after_days_away(in_app: Flask) -> None:
    nightly = [daily("tiny.nightly", "02:30")]
    at("2026-05-01T12:00:00+00:00")
    record_due(nightly, PARIS)
    at("2026-05-09T12:00:00+00:00")
    assert record_due(nightly, PARIS) == ["tiny.nightly"]
    assert record_due(nightly, PARIS) == []


def test_it_is_recorded_once_by_several_schedulers(app: Flask) -> None:
    at("2026-03-02T10:00:00+00:00")

    def look(_: int) -> list[str]:
        with app.app_context():
            return record_due([TICK], PARIS)

    for _ in range(3):
        with ThreadPoolExecutor(6) as pool:
            assert sum(map(len, pool.map(look, range(6)))) == 1
        with app.app_context():
            outbox.drain()
        clock.travel(dt.timedelta(minutes=10))


@pytest.mark.parametrize("wrong", [lambda: every("x"), lambda: daily("x", "25:00")])
def test_it_refuses_an_entry_without_a_time(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"."):
        wrong()


def test_it_listens_to_every_entry_of_its_own_name() -> None:
    assert Periodic("a.b", seconds=1).kind == "periodic.a.b"
