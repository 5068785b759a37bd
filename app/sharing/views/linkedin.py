"""Connecting LinkedIn: our own page first, there and back, and the way out.

What must come back waits in the browser's own session, at most three errands at a time, each
good once, for a quarter of an hour and for the person who began it. LinkedIn knows neither
PKCE nor a nonce, so that this is the only bond between a consent and a person here.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import Response, flash, request, session
from flask_babel import gettext as _
from flask_babel import ngettext

from app import clock
from app.charters.queries import has_accepted_current
from app.config import Settings
from app.db import db
from app.errors import Sentence
from app.integrations.linkedin.oauth import (
    AuthAway,
    AuthRefused,
    Errand,
    LinkedInAuth,
    error_reason,
)
from app.integrations.linkedin.wire import Timeouts
from app.people.views.common import local_path
from app.sharing import grants, trouble
from app.sharing.errors import ProfileTaken
from app.sharing.models import Grant
from app.sharing.views import sharing
from app.web import access, current_settings, redirect_to, render
from app.web.limits import limiter

PAGE: Final = "/sharing/linkedin"
KEY: Final = "linkedin"
WAITS_SECONDS: Final = 15 * 60
AT_ONCE: Final = 3
LONGEST_NEXT: Final = 300
"""Signs of the page to come back to: three errands must fit into a cookie."""
SOON: Final = grants.REMIND_BEFORE

Waiting = dict[str, str | float]

# What to say for each way in which a consent may fail, and the status it is said with.
_STATUS: Final = {
    "stale": 400,
    "other-person": 403,
    "cancelled": 403,
    "identity": 403,
    "expired-code": 400,
    "charter": 409,
    "profile-taken": 409,
    "scope": 424,
    "client": 424,
    "other": 424,
    "away": 424,
}


def _person_key() -> str:
    return str(access.me().person_id)


def _auth(settings: Settings) -> LinkedInAuth:
    """Somebody is watching: shorter waits than a worker's."""
    patience = min(10.0, float(settings.share_timeout_seconds))
    return LinkedInAuth(settings, timeouts=Timeouts(read=patience, total=patience * 1.5))


# --- our own page ------------------------------------------------------------------------


def state_of(grant: Grant | None, now: dt.datetime) -> str:
    """'none', 'active', 'soon' (it ends within a week) or 'reconnect'."""
    if grant is None:
        return "none"
    if not grants.is_usable(grant, now):
        return "reconnect"
    return "soon" if grant.expires_at <= now + SOON else "active"


def _page(
    status: int = 200, *, problem: Sentence | None = None, next_path: str = "", note: str = ""
) -> Response:
    settings, person_id = current_settings(), access.me().person_id
    auth, grant = _auth(settings), grants.grant_of(person_id)
    return render(
        "sharing/linkedin.html",
        status,
        grant=grant,
        state=state_of(grant, clock.now()),
        now=clock.now(),
        waiting=grants.waiting(person_id),
        is_configured=auth.is_configured,
        mode=settings.linkedin_mode,
        scopes=auth.scopes,
        consent_version=grants.CONSENT_VERSION,
        redirect_uri=auth.redirect_uri,
        has_charter=has_accepted_current(person_id),
        problem=problem,
        next_path=next_path,
        note=note,
    )


@sharing.get(PAGE)
@access.role("member")
def linkedin() -> Response:
    """What connecting means, or how the connection stands."""
    note = request.args.get("note", "")
    return _page(next_path=_next(request.args.get("next")), note=note)


def _next(raw: str | None) -> str:
    path = local_path(raw)
    return path if len(path) <= LONGEST_NEXT else ""


# --- there -------------------------------------------------------------------------------


@sharing.post(f"{PAGE}/grants")
@access.role("member")
@limiter.limit("30 per minute", key_func=_person_key)
def linkedin_grants() -> Response:
    """Off to LinkedIn, once the member agreed here (API terms 5.1)."""
    next_path, auth = _next(request.form.get("next")), _auth(current_settings())
    if not auth.is_configured:
        return _page(409, next_path=next_path)
    if not has_accepted_current(access.me().person_id):
        return _page(409, problem=_("The charter comes first."), next_path=next_path)
    agreed = request.form.get("consent", "")
    if agreed != grants.CONSENT_VERSION:
        problem = (
            _("This text has changed meanwhile. Please read it again.")
            if agreed
            else _("Tick the box if you agree; nothing leaves for LinkedIn before.")
        )
        return _page(422, problem=problem, next_path=next_path)
    errand = auth.begin()
    _remember(errand, next_path)
    return redirect_to(errand.url)


