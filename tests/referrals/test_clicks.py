"""F32, F38, F130: what a hit is, and what it leaves behind."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.db import db
from app.privacy import purge
from app.referrals import clicks, visitors
from app.referrals.models import Click
from tests.conftest import House

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Mobile Safari/604.1"


def hit(
    browser: str = PHONE, method: str = "GET", address: str = "192.0.2.7", **headers: str
) -> clicks.Hit:
    given = {"user-agent": browser} | {k.replace("_", "-"): v for k, v in headers.items()}
    return clicks.Hit(method, given, address)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (hit(), "person"),
        (hit("Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36"), "person"),
        (hit("Mozilla/5.0 (iPhone) Mobile LinkedInApp/9.30"), "person"),
        (hit(method="HEAD"), "head"),
        (hit(sec_purpose="prefetch;prerender"), "prefetch"),
        (hit(purpose="prefetch"), "prefetch"),
        (hit("LinkedInBot/1.0 (compatible; Mozilla/5.0)"), "robot"),
        (hit("facebookexternalhit/1.1"), "robot"),
        (hit("WhatsApp/2.23.20.0"), "robot"),
        (hit("Mozilla/5.0 (compatible; bingbot/2.0)"), "robot"),
        (hit("curl/8.5.0"), "robot"),
        (hit(""), "robot"),
        (hit("Mozilla/5.0"), "robot"),
        (hit(method="OPTIONS"), "probe"),
        (hit(range="bytes=0-99"), "probe"),
        (hit("Mozilla/4.0 (compatible; ms-office; MSOffice 16)"), "scanner"),
    ],
)
def test_the_hit_says_who_opened_it(made: clicks.Hit, verdict: str) -> None:
    assert clicks.classify(made) == verdict


def test_a_click_id_is_signed_and_bound_to_its_link(app: Flask) -> None:
    click_id, link_id = uuid.uuid4(), uuid.uuid4()
    token = clicks.sign(click_id, link_id)
    assert clicks.read_signed(token) == (click_id, link_id)
    assert clicks.read_signed(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert clicks.read_signed("") is None
    assert clicks.read_signed("é" * 40) is None


def test_a_repeat_within_ten_seconds_is_set_aside_and_a_later_one_counts(app: Flask) -> None:
    link = uuid.uuid4()
    for _ in range(2):
        clicks.record(link, "person", "k")
    clock.travel(dt.timedelta(seconds=11))
    clicks.record(link, "person", "k")
    verdicts = db.session.scalars(select(Click.verdict).order_by(Click.id)).all()
    assert verdicts == ["person", "repeat", "person"]


@pytest.mark.parametrize(
    ("earlier", "seconds", "verdict"),
    [
        ("head", 1, "scanner"),
        ("probe", 1, "scanner"),
        ("head", 3, "person"),
        ("prefetch", 1, "person"),
        ("robot", 1, "person"),
        ("scanner", 1, "person"),
        ("self", 1, "person"),
        ("person", 9, "repeat"),
    ],
)
def test_only_what_came_just_before_from_the_same_place_speaks_against_an_opening(
    app: Flask, earlier: str, seconds: int, verdict: str
) -> None:
    link = uuid.uuid4()
    clicks.record(link, earlier, "k")
    clock.travel(dt.timedelta(seconds=seconds))
    clicks.record(link, "person", "k")
    verdicts = db.session.scalars(select(Click.verdict).order_by(Click.id)).all()
    assert verdicts == [earlier, verdict]


def test_the_ten_seconds_run_from_the_opening_that_counted(app: Flask) -> None:
    link = uuid.uuid4()
    for _ in range(4):
        clicks.record(link, "person", "k")
        clock.travel(dt.timedelta(seconds=6))
    verdicts = db.session.scalars(select(Click.verdict).order_by(Click.id)).all()
    assert verdicts == ["person", "repeat", "person", "repeat"]


def test_the_visitor_key_changes_with_the_day_and_cannot_be_recomputed(app: Flask) -> None:
    settings, link = app.extensions["portevoix"], uuid.uuid4()
    today = clicks.visitor_key(visitors.secret_of_day(settings), hit(), link)
    assert today == clicks.visitor_key(visitors.secret_of_day(settings), hit(), link)
    clock.travel(dt.timedelta(days=3))
    later = clicks.visitor_key(visitors.secret_of_day(settings), hit(), link)
    assert later != today
    kept = (settings.data_dir / "visitor_secret").read_text()
    assert kept.count('"') == 4, "only the present day's secret is kept"
    assert (settings.data_dir / "visitor_secret").stat().st_mode & 0o077 == 0


def test_addresses_are_truncated_before_anything_is_computed() -> None:
    assert clicks.truncated("192.0.2.77") == "192.0.2.0/24"
    assert clicks.truncated("2001:db8:1:2::9") == "2001:db8:1::/48"
    assert clicks.truncated("nonsense") == ""


def test_after_48_hours_a_click_keeps_no_visitor_key(house: House) -> None:
    clicks.record(uuid.uuid4(), "person", "k")
    clock.travel(dt.timedelta(hours=49))
    purge.run("visitor-keys")
    row = db.session.execute(select(Click.visitor_key, Click.verdict)).one()
    assert (row.visitor_key, row.verdict) == (None, "person")
