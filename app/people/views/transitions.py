"""Transitions: what each will do before it is done, the confirmation, the person's own pages.

The administrator's pages are part of the directory. What a person decides alone (an address of
their own, an account as a former employee) happens behind links to that address.
"""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.config import LANGUAGES
from app.errors import DomainError, InvalidInput, NotFound
from app.people import (
    first_day,
    kinds,
    personal_address,
    placements,
    queries,
    service,
    transitions,
)
from app.people.consents import PURPOSES
from app.people.errors import LinkUsed, check_form
from app.people.models import Person
from app.people.personal_address import CONFIRM, KEEP
from app.people.views import people
from app.people.views.common import browser, by_field, let_in, render_for_visitor
from app.people.views.door import link_problem
from app.people.visitor_forms import check_visitor_form
from app.people.words import KIND_NAMES, LANGUAGE_NAMES, ROLE_NAMES
from app.web import access, current_settings, redirect_to, render
from app.web.limits import limiter
from app.web.pages import local_today
from app.web.security import csrf

TITLES = {
    transitions.DEPARTURE: _l("Has left the organisation"),
    transitions.ABSENCE: _l("A long absence begins"),
    transitions.RETURN: _l("Is back in the organisation"),
}
_PRESSES = {
    transitions.DEPARTURE: (_l("Yes, departed"), "departure", "stop-solid"),
    transitions.ABSENCE: (_l("Begin the absence"), "absence", ""),
    transitions.RETURN: (_l("Yes, back"), "return", ""),
}


def _back(person_id: uuid.UUID) -> Response:
    return redirect_to(f"/studio/people/{person_id}/transitions")


def _day(text: str, field: str) -> dt.date | None:
    """A day that was typed; None for an empty field. Raises `InvalidInput`."""
    try:
        return dt.date.fromisoformat(text) if text.strip() else None
    except ValueError as error:
        raise check_form({field: _l("Give a day.")}) from error


# --- the administrator's -----------------------------------------------------------------


