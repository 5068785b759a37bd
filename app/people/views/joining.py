"""Joining: by an invitation, or as somebody who is signed in already; and saying no."""

from __future__ import annotations

from flask import Response, request

from app.errors import DomainError, InvalidInput
from app.people import invitations, queries, service
from app.people.consents import NOTICE, PURPOSES, beside
from app.people.errors import AlreadyMember, OtherPerson
from app.people.links import INVITATION, person_of, read_ticket
from app.people.models import Person
from app.people.views import people
from app.people.views.common import browser, by_field, let_in, render_for_visitor
from app.people.views.door import link_problem
from app.people.visitor_forms import check_visitor_form
from app.web import access, current_settings, redirect_to, render
from app.web.i18n import language
from app.web.limits import limiter
from app.web.security import csrf

WELCOME = "/welcome"
"""Where a new member goes: a first act that nobody else sees."""


def password_field(person: Person) -> str:
    """'' with an identity provider or a password already; 'required' for the team's roles, which
    no mailbox alone may open; else 'optional': six figures by mail do as well."""
    if current_settings().oidc_issuer is not None or queries.has_password(person.id):
        return ""
    return "required" if person.role_grants else "optional"


def said(error: InvalidInput | None) -> dict[str, object]:
    """What stands on the page: the notice, the choices, what was ticked and what was wrong."""
    return {
        "notice": NOTICE,
        "purposes": PURPOSES.values(),
        "beside": beside,
        "ticked": request.form.getlist("purposes"),
        "problem": error.sentence if error else None,
        "errors": by_field(error) if error else {},
    }


def _invitation(person: Person, token: str, error: InvalidInput | None = None) -> Response:
    return render_for_visitor(
        "people/join.html",
        422 if error else 200,
        given_name=person.given_name,
        email=person.email,
        action=f"/join/{token}",
        refusal=invitations.no_thanks_path(person.id),
        password=password_field(person),
        invited=True,
        **said(error),
    )


def _invited(token: str) -> Person:
    """Raises what `person_of` raises, and `OtherPerson` where somebody else is signed in."""
    person = person_of(read_ticket(INVITATION, token))
    reader = access.reader()
    if reader is not None and reader.person_id != person.id:
        raise OtherPerson
    return person


@people.get("/join/<token>")
@access.signed
@limiter.limit("60 per minute")
def join_invited(token: str) -> Response:
    """Why, which rights, which choices; looking changes nothing."""
    try:
        person = _invited(token)
    except DomainError as error:
        return link_problem(error)
    return _invitation(person, token)


@people.post("/join/<token>")
@access.signed
@limiter.limit("10 per minute")
def join_invited_submit(token: str) -> Response:
    """Take part, and be signed in: the mailbox has proved who it is."""
    try:
        person = _invited(token)
    except DomainError as error:
        return link_problem(error)
    needed, typed = password_field(person), request.form.get("password") or None
    password = (typed or "") if needed == "required" else typed if needed else None
    purposes = request.form.getlist("purposes")
    try:
        check_visitor_form()
        service.join(person.id, password, purposes, language=language())
    except InvalidInput as error:
        return _invitation(person, token, error)
    except AlreadyMember as error:
        return link_problem(error)
    return let_in(service.start_login(person.id, browser(), "invitation"), WELCOME)


@people.get("/join")
@access.signed_in
def join() -> Response:
    """The same for somebody of the directory who signed in without taking part."""
    reader = access.me()
    if "member" in reader.roles:
        return redirect_to("/")
    return _question(queries.person(reader.person_id))


def _question(person: Person, error: InvalidInput | None = None) -> Response:
    return render(  # nosec B106
        "people/join.html",
        422 if error else 200,
        layout="page",
        given_name=person.given_name,
        email=person.email,
        action="/join",
        refusal="",
        password="",
        invited=False,
        form_token=None,
        **said(error),
    )


@people.post("/join")
@access.signed_in
def join_submit() -> Response:
    """Take part; pressing twice changes nothing the second time."""
    person_id = access.me().person_id
    purposes = request.form.getlist("purposes")
    try:
        service.join(person_id, None, purposes, language=language())
    except InvalidInput as error:
        return _question(queries.person(person_id), error)
    except AlreadyMember:
        pass
    return redirect_to(WELCOME)


@people.get("/join/rights")
@access.public
def join_rights() -> Response:
    """The page of rights for somebody who has not joined yet (feature F98)."""
    return render_for_visitor("charters/rights.html", is_member=False, is_visitor=True)


# --- no, thank you -----------------------------------------------------------------------


@people.get("/no-thanks/<token>")
@access.signed
@limiter.limit("60 per minute")
def no_thanks(token: str) -> Response:
    """Ask; looking changes nothing, because scanners look too."""
    invitations.read_no_thanks(token)
    return render_for_visitor("people/no_thanks.html", token=token, is_done=False)


@people.post("/no-thanks/<token>")
@access.signed
@limiter.limit("60 per minute")
def no_thanks_submit(token: str) -> Response:
    """Nothing more is sent: the button of the page, or the mail program's own."""
    invitations.refuse(invitations.read_no_thanks(token))
    return render_for_visitor("people/no_thanks.html", token=token, is_done=True)


@people.get("/left")
@access.public
def left() -> Response:
    """After leaving: what has gone, what stays, the way back."""
    return render_for_visitor("people/left.html")


csrf.exempt(join_invited_submit)  # `check_visitor_form` stands in: there is no session yet
csrf.exempt(no_thanks_submit)  # the signed address is the proof; a mail program has no form
