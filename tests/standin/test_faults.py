"""Each switch does what it says, to the requests it is for and no others."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from standin.linkedin import StandIn
from tests.standin import plain
from tests.standin.conftest import MEMBER, OTHER, a_post, opened, speaking_for
from tests.supervisor.running import eventually


def send(client: httpx.Client, text: str = "Bonjour") -> httpx.Response:
    return client.post("/rest/posts", json=a_post(text))


def fails(client: httpx.Client, text: str = "Bonjour") -> None:
    """The call ends without an answer that could be read."""
    with pytest.raises(httpx.TransportError):
        send(client, text)


@pytest.mark.parametrize(
    ("name", "status", "found"),
    [
        ("401-invalid", 401, {"serviceErrorCode": 65600}),
        ("401-revoked", 401, {"serviceErrorCode": 65601, "code": "REVOKED_ACCESS_TOKEN"}),
        ("401-expired", 401, {"serviceErrorCode": 65602, "code": "EXPIRED_ACCESS_TOKEN"}),
        ("401-empty", 401, {"code": "EMPTY_ACCESS_TOKEN"}),
        ("403", 403, {"serviceErrorCode": 100, "code": "ACCESS_DENIED"}),
        ("404", 404, {"code": "NOT_FOUND"}),
        ("409", 409, {"code": "CONFLICT"}),
        ("422", 422, {"code": "UNPROCESSABLE_ENTITY"}),
        ("426", 426, {"code": "NONEXISTENT_VERSION"}),
        ("429", 429, {"serviceErrorCode": 101, "code": "TOO_MANY_REQUESTS"}),
        ("400-MISSING_FIELD", 400, {"code": "MISSING_FIELD"}),
        ("400-MEDIA_ASSET_WAITING_UPLOAD", 400, {"code": "MEDIA_ASSET_WAITING_UPLOAD"}),
        ("500", 500, {}),
        ("503", 503, {}),
    ],
)
def test_a_documented_error_by_name(
    standin: StandIn, member: httpx.Client, name: str, status: int, found: dict[str, Any]
) -> None:
    standin.fault(name)
    answer = send(member)
    assert answer.status_code == status and answer.json()["status"] == status
    assert found.items() <= answer.json().items()
    assert standin.posts() == []
    assert send(member).status_code == 201  # once


@pytest.mark.parametrize("name", ["500-html", "502", "504"])
def test_an_error_page_instead_of_json(standin: StandIn, member: httpx.Client, name: str) -> None:
    standin.fault(name)
    answer = send(member)
    assert answer.status_code == int(name[:3])
    assert answer.headers["Content-Type"] == "text/html" and "<h1>" in answer.text


def test_too_many_says_whose_limit_and_when(standin: StandIn, member: httpx.Client) -> None:
    action = {"do": "status", "error": "429", "limit": "MEMBER", "retry_after": 60}
    standin.fault(action)
    answer = send(member)
    assert answer.headers["Retry-After"] == "60" and "MEMBER DAY limit" in answer.text
    standin.fault("429")
    answer = send(member)
    assert "Retry-After" not in answer.headers and "DAY" not in answer.text


def test_a_duplicate_may_name_a_ghost(standin: StandIn, member: httpx.Client) -> None:
    standin.fault({"do": "status", "error": "422-duplicate", "urn": "urn:li:ugcPost:9"})
    assert "Content is a duplicate of urn:li:ugcPost:9" in send(member).json()["message"]


def test_an_error_after_the_post_was_kept(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("500+commit")
    assert send(member).status_code == 500
    assert [post["text"] for post in standin.posts()] == ["Bonjour"]
    assert standin.requests()["last"][-1]["fault"] == "500+commit"


def test_dropped_before_it_is_read(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("drop_before")
    fails(member)
    assert standin.posts() == []
    assert standin.requests()["last"][-1]["status"] == "dropped"
    assert send(member).status_code == 201


def test_dropped_after_it_was_accepted(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("drop_after_accept")
    fails(member)
    (post,) = standin.posts()
    assert f"duplicate of {post['urn']}" in send(member).json()["message"]


def test_created_without_its_header(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("no_header")
    answer = send(member)
    assert answer.status_code == 201 and "x-restli-id" not in answer.headers
    assert len(standin.posts()) == 1


@pytest.mark.parametrize(("action", "kept"), [("silence:30", 0), ("silence:30+commit", 1)])
def test_silence(standin: StandIn, member: httpx.Client, action: str, kept: int) -> None:
    standin.fault(action)
    with pytest.raises(httpx.ReadTimeout):
        member.post("/rest/posts", json=a_post(), timeout=0.2)
    eventually(lambda: _last_status(standin) == "silent", "the request is noted")
    eventually(lambda: not standin.requests()["in_progress"], "nobody waits: the client is gone", 5)
    assert len(standin.posts()) == kept


def _last_status(standin: StandIn) -> object:
    last = standin.requests()["last"]
    return last[-1]["status"] if last else None


def test_silence_ends_without_an_answer(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("silence:0.2")
    fails(member)


@pytest.mark.parametrize("when", ["before", "after"])
def test_slowness(standin: StandIn, member: httpx.Client, when: str) -> None:
    standin.fault({"do": "slow", "seconds": 1.0, "when": when})
    with pytest.raises(httpx.ReadTimeout):
        member.post("/rest/posts", json=a_post(), timeout=0.1)
    if when == "before":
        assert standin.posts() == []
    eventually(lambda: len(standin.posts()) == 1, "it takes effect although nobody waits")
    standin.fault({"do": "slow", "seconds": 0.1, "when": when})
    assert send(member, "b").status_code == 201


def test_half_an_answer(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("half")
    fails(member)
    assert len(standin.posts()) == 1
    standin.fault("half", path="/rest/images")
    with pytest.raises(httpx.TransportError):
        opened(member)
    standin.fault({"do": "half", "commit": False})
    fails(member, "b")
    assert len(standin.posts()) == 1


def test_garbage(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("garbage")
    fails(member)
    assert standin.posts() == []
    standin.fault({"do": "garbage", "form": "body", "commit": True})
    answer = send(member)
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert len(standin.posts()) == 1


def test_a_rule_is_for_some_requests_alone(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("500", method="POST", after=1, times=2)
    standin.fault("403", method="DELETE", path="/rest/", times=None)
    standin.fault("503", path="/rest/images?action=initializeUpload")
    assert [send(member, str(n)).status_code for n in range(4)] == [201, 500, 500, 201]
    path = "/rest/posts/urn%3Ali%3Ashare%3A1"
    assert [member.delete(path).status_code for _ in range(2)] == [403, 403]
    assert member.post("/rest/images?action=initializeUpload").status_code == 503
    rules = standin.faults()["rules"]
    assert [(rule["seen"], rule["used"]) for rule in rules] == [(4, 2), (2, 2), (1, 1)]
    standin.clear_faults()
    assert standin.faults() == {"rules": [], "mix": None}
    assert member.delete(path).status_code == 404


def test_a_rule_may_be_for_one_member(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("drop_before", path="/rest/", member=OTHER, times=None)
    with speaking_for(standin, OTHER) as other:
        with pytest.raises(httpx.TransportError):
            other.post("/rest/posts", json=a_post(author=OTHER))
        assert send(member).status_code == 201
        with pytest.raises(httpx.TransportError):
            other.post("/rest/images?action=initializeUpload", json={})


def test_faults_may_befall_the_token_endpoint(standin: StandIn) -> None:
    standin.fault("500-html", path="/oauth/v2/accessToken")
    answer = plain.post(standin.address + "/oauth/v2/accessToken", data={"grant_type": "x"})
    assert answer.status_code == 500


def test_a_mix_is_drawn_from_its_seed(standin: StandIn, member: httpx.Client) -> None:
    def draw(seed: int) -> list[int]:
        standin.mix(seed, {"500": 0.3, "429": 0.2})
        return [member.post("/rest/posts", json={}).status_code for _ in range(40)]

    first, same, other = draw(7), draw(7), draw(8)
    assert first == same != other
    assert set(first) == {500, 429, 400}
    mix = standin.faults()["mix"]
    assert mix["seed"] == 8 and sum(mix["drawn"].values()) == 40
    assert mix["drawn"]["500"] == other.count(500)
    assert member.get("/rest/posts/urn%3Ali%3Ashare%3A1").status_code == 403  # no POST


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"action": "599"},
        {"action": {"do": "dance"}},
        {"action": {"do": "slow", "speed": 1}},
        {"action": "500+later"},
        {"action": "500", "times": -1},
        {"action": "500", "match": {"host": "x"}},
        {"mix": {"500": 0.7, "403": 0.7}},
        {"mix": {"nothing": 0.1}},
        {"mix": ["500"]},
        7,
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(standin: StandIn, given: object) -> None:
    answer = plain.post(standin.address + "/_standin/faults", json=given)
    assert answer.status_code == 400 and answer.json()["message"]
    assert standin.faults() == {"rules": [], "mix": None}


def test_knobs_refuse_what_they_do_not_know(standin: StandIn) -> None:
    for given in (
        {"volume": 11},
        {"partner": "yes"},
        {"consent": "maybe"},
        {"token_seconds": True},
    ):
        answer = plain.post(standin.address + "/_standin/knobs", json=given)
        assert answer.status_code == 400, given
    assert standin.knobs()["partner"] is False


def test_reset_leaves_members_and_applications(standin: StandIn, member: httpx.Client) -> None:
    send(member)
    standin.fault("500", times=None)
    standin.set(partner=True)
    standin.advance(days=3)
    standin.add_members([{"sub": "neu", "name": "Nadia Benali"}])
    standin.reset()
    assert standin.posts() == [] and standin.tokens() == []
    assert standin.faults()["rules"] == [] and standin.knobs()["partner"] is False
    assert standin.requests()["counts"] == {}
    assert "neu" in [found["sub"] for found in standin.members()]
    assert send(member).json()["serviceErrorCode"] == 65600
    with speaking_for(standin, MEMBER) as again:
        assert send(again).status_code == 201
