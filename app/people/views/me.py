"""One's own pages: profile, language, choices, devices, tokens, leaving."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Response, flash, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock, crypto
from app.errors import InvalidInput, NotProven
from app.people import pauses, queries, service, sessions
from app.people.consents import PURPOSES, beside
from app.people.errors import check_form
from app.people.views import people
from app.people.views.common import by_field
from app.people.words import KIND_NAMES, LANGUAGE_NAMES, ROLE_NAMES, SCOPE_NAMES
from app.web import access, redirect_to, render
from app.web.i18n import language
from app.web.limits import limiter

SHOWN_ONCE = "shown_once"
LIFETIMES_DAYS = (30, 90, 365)


def _page(status: int = 200, **context: object) -> Response:
    reader = access.me()
    return render(
        "people/me.html",
        status,
        layout="page",
        person=queries.person(reader.person_id),
        kinds=KIND_NAMES,
        roles=[ROLE_NAMES[role] for role in sorted(reader.roles)],
        languages=LANGUAGE_NAMES,
        is_member="member" in reader.roles,
        choices=queries.choices_of(reader.person_id),
        beside=beside,
        pause=pauses.pause_of(reader.person_id),
        has_password=queries.has_password(reader.person_id),
        **context,
    )


@people.get("/me")
@access.signed_in
def me() -> Response:
    """What the directory says, and what one may change oneself."""
    return _page()


@people.post("/me/language")
@access.signed_in
def me_language() -> Response:
    """The language of pages and mails."""
    service.set_language(access.me().person_id, request.form.get("lang", ""))
    flash(_("From now on, pages and mails come in this language."), "ok")
    return redirect_to("/me")


@people.post("/me/consents")
@access.role("member")
def me_consent() -> Response:
    """Say yes to one purpose."""
    service.give_consent(
        access.me().person_id, request.form.get("purpose", ""), language=language()
    )
    flash(_("Noted. You may take it back at any time."), "ok")
    return redirect_to("/me#choices")


@people.post("/me/consents/<purpose>/withdrawal")
@access.signed_in
def me_consent_withdrawal(purpose: str) -> Response:
    """Take a yes back."""
    if purpose not in PURPOSES:
        raise check_form({"purpose": _l("This choice does not exist.")})
    service.withdraw_consent(access.me().person_id, purpose)
    flash(_("Taken back, from now on."), "ok")
    return redirect_to("/me#choices")


def _me_key() -> str:
    return str(access.me().person_id)


@people.post("/me/password")
@access.signed_in
@limiter.limit("10 per minute", key_func=_me_key)
def me_password() -> Response:
    """Change the password; other devices are signed out."""
    reader = access.me()
    try:
        service.change_password(
            reader.person_id,
            request.form.get("current", ""),
            request.form.get("password", ""),
            but=reader.login_id,
        )
    except InvalidInput as error:
        return _page(422, problem=error.sentence, errors=by_field(error))
    if reader.login_id is not None:
        sessions.renew(reader.login_id)
    flash(_("Your password is changed. Your other devices are signed out."), "ok")
    return redirect_to("/me")


def _tokens_page(status: int = 200, **context: object) -> Response:
    reader = access.me()
    allowed = service.allowed_scopes(reader.roles)
    response = render(
        "people/tokens.html",
        status,
        layout="page",
        tokens=queries.tokens_of(reader.person_id),
        scopes=[(code, words) for code, words in SCOPE_NAMES.items() if code in allowed],
        scope_names=SCOPE_NAMES,
        lifetimes=LIFETIMES_DAYS,
        **context,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@people.get("/me/tokens")
@access.signed_in
def me_tokens() -> Response:
    """Tokens for programs; a new one is shown this once."""
    sealed = session.pop(SHOWN_ONCE, None)
    return _tokens_page(plain=crypto.decrypt(sealed, SHOWN_ONCE) if sealed else None)


@people.post("/me/tokens")
@access.signed_in
@limiter.limit("20 per hour", key_func=_me_key)
def me_tokens_submit() -> Response:
    """Make a token. It travels to the next page sealed, in the person's own cookie."""
    if access.me().withheld:  # a token acts with every role of its person
        raise NotProven(_l("Show your second factor first."))
    try:
        plain = service.issue_token(
            access.me().person_id,
            request.form.get("name", ""),
            request.form.getlist("scopes"),
            expires_at=_expiry(request.form.get("days", "")),
        )
    except InvalidInput as error:
        return _tokens_page(
            422,
            problem=error.sentence,
            errors=by_field(error),
            name=request.form.get("name", "")[:120],
            chosen=request.form.getlist("scopes"),
            days=request.form.get("days", ""),
        )
    session[SHOWN_ONCE] = crypto.encrypt(plain, SHOWN_ONCE)
    return redirect_to("/me/tokens")


def _expiry(days: str) -> dt.datetime:
    if days not in {str(d) for d in LIFETIMES_DAYS}:
        raise check_form({"days": _l("Choose how long the token works.")})
    return clock.now() + dt.timedelta(days=int(days))


@people.post("/me/tokens/<uuid:token_id>/revocation")
@access.signed_in
def me_token_revocation(token_id: uuid.UUID) -> Response:
    """Take a token back, at once."""
    service.revoke_token(access.me().person_id, token_id)
    flash(_("This token no longer works."), "ok")
    return redirect_to("/me/tokens")


@people.get("/me/leaving")
@access.role("member")
def me_leaving() -> Response:
    """What leaving does, before the one press."""
    return render("people/leaving.html")


@people.post("/me/leaving")
@access.role("member")
def me_leaving_submit() -> Response:
    """Leave the programme: no reason asked, at once."""
    service.leave(access.me().person_id)
    sessions.end()
    return redirect_to("/left")
