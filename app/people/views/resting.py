"""One's own pause, and one's own answers with the exact texts they were given to."""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import InvalidInput
from app.people import consents, pauses
from app.people.consents import PURPOSES
from app.people.errors import check_form
from app.people.views import people
from app.people.views.common import by_field
from app.web import access, redirect_to, render
from app.web.pages import local_today


def _page(status: int = 200, error: InvalidInput | None = None) -> Response:
    return render(
        "people/pause.html",
        status,
        pause=pauses.pause_of(access.me().person_id),
        first_day=local_today() + dt.timedelta(days=1),
        last_day=local_today() + pauses.LONGEST,
        until=request.form.get("until", "")[:10],
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.get("/me/pause")
@access.role("member")
def me_pause() -> Response:
    """What a pause does, and the press."""
    return _page()


@people.post("/me/pause")
@access.role("member")
def me_pause_submit() -> Response:
    """Rest, until a day or until one comes back; a second press changes the day."""
    try:
        pauses.pause(access.me().person_id, _day(request.form.get("until", "")))
    except InvalidInput as error:
        return _page(422, error)
    flash(_("You rest from now on. Nobody else sees it."), "ok")
    return redirect_to("/me#pause")


def _day(typed: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(typed) if typed.strip() else None
    except ValueError as error:
        raise check_form({"until": _l("Choose a day to come, within a year.")}) from error


@people.post("/me/pause/end")
@access.role("member")
def me_pause_end() -> Response:
    """Back again."""
    if pauses.resume(access.me().person_id):
        flash(_("You are back. Posts whose moment passed wait for your press."), "ok")
    return redirect_to("/me#pause")


@people.get("/me/answers")
@access.signed_in
def me_answers() -> Response:
    """Every answer I gave, with the text, the moment and the proof."""
    names = {code: purpose.label for code, purpose in PURPOSES.items()}
    names[consents.TAKING_PART] = _l("Taking part in the programme")
    return render(
        "people/answers.html", answers=consents.answers_of(access.me().person_id), names=names
    )
