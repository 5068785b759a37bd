"""The directory, for administrators: who may be invited and what they may do.

Nothing here says who takes part (rule W2): an invitation is answered the same way for
everybody, and `member` is no role that is shown or searched.
"""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import mail
from app.approvals.words import tell_waiting
from app.config import LANGUAGES
from app.db import read_id
from app.errors import Forbidden, InvalidInput
from app.people import (
    personal_codes,
    queries,
    role_approvals,
    saved_views,
    search,
    segments_queries,
    segments_reach,
    service,
    tallies,
)
from app.people.errors import CodeOnPaperOnly, InvitedRecently, NoAddress
from app.people.models import KINDS, Person
from app.people.service import GRANTABLE, Profile
from app.people.text import is_nowhere
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
    "grant_choices": [(role, ROLE_NAMES[role]) for role in GRANTABLE],
}


LIST = saved_views.declare(
    "people", "/studio/people", ("site", "department", "kind", "segment", "departed", "address"),
    ("admin",), _l("People"), within=True,
)  # fmt: skip
"""What was searched for is not kept: a name would outlive its person there."""


@people.get("/studio/people")
@access.role("admin", within=True)
@saved_views.opens_on(LIST)
def directory() -> Response:
    """The directory by name; the search, the filters and the page live in the address."""
    asked = _asked()
    page = queries.people_page(after=request.args.get("after"), filters=asked)
    return render(
        "people/directory.html",
        200,
        layout="page",
        rows=page.items,
        next_url=url_with(after=page.next) if page.next else None,
        first_url=url_with(all="1") if request.args.get("after") else None,
        search=asked.q,
        departed=asked.state == "departed",
        asked=asked,
        narrowed=bool(asked.site or asked.department or asked.kind or asked.segment_id),
        count=_count(asked, page),
        counted=search.COUNTED,
        sites=_choices(tallies.said("site"), asked.site),
        departments=_choices(tallies.said("department"), asked.department),
        segments=segments_queries.choices([asked.segment_id] if asked.segment_id else ()),
        lists=[] if asked.within is not None else segments_queries.list_choices(),
        is_limited=asked.within is not None,
        **WORDS,
    )


def _count(asked: search.PeopleFilter, page: queries.PeoplePage) -> int | None:
    """How many people the list holds; None where telling would cost more than the list."""
    if not page.next and not request.args.get("after"):
        return len(page.items)
    known = tallies.count_found(asked)
    return known if known is not None or asked.q else search.count(asked)


def _choices(values: list[str], chosen: str) -> list[tuple[str, str]]:
    """What one may choose, with what was chosen even where nobody is left who says so."""
    shown = values if not chosen or chosen in values else [*values, chosen]
    return [(value, value) for value in shown]


