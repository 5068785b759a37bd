"""OAuth 2.0 with three legs, as LinkedIn does it (reference, section 2)."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, urlencode

from standin.linkedin import consent, identity, members, registry, tokens
from standin.linkedin.store import hash_of
from standin.linkedin.wire import FORM, Answer, Json, Refused, Request, as_json, is_basic
from standin.linkedin.world import World

COOKIE = "li_standin"
REFRESH_SECONDS = 365 * 86_400

_DENIALS = {
    "cancel_login": ("user_cancelled_login", "The user cancelled LinkedIn login"),
    "cancel_authorize": ("user_cancelled_authorize", "The user cancelled the authorization"),
    "unauthorized_scope": (
        "unauthorized_scope_error",
        "Scope is not authorized for your application",
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that may be shown to a member."""

    client: sqlite3.Row
    redirect_uri: str
    scope: str  # space separated, sorted
    state: str | None

    @property
    def client_id(self) -> str:
        """The application that asks."""
        return str(self.client["client_id"])


# The authorization endpoint (section 2.2).


def authorization(world: World, request: Request) -> Answer:
    """GET: the consent page, or straight back with a code when nothing is left to ask."""
    asked = _asked(world, request.query, request)
    if isinstance(asked, Answer):
        return asked
    if world.knobs.consent in _DENIALS:
        return _denied(asked, world.knobs.consent)
    if world.knobs.consent == "allow":
        return _allowed(world, asked, world.knobs.member or _first_member(world))
    signed_in = request.cookie(COOKIE)
    if signed_in and tokens.is_granted(
        world, asked.client_id, members.sub_for(world, signed_in, asked.client_id), asked.scope
    ):
        return _allowed(world, asked, signed_in)
    name = str(asked.client["name"])
    return consent.show(world, request, name, asked.redirect_uri, asked.scope, signed_in)


def decision(world: World, request: Request) -> Answer:
    """POST: what the member pressed on the consent page."""
    form = request.form()
    asked = _asked(world, form, request)
    if isinstance(asked, Answer):
        return asked
    if form.get("decision") in ("cancel_login", "cancel_authorize"):
        return _denied(asked, form["decision"])
    typed = form.get("name", "").strip()[:80]
    sub = members.named(world, typed) if typed else form.get("member", "")
    if members.find(world, sub) is None:
        sub = _first_member(world)
    return _allowed(world, asked, sub)


def _asked(world: World, given: dict[str, str], request: Request) -> Asked | Answer:
    """The request once client, redirect URI and scopes are right; else the page or redirect that
    says what is wrong (section 2.2, last tables)."""
    client = registry.find(world.store, given.get("client_id", ""))
    if client is None:
        return consent.refuse(request, "Client_id doesn't match")
    redirect_uri = given.get("redirect_uri", "")
    if not registry.may_redirect(client, redirect_uri):
        return consent.refuse(request, "Redirect_uri doesn't match")
    scopes = set(given.get("scope", "").split())
    if not scopes or not scopes <= registry.KNOWN_SCOPES:
        return consent.refuse(request, "Invalid scope")
    if given.get("response_type") != "code":
        return consent.refuse(request, "Response_type must be code")
    asked = Asked(client, redirect_uri, " ".join(sorted(scopes)), given.get("state"))
    if not scopes <= set(client["scope"].split()):
        return _denied(asked, "unauthorized_scope")
    return asked


def _allowed(world: World, asked: Asked, sub: str) -> Answer:
    own = members.sub_for(world, sub, asked.client_id)
    tokens.revoke_other_scopes(world, asked.client_id, own, asked.scope)
    code = "AQ" + secrets.token_urlsafe(96)
    world.store.put(
        "code",
        hash=hash_of(code),
        client_id=asked.client_id,
        redirect_uri=asked.redirect_uri,
        sub=own,
        scope=asked.scope,
        created_at=world.timestamp(),
    )
    answer = _back(asked, {"code": code})
    cookie = f"{COOKIE}={quote(sub)}; Path=/oauth; HttpOnly; SameSite=Lax"
    answer.headers["Set-Cookie"] = cookie
    return answer


def _denied(asked: Asked, why: str) -> Answer:
    error, description = _DENIALS[why]
    return _back(asked, {"error": error, "error_description": description})


def _back(asked: Asked, values: dict[str, str]) -> Answer:
    if asked.state is not None:
        values["state"] = asked.state
    glue = "&" if "?" in asked.redirect_uri else "?"
    where = asked.redirect_uri + glue + urlencode(values)
    return Answer(302, headers={"Location": where, "Cache-Control": "no-store"})


def _first_member(world: World) -> str:
    return str(members.choosable(world)[0]["sub"])


# The token endpoint (sections 2.3 and 2.4).


def access_token(world: World, request: Request) -> Answer:
    """POST: a code or a refresh token becomes an access token."""
    form = request.form()
    if is_basic(request) or "code_verifier" in form:
        _error(401, "invalid_client", "Client authentication failed")
    if request.media_type != FORM:
        _error(400, "invalid_request", "The body must be form-encoded")
    grant = _needed(form, "grant_type")
    if grant not in _GRANTS:
        _error(400, "invalid_request", f'The grant_type "{grant}" is not supported')
    return _GRANTS[grant](world, form)


