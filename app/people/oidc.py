"""Signing in with the organisation's identity provider (OpenID Connect).

Authorisation code with PKCE, state and nonce; everything about the provider is discovered
from its issuer at first use, so that we start without it. The ID token proves who signed
in, userinfo tells the rest, because an ID token may hold only the subject. Authlib does the
protocol; whatever goes wrong becomes one of two errors here.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

from app import clock
from app.config import Settings
from app.people.identities import Claims

SCOPE = "openid email profile"
TIMEOUT_SECONDS = 5.0
DISCOVER_AGAIN_SECONDS = 3600
# Signatures that only the provider can make; never "none", never our own secret.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)


class ProviderAway(Exception):
    """The provider does not answer, or not as a provider of this issuer would."""


class ProviderRefused(Exception):
    """This sign-in cannot be accepted: cancelled there, stale, or not meant for us."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One sign-in on its way: where the browser is sent, and what must come back with it."""

    url: str
    state: str
    nonce: str
    verifier: str


@lru_cache(maxsize=1)
def _client_class() -> Any:
    """Authlib's client on httpx; its Flask one needs another HTTP library."""
    import authlib.deprecate  # noqa: F401  sets its warnings to "always" when it is imported

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from authlib.integrations.base_client import BaseApp, OpenIDMixin
        from authlib.integrations.base_client.sync_app import OAuth2Mixin
        from authlib.integrations.httpx_client import OAuth2Client

    class Client(OAuth2Mixin, OpenIDMixin, BaseApp):
        client_cls = OAuth2Client

    return Client


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Every failure of the network or of the protocol as one of our two errors."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderAway(type(error).__name__) from error
    except (AuthlibBaseError, JoseError) as error:
        raise ProviderRefused(type(error).__name__) from error
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ProviderAway(f"unreadable answer: {type(error).__name__}") from error


class Provider:
    """The identity provider of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: Any = None
        self._known_since = 0.0

    @property
    def redirect_uri(self) -> str:
        return f"{self._settings.base_url}/sign-in/oidc/callback"

    def _client(self) -> Any:
        """Discovered once an hour; a failed discovery is tried again at the next sign-in."""
        now = clock.monotonic()
        if self._known is None or now - self._known_since > DISCOVER_AGAIN_SECONDS:
            client = self._new_client()
            _check(client.load_server_metadata(), self._settings)
            client.client_kwargs["token_endpoint_auth_method"] = _auth_method(
                client.server_metadata, self._settings
            )
            self._known, self._known_since = client, now
        return self._known

    def _new_client(self) -> Any:
        settings = self._settings
        issuer = (settings.oidc_issuer or "").rstrip("/")
        return _client_class()(
            framework=None,
            name="oidc",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=f"{issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": SCOPE,
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
            },
            user_agent="Portevoix",
        )

    def begin(self, language: str) -> Errand:
        """Where to send the browser. Raises `ProviderAway`."""
        with _told_plainly():
            made = self._client().create_authorization_url(self.redirect_uri, ui_locales=language)
            return Errand(made["url"], made["state"], made["nonce"], made["code_verifier"])

    def finish(self, code: str, nonce: str, verifier: str) -> Claims:
        """Who signed in there. Raises `ProviderAway`, `ProviderRefused`."""
        with _told_plainly():
            client = self._client()
            token = client.fetch_access_token(self.redirect_uri, code=code, code_verifier=verifier)
            proof = client.parse_id_token(token, nonce=nonce)
            if proof is None:
                raise ProviderRefused("no ID token")
            told = {**proof, **_userinfo(client, token, proof["sub"])}
            verified = told.get("email_verified") in (None, True, "true")
            email = told.get("email") if verified else None
            issuer = client.server_metadata["issuer"]
            return Claims(issuer, str(proof["sub"]), str(email) if email else None)


def _userinfo(client: Any, token: Any, subject: str) -> dict[str, Any]:
    if "userinfo_endpoint" not in client.server_metadata:
        return {}
    told: dict[str, Any] = dict(client.userinfo(token=token))
    if told.get("sub") != subject:
        raise ProviderRefused("userinfo is about somebody else")
    return told


def _check(metadata: dict[str, Any], settings: Settings) -> None:
    """A provider that calls itself otherwise is not the one that was configured."""
    if str(metadata["issuer"]).rstrip("/") != (settings.oidc_issuer or "").rstrip("/"):
        raise ProviderAway("another issuer")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [a for a in offered if a in ALGORITHMS]


def _auth_method(metadata: dict[str, Any], settings: Settings) -> str:
    if not settings.oidc_client_secret:
        return "none"
    offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
