"""Devices that are signed in, ended one by one or all; showing once more who one is."""

from __future__ import annotations

import uuid

from flask import Response, flash, request, session
from flask_babel import gettext as _

from app.errors import InvalidInput
from app.people import devices, passkeys, queries, second_factor, service, sessions
from app.people.errors import PasskeyTooWeak, WrongPasskey
from app.people.views import people
from app.people.views.common import by_field, local_path, passkey_site
from app.people.words import METHOD_NAMES
from app.web import access, current_settings, redirect_to, render
from app.web.limits import limiter

CHALLENGE = "ceremony"
"""What waits in the session while the browser speaks with a passkey."""


def reader_key() -> str:
    """Limits on what somebody who is signed in tries count by person."""
    return str(access.me().person_id)


@people.get("/me/devices")
@access.signed_in
def me_devices() -> Response:
    """Where one is signed in, and since when."""
    reader = access.me()
    return render(
        "people/devices.html",
        200,
        layout="page",
        devices=devices.devices_of(reader.person_id, reader.roles | reader.withheld),
        this_device=reader.login_id,
        methods=METHOD_NAMES,
    )


@people.post("/me/devices/<uuid:login_id>/ending")
@access.signed_in
def me_device_ending(login_id: uuid.UUID) -> Response:
    """Sign one device out; this one goes to the door."""
    reader = access.me()
    service.end_login(reader.person_id, login_id)
    if login_id == reader.login_id:
        sessions.end()
        return redirect_to("/sign-in?note=signed-out")
    flash(_("This device is signed out."), "ok")
    return redirect_to("/me/devices")


@people.post("/me/devices/ending")
@access.signed_in
def me_devices_ending() -> Response:
    """Sign every other device out."""
    reader = access.me()
    service.end_all_logins(reader.person_id, but=reader.login_id)
    flash(_("Every other device is signed out."), "ok")
    return redirect_to("/me/devices")


# --- it is me ----------------------------------------------------------------------------


def _confirmation(status: int = 200, **context: object) -> Response:
    reader = access.me()
    means = second_factor.means_of(reader.person_id, reader.login_id)
    # Where a second factor is wanted, the password that was given already proves nothing new.
    wanted = bool(reader.withheld)
    return render(
        "people/confirmation.html",
        status,
        layout="page",
        next=local_path(request.values.get("next")),
        has_password=not wanted and queries.has_password(reader.person_id),
        has_app=means.set_at is not None,
        has_passkey=means.passkeys > 0 and passkey_site() is not None,
        wanted=wanted,
        provider=current_settings().oidc_issuer is not None,
        **context,
    )


@people.get("/me/confirmation")
@access.signed_in
def me_confirmation() -> Response:
    """Before what changes the ways in: by password, by code or by passkey."""
    return _confirmation()


@people.post("/me/confirmation")
@access.signed_in
@limiter.limit("5 per minute; 30 per hour", key_func=reader_key)
def me_confirmation_submit() -> Response:
    """By the password, or by a code."""
    reader, code = access.me(), request.form.get("code", "")[:64]
    try:
        if code:
            second_factor.check_code(reader.person_id, code, is_known=True)
            devices.confirm(reader.login_id, verified=True)
        else:
            password = request.form.get("password", "")
            devices.confirm_by_password(reader.person_id, reader.login_id, password)
    except InvalidInput as error:
        return _confirmation(422, problem=error.sentence, errors=by_field(error))
    return confirmed()


def confirmed() -> Response:
    """Go on, with a new token: what this session may do has changed."""
    login_id = access.me().login_id
    if login_id is not None:
        sessions.renew(login_id)
    return redirect_to(local_path(request.form.get("next")) or "/me")


@people.post("/me/confirmation/challenges")
@access.signed_in
@limiter.limit("20 per minute", key_func=reader_key)
def me_confirmation_challenge() -> Response:
    """What one of the person's own passkeys has to sign."""
    where = passkey_site()
    if where is None:
        raise WrongPasskey
    options, session[CHALLENGE] = passkeys.confirm_options(access.me().person_id, where)
    return as_json(options)


@people.post("/me/confirmation/passkey")
@access.signed_in
@limiter.limit("20 per minute", key_func=reader_key)
def me_confirmation_passkey() -> Response:
    """By a passkey."""
    reader, where = access.me(), passkey_site()
    answer, token = request.form.get("credential", ""), session.pop(CHALLENGE, None)
    try:
        if where is None:
            raise WrongPasskey
        verified = passkeys.confirm(reader.person_id, token, answer, where)
    except InvalidInput as error:
        return _confirmation(422, problem=error.sentence)
    if reader.withheld and not verified:
        return _confirmation(422, problem=PasskeyTooWeak().sentence)
    devices.confirm(reader.login_id, verified=verified)
    return confirmed()


def as_json(options: str) -> Response:
    """Options for the browser's own dialogue with a passkey; kept nowhere."""
    return Response(options, content_type="application/json", headers={"Cache-Control": "no-store"})
