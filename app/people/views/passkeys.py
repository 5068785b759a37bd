"""Passkeys: made, named and removed on one's own pages; signing in with one."""

from __future__ import annotations

import uuid

from flask import Response, flash, request, session
from flask_babel import gettext as _

from app.errors import InvalidInput
from app.people import passkeys
from app.people.errors import WrongPasskey
from app.people.logins import browser_family
from app.people.views import people
from app.people.views.common import (
    browser,
    by_field,
    confirm_first,
    let_in,
    local_path,
    passkey_site,
)
from app.people.views.devices import CHALLENGE, as_json, reader_key
from app.people.views.door import sign_in_again
from app.people.visitor_forms import check_visitor_form
from app.settings import organisation
from app.web import access, current_settings, redirect_to, render
from app.web.limits import limiter
from app.web.security import csrf

PAGE = "/me/passkeys"
LARGEST_ANSWER = 20_000
"""Characters of what a browser answers for a passkey; without attestation about 1,000."""


def _answer() -> str:
    return request.form.get("credential", "")[:LARGEST_ANSWER]


def _site() -> passkeys.Site:
    where = passkey_site()
    if where is None:
        raise WrongPasskey
    return where


# --- one's own ---------------------------------------------------------------------------


def _page(status: int = 200, **context: object) -> Response:
    return render(
        "people/passkeys.html",
        status,
        layout="page",
        passkeys=passkeys.passkeys_of(access.me().person_id),
        can_work=passkey_site() is not None,
        other_address=passkeys.other_address(current_settings().base_url),
        **context,
    )


@people.get("/me/passkeys")
@access.signed_in
def me_passkeys() -> Response:
    """Those one has."""
    return _page()


def _new(status: int = 200, **context: object) -> Response:
    typed = request.form.get("name", browser_family(browser()))[:200]
    return render("people/new_passkey.html", status, layout="page", name=typed, **context)


@people.get("/me/passkeys/new")
@access.signed_in
def me_passkey_new() -> Response:
    """A name for a new one; the browser does the rest."""
    if passkey_site() is None:
        return redirect_to(PAGE)
    return confirm_first(f"{PAGE}/new") or _new()


@people.post("/me/passkeys/challenges")
@access.signed_in
@limiter.limit("20 per minute", key_func=reader_key)
def me_passkey_challenge() -> Response:
    """What a new passkey has to sign."""
    if first := confirm_first(f"{PAGE}/new"):
        return first
    org = organisation()
    options, session[CHALLENGE] = passkeys.new_options(
        access.me().person_id, org.name if org else "Portevoix", _site()
    )
    return as_json(options)


@people.post("/me/passkeys")
@access.signed_in
@limiter.limit("20 per minute", key_func=reader_key)
def me_passkeys_submit() -> Response:
    """Keep a new one."""
    if first := confirm_first(f"{PAGE}/new"):
        return first
    token = session.pop(CHALLENGE, None)
    try:
        name = request.form.get("name", "")
        passkeys.register(access.me().person_id, name, token, _answer(), _site())
    except InvalidInput as error:
        return _new(422, problem=error.sentence, errors=by_field(error))
    flash(_("From now on, this passkey signs you in."), "ok")
    return redirect_to(PAGE)


@people.post("/me/passkeys/<uuid:passkey_id>/name")
@access.signed_in
def me_passkey_name(passkey_id: uuid.UUID) -> Response:
    """Call one otherwise."""
    try:
        passkeys.rename(access.me().person_id, passkey_id, request.form.get("name", ""))
    except InvalidInput as error:
        return _page(422, problem=error.sentence, errors=by_field(error), renamed=passkey_id)
    flash(_("The passkey has its new name."), "ok")
    return redirect_to(PAGE)


@people.post("/me/passkeys/<uuid:passkey_id>/removal")
@access.signed_in
def me_passkey_removal(passkey_id: uuid.UUID) -> Response:
    """It opens nothing any more."""
    if first := confirm_first(PAGE):
        return first
    reader = access.me()
    passkeys.remove(reader.person_id, passkey_id, but=reader.login_id)
    flash(
        _("This passkey opens nothing any more. You may delete it from your device as well."), "ok"
    )
    return redirect_to(PAGE)


# --- signing in --------------------------------------------------------------------------


@people.post("/sign-in/passkey/challenges")
@access.signed
@limiter.limit("30 per minute")
def sign_in_passkey_challenge() -> Response:
    """What a passkey has to sign; no name is asked."""
    check_visitor_form()
    options, session[CHALLENGE] = passkeys.sign_in_options(_site())
    return as_json(options)


@people.post("/sign-in/passkey")
@access.signed
@limiter.limit("30 per minute")
def sign_in_passkey() -> Response:
    """By a passkey alone."""
    token = session.pop(CHALLENGE, None)
    try:
        check_visitor_form()
        entered = passkeys.sign_in(token, _answer(), browser(), _site())
    except InvalidInput as error:
        return sign_in_again(error)
    return let_in(entered, local_path(request.form.get("next")))


for _view in (sign_in_passkey_challenge, sign_in_passkey):
    csrf.exempt(_view)  # `check_visitor_form` stands in: there is no session yet
