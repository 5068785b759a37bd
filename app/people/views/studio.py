"""The directory, for administrators: who may be invited and what they may do.

Nothing here says who takes part (rule W2): an invitation is answered the same way for
everybody, and `member` is no role that is shown or searched.
"""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _

from app import mail
from app.config import LANGUAGES
from app.errors import InvalidInput
from app.people import queries, service
from app.people.models import KINDS, Person
from app.people.service import GRANTABLE, Profile
from app.people.views import people
from app.people.views.common import by_field
from app.people.words import KIND_NAMES, LANGUAGE_NAMES, ROLE_DUTIES, ROLE_NAMES
from app.web import access, current_settings, redirect_to, render
from app.web.pages import url_with

WORDS: dict[str, object] = {
    "kinds": [(kind, KIND_NAMES[kind]) for kind in KINDS],
    "kind_names": KIND_NAMES,
    "languages": [(code, LANGUAGE_NAMES[code]) for code in LANGUAGES],
    "role_names": ROLE_NAMES,
    "role_duties": ROLE_DUTIES,
    "grantable": GRANTABLE,
}


@people.get("/studio/people")
@access.role("admin")
def directory() -> Response:
    """The directory by name; the search and the page live in the address."""
    search, departed = request.args.get("q", "")[:100], request.args.get("departed") == "1"
    page = queries.people_page(search, request.args.get("after"), departed=departed)
    return render(
        "people/directory.html",
        200,
        layout="page",
        rows=page.items,
        next_url=url_with(after=page.next) if page.next else None,
        first_url=url_with() if request.args.get("after") else None,
        search=search,
        departed=departed,
        **WORDS,
    )


def _typed() -> dict[str, str]:
    fields = ("kind", "name", "email", "employee_id", "language", "department", "site", "job_title")
    return {name: request.form.get(name, "") for name in fields}


@people.get("/studio/people/new")
@access.role("admin")
def directory_new() -> Response:
    """An empty entry; `?invite=1` comes with the invitation ticked."""
    return render(
        "people/new_person.html",
        200,
        layout="page",
        typed={"language": current_settings().locale},
        roles=[],
        invited=request.args.get("invite") == "1",
        **WORDS,
    )


@people.post("/studio/people")
@access.role("admin")
def directory_submit() -> Response:
    """Add somebody; with a tick, an invitation leaves at once."""
    actor_id, roles = access.me().person_id, request.form.getlist("roles")
    try:
        person = service.add_person(**_typed(), roles=roles, actor_id=actor_id)
    except InvalidInput as error:
        return render(
            "people/new_person.html",
            422,
            layout="page",
            typed=_typed(),
            roles=roles,
            invited=bool(request.form.get("invite")),
            problem=error.sentence,
            errors=by_field(error),
            **WORDS,
        )
    flash(_("%(name)s is in the directory.", name=person.name), "ok")
    if request.form.get("invite"):
        service.invite(person.id, actor_id=actor_id)
        _tell_mail()
    return redirect_to(f"/studio/people/{person.id}")


def _tell_mail() -> None:
    """The same whoever is invited, so that it does not tell who takes part (rule W2). Staff
    should not wait for a mail that nothing carries."""
    flash(_("A mail is on its way, unless this person has joined already."), "ok")
    if current_settings().smtp_url is None:
        flash(mail.in_folder(), "info")


def _entry(person: Person, status: int = 200, **context: object) -> Response:
    granted = [grant.role for grant in person.role_grants]
    shown = {"typed": _of(person), "roles": granted, **WORDS, **context}
    return render("people/person.html", status, layout="page", person=person, **shown)


def _of(person: Person) -> dict[str, str]:
    return {name: getattr(person, name) or "" for name in _typed()}


@people.get("/studio/people/<uuid:person_id>")
@access.role("admin")
def directory_entry(person_id: uuid.UUID) -> Response:
    """One entry, its roles, its invitation, its departure."""
    return _entry(queries.person(person_id))


@people.post("/studio/people/<uuid:person_id>")
@access.role("admin")
def directory_entry_submit(person_id: uuid.UUID) -> Response:
    """Correct an entry."""
    typed = _typed()
    try:
        service.update_person(person_id, Profile(**typed), actor_id=access.me().person_id)
    except InvalidInput as error:
        return _entry(
            queries.person(person_id),
            422,
            typed=typed,
            problem=error.sentence,
            errors=by_field(error),
        )
    flash(_("The entry is kept."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/invitations")
@access.role("admin")
def directory_invitation(person_id: uuid.UUID) -> Response:
    """Invite, or invite again. The answer never tells who has joined."""
    service.invite(person_id, actor_id=access.me().person_id)
    _tell_mail()
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/roles")
@access.role("admin")
def directory_roles(person_id: uuid.UUID) -> Response:
    """Give exactly the roles that are ticked."""
    service.change_roles(person_id, request.form.getlist("roles"), actor_id=access.me().person_id)
    flash(_("The roles hold from now on."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/departure")
@access.role("admin")
def directory_departure(person_id: uuid.UUID) -> Response:
    """The person left the organisation: every access ends at once."""
    service.depart(person_id, actor_id=access.me().person_id)
    flash(_("Every access of this person has ended."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/return")
@access.role("admin")
def directory_return(person_id: uuid.UUID) -> Response:
    """The person is back, without roles."""
    service.come_back(person_id, actor_id=access.me().person_id)
    flash(_("This person is in the directory again."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/identities/removal")
@access.role("admin")
def directory_identity_removal(person_id: uuid.UUID) -> Response:
    """Forget the provider's account, where it was made anew."""
    service.unlink_identities(person_id, actor_id=access.me().person_id)
    flash(_("The next sign-in with the provider links this person anew."), "ok")
    return redirect_to(f"/studio/people/{person_id}")
