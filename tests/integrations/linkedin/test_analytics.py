"""LinkedIn's figures of a post: what is asked to the letter, and what is not known."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app import clock
from app.config import Settings
from app.integrations.linkedin.analytics import METRICS, Analytics, NotRead
from app.integrations.linkedin.outcomes import (
    NoPermission,
    NotSent,
    Refused,
    Throttled,
    TokenRefused,
    VersionRefused,
)
from app.integrations.linkedin.wire import Timeouts
from tests.integrations.linkedin.scripted import Call, Scripted, answer

TOKEN = "AQX-marked-token"
SHARE = "urn:li:share:7325786486870552578"
NOW = dt.datetime(2026, 11, 17, 23, 59, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _held_clock() -> Iterator[None]:
    clock.freeze(NOW)
    yield
    clock.release()


@pytest.fixture
def analytics(settings: Settings) -> Analytics:
    return Analytics(settings, timeouts=Timeouts(read=0.5, total=1.0), pauses=(0.0, 0.0))


def figure(metric: Any, **fields: Any) -> bytes:
    element = {"metricType": metric, "targetEntity": {"share": SHARE}} | fields
    return answer(200, {"paging": {"start": 0, "count": 10, "links": []}, "elements": [element]})


def older(metric: str) -> dict[str, str]:
    """The shape of before version 202605."""
    return {
        "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1": metric
    }


def test_it_asks_for_one_metric_at_a_time_to_the_letter(
    analytics: Analytics, server: Scripted
) -> None:
    server.will(*(figure(metric, count=n) for n, metric in enumerate(METRICS)))
    counts = analytics.post_counts(TOKEN, SHARE)
    assert counts == {"IMPRESSION": 0, "MEMBERS_REACHED": 1, "REACTION": 2}
    assert [call.target for call in server.calls] == [
        "/rest/memberCreatorPostAnalytics?q=entity"
        "&entity=(share:urn%3Ali%3Ashare%3A7325786486870552578)"
        f"&queryType={metric}&aggregation=TOTAL"
        for metric in METRICS
    ]
    for call in server.calls:
        assert call.method == "GET"
        assert call.headers["authorization"] == f"Bearer {TOKEN}"
        assert call.headers["linkedin-version"] == "202609"
        assert call.headers["x-restli-protocol-version"] == "2.0.0"


def test_it_calls_a_ugc_post_by_its_key(analytics: Analytics, server: Scripted) -> None:
    server.will(figure("RESHARE", count=3))
    assert analytics.post_counts(TOKEN, "urn:li:ugcPost:71", ("RESHARE",)) == {"RESHARE": 3}
    assert "&entity=(ugc:urn%3Ali%3AugcPost%3A71)&" in server.calls[0].target


@pytest.mark.parametrize(
    ("reply", "count"),
    [
        (figure("IMPRESSION", count=1204), 1204),
        (figure(older("IMPRESSION"), count=1204), 1204),
        (answer(200, {"elements": [{"count": 7}]}), 7),
        (figure("IMPRESSION", count=0), 0),
        # unknown is never zero
        (answer(200, {"elements": []}), None),
        (figure("IMPRESSION", value=1204), None),
        (figure("IMPRESSION", count=None), None),
        (figure("IMPRESSION", count="12"), None),
        (figure("IMPRESSION", count=True), None),
        (figure("IMPRESSION", count=-1), None),
        (figure("IMPRESSION", count=1.5), None),
        (figure("REACTION", count=5), None),
        (figure(older("REACTION"), count=5), None),
        (figure({}, count=5), 5),
        (figure([], count=5), None),
        (answer(200, {"elements": [7, None, "x"]}), None),
    ],
)
def test_it_reads_a_figure_or_nothing(
    reply: bytes, count: int | None, analytics: Analytics, server: Scripted
) -> None:
    server.will(reply)
    assert analytics.post_counts(TOKEN, SHARE, ("IMPRESSION",)) == {"IMPRESSION": count}


def silent(call: Call) -> None:
    time.sleep(0.8)


@pytest.mark.parametrize(
    ("replies", "meaning"),
    [
        ([answer(400, {"code": "INVALID_VALUE_FOR_FIELD"})], Refused("INVALID_VALUE_FOR_FIELD", 400, True)),
        ([answer(401, {"serviceErrorCode": 65602})], TokenRefused("expired")),
        ([answer(403, {"message": "no"})], NoPermission("no")),
        ([answer(404)], Refused(None, 404, True)),
        ([answer(426)], VersionRefused()),
        ([answer(429)], Throttled("member", dt.datetime(2026, 11, 18, tzinfo=dt.UTC))),
        ([answer(302, Location="/")], NotSent("redirect", retry=True)),
        ([answer(200, "<html>")], NotSent("unclear", retry=True)),
        ([answer(200, {"elements": None})], NotSent("unclear", retry=True)),
        ([answer(204)], NotSent("unclear", retry=True)),
        ([answer(500)] * 3, NotSent("server-error", retry=True)),
        ([b""] * 3, NotSent("cut", retry=True)),
        ([answer(500), b"", silent], NotSent("timeout", retry=True)),
    ],
)  # fmt: skip
def test_it_keeps_what_it_has_and_says_why_there_is_no_more(
    replies: list[Any], meaning: object, analytics: Analytics, server: Scripted
) -> None:
    server.will(figure("IMPRESSION", count=12), *replies)
    with pytest.raises(NotRead) as caught:
        analytics.post_counts(TOKEN, SHARE)
    assert caught.value.outcome == meaning
    assert caught.value.counts == {"IMPRESSION": 12}
    assert len(server.calls) == 1 + len(replies)
    assert TOKEN not in repr(caught.value)


def test_it_reads_again_after_trouble(analytics: Analytics, server: Scripted) -> None:
    half = answer(200, '{"elements": []}', Content_Length="900")
    server.will(answer(503), half, figure("REACTION", count=4))
    assert analytics.post_counts(TOKEN, SHARE, ("REACTION",)) == {"REACTION": 4}


def test_it_does_not_send_a_token_that_no_header_holds(
    analytics: Analytics, server: Scripted
) -> None:
    with pytest.raises(NotRead) as caught:
        analytics.post_counts("a\r\nb", SHARE)
    assert caught.value.outcome == NotSent("request", retry=False)
    assert not server.calls
