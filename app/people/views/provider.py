"""Signing in with the identity provider: there and back.

What must come back waits in the browser's own session, at most three errands at a time, so
that two tabs do not undo each other.
"""

from __future__ import annotations

from typing import cast

from flask import Response, current_app, redirect, request, session
from werkzeug.exceptions import NotFound

from app import clock
from app.config import LANGUAGES
from app.errors import DomainError
from app.people import service
from app.people.identities import recognise
from app.people.oidc import Errand, Provider, ProviderAway, ProviderRefused
from app.people.views import people
from app.people.views.common import browser, let_in, local_path, render_for_visitor
from app.web import access, current_settings
from app.web.i18n import language
from app.web.limits import limiter

KEY = "oidc"
WAITS_SECONDS = 15 * 60
AT_ONCE = 3

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
    try:
        errand = provider().begin(language())
    except ProviderAway:
        return _problem("away", 424)
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
        claims = known.finish(code, str(waiting["nonce"]), str(waiting["verifier"]))
        person_id = recognise(claims)
    except ProviderAway:
        return _problem("away", 424)
    except ProviderRefused:
        return _problem("refused", 400)
    except DomainError as error:
        return _problem(error.code, error.status)
    signed_in = service.start_login(person_id, browser(), "oidc")
    return let_in(signed_in, str(waiting["next"]))


def _problem(code: str, status: int) -> Response:
    """`code`: 'away', 'stale', 'refused', 'not-in-directory', 'other-identity'."""
    other = next(code for code in LANGUAGES if code != language())
    return render_for_visitor(
        "people/provider_problem.html",
        status,
        code=code,
        other_lang_url=f"/sign-in?lang={other}",  # what stands in this address is not repeated
    )
