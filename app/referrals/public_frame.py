"""What the pages read without an account share.

Nothing is ever stored on the reader's device: no session, no cookie, no flashed message.
What must survive from one page to the next (code, click, language) travels in the address
or in hidden fields; a form carries a signed token that says when it was given out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    render_template,
    request,
    session,
)
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from itsdangerous import BadSignature
from werkzeug.exceptions import RequestEntityTooLarge

from app.config import LANGUAGES
from app.db import db
from app.errors import DomainError
from app.referrals.candidates import serializer
from app.web import current_settings

View = TypeVar("View", bound=Callable[..., object])

public = Blueprint("public", __name__)

FORM_SECONDS = 2 * 3600
MAX_BODY = 512 * 1024


@public.url_value_preprocessor
def _limit_body(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Anybody may send a form here, so it is short. Before anything reads it."""
    request.max_content_length = MAX_BODY


def asked_language() -> str | None:
    """The language the address or the form asks for; None where the browser's counts."""
    asked = request.args.get("lang") or request.form.get("lang")
    return asked if asked in LANGUAGES else None


def address(path: str, **args: str | None) -> str:
    """A path with its parameters; the language that was asked for travels on."""
    given = {name: value for name, value in ({"lang": asked_language()} | args).items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def other_language(path: str, language: str, **args: str | None) -> str:
    """The same page in the other language."""
    return address(path, **args, lang=LANGUAGES[1] if language == LANGUAGES[0] else LANGUAGES[0])


def show(template: str, status: int = 200, **context: object) -> Response:
    """A page in the public layout."""
    return make_response(render_template(template, **context), status)


def mishap(
    status: int, title: str, happened: str, *, todo: str = "", action: tuple[str, str] | None = None
) -> Response:
    """What went wrong, for people. `action` is (address, label)."""
    return show(
        "errors/public.html",
        status,
        code=status,
        title=title,
        happened=happened,
        todo=todo,
        action_url=action[0] if action else "",
        action_label=action[1] if action else "",
    )


# --- the form's own token ----------------------------------------------------------------


def form_token(about: str) -> str:
    """For the hidden field of a form that is given out now; `about` binds it to its page."""
    return str(serializer("public-form").dumps(about))


def is_fresh(token: str | None, about: str) -> bool:
    """Whether a form was given out for this page, within the last two hours."""
    try:
        return bool(serializer("public-form").loads(token or "", max_age=FORM_SECONDS) == about)
    except BadSignature:
        return False


# --- headers -----------------------------------------------------------------------------


def private(view: View) -> View:
    """Mark a view whose address is a secret of its reader: not kept, not indexed, not told on."""
    view.__dict__["is_private"] = True
    return view


def _is_private() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return request.blueprint == public.name and bool(getattr(view, "is_private", False))


@public.after_request
def _store_nothing(response: Response) -> Response:
    """Flask would renew a member's lasting cookie here, or take away one that has ended: a
    public page does neither."""
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        session.pop("_permanent", None)
        session.modified = False
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.mimetype == "text/html":
        response.vary.add("Accept-Language")
    return response


def _keep_private(response: Response) -> Response:
    if _is_private():
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Cache-Control"] = "no-store"
    return response


@public.record_once
def _come_last(state: BlueprintSetupState) -> None:
    """Functions run from the last registered to the first: ours must follow Talisman's, which
    sets one referrer policy for all pages."""
    state.app.after_request_funcs.setdefault(None, []).insert(0, _keep_private)


# --- errors ------------------------------------------------------------------------------


@public.errorhandler(RequestEntityTooLarge)
def _on_too_large(error: RequestEntityTooLarge) -> Response:
    """The form cannot be read, so it cannot say its language either."""
    asked = request.args.get("lang")
    g.language = asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES)
    g.language = g.language or current_settings().locale
    return mishap(
        413,
        _("This is too large"),
        _("Nothing was kept. A few hundred words are enough here."),
        todo=_("Go back: what you typed is still in your browser."),
    )


@public.errorhandler(DomainError)
def _on_domain_error(error: DomainError) -> Response:
    db.session.rollback()
    happened = {
        404: _("The address may be old or mistyped."),
        410: _("It was in use for a while, and no longer is."),
    }
    said = happened.get(error.status, _("Nothing was changed."))
    again = (address("/c"), _("Receive a new address")) if request.path.startswith("/c/") else None
    return mishap(error.status, str(error.sentence), said, action=again)
