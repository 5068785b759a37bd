"""A member's consent, against a server that answers as LinkedIn does, or worse."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from app import clock
from app.config import Settings
from app.integrations.linkedin.oauth import (
    AuthAway,
    AuthRefused,
    Granted,
    Introspection,
    LinkedInAuth,
    Tokens,
    error_reason,
)
from app.integrations.linkedin.wire import Timeouts
from tests.integrations.linkedin.scripted import Call, Scripted, answer

NOW = dt.datetime(2026, 11, 17, 9, 30, tzinfo=dt.UTC)
HASTY = Timeouts(connect=2.0, write=2.0, read=0.4, total=0.8)  # against silence alone
TOKEN = "AQX-marked-token_" + "x" * 400
REFRESH = "AQW-marked-refresh"
CODE = "AQT-marked-code"
SECRET = "WPL_AP1.s3cret+/=&"
CALLBACK = "https://portevoix.halvenne.example/sharing/linkedin/callback"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})


@pytest.fixture(scope="module")
def other_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})


@pytest.fixture(autouse=True)
def _held_clock() -> Iterator[None]:
    clock.freeze(NOW)
    yield
    clock.release()


class LinkedIn:
    """What a scripted server answers, by address; tests change the parts they are about."""

    def __init__(self, server: Scripted, key: RSAKey) -> None:
        self.server = server
        self.key = key
        self.token: dict[str, Any] = {
            "access_token": TOKEN,
            "expires_in": 5184000,
            "scope": "email,openid,profile,w_member_social",
            "token_type": "Bearer",
            "id_token": self.id_token(),
        }
        self.answers: dict[str, list[bytes | Callable[[Call], None]]] = {
            "/oauth/openid/jwks": [answer(200, {"keys": [key.as_dict(private=False)]})] * 9,
        }
        self.userinfo(sub="782bbtaQ", name="Maëlle Kerjan")
        server.will(*[self._serve] * 20)

    def id_token(self, key: Any = None, alg: str = "RS256", **claims: Any) -> str:
        given = {
            "iss": "https://www.linkedin.com/oauth",
            "aud": "78client",
            "iat": int(NOW.timestamp()),
            "exp": int(NOW.timestamp()) + 3600,
            "sub": "782bbtaQ",
            "name": "Maëlle Kerjan",
        } | claims
        body = {name: value for name, value in given.items() if value is not None}
        signed = jwt.encode({"alg": alg, "kid": "k1"}, body, key or self.key, algorithms=[alg])
        return str(signed)

    def userinfo(self, **claims: Any) -> None:
        self.answers["/v2/userinfo"] = [answer(200, claims)] * 9

    def refuses(self, path: str, *replies: bytes | Callable[[Call], None]) -> None:
        self.answers[path] = list(replies)

    def _serve(self, call: Call) -> None:
        call.read_head()
        call.read_body()
        path = call.target.split("?")[0]
        if path == "/oauth/v2/accessToken" and path not in self.answers:
            call.send(answer(200, {k: v for k, v in self.token.items() if v is not None}))
            return
        reply = self.answers[path].pop(0) if self.answers.get(path) else answer(404)
        if isinstance(reply, bytes):
            call.send(reply)
        else:
            reply(call)

    @property
    def asked(self) -> list[str]:
        return [call.target.split("?")[0] for call in self.server.calls]

    def form(self, number: int = 0) -> dict[str, list[str]]:
        return parse_qs(self.server.calls[number].body.decode(), strict_parsing=True)


@pytest.fixture
def linkedin(server: Scripted, key: RSAKey) -> LinkedIn:
    return LinkedIn(server, key)


@pytest.fixture
def auth(settings: Settings) -> LinkedInAuth:
    return LinkedInAuth(settings, identity_pauses=(0.0, 0.0, 0.0))


@pytest.fixture
def hasty(settings: Settings) -> LinkedInAuth:
    return LinkedInAuth(settings, timeouts=HASTY, identity_pauses=(0.0, 0.0, 0.0))


# --- the way there ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "scopes"),
    [
        ("self_serve", "openid profile w_member_social"),
        ("community_management", "r_basicprofile w_member_social r_member_postAnalytics"),
    ],
)
def test_it_sends_the_browser_with_nothing_that_linkedin_refuses(
    mode: str, scopes: str, settings_at: Callable[..., Settings]
) -> None:
    auth = LinkedInAuth(settings_at("https://www.linkedin.com", LINKEDIN_MODE=mode))
    errand = auth.begin()
    parts = urlsplit(errand.url)
    assert errand.url.startswith("https://www.linkedin.com/oauth/v2/authorization?")
    assert parse_qs(parts.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": ["78client"],
        "redirect_uri": [CALLBACK],
        "state": [errand.state],
        "scope": [scopes],
    }
    assert "+" not in parts.query  # a space is %20, which everybody reads
    assert auth.scopes == tuple(scopes.split())
    assert auth.redirect_uri == CALLBACK


def test_it_makes_a_state_that_nobody_guesses_or_takes_the_caller_s(auth: LinkedInAuth) -> None:
    first, second = auth.begin(), auth.begin()
    assert first.state != second.state
    assert len(first.state) >= 43
    given = auth.begin("a state/of&the caller")
    assert given.state == "a state/of&the caller"
    assert parse_qs(urlsplit(given.url).query)["state"] == [given.state]


def test_it_begins_nothing_without_an_application(settings_at: Callable[..., Settings]) -> None:
    auth = LinkedInAuth(
        settings_at("https://a.example", LINKEDIN_CLIENT_ID="", LINKEDIN_CLIENT_SECRET="")
    )
    assert not auth.is_configured
    with pytest.raises(AuthRefused) as caught:
        auth.begin()
    assert caught.value.reason == "client"
    assert not auth.revoke(TOKEN)


# --- the way back ----------------------------------------------------------------------


def test_it_exchanges_a_code_in_the_shape_linkedin_accepts(
    auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    granted = auth.finish(CODE)
    assert granted == Granted(
        access_token=TOKEN,
        expires_at=NOW + dt.timedelta(days=60),
        refresh_token=None,
        refresh_expires_at=None,
        scopes=("email", "openid", "profile", "w_member_social"),
        subject="782bbtaQ",
        name="Maëlle Kerjan",
    )
    call = linkedin.server.calls[0]
    assert (call.method, call.target) == ("POST", "/oauth/v2/accessToken")
    assert call.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert "authorization" not in call.headers  # no Basic
    assert linkedin.form() == {
        "grant_type": ["authorization_code"],
        "code": [CODE],
        "redirect_uri": [CALLBACK],
        "client_id": ["78client"],
        "client_secret": [SECRET],
    }  # no code_verifier
    assert linkedin.asked == ["/oauth/v2/accessToken", "/oauth/openid/jwks"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"token_type": None}, {}),
        ({"token_type": "urn:ietf:x"}, {}),
        ({"scope": "openid profile w_member_social"}, {"scopes": ("openid", "profile", "w_member_social")}),
        ({"scope": " openid, w_member_social ,"}, {"scopes": ("openid", "w_member_social")}),
        ({"scope": None}, {"scopes": ("openid", "profile", "w_member_social")}),
        ({"expires_in": "3600"}, {"expires_at": NOW + dt.timedelta(hours=1)}),
        ({"expires_in": None}, {"expires_at": NOW + dt.timedelta(days=60)}),
        (
            {"refresh_token": REFRESH, "refresh_token_expires_in": 31536000},
            {"refresh_token": REFRESH, "refresh_expires_at": NOW + dt.timedelta(days=365)},
        ),
        ({"refresh_token": REFRESH}, {"refresh_token": REFRESH, "refresh_expires_at": None}),
    ],
)  # fmt: skip
def test_it_reads_each_form_of_the_token_answer(
    changes: dict[str, Any], expected: dict[str, Any], auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.token |= changes
    granted = auth.finish(CODE)
    for name, value in expected.items():
        assert getattr(granted, name) == value


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "two\nlines"},
        {"access_token": "x" * 9000},
        {"expires_in": "soon"},
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_in": 10**30},
        {"expires_in": [1]},
        {"refresh_token": {"a": 1}},
        {"expires_at": "never", "expires_in": "soon"},
    ],
)
def test_it_says_that_a_token_answer_cannot_be_read(
    changes: dict[str, Any], auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.token |= changes
    with pytest.raises(AuthAway):
        auth.finish(CODE)


@pytest.mark.parametrize(
    "scope", ["openid,profile", "w_member_social_feed", "W_MEMBER_SOCIAL", ","]
)
def test_it_refuses_a_grant_that_may_not_post(
    scope: str, auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.token["scope"] = scope
    with pytest.raises(AuthRefused) as caught:
        auth.finish(CODE)
    assert caught.value.reason == "scope"


# Section 2.3, written before the code that reads it.
@pytest.mark.parametrize(
    ("status", "error", "description", "reason"),
    [
        (401, "invalid_request", "authorization code not found", "expired-code"),
        (400, "invalid_redirect_uri", "Unable to retrieve access token: …", "expired-code"),
        (400, "invalid_request", "appid/redirect uri/code verifier does not match", "expired-code"),
        (400, "invalid_request", 'A required parameter "client_secret" is missing', "client"),
        (401, "invalid_client", "Client authentication failed", "client"),
        (400, "invalid_grant", "", "expired-code"),
        (400, "unauthorized_scope_error", "", "scope"),
        (400, "something_new", "", "other"),
        (400, ["x"], {"y": 1}, "other"),
    ],
)
def test_it_says_why_a_code_is_refused(
    status: int, error: Any, description: Any, reason: str, auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    told = {"error": error, "error_description": description}
    linkedin.refuses("/oauth/v2/accessToken", answer(status, told))
    with pytest.raises(AuthRefused) as caught:
        auth.finish(CODE)
    assert caught.value.reason == reason
    assert len(linkedin.server.calls) == 1


def cut(call: Call) -> None:
    call.reset()


def silent(call: Call) -> None:
    time.sleep(1.0)


def dripping(call: Call) -> None:
    for byte in answer(200, {"access_token": TOKEN}):
        call.send(bytes([byte]))
        time.sleep(0.1)


def endless(call: Call) -> None:
    call.send(b"HTTP/1.1 200 X\r\n\r\n")
    while True:
        call.send(b" " * 100_000)


@pytest.mark.parametrize(
    "reply",
    [
        answer(500, {"error": "server_error"}),
        answer(503, "<html>"),
        answer(429, {"error": "x"}),
        answer(302, Location="https://evil.example/"),
        answer(200, "<html>"),
        answer(200, b"[]"),
        answer(200, b"[" * 200_000),
        b"",
        cut,
        silent,
        dripping,
        endless,
    ],
)
def test_it_says_that_linkedin_is_away(
    reply: bytes | Callable[[Call], None], hasty: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.refuses("/oauth/v2/accessToken", reply)
    begun = time.monotonic()
    with pytest.raises(AuthAway):
        hasty.finish(CODE)
    assert time.monotonic() - begun < 3.0
    assert len(linkedin.server.calls) == 1  # a code is spent once, a redirect not followed


def test_it_takes_an_error_page_for_a_refusal(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    for reply in (answer(403, "<html>"), answer(400, {"serviceErrorCode": 100})):
        linkedin.refuses("/oauth/v2/accessToken", reply)
        with pytest.raises(AuthRefused) as caught:
            auth.finish(CODE)
        assert caught.value.reason == "other"


@pytest.mark.parametrize("code", ["", "a b", "a\r\nb", "é", "x" * 200_000])
def test_it_does_not_send_a_code_that_is_none(
    code: str, auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    with pytest.raises(AuthRefused):
        auth.finish(code)
    assert not linkedin.server.calls


# --- who it is -------------------------------------------------------------------------


@pytest.mark.parametrize("issuer", ["https://www.linkedin.com", "https://www.linkedin.com/oauth"])
def test_it_accepts_both_issuers(issuer: str, auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    linkedin.token["id_token"] = linkedin.id_token(iss=issuer)
    assert auth.finish(CODE).subject == "782bbtaQ"
    assert "/v2/userinfo" not in linkedin.asked


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://www.linkedin.com/"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": ["another", "78client"]},
        {"aud": "another", "azp": "78client"},
        {"aud": None},
        {"azp": "another"},
        {"exp": int(NOW.timestamp()) - 3600},
        {"exp": "never"},
        {"exp": None},
        {"iat": int(NOW.timestamp()) + 10**9, "exp": int(NOW.timestamp()) + 2 * 10**9},
        {"nbf": int(NOW.timestamp()) + 10**9},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a/b"},
        {"sub": "x" * 200},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_it_refuses_an_id_token_that_is_not_for_us(
    claims: dict[str, Any], auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.token["id_token"] = linkedin.id_token(**claims)
    with pytest.raises(AuthRefused) as caught:
        auth.finish(CODE)
    assert caught.value.reason == "identity"


def test_it_refuses_an_id_token_that_linkedin_did_not_sign(
    auth: LinkedInAuth, linkedin: LinkedIn, other_key: RSAKey
) -> None:
    genuine = linkedin.id_token()
    head, body, signature = genuine.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    changed = base64.urlsafe_b64encode(
        json.dumps({"sub": "another"}).encode()
    ).decode().rstrip("=")  # fmt: skip
    symmetric = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').decode().rstrip("=")
    public = linkedin.key.as_pem(private=False)
    by_public_key = hmac.digest(public, f"{symmetric}.{body}".encode(), "sha256")
    hashed = base64.urlsafe_b64encode(by_public_key).decode().rstrip("=")
    for forged in (
        linkedin.id_token(other_key),
        f"{symmetric}.{body}.{hashed}",
        linkedin.id_token(linkedin.key, "PS256"),
        f"{head}.{changed}.{signature}",
        f"{none}.{body}.",
        f"{head}.{body}.",
        "a.b.c",
        "nonsense",
        7,
        {"a": 1},
        "." * 100_000,
    ):
        linkedin.token["id_token"] = forged
        linkedin.server.will(*[linkedin._serve] * 3)
        with pytest.raises(AuthRefused) as caught:
            auth.finish(CODE)
        assert caught.value.reason == "identity"
        linkedin.answers["/oauth/openid/jwks"].append(
            answer(200, {"keys": [linkedin.key.as_dict(private=False)]})
        )
    assert "/v2/userinfo" not in linkedin.asked


def test_it_accepts_a_token_of_real_time_while_the_product_travels(
    auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    clock.freeze(NOW + dt.timedelta(days=800))
    now = int(time.time())
    linkedin.token["id_token"] = linkedin.id_token(iat=now, exp=now + 3600)
    assert auth.finish(CODE).subject == "782bbtaQ"


def test_it_asks_for_the_name_that_the_id_token_lacks(
    auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.token["id_token"] = linkedin.id_token(name=None)
    assert auth.finish(CODE).name == "Maëlle Kerjan"
    assert linkedin.server.calls[-1].headers["authorization"] == f"Bearer {TOKEN}"


def test_it_takes_the_two_parts_of_a_name(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    linkedin.token["id_token"] = linkedin.id_token(
        name=None, given_name=" Maëlle\u202e", family_name="Kerjan\n"
    )
    assert auth.finish(CODE).name == "Maëlle Kerjan"
    assert "/v2/userinfo" not in linkedin.asked


def test_it_refuses_a_userinfo_about_somebody_else(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    linkedin.token["id_token"] = linkedin.id_token(name=None)
    linkedin.userinfo(sub="another", name="Quelqu’un")
    with pytest.raises(AuthRefused) as caught:
        auth.finish(CODE)
    assert caught.value.reason == "identity"


def test_it_does_without_a_name_that_nobody_tells(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    for reply in (answer(500), answer(401), answer(200, "<html>"), answer(429), cut):
        linkedin.token["id_token"] = linkedin.id_token(name=None)
        linkedin.refuses("/v2/userinfo", *[reply] * 4)
        linkedin.server.will(*[linkedin._serve] * 6)
        granted = auth.finish(CODE)
        assert (granted.subject, granted.name) == ("782bbtaQ", None)


@pytest.mark.parametrize(
    "jwks",
    [
        answer(503),
        answer(404),
        answer(302, Location="/x"),
        answer(200, "<html>"),
        answer(200, {"keys": []}),
        answer(200, {"keys": "none"}),
        answer(200, {"keys": [{"kty": "new"}]}),
        answer(200, {"keys": [7]}),
        answer(200, {}),
        b"",
        silent,
    ],
)
def test_it_asks_userinfo_when_the_keys_cannot_be_had(
    jwks: bytes | Callable[[Call], None], hasty: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.refuses("/oauth/openid/jwks", jwks)
    assert hasty.finish(CODE).subject == "782bbtaQ"
    assert linkedin.asked[-1] == "/v2/userinfo"


@pytest.mark.parametrize("refusals", [0, 1, 2, 3])
def test_it_bears_with_a_fresh_token(refusals: int, auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    revoked = answer(401, {"serviceErrorCode": 65601, "code": "REVOKED_ACCESS_TOKEN"})
    linkedin.token["id_token"] = None
    linkedin.refuses(
        "/v2/userinfo", *[revoked] * refusals, answer(200, {"sub": "782bbtaQ", "name": "M"})
    )
    granted = auth.finish(CODE)
    assert (granted.subject, granted.name) == ("782bbtaQ", "M")
    assert linkedin.asked.count("/v2/userinfo") == refusals + 1


def test_it_gives_up_on_the_fourth_refusal(settings: Settings, linkedin: LinkedIn) -> None:
    linkedin.token["id_token"] = None
    linkedin.refuses("/v2/userinfo", *[answer(401)] * 9)
    begun = time.monotonic()
    auth = LinkedInAuth(settings, identity_pauses=(0.05, 0.1, 0.15))
    with pytest.raises(AuthRefused) as caught:
        auth.finish(CODE)
    assert caught.value.reason == "identity"
    assert linkedin.asked.count("/v2/userinfo") == 4
    assert 0.3 <= time.monotonic() - begun < 3.0


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([answer(500)] * 4, AuthAway),
        ([cut] * 4, AuthAway),
        ([silent], AuthAway),
        ([answer(429)], AuthAway),
        ([answer(302, Location="/")], AuthAway),
        ([answer(200, "<html>")], AuthAway),
        ([answer(403)], AuthRefused),
        ([answer(200, {"name": "sans identifiant"})], AuthRefused),
        ([answer(200, {"sub": "../me"})], AuthRefused),
    ],
)
def test_it_grants_nothing_to_nobody(
    replies: list[bytes | Callable[[Call], None]],
    error: type[Exception],
    hasty: LinkedInAuth,
    linkedin: LinkedIn,
) -> None:
    linkedin.token["id_token"] = None
    linkedin.refuses("/v2/userinfo", *replies)
    with pytest.raises(error):
        hasty.finish(CODE)
    assert linkedin.asked.count("/v2/userinfo") == len(replies)


def test_it_reads_the_identity_of_a_community_management_application(
    settings_at: Callable[..., Settings], linkedin: LinkedIn
) -> None:
    settings = settings_at(linkedin.server.address, LINKEDIN_MODE="community_management")
    linkedin.token |= {"scope": "r_basicprofile,w_member_social", "id_token": "never looked at"}
    me = {"id": "yrZCpj2Z12", "localizedFirstName": "Maëlle", "localizedLastName": "Kerjan"}
    linkedin.refuses("/v2/me", answer(401), answer(200, me))
    granted = LinkedInAuth(settings, identity_pauses=(0.0,)).finish(CODE)
    assert (granted.subject, granted.name) == ("yrZCpj2Z12", "Maëlle Kerjan")
    assert linkedin.asked == ["/oauth/v2/accessToken", "/v2/me", "/v2/me"]


# --- refreshing, asking, revoking ------------------------------------------------------


def test_it_refreshes(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    linkedin.token = {"access_token": "new", "expires_in": 5184000, "refresh_token": REFRESH,
                      "refresh_token_expires_in": 26438400}  # fmt: skip
    assert auth.refresh(REFRESH) == Tokens(
        access_token="new",
        expires_at=NOW + dt.timedelta(days=60),
        refresh_token=REFRESH,
        refresh_expires_at=NOW + dt.timedelta(days=306),
        scopes=("openid", "profile", "w_member_social"),
    )
    assert linkedin.form() == {
        "grant_type": ["refresh_token"],
        "refresh_token": [REFRESH],
        "client_id": ["78client"],
        "client_secret": [SECRET],
    }
    assert linkedin.asked == ["/oauth/v2/accessToken"]


def test_it_keeps_the_refresh_token_that_is_not_replaced(
    auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.token = {"access_token": "new", "expires_in": 60}
    refreshed = auth.refresh(REFRESH)
    assert (refreshed.refresh_token, refreshed.refresh_expires_at) == (REFRESH, None)


def test_it_says_why_a_refresh_is_refused(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    told = {"error": "invalid_request", "error_description": "The provided token is expired"}
    linkedin.refuses("/oauth/v2/accessToken", answer(400, told), answer(502))
    with pytest.raises(AuthRefused) as caught:
        auth.refresh(REFRESH)
    assert caught.value.reason == "expired-code"
    with pytest.raises(AuthAway):
        auth.refresh(REFRESH)


def test_it_revokes(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    linkedin.refuses("/oauth/v2/revoke", answer(200))
    assert auth.revoke(TOKEN) is True
    assert linkedin.form() == {
        "client_id": ["78client"],
        "client_secret": [SECRET],
        "token": [TOKEN],
    }


@pytest.mark.parametrize(
    "reply",
    [
        answer(400, {"error": "x"}),
        answer(404, "<html>"),
        answer(500),
        answer(302),
        b"",
        cut,
        silent,
    ],
)
def test_it_never_fails_to_try_to_revoke(
    reply: bytes | Callable[[Call], None], hasty: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.refuses("/oauth/v2/revoke", reply)
    assert hasty.revoke(TOKEN) is False


def test_it_does_not_fail_on_a_token_of_any_sort(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    for token in ("", "é\n&=", "\ud800"):
        linkedin.refuses("/oauth/v2/revoke", answer(400, {"error": "x"}))
        assert auth.revoke(token) is False


def test_it_asks_what_linkedin_thinks_of_a_token(auth: LinkedInAuth, linkedin: LinkedIn) -> None:
    told = {"active": True, "client_id": "78client", "authorized_at": 1493055596,
            "created_at": 1493055596, "status": "active", "expires_at": 1497497620,
            "scope": "openid,profile,w_member_social", "auth_type": "3L"}  # fmt: skip
    linkedin.refuses(
        "/oauth/v2/introspectToken",
        answer(200, told),
        answer(200, {"active": False, "status": "revoked"}),
    )
    assert auth.introspect(TOKEN) == Introspection(
        active=True,
        status="active",
        scopes=("openid", "profile", "w_member_social"),
        expires_at=dt.datetime.fromtimestamp(1497497620, dt.UTC),
    )
    assert linkedin.form() == {
        "client_id": ["78client"],
        "client_secret": [SECRET],
        "token": [TOKEN],
    }
    assert auth.introspect(TOKEN) == Introspection(False, "revoked", (), None)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(400, {"error": "invalid_request", "error_description": "bad"}), AuthRefused),
        (answer(401, {"error": "invalid_client"}), AuthRefused),
        (answer(400, {"message": "x"}), AuthRefused),
        (answer(200, {"status": "active"}), AuthAway),
        (answer(200, {"active": True, "expires_at": "soon"}), AuthAway),
        (answer(200, {"active": True, "expires_at": 10**40}), AuthAway),
        (answer(200, b"[]"), AuthAway),
        (answer(200, "<html>"), AuthAway),
        (answer(500), AuthAway),
        (b"", AuthAway),
    ],
)
def test_it_says_when_a_token_cannot_be_asked_about(
    reply: bytes, error: type[Exception], auth: LinkedInAuth, linkedin: LinkedIn
) -> None:
    linkedin.refuses("/oauth/v2/introspectToken", reply)
    with pytest.raises(error):
        auth.introspect(TOKEN)


# --- words and secrets -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("user_cancelled_login", "cancelled"),
        ("user_cancelled_authorize", "cancelled"),
        ("access_denied", "cancelled"),
        ("unauthorized_scope_error", "scope"),
        ("invalid_scope", "scope"),
        ("server_error", "other"),
        ("", "other"),
        ("x" * 200_000, "other"),
    ],
)
def test_it_reads_the_error_of_a_redirect(error: str, reason: str) -> None:
    assert error_reason(error) == reason


def test_it_keeps_secrets_out_of_logs_errors_and_reprs(
    auth: LinkedInAuth, linkedin: LinkedIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    linkedin.token |= {"refresh_token": REFRESH}
    told = [repr(auth.finish(CODE)), repr(auth.begin("marked-state"))]
    auth.revoke(TOKEN)
    for reply in (answer(400, {"error": CODE, "error_description": TOKEN}), answer(200), b""):
        linkedin.refuses("/oauth/v2/accessToken", reply)
        with pytest.raises((AuthRefused, AuthAway)) as caught:
            auth.finish(CODE)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        told.append(repr(caught.value))
    for secret in (TOKEN, REFRESH, CODE, SECRET, "marked-state"):
        assert secret not in caplog.text
        assert secret not in "".join(told)
