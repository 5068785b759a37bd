"""The rule for leavers, for who answers for it: its versions in time, and the next one."""

from __future__ import annotations

import datetime as dt

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.errors import InvalidInput
from app.play import leaver_rules
from app.play.numbers import whole
from app.play.studio import READERS, WRITERS
from app.play.views import play
from app.web import access, current_settings, redirect_to, render
from app.web.pages import local_today


def _page(error: InvalidInput | None = None) -> Response:
    now, found = clock.now(), leaver_rules.versions()
    current = leaver_rules.in_force(now)
    return render(
        "play/leaver_rule.html",
        422 if error else 200,
        versions=[(v, leaver_rules.words(v)) for v in found],
        current=current,
        now=now,
        may_write=bool({*WRITERS} & access.me().roles),
        typed=request.form,
        today=local_today(),
        problem=error.sentence if error else None,
        errors={k: " ".join(map(str, v)) for k, v in error.errors.items()} if error else {},
    )


@play.get("/studio/rules/leaving")
@access.role(*READERS)
def leaver_rule() -> Response:
    """What becomes of a leaver's points, version by version."""
    return _page()


@play.post("/studio/rules/leaving")
@access.role(*WRITERS)
def leaver_rule_submit() -> Response:
    """Prepare the next version."""
    try:
        version = leaver_rules.plan(
            whole(request.form.get("window_days"), otherwise=-1),
            request.form.get("after_window", ""),
            _start(request.form.get("starts_on", "")),
            actor_id=access.me().person_id,
        )
    except InvalidInput as error:
        return _page(error)
    flash(_("Version %(version)d is noted.", version=version.version), "ok")
    return redirect_to("/studio/rules/leaving")


def _start(text: str) -> dt.datetime | None:
    """Midnight of a day on the organisation's clock; None for today: from now on."""
    zone = current_settings().timezone
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            _l("Please check the form."), {"starts_at": _l("Give a day.")}
        ) from error
    if day == clock.today(zone):
        return None
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
