"""A member's consent: LinkedIn's OAuth 2.0 in the shape it accepts (sections 2 and 3).

Authlib forms and reads the protocol, our own wire carries it. What differs from the
standard: the secret travels in the body, there is neither PKCE nor a nonce, the scopes of
an answer are separated by commas, and a fresh token may be refused for some seconds. So
protection against forged answers rests on `state`, which the caller binds to one session
and uses once.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlencode

import httpx

from app import clock
from app.config import Settings
from app.integrations.linkedin.little import clean
from app.integrations.linkedin.wire import Answer, Away, Timeouts, ask, bearer
from app.integrations.text import Json, JsonObject

Reason: TypeAlias = Literal["cancelled", "scope", "expired-code", "client", "identity", "other"]

SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "self_serve": ("openid", "profile", "w_member_social"),
    "community_management": ("r_basicprofile", "w_member_social", "r_member_postAnalytics"),
}
NEEDED_SCOPE: Final = "w_member_social"
ISSUERS: Final = ("https://www.linkedin.com/oauth", "https://www.linkedin.com")
ALGORITHMS: Final = ("RS256", "RS384", "RS512")
LEEWAY_SECONDS: Final = 120
TIMEOUTS: Final = Timeouts(connect=5.0, write=10.0, read=10.0, total=15.0)
IDENTITY_PAUSES: Final = (1.0, 3.0, 6.0)
"""Seconds between the four times we ask who consented."""

_SECRET_PLACE: Final = "client_secret_post"
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,8000}")
_CODE: Final = re.compile(r"[\x21-\x7e]{1,4000}")
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DEFAULT_SECONDS: Final = 60 * 24 * 3600
_LONGEST_SECONDS: Final = 10 * 365 * 24 * 3600
_NAME_LIMIT: Final = 200


class AuthAway(Exception):
    """LinkedIn does not answer, or not in a way that can be read: worth another try later."""


class AuthRefused(Exception):
    """This consent cannot be accepted; `reason` says why.

    `cancelled`: the member said no; `scope`: a permission is missing; `expired-code`: the
    code or the refresh token is unknown, used or too old; `client`: our identifier, secret
    or redirect address is wrong; `identity`: nobody can say surely who consented.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Errand:
    """A consent on its way: where the browser is sent, and what must come back with it."""

    url: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What LinkedIn hands out. The tokens stay out of every `repr`."""

    access_token: str = field(repr=False)
    expires_at: dt.datetime
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: dt.datetime | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Granted(Tokens):
    """Tokens and whose they are: `subject` is the id of `urn:li:person:<id>`, in this app only."""

    subject: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Introspection:
    """What LinkedIn says of a token; `status` is `active`, `expired` or `revoked`."""

    active: bool
    status: str
    scopes: tuple[str, ...]
    expires_at: dt.datetime | None


def error_reason(error: str) -> Reason:
    """The `error` of a redirect back, in one of our words."""
    return _REDIRECT_ERRORS.get(error, "other")


_REDIRECT_ERRORS: Final[Mapping[str, Reason]] = {
    "user_cancelled_login": "cancelled",
    "user_cancelled_authorize": "cancelled",
    "access_denied": "cancelled",
    "unauthorized_scope_error": "scope",
    "invalid_scope": "scope",
}
_TOKEN_ERRORS: Final[Mapping[str, Reason]] = {
    "invalid_request": "expired-code",
    "invalid_redirect_uri": "expired-code",
    "invalid_grant": "expired-code",
    "invalid_client": "client",
    "unauthorized_client": "client",
    "invalid_scope": "scope",
    "unauthorized_scope_error": "scope",
}


def _token_reason(error: object, description: object) -> Reason:
    """`invalid_request` is either an old code or a parameter that we failed to send."""
    if error == "invalid_request" and "missing" in str(description).lower():
        return "client"
    return _TOKEN_ERRORS.get(str(error), "other")


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Every failure of the network and every answer that cannot be read as `AuthAway`."""
    try:
        yield
    except Away as away:
        raise AuthAway(away.reason) from None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise AuthAway("unreadable") from None


class _Courier:
    """Carries what Authlib wants to post; the only part of a session that it needs."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts

    def post(self, url: str, data: Mapping[str, str], headers: Any, auth: Any) -> httpx.Response:
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        answer = ask("POST", url, headers=headers, content=body.encode(), timeouts=self._timeouts)
        _check(answer)
        return httpx.Response(
            answer.status, content=answer.body, request=httpx.Request("POST", url)
        )


def _check(answer: Answer) -> None:
    """Only successes go on to Authlib, whose errors cannot hold LinkedIn's quotation marks."""
    if answer.status == 429 or not (200 <= answer.status < 300 or 400 <= answer.status < 500):
        raise AuthAway(f"status {answer.status}")
    told = answer.object
    if answer.status >= 400 or "error" in told:
        raise AuthRefused(_token_reason(told.get("error"), told.get("error_description")))


