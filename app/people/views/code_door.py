"""Six figures by mail: signing in without a password, and coming in by an open invitation."""

from __future__ import annotations

from flask import Response, request

from app import crypto
from app.errors import DomainError, InvalidInput
from app.people import email_codes, open_invitations
from app.people.joining_models import OpenInvitation
from app.people.text import normal_address
from app.people.views import people
from app.people.views.common import browser, by_field, let_in, render_for_visitor
from app.people.views.door import link_problem
from app.people.views.joining import WELCOME, said
from app.people.visitor_forms import check_visitor_form
from app.web import access, redirect_to
from app.web.i18n import language
from app.web.limits import limiter
from app.web.security import csrf


def _account() -> str:
    """The address typed, unreadable, as the key of a limit."""
    return crypto.fingerprint(normal_address(request.form.get("email", "")), "limit")[:32]


def _account_from_here() -> str:
    return f"{request.remote_addr} {_account()}"


def _in_language(path: str) -> str:
    """Before sign-in the language lives in the address."""
    return f"{path}?lang={language()}"


# --- signing in --------------------------------------------------------------------------


@people.get("/sign-in/code")
@access.public
def code_ask() -> Response:
    """Where do the six figures go?"""
    return render_for_visitor("people/code_ask.html")


# The limit by account is what stands between five tries and a million codes. It counts asking,
# not trying, and each browser has tries of its own: nobody is locked out by somebody else.
@people.post("/sign-in/code")
@access.public
@limiter.limit("20 per minute")
@limiter.limit("5 per 10 minutes", key_func=_account_from_here)
@limiter.limit("10 per 10 minutes;60 per day", key_func=_account)
def code_ask_submit() -> Response:
    """The same answer whether the address is known or not."""
    email = request.form.get("email", "")
    try:
        check_visitor_form()
    except InvalidInput as error:
        return render_for_visitor(
            "people/code_ask.html", 422, problem=error.sentence, email=email[:254]
        )
    code_id = email_codes.ask_to_sign_in(email)
    return redirect_to(_in_language(f"/sign-in/code/{email_codes.token_of(code_id)}"))


@people.get("/sign-in/code/<token>")
@access.signed
def code_enter(token: str) -> Response:
    """Six figures to type."""
    email_codes.read_token(token)
    return _enter(f"/sign-in/code/{token}", "/sign-in/code")