def _asked() -> search.PeopleFilter:
    """What the address asks of the directory; what it cannot mean is left out."""
    given = request.args
    segment_id = read_id(given.get("segment"))
    return search.PeopleFilter(
        q=given.get("q", "")[:100],
        site=given.get("site", "")[:200],
        department=given.get("department", "")[:200],
        kind=given["kind"] if given.get("kind") in KINDS else "",
        segment_id=segment_id,
        state="departed" if given.get("departed") == "1" else "present",
        within=access.reach("admin"),
        no_address=given.get("address") == "none",
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
        person, waits = role_approvals.add_person(Profile(**_typed()), roles, actor_id=actor_id)
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
    _tell_waiting(waits)
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


def _tell_waiting(roles: list[str]) -> None:
    """The roles that a second person decides about."""
    if roles:
        names = ", ".join(str(ROLE_NAMES[role]) for role in roles)
        tell_waiting(_("Not given yet: %(roles)s.", roles=names))


def _reached(person_id: uuid.UUID, *, to_act: bool = True) -> None:
    """Refuse an entry outside the reader's reach, as one that is not there. An administrator of
    a part acts on nobody who holds a role: whoever changes an address comes in by it."""
    within = access.reach("admin")
    segments_reach.must_reach(person_id, within)
    if within is not None and to_act and queries.person(person_id).role_grants:
        raise Forbidden(_l("Administrators of the whole organisation keep whoever holds a role."))


def _entry(person: Person, status: int = 200, **context: object) -> Response:
    granted = [grant.role for grant in person.role_grants if grant.segment_id is None]
    is_limited = access.reach("admin") is not None
    shown = {
        "typed": _of(person),
        "roles": granted,
        "grants": segments_reach.grants_of(person.id),
        "segments": [] if is_limited else segments_queries.choices(),
        "is_limited": is_limited,
        "no_address": is_nowhere(person.email),
        "code": personal_codes.code_of(person.id) if is_nowhere(person.email) else None,
        "waiting": [] if is_limited else role_approvals.roles_waiting([person.id]).get(person.id),
        **WORDS,
        **context,
    }
    return render("people/person.html", status, layout="page", person=person, **shown)


def _of(person: Person) -> dict[str, str]:
    said = {name: getattr(person, name) or "" for name in _typed()}
    return said | {"email": "" if is_nowhere(person.email) else person.email}


@people.get("/studio/people/<uuid:person_id>")
@access.role("admin", within=True)
def directory_entry(person_id: uuid.UUID) -> Response:
    """One entry, its roles, its invitation, its departure."""
    _reached(person_id, to_act=False)
    return _entry(queries.person(person_id))


@people.post("/studio/people/<uuid:person_id>")
@access.role("admin", within=True)
def directory_entry_submit(person_id: uuid.UUID) -> Response:
    """Correct an entry."""
    _reached(person_id)
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
    if not segments_reach.is_within(person_id, access.reach("admin")):
        return redirect_to("/studio/people")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/invitations")
@access.role("admin", within=True)
def directory_invitation(person_id: uuid.UUID) -> Response:
    """Invite, or invite again. The answer never tells who has joined."""
    _reached(person_id)
    try:
        service.invite(person_id, actor_id=access.me().person_id)
        _tell_mail()
    except (InvitedRecently, NoAddress) as error:
        flash(str(error.sentence), "info")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/codes")
@access.role("admin", within=True)
def directory_code(person_id: uuid.UUID) -> Response:
    """A code on paper for somebody whom no mail reaches; on to what is printed."""
    _reached(person_id)
    try:
        personal_codes.make(person_id, actor_id=access.me().person_id)
    except CodeOnPaperOnly as error:
        flash(str(error.sentence), "info")
        return redirect_to(f"/studio/people/{person_id}")
    return redirect_to(f"/studio/people/{person_id}/code")


@people.post("/studio/people/<uuid:person_id>/roles")
@access.role("admin")
def directory_roles(person_id: uuid.UUID) -> Response:
    """Give exactly the roles that are ticked."""
    waits = role_approvals.change_roles(
        person_id, request.form.getlist("roles"), actor_id=access.me().person_id
    )
    if waits:
        _tell_waiting(waits)
    else:
        flash(_("The roles hold from now on."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/grants")
@access.role("admin")
def directory_grant(person_id: uuid.UUID) -> Response:
    """Give a role for one segment."""
    queries.person(person_id)
    segment_id = read_id(request.form.get("segment_id")) or uuid.UUID(int=0)
    role = request.form.get("role", "")
    try:
        waits = role_approvals.give_role(
            person_id, role, segment_id, actor_id=access.me().person_id
        )
    except InvalidInput as error:
        return _entry(
            queries.person(person_id), 422, problem=error.sentence, errors=by_field(error)
        )
    if waits:
        _tell_waiting([role])
    else:
        flash(_("The role holds from now on, within its segment."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/grants/<uuid:grant_id>/removal")
@access.role("admin")
def directory_grant_removal(person_id: uuid.UUID, grant_id: uuid.UUID) -> Response:
    """Take a role for one segment back."""
    segments_reach.take_role(person_id, grant_id, actor_id=access.me().person_id)
    flash(_("The role is taken back."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/departure")
@access.role("admin", within=True)
def directory_departure(person_id: uuid.UUID) -> Response:
    """The person left the organisation: every access ends at once."""
    _reached(person_id)
    service.depart(person_id, actor_id=access.me().person_id)
    flash(_("Every access of this person has ended."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/return")
@access.role("admin", within=True)
def directory_return(person_id: uuid.UUID) -> Response:
    """The person is back, without roles."""
    _reached(person_id)
    service.come_back(person_id, actor_id=access.me().person_id)
    flash(_("This person is in the directory again."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


@people.post("/studio/people/<uuid:person_id>/identities/removal")
@access.role("admin", within=True)
def directory_identity_removal(person_id: uuid.UUID) -> Response:
    """Forget the provider's account, where it was made anew."""
    _reached(person_id)
    service.unlink_identities(person_id, actor_id=access.me().person_id)
    flash(_("The next sign-in with the provider links this person anew."), "ok")
    return redirect_to(f"/studio/people/{person_id}")