class LinkedInAuth:
    """LinkedIn's consent for one installation."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeouts: Timeouts = TIMEOUTS,
        identity_pauses: tuple[float, ...] = IDENTITY_PAUSES,
    ) -> None:
        self._settings = settings
        self._timeouts = timeouts
        self._pauses = identity_pauses

    @property
    def is_configured(self) -> bool:
        return bool(self._settings.linkedin_client_id and self._settings.linkedin_client_secret)

    @property
    def redirect_uri(self) -> str:
        """The address to register at LinkedIn; both must be the same to the letter."""
        return f"{self._settings.base_url}/sharing/linkedin/callback"

    @property
    def scopes(self) -> tuple[str, ...]:
        """What we ask for: asking for what the application lacks makes the consent fail."""
        return SCOPES[self._settings.linkedin_mode]

    def begin(self, state: str | None = None) -> Errand:
        """Where to send the browser. Raises `AuthRefused("client")` where nothing is set up."""
        url, state = self._client().create_authorization_url(
            self._at("/oauth/v2/authorization"),
            state=state or secrets.token_urlsafe(32),
            redirect_uri=self.redirect_uri,
            scope=" ".join(self.scopes),
        )
        return Errand(url.replace("+", "%20"), state)  # a plus is a space in forms only

    def finish(self, code: str) -> Granted:
        """The grant behind the code of a redirect back. Raises `AuthAway`, `AuthRefused`."""
        if not _CODE.fullmatch(code):
            raise AuthRefused("expired-code")
        with _told_plainly():
            told = self._client().fetch_token(
                self._at("/oauth/v2/accessToken"),
                grant_type="authorization_code",
                code=code,
                redirect_uri=self.redirect_uri,
            )
            tokens = self._tokens(told)
            subject, name = self._who(tokens.access_token, told.get("id_token"))
            return Granted(
                tokens.access_token,
                tokens.expires_at,
                tokens.refresh_token,
                tokens.refresh_expires_at,
                tokens.scopes,
                subject,
                name,
            )

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens without the member. Raises `AuthAway`, `AuthRefused`.

        Only applications that LinkedIn chose have refresh tokens, and each lives 365 days
        from the consent, however often it is used.
        """
        with _told_plainly():
            told = self._client().refresh_token(
                self._at("/oauth/v2/accessToken"), refresh_token=refresh_token
            )
            return self._tokens(told)

    def revoke(self, token: str) -> bool:
        """Ask LinkedIn to forget a token; whether it agreed. Never raises: the caller's own
        copy goes in any case."""
        try:
            with _told_plainly():
                self._client().revoke_token(self._at("/oauth/v2/revoke"), token=token)
                return True
        except (AuthAway, AuthRefused):
            return False

    def introspect(self, token: str) -> Introspection:
        """What LinkedIn thinks of a token. Raises `AuthAway`, `AuthRefused`."""
        with _told_plainly():
            answer = self._client().introspect_token(
                self._at("/oauth/v2/introspectToken"), token=token
            )
            told = dict(answer.json())
            expires_at = told.get("expires_at")
            return Introspection(
                active=told["active"] is True,
                status=str(told.get("status", "active" if told["active"] else "expired")),
                scopes=_split_scopes(told.get("scope")),
                expires_at=expires_at and dt.datetime.fromtimestamp(expires_at, dt.UTC),
            )

    def _at(self, path: str) -> str:
        return f"{self._settings.linkedin_auth_url}{path}"

    def _client(self) -> Any:
        """Authlib's client, set to put the secret into the body."""
        from authlib.oauth2.client import OAuth2Client

        if not self.is_configured:
            raise AuthRefused("client")
        return OAuth2Client(
            _Courier(self._timeouts),
            client_id=self._settings.linkedin_client_id,
            client_secret=self._settings.linkedin_client_secret,
            token_endpoint_auth_method=_SECRET_PLACE,
            revocation_endpoint_auth_method=_SECRET_PLACE,
        )

    def _tokens(self, told: Mapping[str, Any]) -> Tokens:
        """Read a token answer; a missing `token_type` means bearer."""
        refresh_token = told.get("refresh_token")
        scopes = _split_scopes(told["scope"]) if told.get("scope") else self.scopes
        if NEEDED_SCOPE not in scopes:
            raise AuthRefused("scope")
        return Tokens(
            access_token=_checked(told["access_token"], _TOKEN),
            expires_at=_in_seconds(told.get("expires_in", _DEFAULT_SECONDS)),
            refresh_token=_checked(refresh_token, _TOKEN) if refresh_token else None,
            refresh_expires_at=_refresh_end(told) if refresh_token else None,
            scopes=scopes,
        )

    # --- who it is ---------------------------------------------------------------------

    def _who(self, token: str, id_token: object) -> tuple[str, str | None]:
        """The member's id in this application, and a name if there is one."""
        if self._settings.linkedin_mode == "community_management":
            return _person(self._ask_identity("/v2/me", token))
        proof = self._proof(id_token, token) if id_token else None
        if proof is None:
            return _person(self._ask_identity("/v2/userinfo", token))
        if proof[1]:
            return proof
        return self._named(proof[0], token)

    def _named(self, subject: str, token: str) -> tuple[str, str | None]:
        """Who is proven, with the name of userinfo. Without an answer there is no name."""
        try:
            told = self._ask_identity("/v2/userinfo", token)
        except (Away, AuthAway, AuthRefused):
            return subject, None
        if _person(told)[0] != subject:
            raise AuthRefused("identity")
        return _person(told)

    def _proof(self, id_token: object, access_token: str) -> tuple[str, str | None] | None:
        """Who the id_token proves; None when LinkedIn's keys cannot be had.

        Raises `AuthRefused` for a token that is not LinkedIn's, not for us, or not of now.
        """
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jws import JWSRegistry

        keys = self._keys()
        if keys is None:
            return None
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            token = jwt.decode(str(id_token), keys, registry=registry)
            ours = {"client_id": self._settings.linkedin_client_id, "access_token": access_token}
            claims = CodeIDToken(token.claims, token.header, self._claims_wanted(), ours)
            _validate(claims)
        except (JoseError, KeyError, TypeError, ValueError, RecursionError):
            raise AuthRefused("identity") from None
        return _person(dict(claims))

    def _claims_wanted(self) -> dict[str, Any]:
        """One of the two issuers that LinkedIn documents; with another auth address, its too."""
        auth_url = self._settings.linkedin_auth_url
        return {
            "iss": {"essential": True, "values": [*ISSUERS, f"{auth_url}/oauth", auth_url]},
            "aud": {"essential": True, "value": self._settings.linkedin_client_id},
        }

    def _keys(self) -> Any:
        """LinkedIn's public keys, or None: then userinfo has to say who it is."""
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            answer = ask(
                "GET",
                self._at("/oauth/openid/jwks"),
                headers={"Accept": "application/json"},
                timeouts=self._timeouts,
            )
            if answer.status != 200 or not answer.object.get("keys"):
                return None
            return KeySet.import_key_set(answer.object)  # type: ignore[arg-type]
        except (Away, JoseError, KeyError, TypeError, ValueError):
            return None

    def _ask_identity(self, path: str, token: str) -> JsonObject:
        """Who the token belongs to. Asked again on 401, which a fresh token may get, and on
        trouble; a wait that ran out is not repeated, because somebody is watching."""
        for pause in self._pauses:
            try:
                answer = self._ask_once(path, token)
            except Away as away:
                if away.reason == "timeout":
                    raise
            else:
                if answer.status != 401 and answer.status < 500:
                    return _identity(answer)
            clock.sleep(pause)
        return _identity(self._ask_once(path, token))

    def _ask_once(self, path: str, token: str) -> Answer:
        headers = {
            **bearer(token),
            "Accept": "application/json",
            "X-Restli-Protocol-Version": "2.0.0",
        }
        url = f"{self._settings.linkedin_api_url}{path}"
        return ask("GET", url, headers=headers, timeouts=self._timeouts)


