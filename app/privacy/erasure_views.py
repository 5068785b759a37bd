"""Erasing a person: what goes and what stays is read first, then one press (rules E1 to E3)."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from app import rights
from app.errors import DomainError
from app.people import queries, sessions
from app.personal_data import PERSON
from app.privacy.erasure_words import what_goes, what_stays
from app.web import access, redirect_to, render
from app.web.limits import limiter

blueprint = Blueprint("privacy_erasure", __name__)


def _page(status: int = 200, problem: str = "", *, person_id: uuid.UUID | None = None) -> Response:
    person = queries.person(person_id) if person_id else None
    response = render(
        "privacy/erasure.html",
        status,
        goes=what_goes(),
        stays=what_stays(),
        problem=problem,
        person=person,
        action=f"/studio/people/{person.id}/erasure" if person else "/me/erasure",
        back=f"/studio/people/{person.id}" if person else "/me",
        file_url=None if person else "/me/data.json",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_meant() -> bool:
    return request.form.get("understood") == "1"


def _tick_first() -> str:
    return str(_("Tick the box first: this cannot be undone."))


@blueprint.get("/me/erasure")
@access.signed_in
def mine() -> Response:
    """What an erasure does, before the press."""
    return _page()


@blueprint.post("/me/erasure")
@access.signed_in
@limiter.limit("20 per hour", key_func=lambda: str(access.me().person_id))
def mine_submit() -> Response:
    """Leave and be erased in one act; no reason asked."""
    if not _is_meant():
        return _page(422, _tick_first())
    person_id = access.me().person_id
    try:
        rights.erase(PERSON, person_id, asked_by=rights.SELF)
    except DomainError as error:
        return _page(error.status, str(error.sentence))
    sessions.end()
    return redirect_to("/erased")


@blueprint.get("/erased")
@access.public
def done() -> Response:
    """What is left to say; it is the same for everybody."""
    return render("privacy/erased.html", layout="public")


@blueprint.get("/studio/people/<uuid:person_id>/erasure")
@access.role("admin")
def of_person(person_id: uuid.UUID) -> Response:
    """The same, by an administrator who was asked to."""
    return _page(person_id=person_id)


@blueprint.post("/studio/people/<uuid:person_id>/erasure")
@access.role("admin")
def of_person_submit(person_id: uuid.UUID) -> Response:
    """Erase; the answer lists what stays by a duty of the law (rule E1)."""
    reader = access.me()
    if not _is_meant():
        return _page(422, _tick_first(), person_id=person_id)
    queries.person(person_id)  # unknown or erased: as if it had never been
    try:
        rights.erase(PERSON, person_id, asked_by=rights.ADMIN, actor_id=reader.person_id)
    except DomainError as error:
        return _page(error.status, str(error.sentence), person_id=person_id)
    if person_id == reader.person_id:
        sessions.end()
        return redirect_to("/erased")
    return redirect_to("/studio/people/erased")


@blueprint.get("/studio/people/erased")
@access.role("admin")
def of_person_done() -> Response:
    """What was done and what stays, without a name."""
    return render("privacy/erasure_done.html", stays=what_stays())
