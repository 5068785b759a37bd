"""Bodies and queries without sense are refused; none is an error of the server."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest

from standin.linkedin import StandIn
from tests.standin.conftest import MEMBER, a_post, speaking_for

VALUES: list[Any] = [
    None, True, 0, -1, 10**400, "", "\x00", "\ud800", f"urn:li:person:{MEMBER}", "urn:li:image:x",
    "http://[::1", "é" * 5_000, [], {}, [[]], {"a": 1}, {"$set": {"commentary": "x"}},
]  # fmt: skip
NAMES = [
    "author", "commentary", "visibility", "distribution", "content", "lifecycleState",
    "reshareContext", "patch", "initializeUploadRequest", "finalizeUploadRequest",
    "registerUploadRequest", "specificContent", "article", "media", "multiImage", "poll", "id",
    "owner", "source", "title", "fileSizeBytes",
]  # fmt: skip
PATHS = [
    "/rest/posts", "/rest/posts/urn%3Ali%3Ashare%3A1", "/rest/images?action=initializeUpload",
    "/rest/videos?action=initializeUpload", "/rest/videos?action=finalizeUpload",
    "/rest/documents?action=initializeUpload", "/v2/ugcPosts", "/v2/assets?action=registerUpload",
]  # fmt: skip
PIECES = [
    "q=me", "q=entity", "entity=(share:urn%3Ali%3Ashare%3A1)", "entity=(((", "entity=List(a",
    "queryType=IMPRESSION", "queryType=%ff", "aggregation=DAILY", "dateRange=(start:(year:99999))",
    "dateRange=%00", "start=²", "count=" + "9" * 30, "author=x", "before=" + "9" * 30,
    "client_id=78standinshare", "redirect_uri=http://[", "redirect_uri=http://127.0.0.1:99999999/",
    "scope=openid", "response_type=code", "since=%20",
]  # fmt: skip


def a_value(chance: random.Random, depth: int = 0) -> Any:
    if depth == 3 or chance.random() < 0.6:
        return chance.choice(VALUES)
    names = chance.sample(NAMES, chance.randint(0, 4))
    return {name: a_value(chance, depth + 1) for name in names}


@pytest.mark.parametrize("seed", [1, 2])
def test_no_body_breaks_it(seed: int) -> None:
    chance = random.Random(seed)
    with StandIn(lenient=True) as standin, speaking_for(standin, MEMBER) as client:
        standin.set(member_day_limit=10_000)
        client.headers["X-RestLi-Method"] = "PARTIAL_UPDATE"
        for number in range(200):
            body = a_post(str(number)) | {chance.choice(NAMES): a_value(chance)}
            path = chance.choice(PATHS)
            answer = client.post(path, content=json.dumps(body))
            assert answer.status_code < 500, (path, body, answer.text)


def test_no_query_breaks_it(standin: StandIn, member: httpx.Client) -> None:
    chance = random.Random(3)
    standin.set(member_day_limit=10_000)
    for _ in range(200):
        path = chance.choice(
            ["/oauth/v2/authorization", "/rest/memberCreatorPostAnalytics", "/rest/posts",
             "/_standin/posts", "/feed/", "/rest/memberFollowersCount"]
        )  # fmt: skip
        query = "&".join(chance.sample(PIECES, chance.randint(0, 6)))
        answer = member.get(f"{path}?{query}")
        assert answer.status_code < 500, (path, query, answer.text)


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("clock", {"advance": 1e300}), ("clock", {"now": "noon"}), ("clock", {"advance": 10**400}),
        ("tokens", {}), ("tokens", {"member": "a b"}), ("tokens", {"member": "a", "client_id": []}),
        ("clients", {"client_id": "x"}),
        ("clients", {"client_id": "x", "client_secret": "y", "redirect_uris": ["http://a.example"]}),
        ("members", [{"sub": "x"}]), ("members", 7), ("revocations", []), ("knobs", []),
    ],
)  # fmt: skip
def test_its_control_says_what_is_wrong(
    standin: StandIn, member: httpx.Client, path: str, given: Any
) -> None:
    answer = member.post(f"/_standin/{path}", json=given)
    assert answer.status_code == 400 and answer.json()["message"]
    assert member.post("/rest/posts", json=a_post()).status_code == 201