def _validate(claims: Any) -> None:
    """The claims, with dates by the product's clock or by the real one.

    The two differ only where the product travels in time (demo, tests), and then the issuer
    may or may not travel with it.
    """
    from joserfc.errors import JoseError

    try:
        claims.validate(now=int(clock.timestamp()), leeway=LEEWAY_SECONDS)
    except JoseError:
        claims.validate(leeway=LEEWAY_SECONDS)


def _identity(answer: Answer) -> JsonObject:
    if answer.status in {401, 403}:
        raise AuthRefused("identity")
    if answer.status != 200 or not answer.object:
        raise AuthAway(f"status {answer.status}")
    return answer.object


def _person(told: Mapping[str, Json]) -> tuple[str, str | None]:
    """Id and name from an id_token, from userinfo or from `/v2/me`."""
    subject = told.get("sub", told.get("id"))
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise AuthRefused("identity")
    first = told.get("given_name") or told.get("localizedFirstName")
    last = told.get("family_name") or told.get("localizedLastName")
    parts = [told.get("name")] if told.get("name") else [first, last]
    words = " ".join(part for part in parts if isinstance(part, str))
    return subject, " ".join(clean(words).split())[:_NAME_LIMIT] or None


def _split_scopes(told: object) -> tuple[str, ...]:
    """Scopes of an answer: separated by commas, by spaces as the standard says, or both."""
    return tuple(scope for scope in re.split(r"[,\s]+", str(told or "")) if scope)


def _checked(value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError
    return value


def _in_seconds(told: object) -> dt.datetime:
    """The instant in so many seconds by the product's clock."""
    seconds = int(str(told))
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError
    return clock.now() + dt.timedelta(seconds=seconds)


def _refresh_end(told: Mapping[str, Any]) -> dt.datetime | None:
    seconds = told.get("refresh_token_expires_in")
    return None if seconds is None else _in_seconds(seconds)
