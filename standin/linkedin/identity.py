"""OpenID Connect and the profile (reference, section 3), with its deviations."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from standin.linkedin import errors, members, rest
from standin.linkedin.wire import Answer, Json, Refused, Request, as_json, denied
from standin.linkedin.world import World

ID_TOKEN_SECONDS = 3_600


def discovery(world: World, request: Request) -> Answer:
    """The discovery document, its addresses those of the stand-in."""
    here = world.address
    return as_json(
        {
            "issuer": world.knobs.issuer,
            "authorization_endpoint": f"{here}/oauth/v2/authorization",
            "token_endpoint": f"{here}/oauth/v2/accessToken",
            "userinfo_endpoint": f"{here}/v2/userinfo",
            "jwks_uri": f"{here}/oauth/openid/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email"],
            "claims_supported": [
                "iss", "aud", "iat", "exp", "sub", "name", "given_name", "family_name",
                "picture", "email", "email_verified", "locale",
            ],
        }
    )  # fmt: skip


def jwks(world: World, request: Request) -> Answer:
    """The public half of the signing key, with its `kid`."""
    public = _key(world).as_dict(private=False)
    return as_json({"keys": [{**public, "use": "sig", "alg": "RS256"}]})


def id_token(world: World, client_id: str, sub: str, scope: str) -> str:
    """RS256 with `kid`; never `nonce`, `at_hash` or `azp` (section 0, item 1)."""
    now = int(world.timestamp())
    claims: dict[str, Any] = {
        "iss": world.knobs.issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
        **_profile(world, sub, scope.split()),
    }
    if world.knobs.email_verified == "text" and "email_verified" in claims:
        claims["email_verified"] = str(claims["email_verified"]).lower()
    key = _key(world)
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "JWT"}, claims, key)


def userinfo(world: World, request: Request) -> Answer:
    """GET `/v2/userinfo`; a fresh token may answer 65601 for its first calls (a knob)."""
    caller = rest.identified(world, request)
    row = world.store.one(
        "UPDATE token SET userinfo_calls = userinfo_calls + 1 WHERE hash = ?"
        " RETURNING userinfo_calls",
        caller.token_hash,
    )
    if row is not None and row["userinfo_calls"] <= world.knobs.fresh_refusals:
        raise Refused(errors.revoked_token())
    caller.need_scope("openid", "userinfo", "GET")
    if caller.member is None:  # a token never issued here that acted for nobody yet
        denied("userinfo", "GET", None)
    return as_json(_profile(world, caller.member, caller.scopes))


def me(world: World, request: Request) -> Answer:
    """GET `/v2/me` for `r_basicprofile`: identity of an application without OpenID (section 1)."""
    caller = rest.identified(world, request)
    caller.need_scope("r_basicprofile", "me", "GET")
    row = members.find(world, caller.member or "")
    if row is None:
        denied("me", "GET", None)
    locale = {"country": row["country"], "language": row["language"]}
    return as_json(
        {
            "id": row["sub"],
            "localizedFirstName": row["given_name"],
            "localizedLastName": row["family_name"],
            "firstName": _localized(row["given_name"], locale),
            "lastName": _localized(row["family_name"], locale),
            "vanityName": f"standin-{row['sub'].lower()}",
        }
    )


def _localized(value: str, locale: dict[str, str]) -> Json:
    return {
        "localized": {f"{locale['language']}_{locale['country']}": value},
        "preferredLocale": locale,
    }


def _profile(world: World, sub: str, scopes: list[str] | frozenset[str]) -> Json:
    """The claims that the scopes open."""
    row = members.find(world, sub)
    claims: Json = {"sub": sub}
    if row is None:
        return claims
    if "profile" in scopes:
        claims |= _name_claims(world, row)
    if "email" in scopes and row["email"] and world.knobs.email == "given":
        claims |= {"email": row["email"], "email_verified": True}
    return claims


def _name_claims(world: World, row: sqlite3.Row) -> Json:
    claims: Json = {
        "name": row["name"],
        "given_name": row["given_name"],
        "family_name": row["family_name"],
        "locale": {"country": row["country"], "language": row["language"]},
    }
    if world.knobs.locale == "text":
        claims["locale"] = f"{row['language']}_{row['country']}"
    picture = members.picture_address(world, row)
    return claims | ({"picture": picture} if picture else {})


def _key(world: World) -> RSAKey:
    """The signing key: made at first need, then kept with the store."""
    kept = world.store.setting("signing_key")
    if kept is not None:
        return RSAKey.import_key(json.loads(kept))
    key = RSAKey.generate_key(2048, auto_kid=True)
    text = json.dumps(key.as_dict(private=True))
    world.store.put("setting", name="signing_key", value=text)
    return key