def _overview(person: Person, error: InvalidInput | None = None) -> Response:
    address = personal_address.address_of(person.id)
    return render(
        "people/transitions.html",
        422 if error else 200,
        layout="page",
        person=person,
        state=_state(person),
        kind=KIND_NAMES[person.kind],
        address_state=_address_state(address),
        placements=placements.placements_of(person.id),
        reviews=placements.open_reviews(person.id),
        role_names=ROLE_NAMES,
        is_alumni=person.kind == kinds.ALUMNI,
        typed=request.form,
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


def _address_state(address: object) -> str:
    """Never the address itself: it is the person's own."""
    if address is None:
        return "none"
    return "confirmed" if getattr(address, "confirmed_at", None) else "asked"


def _state(person: Person) -> str:
    if person.departed_at is not None:
        return "departed"
    if person.suspended_at is not None:
        return "absent"
    return "ahead" if first_day.is_ahead(person) else "present"


@people.get("/studio/people/<uuid:person_id>/transitions")
@access.role("admin")
def transitions_of(person_id: uuid.UUID) -> Response:
    """Where a person stands, and which steps are possible from here."""
    return _overview(queries.person(person_id))


@people.get("/studio/people/<uuid:person_id>/transitions/<transition>")
@access.role("admin")
def transition(person_id: uuid.UUID, transition: str) -> Response:
    """What a step would do to this person, counted, before it is taken."""
    if transition not in TITLES:
        raise NotFound(_l("There is no such step."))
    press, act, look = _PRESSES[transition]
    return render(
        "people/transition.html",
        person=queries.person(person_id),
        title=TITLES[transition],
        effects=transitions.effects(person_id, transition),
        press=press,
        action=f"/studio/people/{person_id}/{act}",
        look=look,
    )


@people.post("/studio/people/<uuid:person_id>/absence")
@access.role("admin")
def directory_absence(person_id: uuid.UUID) -> Response:
    """A long absence begins."""
    transitions.suspend(person_id, actor_id=access.me().person_id)
    flash(_("The absence is noted: nothing is sent until it ends."), "ok")
    return _back(person_id)


@people.post("/studio/people/<uuid:person_id>/absence/ending")
@access.role("admin")
def directory_absence_ending(person_id: uuid.UUID) -> Response:
    """It ends; everything is as before."""
    transitions.resume(person_id, actor_id=access.me().person_id)
    flash(_("The absence has ended; everything is as before."), "ok")
    return _back(person_id)


@people.post("/studio/people/<uuid:person_id>/last-day")
@access.role("admin")
def directory_last_day(person_id: uuid.UUID) -> Response:
    """Note the last day, or take it back."""
    try:
        day = _day(request.form.get("ends_on", ""), "ends_on")
        transitions.set_last_day(person_id, day, actor_id=access.me().person_id)
    except InvalidInput as error:
        return _overview(queries.person(person_id), error)
    flash(_("The last day is noted.") if day else _("No last day is noted any more."), "ok")
    return _back(person_id)


@people.post("/studio/people/<uuid:person_id>/personal-address")
@access.role("admin")
def directory_personal_address(person_id: uuid.UUID) -> Response:
    """Note an address that the person gave; its mailbox is asked."""
    try:
        personal_address.give_address(
            person_id, request.form.get("personal", ""), actor_id=access.me().person_id
        )
    except InvalidInput as error:
        return _overview(queries.person(person_id), error)
    flash(_("The mailbox is asked; the rest is up to the person."), "ok")
    return _back(person_id)


@people.post("/studio/people/<uuid:person_id>/taking-back")
@access.role("admin")
def directory_taking_back(person_id: uuid.UUID) -> Response:
    """Link a former employee with the new entry: shown first, done when confirmed."""
    number, email = request.form.get("employee_id", ""), request.form.get("email", "")
    try:
        entry = transitions.new_entry(person_id, number, email)
        if request.form.get("confirmed") == "1":
            transitions.take_back(person_id, number, email, actor_id=access.me().person_id)
            flash(_("This person is an employee again, with their history."), "ok")
            return _back(person_id)
    except InvalidInput as error:
        return _overview(queries.person(person_id), error)
    return render("people/transition_link.html", person=queries.person(person_id), entry=entry)


@people.get("/studio/people/transitions")
@access.role("admin")
def transitions_to_see() -> Response:
    """What waits for an administrator: limited roles after a move, last days ahead."""
    return render(
        "people/transitions_waiting.html",
        reviews=placements.open_reviews(),
        role_names=ROLE_NAMES,
        leaving=queries.leaving_soon(local_today()),
    )


@people.post("/studio/people/reviews/<uuid:review_id>/<outcome>")
@access.role("admin")
def role_review(review_id: uuid.UUID, outcome: str) -> Response:
    """Keep a limited role, or take it."""
    placements.settle_review(review_id, outcome, actor_id=access.me().person_id)
    flash(_("Decided, and noted in the log."), "ok")
    return redirect_to("/studio/people/transitions")


@people.get("/studio/people/partners/new")
@access.role("admin")
def partner_new() -> Response:
    """An empty form."""
    return _partner_page()


def _partner_page(error: InvalidInput | None = None) -> Response:
    return render(
        "people/transition_partner.html",
        422 if error else 200,
        layout="page",
        typed=request.form,
        languages=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES],
        language=current_settings().locale,
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.post("/studio/people/partners")
@access.role("admin")
def partner_submit() -> Response:
    """Add and invite a partner until a last day."""
    try:
        day = _day(request.form.get("ends_on", ""), "ends_on")
        if day is None:
            raise check_form({"ends_on": _l("Give a day.")})
        person = transitions.add_partner(
            name=request.form.get("name", ""),
            email=request.form.get("email", ""),
            language=request.form.get("language", ""),
            ends_on=day,
            actor_id=access.me().person_id,
        )
    except InvalidInput as error:
        return _partner_page(error)
    flash(_("%(name)s is invited.", name=person.name), "ok")
    return redirect_to(f"/studio/people/{person.id}/transitions")


# --- the person's own --------------------------------------------------------------------


def _last_day(error: InvalidInput | None = None) -> Response:
    person = queries.person(access.me().person_id)
    return render(
        "people/transition_last_day.html",
        422 if error else 200,
        layout="page",
        person=person,
        words=transitions.words_for(person.id),
        address=personal_address.address_of(person.id),
        typed=request.form,
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.get("/me/last-day")
@access.role("member")
def me_last_day() -> Response:
    """What happens when one leaves the organisation, and what one may decide before."""
    return _last_day()


def _me_key() -> str:
    return str(access.me().person_id)


@people.post("/me/last-day/address")
@access.role("member")
@limiter.limit("5 per hour", key_func=_me_key)
def me_last_day_address() -> Response:
    """An address of one's own, for afterwards; its mailbox is asked."""
    try:
        personal_address.give_address(
            access.me().person_id, request.form.get("email", ""), actor_id=access.me().person_id
        )
    except InvalidInput as error:
        return _last_day(error)
    flash(_("A mail is on its way to it: confirm it there."), "ok")
    return redirect_to("/me/last-day")


@people.post("/me/last-day/address/withdrawal")
@access.signed_in
def me_last_day_address_withdrawal() -> Response:
    """Take it back; it is forgotten."""
    personal_address.withdraw_address(access.me().person_id)
    flash(_("Forgotten."), "ok")
    return redirect_to("/me/last-day")


@people.get("/personal-address/<token>")
@access.signed
def personal_address_question(token: str) -> Response:
    """Is this mailbox yours? Looking changes nothing."""
    try:
        person = personal_address.read_token(CONFIRM, token)
    except DomainError as error:
        return link_problem(error)
    return render_for_visitor(
        "people/transition_address.html", person=person, action=f"/personal-address/{token}"
    )


@people.post("/personal-address/<token>")
@access.signed
@limiter.limit("10 per minute")
def personal_address_submit(token: str) -> Response:
    """Yes. Who has left already may go on at once."""
    try:
        check_visitor_form()
        person = personal_address.confirm_address(token)
    except DomainError as error:
        return link_problem(error)
    if transitions.may_open_as_alumni(person):
        return redirect_to(f"/kept-account/{personal_address.token_for(KEEP, person.id)}")
    return render_for_visitor("people/transition_address.html", person=person, action=None)


def _keeper(token: str) -> Person:
    person = personal_address.read_token(KEEP, token)
    if not transitions.may_open_as_alumni(person):
        raise LinkUsed
    return person


def _keep_page(person: Person, token: str, error: InvalidInput | None = None) -> Response:
    return render_for_visitor(
        "people/transition_keep.html",
        422 if error else 200,
        person=person,
        action=f"/kept-account/{token}",
        purposes=PURPOSES.values(),
        ticked=request.form.getlist("purposes"),
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.get("/kept-account/<token>")
@access.signed
def kept_account(token: str) -> Response:
    """What an account as a former employee is; looking changes nothing."""
    try:
        return _keep_page(_keeper(token), token)
    except DomainError as error:
        return link_problem(error)


@people.post("/kept-account/<token>")
@access.signed
@limiter.limit("10 per minute")
def kept_account_submit(token: str) -> Response:
    """Keep it, and be signed in: the mailbox has proved who it is."""
    try:
        person = _keeper(token)
    except DomainError as error:
        return link_problem(error)
    try:
        check_visitor_form()
        transitions.open_as_alumni(
            person.id, request.form.get("password", ""), request.form.getlist("purposes")
        )
    except InvalidInput as error:
        return _keep_page(person, token, error)
    return let_in(service.start_login(person.id, browser(), "invitation"), "/")


csrf.exempt(personal_address_submit)  # `check_visitor_form` stands in: there is no session
csrf.exempt(kept_account_submit)
