"""The recruiter's board: every referral by date of reception, never ranked or scored."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app import audit, clock
from app.db import transaction
from app.errors import InvalidInput
from app.people.queries import present_with_role
from app.referrals import ats, queries, service
from app.referrals.errors import UnknownReferral
from app.referrals.models import STAGES
from app.referrals.queries import ReferralFilter
from app.referrals.words import (
    channel_names,
    claim_names,
    closure_reasons,
    outcome_names,
    stage_names,
)
from app.web import access, current_settings, redirect_to, render

board = Blueprint("board", __name__, url_prefix="/studio")
PAGE = 50
BULK = 100


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _filter() -> ReferralFilter:
    """What the address asks for."""
    args = request.args
    stage = args.get("stage")
    view = args.get("view", "")
    return ReferralFilter(
        stage=stage if stage in STAGES else None,
        offer_id=_uuid(args.get("offer")),
        owner_id=access.me().person_id if view == "mine" else _uuid(args.get("owner")),
        late=view == "late",
        contested=view == "contested",
        running=not stage and view != "all",
        q=args.get("q", ""),
        site=args.get("site", ""),
    )


@board.get("/referrals")
@access.role("recruiter", "admin")
def index() -> Response:
    """The list, its stages and its filters."""
    asked = _filter()
    rows, next_cursor = queries.referrals(asked, after=request.args.get("after"), limit=PAGE)
    return render(
        "referrals/board.html",
        rows=rows,
        next_cursor=next_cursor,
        counts=queries.stage_counts(asked),
        unmatched=len(queries.unmatched()),
        recruiters=present_with_role("recruiter"),
        reasons=closure_reasons(),
        stages_shown=STAGES[:-1],
        stages_all=STAGES,
        channels=channel_names(),
        now=clock.now(),
        soon=clock.now() + dt.timedelta(days=1),
    )


def _chosen() -> list[uuid.UUID]:
    found = [_uuid(text) for text in request.form.getlist("referral")[:BULK]]
    return [each for each in found if each is not None]


@board.post("/referrals/stages")
@access.role("recruiter", "admin")
def bulk_stage() -> Response:
    """One stage for several referrals."""
    chosen = _chosen()
    if not chosen:
        flash(_("Choose at least one referral first."), "wait")
        return redirect_to(_back())
    try:
        for referral_id in chosen:
            _set_stage(referral_id)
    except InvalidInput as error:
        flash(" ".join(str(s) for each in error.errors.values() for s in each), "stop")
        return redirect_to(_back())
    flash(ngettext("One referral moved.", "%(num)d referrals moved.", len(chosen)), "ok")
    return redirect_to(_back())


@board.post("/referrals/owners")
@access.role("recruiter", "admin")
def bulk_owner() -> Response:
    """Entrust several referrals to one recruiter."""
    owner = _uuid(request.form.get("owner"))
    known = {each.id for each in present_with_role("recruiter")}
    if owner not in known:
        flash(_("Choose a recruiter."), "stop")
        return redirect_to(_back())
    chosen = _chosen()
    for referral_id in chosen:
        service.assign(referral_id, owner, access.me().person_id)
    flash(ngettext("One referral entrusted.", "%(num)d referrals entrusted.", len(chosen)), "ok")
    return redirect_to(_back())


def _back() -> str:
    """Back to the list as it was; only ever to a page of ours."""
    target = request.form.get("back", "")
    return target if target.startswith("/studio/referrals") else "/studio/referrals"


def _date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _set_stage(referral_id: uuid.UUID) -> None:
    form, reader = request.form, access.me()
    day = _date(form.get("occurred_on"))
    at = None
    if day is not None and day != clock.today(current_settings().timezone):
        at = dt.datetime.combine(day, dt.time(12), current_settings().timezone)
    service.set_stage(
        referral_id,
        form.get("stage", ""),
        actor_id=reader.person_id,
        actor_role="recruiter" if "recruiter" in reader.roles else "admin",
        occurred_at=at,
        closure_reason=form.get("closure_reason") or None,
        starts_on=_date(form.get("starts_on")),
    )


@board.get("/referrals/<uuid:referral_id>")
@access.role("recruiter", "admin")
def one(referral_id: uuid.UUID) -> Response:
    """One file. Opening it is noted, and the candidate can read who did."""
    return _file(referral_id)


def _file(
    referral_id: uuid.UUID, status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    row = queries.referral(referral_id)
    if row is None:
        raise UnknownReferral
    reader = access.me()
    if request.method == "GET":
        with transaction():
            role = "recruiter" if "recruiter" in reader.roles else "admin"
            audit.record(
                "referral.opened", "referral", row.id, actor_id=reader.person_id, actor_role=role
            )
    known = queries.detail(row, for_referrer=False)
    return render(
        "referrals/file.html",
        status,
        row=row,
        contact=queries.contact(referral_id),
        history=known.history,
        claims=known.claims,
        decision=known.decision,
        stage_choices=list(stage_names().items()),
        reasons=closure_reasons(),
        claim_names=claim_names(),
        outcome_names=outcome_names(),
        recruiter_choices=[(each.id, each.name) for each in present_with_role("recruiter")],
        errors=errors or {},
        typed=request.form,
        today=clock.today(current_settings().timezone),
        now=clock.now(),
    )


@board.post("/referrals/<uuid:referral_id>/stages")
@access.role("recruiter", "admin")
def add_stage(referral_id: uuid.UUID) -> Response:
    """A stage by hand."""
    try:
        _set_stage(referral_id)
    except InvalidInput as error:
        return _file(referral_id, 422, {k: " ".join(map(str, v)) for k, v in error.errors.items()})
    flash(_("The stage is recorded. The person is told by mail."), "ok")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/referrals/<uuid:referral_id>/next-step")
@access.role("recruiter", "admin")
def next_step(referral_id: uuid.UUID) -> Response:
    """What happens next and by when, as the candidate reads it."""
    day = _date(request.form.get("due_on"))
    due = dt.datetime.combine(day, dt.time(18), current_settings().timezone) if day else None
    try:
        service.set_next_step(
            referral_id, request.form.get("next_step", ""), due, access.me().person_id
        )
    except InvalidInput as error:
        return _file(referral_id, 422, {k: " ".join(map(str, v)) for k, v in error.errors.items()})
    flash(_("The person reads this on their page now."), "ok")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/referrals/<uuid:referral_id>/owner")
@access.role("recruiter", "admin")
def owner(referral_id: uuid.UUID) -> Response:
    """Who follows this file."""
    chosen = _uuid(request.form.get("owner"))
    known = {each.id for each in present_with_role("recruiter")}
    service.assign(referral_id, chosen if chosen in known else None, access.me().person_id)
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.get("/events")
@access.role("recruiter", "admin")
def unmatched() -> Response:
    """The human queue: hires of the tracking system that name nobody we know."""
    return render("referrals/events.html", events=queries.unmatched())


@board.post("/events/<uuid:event_id>/match")
@access.role("recruiter", "admin")
def match(event_id: uuid.UUID) -> Response:
    """Say which referral an event speaks of."""
    text = request.form.get("referral", "").strip().rstrip("/").rsplit("/", 1)[-1]
    referral_id = _uuid(text)
    if referral_id is None or queries.referral(referral_id) is None:
        flash(_("Paste the address of a referral of this board."), "stop")
        return redirect_to("/studio/events")
    ats.match_by_hand(event_id, referral_id, access.me().person_id)
    flash(_("Matched. The event is being applied."), "ok")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/events/<uuid:event_id>/dismissal")
@access.role("recruiter", "admin")
def dismiss(event_id: uuid.UUID) -> Response:
    """Say that an event is not a referral."""
    ats.dismiss(event_id, access.me().person_id)
    flash(_("Set aside."), "ok")
    return redirect_to("/studio/events")
