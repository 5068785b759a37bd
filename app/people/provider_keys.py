"""The keys that the identity provider signs with, and whether an ID token is good.

Keys are kept for an hour. A key we do not know means that the provider changed its keys, so they
are asked for once again; but at most once in `AGAIN_SECONDS`, because anybody can write a token
that names a key nobody has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet
from joserfc.jws import JWSRegistry

from app import clock

KEEP_SECONDS = 3600
AGAIN_SECONDS = 60
LEEWAY_SECONDS = 120


class Keys:
    """The keys of one provider; `fetch` brings its JWKS as read from JSON."""

    def __init__(self, fetch: Callable[[], Any]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._known: KeySet | None = None
        self._known_since = 0.0
        self._asked_again_at: float | None = None

    def now(self) -> KeySet:
        """Those we know, fetched when there are none or they are old."""
        with self._lock:
            old = clock.monotonic() - self._known_since > KEEP_SECONDS
            return self._renew() if self._known is None or old else self._known

    def once_more(self, seen: KeySet) -> KeySet | None:
        """Newer ones than `seen`; None when the provider was asked again a moment ago."""
        with self._lock:
            if self._known is not None and self._known is not seen:
                return self._known
            now, before = clock.monotonic(), self._asked_again_at
            if before is not None and now - before < AGAIN_SECONDS:
                return None
            self._asked_again_at = now
            return self._renew()

    def _renew(self) -> KeySet:
        self._known = _readable(self._fetch())
        self._known_since = clock.monotonic()
        return self._known


def _readable(told: Any) -> KeySet:
    """The keys for signatures among what was told; what we cannot read is somebody else's."""
    found: list[Key] = []
    for data in told["keys"]:
        if data.get("use", "sig") != "sig" or data.get("kty") == "oct":
            continue
        try:
            found += KeySet.import_key_set({"keys": [data]}).keys
        except (JoseError, ValueError, KeyError, TypeError):
            continue
    if not found:
        raise ValueError("no key that signs")
    return KeySet(found)


def checked(
    token: str, keys: Keys, algorithms: list[str], *, issuer: str, client_id: str, nonce: str,
    access_token: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The claims of an ID token that this provider signed for us, for this errand, just now.

    Signature, issuer, audience, authorised party, nonce, times by the product's clock with two
    minutes of leeway, and the hash of the access token (OpenID Connect Core 1.0, 3.1.3.7).
    Raises errors of Authlib and joserfc.
    """
    found = _verified(token, keys, algorithms)
    claims = CodeIDToken(
        found.claims,
        found.header,
        {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
        },
        {"nonce": nonce, "client_id": client_id, "access_token": access_token},
    )
    claims.validate(now=int(clock.timestamp()), leeway=LEEWAY_SECONDS)
    return dict(claims)


def _verified(token: str, keys: Keys, algorithms: list[str]) -> jwt.Token:
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    known = keys.now()
    try:
        return jwt.decode(token, known, registry=registry)
    except (InvalidKeyIdError, BadSignatureError):
        newer = keys.once_more(known)
        if newer is None:
            raise
        return jwt.decode(token, newer, registry=registry)
