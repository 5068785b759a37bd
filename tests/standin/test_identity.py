"""OpenID Connect with its deviations (reference, section 3)."""

from __future__ import annotations

import io

from joserfc import jwt
from joserfc.jwk import KeySet
from PIL import Image

from standin.linkedin import CLIENT_ID, StandIn
from tests.standin import plain
from tests.standin.conftest import MEMBER, speaking_for, with_token
from tests.standin.test_oauth import a_code, exchange


def claims_of(standin: StandIn) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims of an id_token, its signature checked by the published key."""
    raw = exchange(standin, a_code(standin)).json()["id_token"]
    keys = KeySet.import_key_set(plain.get(standin.address + "/oauth/openid/jwks").json())
    token = jwt.decode(raw, keys, algorithms=["RS256"])
    return token.header, token.claims


def test_discovery_names_its_own_addresses(standin: StandIn) -> None:
    url = standin.address + "/oauth/.well-known/openid-configuration"
    body = plain.get(url).json()
    assert body["issuer"] == "https://www.linkedin.com/oauth"
    assert body["authorization_endpoint"] == standin.address + "/oauth/v2/authorization"
    assert body["token_endpoint"] == standin.address + "/oauth/v2/accessToken"
    assert body["userinfo_endpoint"] == standin.address + "/v2/userinfo"
    assert body["id_token_signing_alg_values_supported"] == ["RS256"]


def test_the_id_token_is_signed_and_has_no_nonce(standin: StandIn) -> None:
    header, claims = claims_of(standin)
    assert header["alg"] == "RS256" and header["kid"]
    assert not claims.keys() & {"nonce", "at_hash", "azp"}
    assert claims["iss"] == "https://www.linkedin.com/oauth"
    assert (claims["aud"], claims["sub"]) == (CLIENT_ID, MEMBER)
    assert claims["email_verified"] is True and claims["name"] == "Maëlle Kerjan"
    assert claims["locale"] == {"country": "FR", "language": "fr"}


def test_knobs_bring_the_older_oddities(standin: StandIn) -> None:
    standin.set(issuer="https://www.linkedin.com", email_verified="text", locale="text")
    _, claims = claims_of(standin)
    assert claims["iss"] == "https://www.linkedin.com"
    assert claims["email_verified"] == "true" and claims["locale"] == "fr_FR"


def test_userinfo_tells_what_the_scopes_open(standin: StandIn) -> None:
    with speaking_for(standin, MEMBER) as client:
        body = client.get("/v2/userinfo").json()
        assert body["sub"] == MEMBER and body["email"] == "maelle.kerjan@example.org"
        assert body["given_name"] == "Maëlle" and body["email_verified"] is True
        standin.set(email="missing")
        assert not client.get("/v2/userinfo").json().keys() & {"email", "email_verified"}
    with speaking_for(standin, MEMBER, scope="openid") as client:
        assert client.get("/v2/userinfo").json() == {"sub": MEMBER}
    with speaking_for(standin, MEMBER, scope="w_member_social") as client:
        assert client.get("/v2/userinfo").json()["code"] == "ACCESS_DENIED"
        assert client.get("/v2/me").status_code == 403


def test_a_fresh_token_may_be_refused_at_first(standin: StandIn) -> None:
    standin.set(fresh_refusals=2)
    with speaking_for(standin, MEMBER) as client:
        answers = [client.get("/v2/userinfo") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert answers[0].json()["serviceErrorCode"] == 65601
    assert answers[0].json()["code"] == "REVOKED_ACCESS_TOKEN"


def test_userinfo_is_throttled_for_the_application(standin: StandIn) -> None:
    standin.set(app_day_limit=2, member_day_limit=1)
    with speaking_for(standin, MEMBER) as client:
        assert [client.get("/v2/userinfo").status_code for _ in range(3)] == [200, 200, 429]
        assert "APPLICATION DAY" in client.get("/v2/userinfo").json()["message"]


def test_the_picture_can_be_fetched_until_it_expires(standin: StandIn) -> None:
    with speaking_for(standin, MEMBER) as client:
        picture = client.get("/v2/userinfo").json()["picture"]
        answer = client.get(picture)
        assert Image.open(io.BytesIO(answer.content)).format == "PNG"
        standin.advance(days=29)
        assert client.get(picture).status_code == 403


def test_an_unknown_token_is_nobody(standin: StandIn) -> None:
    with with_token(standin, "x" * 500) as client:
        assert client.get("/v2/userinfo").json()["serviceErrorCode"] == 65600
