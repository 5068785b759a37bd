"""Inviting everybody who has no invitation yet: choose whom, look how many, press, watch, stop."""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _

from app import mail
from app.errors import InvalidInput
from app.people import audiences, inviting_many
from app.people.inviting_many import NobodyLeft, Scope
from app.people.views import people
from app.people.views.common import by_field
from app.web import access, current_settings, redirect_to, render

HOME = "/studio/people/invitations/everybody"
staff = access.role("admin", within=True)


def _reach() -> frozenset[uuid.UUID] | None:
    return access.reach("admin")


def _go_to(round_id: uuid.UUID) -> Response:
    return redirect_to(f"{HOME}/{round_id}")


@people.get(HOME)
@staff
def invite_many() -> Response:
    """Whom, and how many mails that makes; nothing is sent by looking."""
    asked = request.args.get("segment", "")
    if not asked and _reach() is not None:
        return _page(None)  # an administrator of a part chooses first
    try:
        return _page(inviting_many.scope(asked, _reach()))
    except InvalidInput as error:
        return _page(None, 422, error)


def _page(of: Scope | None, status: int = 200, error: InvalidInput | None = None) -> Response:
    reach = _reach()
    return render(
        "people/invite_many.html",
        status,
        home=HOME,
        is_limited=reach is not None,
        segments=[(choice.id, choice.name) for choice in audiences.choices(reach)],
        chosen=str(of.segment_id or "") if of else request.values.get("segment", ""),
        foreseen=inviting_many.foresee(of) if of else None,
        rounds=inviting_many.rounds(reach),
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.post(HOME)
@staff
def invite_many_submit() -> Response:
    """Let the invitations leave."""
    try:
        of = inviting_many.scope(request.form.get("segment", ""), _reach())
    except InvalidInput as error:
        return _page(None, 422, error)
    try:
        round_id = inviting_many.begin(of, actor_id=access.me().person_id)
    except NobodyLeft as error:
        flash(str(error.sentence), "info")
        return redirect_to(HOME)
    if current_settings().smtp_url is None:
        flash(mail.in_folder(), "info")
    return _go_to(round_id)


@people.get(HOME + "/<uuid:round_id>")
@staff
def invite_many_round(round_id: uuid.UUID) -> Response:
    """Where a round stands; found again after a reload."""
    found = inviting_many.one(round_id, _reach())
    return render(
        "people/invite_many_round.html",
        home=HOME,
        is_limited=_reach() is not None,
        round=found,
        left_lying=inviting_many.is_left_lying(found),
    )


@people.post(HOME + "/<uuid:round_id>/stop")
@staff
def invite_many_stop(round_id: uuid.UUID) -> Response:
    """Nobody more is invited by it."""
    if inviting_many.stop(round_id, actor_id=access.me().person_id, within=_reach()):
        flash(_("The round has stopped. What was sent is sent."), "ok")
    return _go_to(round_id)


@people.post(HOME + "/<uuid:round_id>/resumption")
@staff
def invite_many_resumption(round_id: uuid.UUID) -> Response:
    """Go on where it was left."""
    inviting_many.resume(round_id, actor_id=access.me().person_id, within=_reach())
    return _go_to(round_id)
