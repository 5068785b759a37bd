"""What waits for a second person, for those who may be it and those who asked.

The filter lives in the address: `view` is what waits, what the reader asked for, or what came to
its end; `kind` one kind of act.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.approvals import kinds, queries, service
from app.approvals.errors import NoSuchRequest, NotTheSecond
from app.approvals.queries import MINE, VIEWS, WAITING
from app.errors import DomainError, InvalidInput
from app.people import role_approvals, saved_views
from app.web import access, redirect_to, render

waiting = Blueprint("approvals", __name__)

PLACE = "/studio/approvals"
MAY = ("admin", "hr", "lead")
"""Whoever may decide any kind; a role for a part of the organisation asks, and sees its own."""

LIST = saved_views.declare(
    "approvals", PLACE, ("view", "kind"), MAY, _l("To approve"), usual={"view": WAITING},
    within=True,
)  # fmt: skip


@waiting.get(PLACE)
@access.role(*MAY, within=True)
@saved_views.opens_on(LIST)
def page() -> Response:
    """What waits, what one asked for, what was decided; the newest first."""
    me, view = access.me(), request.args.get("view", WAITING)
    view = view if view in VIEWS else WAITING
    shown_kinds = [kind for kind in kinds.all_kinds() if kind.roles & (me.roles | {*me.reach})]
    asked = request.args.get("kind", "")
    kind = asked if asked in {each.code for each in shown_kinds} else ""
    found = queries.page(
        me.person_id,
        me.roles,
        view=view,
        kind=kind,
        after=request.args.get("after"),
        before=request.args.get("before"),
    )
    who = {each for row in found.rows for each in (row.requested_by, row.decided_by) if each}
    return render(
        "administration/approvals.html",
        rows=found.rows,
        beside=found,
        names=role_approvals.names_of(who),
        view=view,
        kind=kind,
        kinds=shown_kinds,
        days=service.KEPT_OPEN.days,
        reader=me.person_id,
        standing="organisation" if access.may_open("/studio/administration") else "approvals",
    )


@waiting.post(f"{PLACE}/<uuid:request_id>/approval")
@access.role(*MAY)
def approve(request_id: uuid.UUID) -> Response:
    """Let it happen."""
    return _decided(service.approve, request_id, _("Approved: it is done."))


@waiting.post(f"{PLACE}/<uuid:request_id>/refusal")
@access.role(*MAY)
def decline(request_id: uuid.UUID) -> Response:
    """It shall not happen."""
    return _decided(service.decline, request_id, _("Declined: nothing was changed."))


@waiting.post(f"{PLACE}/<uuid:request_id>/withdrawal")
@access.role(*MAY, within=True)
def withdraw(request_id: uuid.UUID) -> Response:
    """Whoever asked takes it back."""
    text = _("Taken back: nothing was changed.")
    return _decided(service.withdraw, request_id, text, view=MINE)


def _decided(
    act: Callable[[uuid.UUID, uuid.UUID], bool], request_id: uuid.UUID, done: str, view: str = ""
) -> Response:
    """One decision. What cannot be done any more is said on the list, where it waits on."""
    try:
        act(request_id, access.me().person_id)
        flash(done, "ok")
    except (NoSuchRequest, NotTheSecond):
        raise
    except DomainError as refusal:
        flash(_in_full(refusal), "stop")
    return redirect_to(f"{PLACE}?view={view}" if view else PLACE)


def _in_full(refusal: DomainError) -> str:
    """The sentence of a refusal with those at its fields, which no form shows here."""
    told = refusal.errors.values() if isinstance(refusal, InvalidInput) else ()
    return " ".join([str(refusal.sentence), *(str(each) for found in told for each in found)])
