"""Authorization, tokens, introspection, revocation (reference, section 2)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from standin.linkedin import CLIENT_ID, CLIENT_SECRET, CMA_CLIENT_ID, CMA_CLIENT_SECRET, StandIn
from tests.standin import plain
from tests.standin.conftest import MEMBER, OTHER

BACK = "http://127.0.0.1:9/callback"
SCOPE = "openid profile email w_member_social"


def asking(**changes: str | None) -> str:
    given: dict[str, str | None] = {
        "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": BACK,
        "state": "s t&ate/é", "scope": SCOPE,
    }  # fmt: skip
    given |= changes
    query = urlencode({name: value for name, value in given.items() if value is not None})
    return f"/oauth/v2/authorization?{query}"


def values_of(location: str) -> dict[str, str]:
    return {name: found[0] for name, found in parse_qs(urlsplit(location).query).items()}


def a_code(standin: StandIn, **changes: str | None) -> str:
    return values_of(standin.authorize(asking(**changes), MEMBER))["code"]


def exchange(standin: StandIn, code: str, /, **changes: str | None) -> httpx.Response:
    given: dict[str, str | None] = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
    }  # fmt: skip
    given |= changes
    body = {name: value for name, value in given.items() if value is not None}
    return plain.post(f"{standin.address}/oauth/v2/accessToken", data=body)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["error_description"]
    return answer.status_code, answer.json()["error"]


# The authorization endpoint


def test_it_shows_who_asks_for_what(standin: StandIn) -> None:
    page = plain.get(standin.address + asking(), headers={"Accept-Language": "fr"})
    assert page.status_code == 200
    assert "Maëlle Kerjan" in page.text and "Autoriser" in page.text
    assert "Portevoix demande un accès" in page.text
    assert "créer, modifier et supprimer des posts" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:9" in policy and "unsafe" not in policy


def test_allowing_comes_back_with_a_code_and_the_state(standin: StandIn) -> None:
    location = standin.authorize(asking(), MEMBER)
    assert location.startswith(BACK + "?")
    assert values_of(location).keys() == {"code", "state"}
    assert values_of(location)["state"] == "s t&ate/é"


def test_a_state_that_was_not_sent_does_not_come_back(standin: StandIn) -> None:
    assert values_of(standin.authorize(asking(state=None), MEMBER)).keys() == {"code"}


@pytest.mark.parametrize(
    ("decision", "error"),
    [
        ("cancel_authorize", "user_cancelled_authorize"),
        ("cancel_login", "user_cancelled_login"),
    ],
)
def test_a_refusal_comes_back_by_name(standin: StandIn, decision: str, error: str) -> None:
    values = values_of(standin.authorize(asking(), decision=decision))
    assert values["error"] == error and values["error_description"]
    assert values["state"] == "s t&ate/é"
    standin.set(consent=decision)  # the knob does the same without a page
    answer = plain.get(standin.address + asking())
    assert values_of(answer.headers["Location"])["error"] == error


def test_a_scope_the_application_lacks_comes_back_as_an_error(standin: StandIn) -> None:
    answer = plain.get(standin.address + asking(scope=SCOPE + " r_member_social"))
    assert values_of(answer.headers["Location"])["error"] == "unauthorized_scope_error"
    standin.set(consent="unauthorized_scope")
    answer = plain.get(standin.address + asking())
    assert values_of(answer.headers["Location"])["error"] == "unauthorized_scope_error"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"client_id": "nobody"}, "Client_id doesn&#39;t match"),
        ({"client_id": None}, "Client_id doesn&#39;t match"),
        ({"redirect_uri": "https://evil.example/callback"}, "Redirect_uri doesn&#39;t match"),
        ({"redirect_uri": None}, "Redirect_uri doesn&#39;t match"),
        ({"redirect_uri": BACK + "\r\nSet-Cookie: a=b"}, "Redirect_uri doesn&#39;t match"),
        ({"redirect_uri": "http://[::1/x"}, "Redirect_uri doesn&#39;t match"),
        ({"redirect_uri": BACK + "#x"}, "Redirect_uri doesn&#39;t match"),
        ({"scope": "openid everything"}, "Invalid scope"),
        ({"scope": None}, "Invalid scope"),
    ],
)
def test_what_must_not_lead_anywhere_stays_on_a_page(
    standin: StandIn, changes: dict[str, str | None], sentence: str
) -> None:
    answer = plain.get(standin.address + asking(**changes))
    assert answer.status_code == 401 and "Location" not in answer.headers
    assert sentence in answer.text


def test_a_redirect_address_matches_exactly_but_for_its_query(standin: StandIn) -> None:
    standin.register("mine", "secret", ["https://advocacy.example/callback"], SCOPE.split())
    for given, status in [
        ("https://advocacy.example/callback", 200),
        ("https://advocacy.example/callback?from=here", 200),
        ("https://advocacy.example/callback/", 401),
        ("https://advocacy.example/Callback", 401),
        (BACK, 401),
    ]:
        url = standin.address + asking(client_id="mine", redirect_uri=given)
        assert plain.get(url).status_code == status, given


def test_consent_is_skipped_when_granted_and_still_valid(standin: StandIn) -> None:
    with plain.Client(base_url=standin.address) as browser:
        form = dict(parse_qs(urlsplit(asking()).query))
        answer = browser.post(
            "/oauth/v2/authorization", data={**form, "decision": "allow", "member": OTHER}
        )
        code = values_of(answer.headers["Location"])["code"]
        assert browser.get(asking()).status_code == 200  # no token yet
        assert exchange(standin, code).status_code == 200
        again = browser.get(asking())
        assert again.status_code == 302 and values_of(again.headers["Location"])["code"]
        assert browser.get(asking(scope="openid profile")).status_code == 200
        standin.advance(days=61)
        assert browser.get(asking()).status_code == 200


def test_another_set_of_scopes_ends_earlier_tokens(standin: StandIn) -> None:
    exchange(standin, a_code(standin))
    exchange(standin, a_code(standin))
    assert [t["state"] for t in standin.tokens()] == ["active", "active"]
    exchange(standin, a_code(standin, scope="w_member_social"))
    assert [t["state"] for t in standin.tokens()] == ["revoked", "revoked", "active"]


def test_somebody_may_be_typed(standin: StandIn) -> None:
    given = dict(parse_qs(urlsplit(asking()).query)) | {"decision": "allow", "name": "Zoé Marchand"}
    answer = plain.post(standin.address + "/oauth/v2/authorization", data=given)
    token = exchange(standin, values_of(answer.headers["Location"])["code"]).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    info = plain.get(standin.address + "/v2/userinfo", headers=headers).json()
    assert info["name"] == "Zoé Marchand" and "email" not in info


# The token endpoint


def test_a_code_becomes_a_token(standin: StandIn) -> None:
    answer = exchange(standin, a_code(standin))
    body = answer.json()
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert body["scope"] == "email,openid,profile,w_member_social"
    assert body["expires_in"] == 5_184_000 and body["token_type"] == "Bearer"
    assert 450 <= len(body["access_token"]) <= 1_000
    assert "refresh_token" not in body and body["id_token"]


def test_there_is_no_id_token_without_openid(standin: StandIn) -> None:
    assert "id_token" not in exchange(standin, a_code(standin, scope="w_member_social")).json()


def test_a_code_works_once(standin: StandIn) -> None:
    code = a_code(standin)
    assert exchange(standin, code).status_code == 200
    assert error_of(exchange(standin, code)) == (400, "invalid_redirect_uri")
    standin.set(older_errors=True)
    assert error_of(exchange(standin, code)) == (400, "invalid_request")


def test_a_code_lives_thirty_minutes(standin: StandIn) -> None:
    young, old = a_code(standin), a_code(standin)
    standin.advance(minutes=29)
    assert exchange(standin, young).status_code == 200
    standin.advance(minutes=2)
    assert error_of(exchange(standin, old)) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "AQnobody"}, (401, "invalid_request")),
        ({"redirect_uri": BACK + "/other"}, (400, "invalid_redirect_uri")),
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"code_verifier": "v" * 43}, (401, "invalid_client")),
        ({"client_secret": None}, (400, "invalid_request")),
        ({"client_id": None}, (400, "invalid_request")),
        ({"redirect_uri": None}, (400, "invalid_request")),
        ({"code": None}, (400, "invalid_request")),
        ({"grant_type": None}, (400, "invalid_request")),
        ({"grant_type": "client_credentials"}, (400, "invalid_request")),
        (
            {"client_id": CMA_CLIENT_ID, "client_secret": CMA_CLIENT_SECRET},
            (400, "invalid_redirect_uri"),
        ),
    ],
)
def test_a_wrong_exchange_is_refused_as_documented(
    standin: StandIn, changes: dict[str, str | None], expected: tuple[int, str]
) -> None:
    code = a_code(standin)
    assert error_of(exchange(standin, code, **changes)) == expected
    assert exchange(standin, code).status_code == 200  # the code itself was not used up


def test_credentials_belong_in_the_body(standin: StandIn) -> None:
    body = {"grant_type": "authorization_code", "code": a_code(standin), "redirect_uri": BACK}
    url = f"{standin.address}/oauth/v2/accessToken"
    answer = plain.post(url, data=body, auth=(CLIENT_ID, CLIENT_SECRET))
    assert error_of(answer) == (401, "invalid_client")
    assert error_of(plain.post(url, params=body)) == (400, "invalid_request")
    assert plain.get(url).status_code == 405


def test_a_human_has_another_id_in_another_application(standin: StandIn) -> None:
    code = a_code(standin, client_id=CMA_CLIENT_ID, scope="r_basicprofile w_member_social")
    answer = exchange(standin, code, client_id=CMA_CLIENT_ID, client_secret=CMA_CLIENT_SECRET)
    headers = {"Authorization": "Bearer " + answer.json()["access_token"]}
    me = plain.get(standin.address + "/v2/me", headers=headers).json()
    assert me["localizedFirstName"] == "Maëlle" and me["localizedLastName"] == "Kerjan"
    assert me["id"] != MEMBER
    assert me["id"] == standin.tokens()[0]["member"]


# Refresh


def refreshing(standin: StandIn, token: str, **changes: str) -> httpx.Response:
    given = {
        "grant_type": "refresh_token", "refresh_token": token,
        "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
    } | changes  # fmt: skip
    return plain.post(f"{standin.address}/oauth/v2/accessToken", data=given)


def test_a_refresh_token_counts_down_from_its_first_day(standin: StandIn) -> None:
    standin.set(partner=True)
    first = exchange(standin, a_code(standin)).json()
    refresh = first["refresh_token"]
    assert first["refresh_token_expires_in"] == 365 * 86_400

    def days(after: float) -> tuple[float, float]:
        standin.advance(days=after)
        body = refreshing(standin, refresh).json()
        assert body["access_token"] and body["refresh_token"] == refresh
        return body["expires_in"] / 86_400, body["refresh_token_expires_in"] / 86_400

    assert days(59) == pytest.approx((60, 306), abs=0.01)
    assert days(301) == pytest.approx((5, 5), abs=0.01)
    standin.advance(days=5)
    assert error_of(refreshing(standin, refresh)) == (400, "invalid_request")


def test_only_partners_refresh(standin: StandIn) -> None:
    standin.set(partner=True)
    refresh = exchange(standin, a_code(standin)).json()["refresh_token"]
    assert error_of(refreshing(standin, refresh, client_secret="x")) == (401, "invalid_client")
    assert error_of(refreshing(standin, "AQWnobody")) == (400, "invalid_request")
    standin.set(partner=False)
    assert error_of(refreshing(standin, refresh)) == (400, "invalid_request")


# Introspection and revocation


def post(standin: StandIn, what: str, **given: str) -> httpx.Response:
    body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | given
    return plain.post(f"{standin.address}/oauth/v2/{what}", data=body)


def test_introspection_tells_the_state(standin: StandIn) -> None:
    token = exchange(standin, a_code(standin)).json()["access_token"]
    body = post(standin, "introspectToken", token=token).json()
    assert body["active"] is True and body["status"] == "active" and body["auth_type"] == "3L"
    assert body["scope"] == "email,openid,profile,w_member_social"
    assert body["expires_at"] - body["created_at"] == 5_184_000
    assert body["client_id"] == CLIENT_ID and body["authorized_at"] == body["created_at"]
    standin.advance(days=60)
    body = post(standin, "introspectToken", token=token).json()
    assert (body["active"], body["status"]) == (False, "expired")
    standin.revoke(member=MEMBER)
    assert post(standin, "introspectToken", token=token).json()["status"] == "revoked"


def test_introspection_refuses_strangers(standin: StandIn) -> None:
    token = exchange(standin, a_code(standin)).json()["access_token"]
    assert post(standin, "introspectToken", token="x").status_code == 400
    assert post(standin, "introspectToken", token=token, client_id="x").status_code == 400
    assert post(standin, "introspectToken", token=token, client_secret="x").status_code == 401


def test_revoking_answers_an_empty_200(standin: StandIn) -> None:
    token = exchange(standin, a_code(standin)).json()["access_token"]
    assert post(standin, "revoke", token=token, client_secret="x").status_code == 401
    assert standin.tokens()[0]["state"] == "active"
    answer = post(standin, "revoke", token=token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert standin.tokens()[0]["state"] == "revoked"
    headers = {"Authorization": f"Bearer {token}"}
    refused: Any = plain.get(standin.address + "/v2/userinfo", headers=headers)
    assert refused.json()["serviceErrorCode"] == 65601
