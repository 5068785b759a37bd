"""Figures of posts (reference, section 7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from standin.linkedin import CMA_CLIENT_ID, StandIn
from tests.standin.conftest import MEMBER, OTHER, a_post, encoded, speaking_for

PATH = "/rest/memberCreatorPostAnalytics"


@pytest.fixture
def reach(standin: StandIn) -> Iterator[httpx.Client]:
    """Speaks for MEMBER by the application that may read figures."""
    standin.set_clock(dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC))
    with speaking_for(standin, MEMBER, client_id=CMA_CLIENT_ID) as client:
        yield client


def post(client: httpx.Client, text: str = "Bonjour") -> str:
    return str(client.post("/rest/posts", json=a_post(text)).headers["x-restli-id"])


def of(urn: str, metric: str = "IMPRESSION", more: str = "") -> str:
    return f"{PATH}?q=entity&entity=(share:{encoded(urn)})&queryType={metric}{more}"


def test_it_needs_its_scope(member: httpx.Client) -> None:
    answer = member.get(of("urn:li:share:1"))
    assert answer.status_code == 403
    assert "memberCreatorPostAnalytics.FINDER" in answer.json()["message"]


def test_young_posts_have_no_figures_yet(standin: StandIn, reach: httpx.Client) -> None:
    urn = post(reach)
    body = reach.get(of(urn)).json()
    assert body["elements"] == [] and body["paging"]["start"] == 0
    standin.advance(hours=2)
    (element,) = reach.get(of(urn)).json()["elements"]
    assert element["metricType"] == "IMPRESSION" and element["count"] > 0
    assert element["targetEntity"] == {"share": urn}
    assert "value" not in element


def test_figures_are_the_same_each_time_and_grow(standin: StandIn, reach: httpx.Client) -> None:
    urn = post(reach)
    seen: list[int] = []
    for _ in range(3):
        standin.advance(days=1)
        first, second = (reach.get(of(urn)).json()["elements"] for _ in range(2))
        assert first == second
        seen.append(first[0]["count"])
    assert seen == sorted(seen) and seen[0] < seen[-1]
    reached = reach.get(of(urn, "MEMBERS_REACHED")).json()["elements"][0]["count"]
    assert 0 < reached < seen[-1]


def test_the_kind_of_metric_is_an_object_before_202605(
    standin: StandIn, reach: httpx.Client
) -> None:
    urn = post(reach)
    standin.advance(days=1)
    reach.headers["LinkedIn-Version"] = "202604"
    (element,) = reach.get(of(urn)).json()["elements"]
    kind = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"
    assert element["metricType"] == {kind: "IMPRESSION"}
    assert reach.get(of(urn, "LINK_CLICKS")).status_code == 200
    reach.headers["LinkedIn-Version"] = "202603"
    assert reach.get(of(urn, "LINK_CLICKS")).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "q=entity&entity=(share:U)",
        "q=entity&entity=(share:U)&queryType=LIKES",
        "q=entity&entity=(share:U)&queryType=List(IMPRESSION,REACTION)",
        "q=entity&entity=(share:U)&queryType=IMPRESSION&queryType=REACTION",
        "q=entity&entity=(share:U)&queryType=IMPRESSION,REACTION",
        "q=entity&queryType=IMPRESSION",
        "q=entity&entity=(ugcPost:U)&queryType=IMPRESSION",
        "q=entity&entity=(ugc:U)&queryType=IMPRESSION",
        "q=entity&entity=U&queryType=IMPRESSION",
        "q=entity&entity=%28share%3AU%29&queryType=IMPRESSION",
        "q=entity&entity=(share:urn:li:share:1)&queryType=IMPRESSION",
        "q=entity&entity=(share:U&queryType=IMPRESSION",
        "q=other&queryType=IMPRESSION",
        "queryType=IMPRESSION",
        "q=me&queryType=IMPRESSION&aggregation=WEEKLY",
        "q=entity&entity=(share:U)&queryType=IMPRESSION&aggregation=DAILY",
        "q=me&queryType=MEMBERS_REACHED&aggregation=DAILY",
        "q=me&queryType=LINK_CLICKS&aggregation=DAILY",
        "q=me&queryType=FOLLOWER_GAINED_FROM_CONTENT&aggregation=DAILY",
        "q=me&queryType=PROFILE_VIEW_FROM_CONTENT&aggregation=DAILY",
        "q=me&queryType=REACTION&dateRange=(start:(day:4,month:5,year:2026))",
        "q=me&queryType=REACTION&dateRange=(start:(day:4,month:5,year:2026),end:(day:31,month:2,year:2026))",
        "q=me&queryType=REACTION&dateRange=(start:(day:4,month:5,year:2026),end:(day:4,month:5,year:2026))",
    ],
)
def test_what_is_not_one_question_is_refused(
    standin: StandIn, reach: httpx.Client, query: str
) -> None:
    urn = post(reach)
    answer = reach.get(f"{PATH}?{query.replace('U', encoded(urn))}")
    assert answer.status_code == 400
    assert answer.json()["code"] in (
        "INVALID_VALUE_FOR_FIELD", "MISSING_FIELD", "INVALID_URN_TYPE",
    )  # fmt: skip


def test_daily_figures_add_up(standin: StandIn, reach: httpx.Client) -> None:
    post(reach, "un")
    standin.advance(days=1)
    post(reach, "deux")
    standin.advance(days=3)

    def ask(more: str) -> list[Any]:
        body = reach.get(f"{PATH}?q=me&queryType=IMPRESSION{more}").json()
        assert body["paging"]["total"] == len(body["elements"])
        return list(body["elements"])

    (total,) = ask("")
    assert total["dateRange"] == {}
    days = ask("&aggregation=DAILY")
    assert len(days) == 5 and sum(day["count"] for day in days) == total["count"]
    assert days[0]["dateRange"] == {
        "start": {"year": 2026, "month": 11, "day": 10},
        "end": {"year": 2026, "month": 11, "day": 11},
    }
    narrowed = "&dateRange=(start:(day:11,month:11,year:2026),end:(year:2026,month:11,day:13))"
    assert ask("&aggregation=DAILY" + narrowed) == days[1:3]
    assert ask(narrowed)[0]["count"] == sum(day["count"] for day in days[1:3])


def test_only_ones_own_posts_are_told(standin: StandIn, reach: httpx.Client) -> None:
    with speaking_for(standin, OTHER) as other:
        answer = other.post("/rest/posts", json=a_post(author=OTHER))
    assert reach.get(of(answer.headers["x-restli-id"])).status_code == 403
    assert reach.get(of("urn:li:share:1")).status_code == 404
    urn = post(reach)
    reach.delete(f"/rest/posts/{encoded(urn)}")
    assert reach.get(of(urn)).status_code == 404
    assert reach.get(f"{PATH}?q=me&queryType=REACTION").json()["elements"] == []


def test_followers_are_counted(reach: httpx.Client) -> None:
    body = reach.get("/rest/memberFollowersCount?q=me").json()
    assert body["elements"][0]["memberFollowersCount"] > 0
