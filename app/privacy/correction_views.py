"""Asking for a correction, and answering one."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from app.errors import DomainError, InvalidInput
from app.people import queries
from app.privacy import corrections
from app.privacy.correction_words import choices, name_of
from app.web import access, redirect_to, render
from app.web.limits import limiter

blueprint = Blueprint("privacy_corrections", __name__)

MINE = "/me/corrections"


def _me() -> str:
    return str(access.me().person_id)


# ---- One's own


def _own(status: int = 200, **more: object) -> Response:
    person_id = access.me().person_id
    said = corrections.said(queries.person(person_id))
    response = render(
        "privacy/corrections.html",
        status,
        said=[(name_of(field), said[field]) for field in corrections.ENTRY],
        asked=corrections.mine(person_id),
        name_of=name_of,
        choices=choices(),
        most=corrections.MOST_WORDS,
        typed=more.get("typed", {}),
        errors=more.get("errors", {}),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get(MINE)
@access.signed_in
def own() -> Response:
    """What the directory says of the reader, what they asked for, and what became of it."""
    return _own()


@blueprint.post(MINE)
@access.signed_in
@limiter.limit("20 per hour", key_func=_me)
def ask() -> Response:
    """Propose what a field should say."""
    typed = {name: request.form.get(name, "") for name in ("field", "proposed")}
    try:
        corrections.ask(access.me().person_id, typed["field"], typed["proposed"])
    except InvalidInput as error:
        return _own(422, typed=typed, errors=error.errors)
    flash(_("It is asked for. You get a mail with the answer, within a month."), "ok")
    return redirect_to(MINE)


@blueprint.post(f"{MINE}/<uuid:request_id>/withdrawal")
@access.signed_in
def take_back(request_id: uuid.UUID) -> Response:
    """It is no longer wanted."""
    corrections.take_back(access.me().person_id, request_id)
    flash(_("Taken back."), "ok")
    return redirect_to(MINE)


# ---- Those who answer


def _one(request_id: uuid.UUID, status: int = 200, problem: str = "", **more: object) -> Response:
    wish = corrections.wish(request_id)
    response = render(
        "privacy/correction.html",
        status,
        wish=wish,
        field=name_of(wish.asked.field),
        is_of_entry=wish.asked.field != corrections.OTHER,
        problem=problem,
        most=corrections.MOST_WORDS,
        reason=more.get("reason", ""),
        errors=more.get("errors", {}),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/studio/requests/<uuid:request_id>")
@access.role("admin")
def one(request_id: uuid.UUID) -> Response:
    """What the directory says, what the person says, and the two answers."""
    return _one(request_id)


@blueprint.post("/studio/requests/<uuid:request_id>/acceptance")
@access.role("admin")
def accept(request_id: uuid.UUID) -> Response:
    """Put it right."""
    try:
        corrections.accept(request_id, actor_id=access.me().person_id)
    except InvalidInput as error:
        return _one(request_id, 422, _refusal(error))
    flash(_("Corrected. The person gets a mail."), "ok")
    return redirect_to("/studio/requests")


def _refusal(error: DomainError) -> str:
    """Why the directory does not take it, whatever field it names."""
    faults = error.errors.values() if isinstance(error, InvalidInput) else ()
    return " ".join(str(each) for fault in faults for each in fault) or str(error.sentence)


@blueprint.post("/studio/requests/<uuid:request_id>/refusal")
@access.role("admin")
def decline(request_id: uuid.UUID) -> Response:
    """Leave it as it is, and say why."""
    reason = request.form.get("reason", "")
    try:
        corrections.decline(request_id, reason, actor_id=access.me().person_id)
    except InvalidInput as error:
        return _one(request_id, 422, reason=reason, errors=error.errors)
    flash(_("Declined. The person gets a mail with your reason."), "ok")
    return redirect_to("/studio/requests")