def _enter(action: str, again: str, error: InvalidInput | None = None) -> Response:
    return render_for_visitor(
        "people/code_enter.html",
        422 if error else 200,
        action=_in_language(action),
        again=_in_language(again),
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.post("/sign-in/code/<token>")
@access.signed
@limiter.limit("30 per minute")
def code_enter_submit(token: str) -> Response:
    """In, or one try less."""
    try:
        check_visitor_form()
        signed_in = email_codes.sign_in_by_code(
            email_codes.read_token(token), request.form.get("code", ""), browser()
        )
    except InvalidInput as error:
        return _enter(f"/sign-in/code/{token}", "/sign-in/code", error)
    return let_in(signed_in)


# --- an invitation by link, poster or paper ----------------------------------------------


@people.get("/invitation")
@access.public
def invitation_code() -> Response:
    """A code from a poster or a sheet, to be typed."""
    return render_for_visitor("people/invitation_code.html")


@people.post("/invitation")
@access.public
@limiter.limit("10 per minute;60 per hour")
def invitation_code_submit() -> Response:
    """On to the page of the invitation, or what is wrong with the code."""
    typed = request.form.get("code", "")
    try:
        check_visitor_form()
        open_invitations.by_code(typed)
    except InvalidInput as error:
        return _wrong_code(typed, error)
    except DomainError as error:
        return _wrong_code(typed, error, 422 if error.status == 404 else error.status)
    return redirect_to(_in_language(f"/i/{open_invitations.read_code(typed)}"))


def _wrong_code(typed: str, error: DomainError, status: int = 422) -> Response:
    if status != 422:
        return link_problem(error)
    return render_for_visitor(
        "people/invitation_code.html", 422, typed=typed[:20], problem=error.sentence
    )


@people.get("/i/<code>")
@access.signed
@limiter.limit("30 per minute;200 per hour")
def invited_openly(code: str) -> Response:
    """What it is, and who one is."""
    try:
        row = open_invitations.by_code(code)
    except DomainError as error:
        return link_problem(error)
    return _introduction(row, code)


def _introduction(row: OpenInvitation, code: str, error: InvalidInput | None = None) -> Response:
    return render_for_visitor(
        "people/open_invitation.html",
        422 if error else 200,
        invitation=row,
        holder=open_invitations.holder_of(row),
        action=_in_language(f"/i/{code}"),
        name=request.form.get("name", "")[:200],
        email=request.form.get("email", "")[:254],
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.post("/i/<code>")
@access.signed
@limiter.limit("10 per minute;60 per hour")
@limiter.limit("10 per 10 minutes;60 per day", key_func=_account)
def invited_openly_submit(code: str) -> Response:
    """Six figures go to the mailbox that was typed."""
    try:
        check_visitor_form()
        code_id = open_invitations.answer(
            code, request.form.get("name", ""), request.form.get("email", ""), language()
        )
    except InvalidInput as error:
        return _introduction(open_invitations.by_code(code), code, error)
    except DomainError as error:
        return link_problem(error)
    return redirect_to(_in_language(f"/i/{code}/codes/{email_codes.token_of(code_id)}"))


@people.get("/i/<code>/codes/<token>")
@access.signed
def invited_openly_code(code: str, token: str) -> Response:
    """Six figures to type."""
    email_codes.read_token(token)
    return _enter(f"/i/{code}/codes/{token}", f"/i/{code}")


@people.post("/i/<code>/codes/<token>")
@access.signed
@limiter.limit("30 per minute")
def invited_openly_code_submit(code: str, token: str) -> Response:
    """On to joining, to an administrator's answer, or in, for whoever takes part already."""
    try:
        check_visitor_form()
        verified = open_invitations.verify(
            email_codes.read_token(token), request.form.get("code", ""), browser()
        )
    except InvalidInput as error:
        return _enter(f"/i/{code}/codes/{token}", f"/i/{code}", error)
    except DomainError as error:
        return link_problem(error)
    if verified.signed_in is not None:
        return let_in(verified.signed_in)
    if verified.ticket:
        return redirect_to(_in_language(f"/join/open/{verified.ticket}"))
    return redirect_to(_in_language("/invitation/asked"))


@people.get("/invitation/asked")
@access.public
def invitation_asked() -> Response:
    """An administrator looks at it; a mail follows."""
    return render_for_visitor("people/invitation_asked.html")


@people.get("/join/open/<ticket>")
@access.signed
@limiter.limit("60 per minute")
def join_openly(ticket: str) -> Response:
    """Why, which rights, which choices."""
    try:
        return _question(ticket)
    except DomainError as error:
        return link_problem(error)


def _question(ticket: str, error: InvalidInput | None = None) -> Response:
    asked = open_invitations.request_of(ticket)
    return render_for_visitor(  # nosec B106
        "people/join.html",
        422 if error else 200,
        given_name=asked.name.split()[0],
        email=asked.email,
        action=_in_language(f"/join/open/{ticket}"),
        refusal="",
        password="",
        invited=True,
        **said(error),
    )


@people.post("/join/open/<ticket>")
@access.signed
@limiter.limit("10 per minute")
def join_openly_submit(ticket: str) -> Response:
    """Take part, and be signed in."""
    purposes = request.form.getlist("purposes")
    try:
        check_visitor_form()
        signed_in = open_invitations.join_by(ticket, purposes, language(), browser())
    except InvalidInput as error:
        return _question(ticket, error)
    except DomainError as error:
        return link_problem(error)
    return let_in(signed_in, WELCOME)


for _view in (
    code_ask_submit, code_enter_submit, invitation_code_submit, invited_openly_submit,
    invited_openly_code_submit, join_openly_submit,
):  # fmt: skip
    csrf.exempt(_view)  # `check_visitor_form` stands in: there is no session yet
