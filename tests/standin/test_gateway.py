"""Versions, tokens, day counters (reference, sections 4 and 8)."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from standin.linkedin import CMA_CLIENT_ID, StandIn
from tests.standin import plain
from tests.standin.conftest import MEMBER, OTHER, a_post, encoded, speaking_for, with_token

NOVEMBER = dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC)


def test_a_version_is_needed(standin: StandIn, member: httpx.Client) -> None:
    del member.headers["LinkedIn-Version"]
    answer = member.post("/rest/posts", json=a_post())
    assert (answer.status_code, answer.json()["code"]) == (400, "VERSION_MISSING")
    assert standin.posts() == []


@pytest.mark.parametrize(
    ("version", "day", "alive"),
    [
        ("202611", 10, True),
        ("202609", 10, True),
        ("202512", 10, True),
        ("202511", 10, True),
        ("202511", 15, False),  # a version dies around the 15th, one year later
        ("202510", 10, False),
        ("202612", 30, False),
        ("202504", 10, False),
        ("20250401", 10, False),
        ("latest", 10, False),
    ],
)
def test_a_version_lives_for_a_year(
    standin: StandIn, member: httpx.Client, version: str, day: int, alive: bool
) -> None:
    standin.set_clock(NOVEMBER.replace(day=day))
    member.headers["Linkedin-Version"] = version  # any letter case
    answer = member.post("/rest/posts", json=a_post())
    assert answer.status_code == (201 if alive else 426)
    if not alive:
        assert answer.json() == {
            "status": 426,
            "code": "NONEXISTENT_VERSION",
            "message": f"Requested version {version}01 is not active",
        }


def test_a_version_can_be_kept_alive(standin: StandIn, member: httpx.Client) -> None:
    standin.set(also_versions=["202001"])
    member.headers["LinkedIn-Version"] = "202001"
    assert member.post("/rest/posts", json=a_post()).status_code == 201


def test_a_token_is_needed(standin: StandIn) -> None:
    with with_token(standin, "") as client:
        del client.headers["Authorization"]
        answer = client.post("/rest/posts", json=a_post())
        assert (answer.status_code, answer.json()["code"]) == (401, "EMPTY_ACCESS_TOKEN")
        standin.set(older_errors=True)
        body = client.post("/rest/posts", json=a_post()).json()
        assert body["message"] == "Empty oauth2_access_token" and body["serviceErrorCode"] == 401


def test_each_token_trouble_has_its_number(standin: StandIn, member: httpx.Client) -> None:
    def refused(client: httpx.Client) -> tuple[int, int, str | None]:
        answer = client.post("/rest/posts", json=a_post())
        body = answer.json()
        return answer.status_code, body["serviceErrorCode"], body.get("code")

    with with_token(standin, "y" * 400) as stranger:
        assert refused(stranger) == (401, 65600, None)
    with speaking_for(standin, MEMBER, expires_in=0) as late:
        assert refused(late) == (401, 65602, "EXPIRED_ACCESS_TOKEN")
    standin.revoke(member=MEMBER)
    assert refused(member) == (401, 65601, "REVOKED_ACCESS_TOKEN")
    assert standin.posts() == []


def test_a_token_ends_after_sixty_days(standin: StandIn, member: httpx.Client) -> None:
    standin.set(also_versions=["202609"])
    standin.advance(days=59, hours=23)
    assert member.post("/rest/posts", json=a_post("a")).status_code == 201
    standin.advance(hours=1, minutes=1)
    assert member.post("/rest/posts", json=a_post("b")).status_code == 401


def test_calls_of_a_member_are_counted_until_midnight(
    standin: StandIn, member: httpx.Client
) -> None:
    standin.set_clock(NOVEMBER)
    standin.set(member_day_limit=2)
    statuses = [member.post("/rest/posts", json=a_post(str(n))).status_code for n in range(3)]
    assert statuses == [201, 201, 429]
    body = member.get("/rest/images/urn%3Ali%3Aimage%3Ax").json()
    assert body["message"] == (
        "Resource level throttle MEMBER DAY limit for calls to this resource is reached."
    )
    assert (body["code"], body["serviceErrorCode"]) == ("TOO_MANY_REQUESTS", 101)
    with speaking_for(standin, OTHER) as other:
        assert other.post("/rest/posts", json=a_post("0", OTHER)).status_code == 201
    standin.set_clock(NOVEMBER.replace(hour=23, minute=59, second=30))
    assert member.post("/rest/posts", json=a_post("3")).status_code == 429
    standin.set_clock(NOVEMBER.replace(day=11, hour=0, minute=0, second=5))
    assert member.post("/rest/posts", json=a_post("3")).status_code == 201


def test_calls_of_an_application_are_counted(standin: StandIn, member: httpx.Client) -> None:
    standin.set(app_day_limit=1)
    assert member.post("/rest/posts", json=a_post("a")).status_code == 201
    with speaking_for(standin, OTHER) as other:
        answer = other.post("/rest/posts", json=a_post("b", OTHER))
        assert answer.status_code == 429 and "APPLICATION DAY" in answer.json()["message"]
    with speaking_for(standin, OTHER, client_id=CMA_CLIENT_ID) as elsewhere:
        assert elsewhere.post("/rest/posts", json=a_post("c", OTHER)).status_code == 201


def test_refused_calls_count_too(standin: StandIn, member: httpx.Client) -> None:
    standin.set(member_day_limit=1)
    assert member.post("/rest/posts", json={}).status_code == 400
    assert member.post("/rest/posts", json=a_post()).status_code == 429


def test_the_application_has_its_tiers_limits(standin: StandIn) -> None:
    with speaking_for(standin, MEMBER, client_id=CMA_CLIENT_ID) as client:
        path = f"/rest/posts/{encoded('urn:li:share:1')}"
        statuses = [client.delete(path).status_code for _ in range(101)]
    assert statuses == [404] * 100 + [429]


@pytest.mark.parametrize("path", ["/rest/socialMetadata/x", "/rest/socialActions/x"])
def test_closed_resources_name_themselves(member: httpx.Client, path: str) -> None:
    body = member.get(path).json()
    assert (body["status"], body["code"], body["serviceErrorCode"]) == (403, "ACCESS_DENIED", 100)
    assert ".GET.20260901" in body["message"]


def test_what_does_not_exist_is_not_found(standin: StandIn, member: httpx.Client) -> None:
    assert member.get("/rest/nothing").json()["code"] == "NOT_FOUND"
    assert plain.get(standin.address + "/rest/nothing").status_code == 400
    assert plain.get(standin.address + "/nothing").status_code == 404
    answer = member.put("/rest/posts", json={})
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, POST"