def _from_code(world: World, form: dict[str, str]) -> Answer:
    code, redirect_uri = _needed(form, "code"), _needed(form, "redirect_uri")
    client = _client(world, form)
    row = world.store.one("SELECT * FROM code WHERE hash = ?", hash_of(code))
    if row is None:
        message = "Unable to retrieve access token: authorization code not found"
        _error(401, "invalid_request", message)
    if not _is_usable(world, row, str(client["client_id"]), redirect_uri):
        message = (
            "Unable to retrieve access token: appid/redirect uri/code verifier does not match "
            "authorization code. Or authorization code expired. Or external member binding exists"
        )
        older = world.knobs.older_errors
        _error(400, "invalid_request" if older else "invalid_redirect_uri", message)
    world.store.run("UPDATE code SET used_at = ? WHERE hash = ?", world.timestamp(), row["hash"])
    return _granted(world, row["client_id"], row["sub"], row["scope"])


def _is_usable(world: World, row: sqlite3.Row, client_id: str, redirect_uri: str) -> bool:
    """A code works once, for 30 minutes, for the same application and redirect URI."""
    age = world.timestamp() - row["created_at"]
    same = row["client_id"] == client_id and row["redirect_uri"] == redirect_uri
    return same and row["used_at"] is None and age < world.knobs.code_seconds


def _granted(world: World, client_id: str, sub: str, scope: str) -> Answer:
    seconds = world.knobs.token_seconds
    answer: Json = {
        "access_token": tokens.issue(world, client_id, sub, scope, seconds),
        "expires_in": seconds,
        "scope": scope.replace(" ", ","),  # section 0, item 4
        "token_type": "Bearer",
    }
    if "openid" in scope.split():
        answer["id_token"] = identity.id_token(world, client_id, sub, scope)
    if world.knobs.partner:
        answer |= _new_refresh_token(world, client_id, sub, scope)
    return _no_store(as_json(answer))


def _new_refresh_token(world: World, client_id: str, sub: str, scope: str) -> Json:
    refresh = "AQW" + secrets.token_urlsafe(372)
    now = world.timestamp()
    world.store.put(
        "refresh_token",
        hash=hash_of(refresh),
        client_id=client_id,
        sub=sub,
        scope=scope,
        created_at=now,
        expires_at=now + REFRESH_SECONDS,
    )
    return {"refresh_token": refresh, "refresh_token_expires_in": REFRESH_SECONDS}


def _from_refresh(world: World, form: dict[str, str]) -> Answer:
    """A new access token; the refresh token keeps counting down from its first 365 days."""
    refresh = _needed(form, "refresh_token")
    client = _client(world, form)
    row = world.store.one("SELECT * FROM refresh_token WHERE hash = ?", hash_of(refresh))
    left = 0 if row is None else int(row["expires_at"] - world.timestamp())
    usable = row is not None and row["revoked_at"] is None and left > 0
    if row is None or not usable or row["client_id"] != client["client_id"]:
        _error(400, "invalid_request", "The provided refresh token is invalid, expired or revoked")
    if not world.knobs.partner:
        _error(400, "invalid_request", "This application may not refresh tokens")
    seconds = min(world.knobs.token_seconds, left)
    answer = {
        "access_token": tokens.issue(world, row["client_id"], row["sub"], row["scope"], seconds),
        "expires_in": seconds,
        "refresh_token": refresh,
        "refresh_token_expires_in": left,
        "scope": row["scope"].replace(" ", ","),
        "token_type": "Bearer",
    }
    return _no_store(as_json(answer))


_GRANTS = {"authorization_code": _from_code, "refresh_token": _from_refresh}


# Introspection and revocation (sections 2.5 and 2.1).


def introspection(world: World, request: Request) -> Answer:
    """POST: what LinkedIn thinks of a token."""
    form = request.form()
    token = _needed(form, "token")
    client = registry.find(world.store, _needed(form, "client_id"))
    if client is None:
        _error(400, "invalid_request", "The client_id is not known")
    client = _client(world, form)
    row = tokens.find(world, token)
    if row is None or row["client_id"] not in (None, client["client_id"]):
        _error(400, "invalid_request", "The token is not known")
    state = tokens.state_of(world, row)
    return as_json(
        {
            "active": state == "active",
            "client_id": client["client_id"],
            "authorized_at": int(row["created_at"]),
            "created_at": int(row["created_at"]),
            "status": state,
            "expires_at": int(row["expires_at"]),
            "scope": row["scope"].replace(" ", ","),
            "auth_type": "3L",
        }
    )


def revocation(world: World, request: Request) -> Answer:
    """POST with `client_id`, `client_secret`, `token`: an empty 200 (no page documents it)."""
    form = request.form()
    token = _needed(form, "token")
    client = _client(world, form)
    row = tokens.find(world, token)
    if row is not None and row["client_id"] not in (None, client["client_id"]):
        _error(400, "invalid_request", "The token belongs to another application")
    tokens.revoke(world, token)
    world.store.run(
        "UPDATE refresh_token SET revoked_at = ? WHERE hash = ? AND client_id = ?",
        world.timestamp(),
        hash_of(token),
        client["client_id"],
    )
    return Answer(200)


def _client(world: World, form: dict[str, str]) -> sqlite3.Row:
    """The application whose secret came in the body; 400 or 401 otherwise."""
    client_id, secret = _needed(form, "client_id"), _needed(form, "client_secret")
    client = registry.find(world.store, client_id)
    expected = "" if client is None else str(client["client_secret"])
    same = hmac.compare_digest(secret.encode("utf-8", "replace"), expected.encode())
    if client is None or not same:
        _error(401, "invalid_client", "Client authentication failed")
    return client


def _needed(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        _error(400, "invalid_request", f'A required parameter "{name}" is missing')
    return form[name]


def _error(status: int, error: str, description: str) -> NoReturn:
    body = {"error": error, "error_description": description}
    raise Refused(_no_store(as_json(body, status)))


def _no_store(answer: Answer) -> Answer:
    answer.headers["Cache-Control"] = "no-store"
    return answer
