"""Signing in with the organisation's identity provider (OpenID Connect).

Authorisation code with PKCE, state and nonce; everything about the provider is discovered
from its issuer at first use, so that we start without it. The ID token proves who signed
in, userinfo tells the rest, because an ID token may hold only the subject. Authlib does the
protocol; whatever goes wrong becomes one of two errors here.

Signing out there (RP-Initiated Logout 1.0) asks for `id_token_hint`: some providers do not lead
back without it, others ask the person to confirm. `client_id` goes along, which the specification
allows alone where the hint is missing. Where the hint is kept is for the caller (see
`views.provider`): the browser, never a table.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from app import clock
from app.config import Settings
from app.people.provider_claims import Claims, UnusableClaims, read

SCOPE = "openid email profile"
GROUPS_SCOPE = "groups"
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
        told = f"{type(error).__name__} {getattr(error, 'claim', '')}"
        raise ProviderRefused(told.strip()) from error
    except UnusableClaims as error:
        raise ProviderRefused(f"no {error}") from error
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ProviderAway(f"unreadable answer: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody whom the provider let in. `id_token` is the hint for signing out there."""

    claims: Claims
    id_token: str


class Provider:
    """The identity provider of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: tuple[Any, Any] | None = None
        self._known_since = 0.0

    @property
    def redirect_uri(self) -> str:
        return f"{self._settings.base_url}/sign-in/oidc/callback"

    @property
    def farewell_uri(self) -> str:
        """Where the provider leads back to after signing out there."""
        return f"{self._settings.base_url}/sign-in/oidc/signed-out"

    def _discovered(self) -> tuple[Any, Any]:
        """The client and the provider's keys. Discovered once an hour; a failed discovery is
        tried again at the next sign-in."""
        now = clock.monotonic()
        if self._known is None or now - self._known_since > DISCOVER_AGAIN_SECONDS:
            from app.people.provider_keys import Keys

            client = self._new_client()
            _check(client.load_server_metadata(), self._settings)
            client.client_kwargs["token_endpoint_auth_method"] = _auth_method(
                client.server_metadata, self._settings
            )
            keys = Keys(lambda: client.fetch_jwk_set(force=True))
            self._known, self._known_since = (client, keys), now
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

    def begin(self, language: str, *, with_groups: bool = False) -> Errand:
        """Where to send the browser. Groups are asked for only where something follows from
        them, and where the provider has a scope for it. Raises `ProviderAway`."""
        with _told_plainly():
            client, _ = self._discovered()
            offered = client.server_metadata.get("scopes_supported") or ()
            asked = with_groups and GROUPS_SCOPE in offered
            made = client.create_authorization_url(
                self.redirect_uri,
                ui_locales=language,
                scope=f"{SCOPE} {GROUPS_SCOPE}" if asked else SCOPE,
            )
            return Errand(made["url"], made["state"], made["nonce"], made["code_verifier"])

    def finish(self, code: str, nonce: str, verifier: str, issuer: str | None = None) -> Arrival:
        """Who signed in there. `issuer` is who the answer says it is from, where it says so
        (RFC 9207). Raises `ProviderAway`, `ProviderRefused`."""
        from app.people.provider_keys import checked

        with _told_plainly():
            client, keys = self._discovered()
            metadata, client_id = client.server_metadata, str(self._settings.oidc_client_id)
            if issuer is not None and issuer != metadata["issuer"]:
                raise ProviderRefused("the answer of another issuer")
            token = client.fetch_access_token(self.redirect_uri, code=code, code_verifier=verifier)
            id_token = token.get("id_token")
            if not isinstance(id_token, str):
                raise ProviderRefused("no ID token")
            proof = checked(
                id_token, keys, metadata["id_token_signing_alg_values_supported"],
                issuer=metadata["issuer"], client_id=client_id, nonce=nonce,
                access_token=token.get("access_token"),
            )  # fmt: skip
            userinfo = _userinfo(client, token, proof["sub"])
            return Arrival(read(metadata["issuer"], client_id, proof, userinfo), id_token)

    def farewell(self, language: str, state: str, id_token: str | None) -> str | None:
        """Where to send a browser that signed out here, so that it signs out there as well; None
        where the provider has no such page, or is away: signing out here never waits for it."""
        try:
            with _told_plainly():
                client, _ = self._discovered()
                address = client.server_metadata.get("end_session_endpoint")
        except ProviderAway:
            return None
        if not isinstance(address, str) or urlsplit(address).scheme not in ("https", "http"):
            return None
        told = {
            "client_id": self._settings.oidc_client_id,
            "post_logout_redirect_uri": self.farewell_uri,
            "state": state,
            "ui_locales": language,
        } | ({"id_token_hint": id_token} if id_token else {})
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(told)}"

    def is_own_origin(self, address: str) -> bool:
        """Whether an address is at the issuer's own origin, which our pages may send forms to."""
        ours, theirs = urlsplit(self._settings.oidc_issuer or ""), urlsplit(address)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


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
