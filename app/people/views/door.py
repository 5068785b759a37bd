"""Signing in and out, and choosing a new password."""

from __future__ import annotations

from flask import Response, request
from flask_babel import lazy_gettext as _l
from flask_limiter.util import get_remote_address

from app.errors import DomainError, InvalidInput
from app.people import known_browsers, service, sessions
from app.people.links import RESET, person_of, read_ticket
from app.people.provider_settings import offers_password
from app.people.views import people
from app.people.views.common import (
    browser,
    by_field,
    home,
    let_in,
    local_path,
    passkey_site,
    render_for_visitor,
)
from app.people.views.provider import after_sign_out
from app.people.visitor_forms import check_visitor_form
from app.web import access, current_settings, redirect_to
from app.web.limits import limiter
from app.web.security import csrf

NOTES = {
    "signed-out": _l("You are signed out."),
    "left": _l("You have left the programme. Nothing more happens in your name."),
    "asked": _l("If this address has an account, a mail is on its way, good for one hour."),
}


def _account() -> str:
    """The address typed, unreadable, as the key of a limit."""
    return known_browsers.account_key(request.form.get("email", ""))


def _known() -> str | None:
    """The place of its own that a browser has in which this account signed in before."""
    number = known_browsers.number_for(_account())
    return f"browser {number}" if number else None


def _here() -> str:
    return _known() or get_remote_address()


def _account_from_here() -> str:
    return _known() or f"{get_remote_address()} {_account()}"


def _account_anywhere() -> str:
    return _known() or _account()


def _page(status: int = 200, **context: object) -> Response:
    wanted = local_path(request.values.get("next"))
    return render_for_visitor(
        "people/sign_in.html",
        status,
        next=wanted,
        email=request.form.get("email", "")[:254],
        provider=current_settings().oidc_issuer is not None,
        passkeys=passkey_site() is not None,
        # Hidden where passwords are closed; administrators ask for the form.
        offers_password="password" in request.values or offers_password(),
        **context,
    )


def sign_in_again(error: InvalidInput) -> Response:
    """The page of the way in, with what was wrong."""
    return _page(422, problem=error.sentence)


@people.get("/sign-in")
@access.public
def sign_in() -> Response:
    """The way in. Somebody who is signed in already goes on."""
    if access.reader() is not None:
        return redirect_to(local_path(request.args.get("next")) or home())
    return _page(note=NOTES.get(request.args.get("note", "")))


# A limit slows and never locks: the account's own limit counts one address at a time, the one
# over all addresses is wide and gone after a minute, and a browser in which the person signed in
# before is counted alone (`known_browsers`), whatever others do at the same door.
@people.post("/sign-in")
@access.public
@limiter.limit("30 per minute", key_func=_here)
@limiter.limit("10 per minute", key_func=_account_from_here)
@limiter.limit("100 per minute", key_func=_account_anywhere)
def sign_in_submit() -> Response:
    """By address and password; the same words whatever was wrong."""
    try:
        check_visitor_form()
        entered = service.sign_in(
            request.form.get("email", ""), request.form.get("password", ""), browser()
        )
    except InvalidInput as error:
        return _page(422, problem=error.sentence)
    return let_in(entered, local_path(request.form.get("next")))


@people.post("/sign-out")
@access.signed_in
def sign_out() -> Response:
    """End this device's login and forget it here, then at the identity provider."""
    login_id = access.me().login_id
    if login_id is not None:
        service.sign_out(login_id)
    sessions.end()
    return after_sign_out(login_id)


@people.get("/sign-in/password")
@access.public
def forgotten() -> Response:
    """Ask for a link to choose a new password."""
    return render_for_visitor("people/forgotten.html")


@people.post("/sign-in/password")
@access.public
@limiter.limit("10 per minute")
@limiter.limit("5 per hour", key_func=_account_from_here)
def forgotten_submit() -> Response:
    """The same answer whether there is an account or not."""
    try:
        check_visitor_form()
    except InvalidInput as error:
        email = request.form.get("email", "")[:254]
        return render_for_visitor("people/forgotten.html", 422, problem=error.sentence, email=email)
    service.forget_password(request.form.get("email", ""))
    return redirect_to("/sign-in?note=asked")


@people.get("/password/<token>")
@access.signed
def new_password(token: str) -> Response:
    """Choose a new password, by the link from the mailbox."""
    try:
        person = person_of(read_ticket(RESET, token))
    except DomainError as error:
        return link_problem(error)
    return render_for_visitor("people/new_password.html", person=person, token=token)


@people.post("/password/<token>")
@access.signed
@limiter.limit("10 per minute")
def new_password_submit(token: str) -> Response:
    """Keep the new password; every device is signed out, this one signed in."""
    try:
        ticket = read_ticket(RESET, token)
        person = person_of(ticket)
    except DomainError as error:
        return link_problem(error)
    try:
        check_visitor_form()
        signed_in = service.reset_password(ticket, request.form.get("password", ""), browser())
    except InvalidInput as error:
        return render_for_visitor(
            "people/new_password.html",
            422,
            person=person,
            token=token,
            problem=error.sentence,
            errors=by_field(error),
        )
    return let_in(signed_in)


def link_problem(error: DomainError) -> Response:
    """A link that does nothing (any more), and what to do instead."""
    return render_for_visitor("people/link_problem.html", error.status, code=error.code)


for _view in (sign_in_submit, forgotten_submit, new_password_submit):
    csrf.exempt(_view)  # `check_visitor_form` stands in: there is no session yet
