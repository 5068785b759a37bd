"""The page of the activation gate: two dates, and what they open (rules W3, D2)."""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import InvalidInput, Sentence
from app.people import activation, queries
from app.people.errors import check_form
from app.people.views import people
from app.people.views.common import by_field
from app.web import access, redirect_to, render
from app.web.pages import local_today

HOME = "/studio/activation"


def _page(status: int = 200, error: InvalidInput | None = None) -> Response:
    history = activation.history()
    now = activation.current()
    return render(
        "people/activation.html",
        status,
        now=now,
        is_open=now.is_open_on(local_today()),
        text=activation.TEXT,
        history=history,
        names=queries.named(row.recorded_by for row in history if row.recorded_by),
        typed=_typed(now),
        may_record="admin" in access.me().roles,
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


def _typed(now: activation.Activation) -> dict[str, str]:
    if request.method == "POST":
        return {name: request.form.get(name, "")[:10] for name in request.form}
    return {
        "staff_notice_on": now.staff_notice_on.isoformat() if now.staff_notice_on else "",
        "council_on": now.council_on.isoformat() if now.council_on else "",
        "no_council": "" if now.council_applies else "1",
    }


@people.get(HOME)
@access.role("admin", "lead", "auditor")
def activation_page() -> Response:
    """What is recorded, since when, by whom."""
    return _page()


@people.post(HOME)
@access.role("admin")
def activation_submit() -> Response:
    """Record both dates, or empty them: the figures go off again."""
    form = request.form
    try:
        told = _day("staff_notice_on")
        now = activation.record(
            told,
            _day("council_on"),
            council_applies=not form.get("no_council"),
            confirmed=bool(form.get("confirmed")),
            actor_id=access.me().person_id,
        )
    except InvalidInput as error:
        return _page(422, error)
    if now.is_open_on(local_today()):
        flash(_("Recorded. The month’s list is on."), "ok")
    else:
        flash(_("Recorded. Figures of single people stay off."), "ok")
    return redirect_to(HOME)


def _day(name: str) -> dt.date | None:
    typed = request.form.get(name, "").strip()
    wrong: dict[str, Sentence] = {name: _l("Choose a date.")}
    try:
        return dt.date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise check_form(wrong) from error
