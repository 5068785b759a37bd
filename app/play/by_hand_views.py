"""Points by hand, for who answers for them: the form, and what the reader did with it before.

The form names a work address and its answer never tells whose it is (rule W2). What was done is
told as the audit trail has it: a day, a number of points, no name.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Final

from flask import Response, flash, request
from flask_babel import gettext as _
from sqlalchemy import select

from app import approvals
from app.approvals.words import tell_waiting
from app.audit.models import AuditEntry
from app.db import db, new_id
from app.errors import InvalidInput
from app.play import by_hand
from app.play.by_hand import GIVE, WAIVE
from app.play.numbers import whole
from app.play.views import play
from app.web import access, redirect_to, render
from app.web.cursors import Beside, beside, encode_cursor

MAY: Final = ("hr", "admin")
PLACE: Final = "/studio/points/by-hand"
PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Done:
    """What one reader did by hand: an act of `by_hand.ACTS`, its points, never for whom."""

    id: uuid.UUID
    at: dt.datetime
    act: str
    points: int


def done_by(actor_id: uuid.UUID, after: str | None, before: str | None) -> Beside[Done]:
    """The acts after one place of the list, or before another, the newest first. Raises
    `InvalidInput` for a place that is none."""
    acts = {action: act for act, action in by_hand.ACTIONS.items()}
    wanted = select(AuditEntry.id, AuditEntry.at, AuditEntry.action, AuditEntry.details).where(
        AuditEntry.actor_id == actor_id, AuditEntry.action.in_([*acts])
    )
    return beside(
        wanted,
        (AuditEntry.at, AuditEntry.id),
        lambda part: [
            Done(row.id, row.at, acts[row.action], int(str(row.details["points"])))
            for row in db.session.execute(part)
        ],
        lambda done: encode_cursor(done.at, done.id),
        after=after,
        before=before,
        limit=PAGE,
    )


def _page(error: InvalidInput | None = None) -> Response:
    after, before = request.args.get("after"), request.args.get("before")
    found = done_by(access.me().person_id, after, before)
    return render(
        "play/by_hand.html",
        422 if error else 200,
        typed=request.form,
        key=new_id(),
        rule=approvals.policy(),
        done=found.rows,
        beside=found,
        problem=error.sentence if error else None,
        errors={k: " ".join(map(str, v)) for k, v in error.errors.items()} if error else {},
    )


@play.get(PLACE)
@access.role(*MAY)
def points_by_hand() -> Response:
    """The form, and what the reader gave before."""
    return _page()


@play.post(PLACE)
@access.role(*MAY)
def points_by_hand_submit() -> Response:
    """Give, or no longer ask back. The form's own key makes a double press one act."""
    act = WAIVE if request.form.get("act") == WAIVE else GIVE
    submit = by_hand.submit_waive if act == WAIVE else by_hand.submit_give
    try:
        submitted = submit(
            request.form.get("address", ""),
            whole(request.form.get("points"), otherwise=-1),
            request.form.get("words", ""),
            actor_id=access.me().person_id,
            key=request.form.get("key", "")[:64] or str(new_id()),
        )
    except InvalidInput as error:
        return _page(error)
    if submitted.waits:
        tell_waiting(_("Your request is noted."))
    else:
        flash(_told(act), "ok")
    return redirect_to(PLACE)


def _told(act: str) -> str:
    """The same whoever it is."""
    if act == GIVE:
        return str(_("If this person takes part, the points are theirs and they are told."))
    return str(
        _(
            "If this person takes part and owes points, they are no longer asked back, and the "
            "person is told."
        )
    )
