"""Signing in with the identity provider, there and back; signing out there as well.

What must come back waits in the browser's own session, at most three errands at a time, so
that two tabs do not undo each other. What signing out there needs waits in a cookie of its own,
encrypted, which the browser sends to the sign-out alone: no table ever holds an ID token.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from typing import cast

from flask import Response, current_app, redirect, request, session
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import NotFound

from app import clock, crypto
from app.config import LANGUAGES
from app.errors import DomainError
from app.people import provider_groups, service
from app.people.identities import recognise
from app.people.logins import SignedIn
from app.people.oidc import Arrival, Errand, Provider, ProviderAway, ProviderRefused
from app.people.views import people
from app.people.views.common import browser, let_in, local_path, render_for_visitor
from app.web import access, current_settings, redirect_to
from app.web.i18n import language
from app.web.limits import limiter

log = logging.getLogger(__name__)

KEY = "oidc"
WAITS_SECONDS = 15 * 60
AT_ONCE = 3
LONGEST = dt.timedelta(hours=8)
"""How long a device stays signed in: a leaver whom only the provider knows is out by then."""

FAREWELL = "portevoix_farewell"
SIGN_OUT = "/sign-out"
MOST_HINT = 2700
"""Characters of an ID token that still fit into a cookie once they are encrypted."""

Waiting = dict[str, str | float]


def provider() -> Provider:
    """The one of this installation; 404 where none was configured."""
    settings = current_settings()
    if settings.oidc_issuer is None:
        raise NotFound
    return cast(Provider, current_app.extensions.setdefault("oidc", Provider(settings)))


@people.get("/sign-in/oidc")
@access.signed
@limiter.limit("30 per minute")
def sign_in_oidc() -> Response:
    """Off to the provider."""
    known = provider()
    try:
        errand = known.begin(language(), with_groups=provider_groups.are_wanted())
    except ProviderAway as error:
        return _away(error)
    _remember(errand)
    return cast(Response, redirect(errand.url, 303))


def _remember(errand: Errand) -> None:
    waiting: list[Waiting] = session.get(KEY, [])
    new: Waiting = {
        "state": errand.state,
        "nonce": errand.nonce,
        "verifier": errand.verifier,
        "next": local_path(request.args.get("next")),
        "until": clock.timestamp() + WAITS_SECONDS,
    }
    session[KEY] = [*waiting[-(AT_ONCE - 1) :], new]


def _recall() -> Waiting | None:
    """The errand that this answer belongs to, once."""
    state = request.args.get("state")
    waiting: list[Waiting] = session.pop(KEY, [])
    found = next((w for w in waiting if state and w["state"] == state), None)
    if left := [w for w in waiting if w is not found]:
        session[KEY] = left
    return found if found and float(found["until"]) > clock.timestamp() else None


@people.get("/sign-in/oidc/callback")
@access.signed
@limiter.limit("30 per minute")
def sign_in_oidc_callback() -> Response:
    """Back from the provider: who is it, and are they in the directory?"""
    known = provider()
    waiting, code = _recall(), request.args.get("code")
    if waiting is None or not code:
        return _problem("stale", 400)
    try:
        arrival = known.finish(
            code, str(waiting["nonce"]), str(waiting["verifier"]), request.args.get("iss")
        )
        person_id = recognise(arrival.claims)
    except ProviderAway as error:
        return _away(error)
    except ProviderRefused as error:
        log.warning("a sign-in with the identity provider was refused: %s", error)
        return _problem("refused", 400)
    except DomainError as error:
        return _problem(error.code, error.status)
    signed_in = service.start_login(person_id, browser(), "oidc", lifetime=LONGEST)
    return _keep_farewell(let_in(signed_in, str(waiting["next"])), signed_in, arrival)


def _away(error: ProviderAway) -> Response:
    log.warning("the identity provider is away: %s", error)
    return _problem("away", 424)


def _problem(code: str, status: int) -> Response:
    """`code`: 'away', 'stale', 'refused', 'not-in-directory', 'other-identity', 'no-address',
    'other-domain'."""
    other = next(code for code in LANGUAGES if code != language())
    return render_for_visitor(
        "people/provider_problem.html",
        status,
        code=code,
        other_lang_url=f"/sign-in?lang={other}",  # what stands in this address is not repeated
    )


# ---- Signing out there as well -----------------------------------------------------------------


def _keep_farewell(response: Response, signed_in: SignedIn, arrival: Arrival) -> Response:
    """What signing out there will need, for this login alone."""
    hint = arrival.id_token if len(arrival.id_token) <= MOST_HINT else ""
    told = json.dumps([str(signed_in.login_id), hint])
    response.set_cookie(
        FAREWELL, crypto.encrypt(told, FAREWELL), max_age=LONGEST, path=SIGN_OUT,
        secure=current_settings().is_https, httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def _farewell_hint(login_id: uuid.UUID | None) -> str | None:
    """The ID token by which this login began, "" where it was too long to keep; None for a login
    that began otherwise."""
    try:
        told = json.loads(crypto.decrypt(request.cookies.get(FAREWELL, ""), FAREWELL))
    except (crypto.CannotDecrypt, ValueError):
        return None
    return str(told[1]) if told[0] == str(login_id) else None


def after_sign_out(login_id: uuid.UUID | None) -> Response:
    """Where a browser goes that signed out here: to the provider, when it had come from there."""
    hint = _farewell_hint(login_id) if current_settings().oidc_issuer else None
    address = None
    if hint is not None:
        address = provider().farewell(language(), _states().dumps(int(clock.timestamp())), hint)
    response = _towards(address)
    response.delete_cookie(FAREWELL, path=SIGN_OUT)
    return response


def _towards(address: str | None) -> Response:
    """A form may lead to the provider's own origin; anywhere else the person goes by a link."""
    if address is None:
        return redirect_to("/sign-in?note=signed-out")
    if provider().is_own_origin(address):
        return redirect_to(address)
    return render_for_visitor("people/provider_farewell.html", address=address)


def _states() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for("provider-farewell"))], salt="farewell")


@people.get("/sign-in/oidc/signed-out")
@access.signed
@limiter.limit("30 per minute")
def sign_in_oidc_signed_out() -> Response:
    """Back from signing out there. A visit that we did not send there is told nothing."""
    try:
        sent_at = int(_states().loads(request.args.get("state", "")))
    except (BadSignature, TypeError, ValueError):
        sent_at = 0
    ours = 0 <= clock.timestamp() - sent_at <= WAITS_SECONDS
    return redirect_to("/sign-in?note=signed-out" if ours else "/sign-in")
