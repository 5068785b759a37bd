"""Joining: by an invitation, or as somebody who is signed in already."""

from __future__ import annotations

from flask import Response, request

from app.errors import DomainError, InvalidInput
from app.people import queries, service
from app.people.consents import NOTICE, PURPOSES
from app.people.errors import AlreadyMember
from app.people.links import INVITATION, person_of, read_ticket
from app.people.models import Person
from app.people.views import people
from app.people.views.common import browser, by_field, let_in, render_for_visitor
from app.people.views.door import link_problem
from app.people.visitor_forms import check_visitor_form
from app.web import access, current_settings, redirect_to, render
from app.web.limits import limiter
from app.web.security import csrf


def _needs_password(person: Person) -> bool:
    """Without an identity provider a password is the only way back in."""
    return current_settings().oidc_issuer is None and not queries.has_password(person.id)


def _said(error: InvalidInput | None) -> dict[str, object]:
    """What stands on the page: the notice, the choices, what was ticked and what was wrong."""
    return {
        "notice": NOTICE,
        "purposes": PURPOSES.values(),
        "ticked": request.form.getlist("purposes"),
        "problem": error.sentence if error else None,
        "errors": by_field(error) if error else {},
    }


def _invitation(person: Person, token: str, error: InvalidInput | None = None) -> Response:
    return render_for_visitor(
        "people/join.html",
        422 if error else 200,
        person=person,
        action=f"/join/{token}",
        needs_password=_needs_password(person),
        invited=True,
        **_said(error),
    )


@people.get("/join/<token>")
@access.signed
def join_invited(token: str) -> Response:
    """Why, which rights, which choices; looking changes nothing."""
    try:
        person = person_of(read_ticket(INVITATION, token))
    except DomainError as error:
        return link_problem(error)
    return _invitation(person, token)


@people.post("/join/<token>")
@access.signed
@limiter.limit("10 per minute")
def join_invited_submit(token: str) -> Response:
    """Take part, and be signed in: the mailbox has proved who it is."""
    try:
        person = person_of(read_ticket(INVITATION, token))
    except DomainError as error:
        return link_problem(error)
    password = request.form.get("password") or None
    needed = _needs_password(person)
    try:
        check_visitor_form()
        purposes = request.form.getlist("purposes")
        service.join(person.id, (password or "") if needed else None, purposes)
    except InvalidInput as error:
        return _invitation(person, token, error)
    except AlreadyMember as error:
        return link_problem(error)
    return let_in(service.start_login(person.id, browser(), "invitation"), "/")


@people.get("/join")
@access.signed_in
def join() -> Response:
    """The same for somebody of the directory who signed in without taking part."""
    reader = access.me()
    if "member" in reader.roles:
        return redirect_to("/")
    return _question(queries.person(reader.person_id))


def _question(person: Person, error: InvalidInput | None = None) -> Response:
    return render(
        "people/join.html",
        422 if error else 200,
        layout="page",
        person=person,
        action="/join",
        needs_password=False,
        invited=False,
        form_token=None,
        **_said(error),
    )


@people.post("/join")
@access.signed_in
def join_submit() -> Response:
    """Take part; pressing twice changes nothing the second time."""
    person_id = access.me().person_id
    try:
        service.join(person_id, None, request.form.getlist("purposes"))
    except InvalidInput as error:
        return _question(queries.person(person_id), error)
    except AlreadyMember:
        pass
    return redirect_to("/")


csrf.exempt(join_invited_submit)  # `check_visitor_form` stands in: there is no session yet