def _remember(errand: Errand, next_path: str) -> None:
    waiting: list[Waiting] = session.get(KEY, [])
    now = clock.timestamp()
    new: Waiting = {
        "state": errand.state,
        "person": str(access.me().person_id),
        "next": next_path,
        "at": now,
        "until": now + WAITS_SECONDS,
    }
    session[KEY] = [*waiting[-(AT_ONCE - 1) :], new]


# --- and back ----------------------------------------------------------------------------


def _recall() -> Waiting | None:
    """The errand that this answer belongs to, once."""
    state = request.args.get("state")
    waiting: list[Waiting] = session.pop(KEY, [])
    found = next((w for w in waiting if state and w["state"] == state), None)
    if left := [w for w in waiting if w is not found]:
        session[KEY] = left
    return found if found and float(found["until"]) > clock.timestamp() else None


@sharing.get(f"{PAGE}/callback")
@access.role("member")
@access.comes_back_at(f"{PAGE}?note=interrupted")
@limiter.limit("30 per minute", key_func=_person_key)
def linkedin_callback() -> Response:
    """Back from LinkedIn, with a code or with a no."""
    waiting = _recall()
    if waiting is None:
        return _problem("stale")
    next_path = str(waiting["next"])
    refused = _why_not(waiting)
    if refused is not None:
        return _problem(refused, next_path)
    consented_at = dt.datetime.fromtimestamp(float(waiting["at"]), dt.UTC)
    try:
        grant = _finish(request.args["code"], consented_at)
    except AuthAway:
        return _problem("away", next_path)
    except AuthRefused as error:
        return _problem(error.reason, next_path)
    except ProfileTaken:
        return _problem("profile-taken", next_path)
    flash(_done(grant), "ok")
    return redirect_to(next_path or PAGE)


def _why_not(waiting: Waiting) -> str | None:
    """Why this answer is not taken to LinkedIn at all; None when it is."""
    person_id = access.me().person_id
    if waiting["person"] != str(person_id):
        return "other-person"
    if error := request.args.get("error"):
        return error_reason(error)
    if not request.args.get("code"):
        return "stale"
    return None if has_accepted_current(person_id) else "charter"


def _finish(code: str, consented_at: dt.datetime) -> Grant:
    """Trade the code for a grant. A grant that cannot be kept is forgotten, not revoked: that
    would end the other connection to the same profile."""
    settings, person_id = current_settings(), access.me().person_id
    db.session.remove()  # nothing is held while the network talks
    granted = _auth(settings).finish(code)
    return grants.store(person_id, granted, settings.linkedin_mode, consented_at)


def _done(grant: Grant) -> str:
    if grant.display_name:
        name = grant.display_name
        return str(_("You are connected as %(name)s. Nothing was published.", name=name))
    return str(_("LinkedIn is connected. Nothing was published."))


def _problem(code: str, next_path: str = "") -> Response:
    """Why this answer stored nothing; a page that was loaded twice is told how things stand.
    What only an administrator can mend is told to them."""
    if code in ("scope", "client"):
        trouble.note(code)
    grant = grants.grant_of(access.me().person_id)
    response = render(
        "sharing/linkedin_problem.html",
        _STATUS[code],
        code=code,
        next_path=next_path,
        grant=grant if grants.is_usable(grant, clock.now()) else None,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


# --- the way out -------------------------------------------------------------------------


@sharing.post(f"{PAGE}/ending")
@access.role("member")
def linkedin_ending() -> Response:
    """Disconnect: at once, and told what went with it."""
    ended = grants.end(access.me().person_id)
    if ended is None:
        flash(_("LinkedIn was not connected."), "info")
        return redirect_to(PAGE)
    text = _("LinkedIn is disconnected, and what we kept of it is deleted.")
    if ended.cancelled:
        text += " " + ngettext(
            "One planned post was cancelled.",
            "%(num)s planned posts were cancelled.",
            ended.cancelled,
        )
    flash(text, "ok")
    return redirect_to(PAGE)
