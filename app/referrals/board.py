"""The recruiter's board: every referral by date of reception, never ranked or scored."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import audit, clock, mail
from app.db import read_id, transaction
from app.errors import InvalidInput
from app.people import saved_views
from app.people.queries import Named, present_with_role
from app.referrals import ats, board_export, queries, service
from app.referrals.errors import UnknownReferral
from app.referrals.models import STAGES
from app.referrals.queries import NamedOffer, ReferralFilter
from app.referrals.words import (
    channel_names,
    claim_names,
    closure_reasons,
    outcome_names,
    stage_names,
)
from app.web import access, current_settings, redirect_to, render, sheets
from app.web.pages import local_today, url_with

board = Blueprint("board", __name__, url_prefix="/studio")
PATH = "/studio/referrals"
PAGE, LONG_PAGE = 50, 200
VIEWS = ("running", "mine", "nobody", "late", "contested", "all")
WHO = ("recruiter", "admin")
LIST = saved_views.declare(
    "referrals", PATH,
    ("view", "stage", "offer", "site", "owner", "q", "order", "density", "rows"),
    WHO, _l("Referrals"), usual={"view": "running"},
)  # fmt: skip


def _view() -> str:
    view = request.args.get("view", "")
    return view if view in VIEWS else "running"


def _stage() -> str | None:
    stage = request.args.get("stage")
    return stage if stage in STAGES else None


def asked() -> ReferralFilter:
    """What the address asks for."""
    args, view, stage = request.args, _view(), _stage()
    mine = access.me().person_id if view == "mine" else None
    return ReferralFilter(
        stage=stage,
        offer_id=read_id(args.get("offer")),
        owner_id=read_id(args.get("owner")) or mine,
        unowned=view == "nobody",
        late=view == "late",
        contested=view == "contested",
        running=stage is None and view != "all",
        q=args.get("q", "")[:100].replace("\x00", ""),
        site=args.get("site", "")[:300].replace("\x00", ""),
    )


@board.get("/referrals")
@access.role(*WHO)
@saved_views.opens_on(LIST)
def index() -> Response:
    """The list, its stages and its filters."""
    args, f = request.args, asked()
    oldest, size = args.get("order") == "oldest", LONG_PAGE if args.get("rows") == "200" else PAGE
    page = queries.board_page(
        f, after=args.get("after"), before=args.get("before"), oldest=oldest, limit=size
    )
    recruiters = present_with_role("recruiter")
    offers = queries.offers_applied_to(f.offer_id)
    return render(
        "referrals/board.html",
        beside=page,
        rows=page.rows,
        counts=queries.board_counts(f, access.me().person_id),
        counted=queries.COUNTED,
        view=_view(),
        stage=_stage(),
        f=f,
        oldest=oldest,
        compact=args.get("density") == "compact",
        long=size == LONG_PAGE,
        narrowed=_narrowed(f, offers, recruiters),
        offers=offers,
        sites=_sites(offers, f.site),
        recruiters=recruiters,
        my_id=access.me().person_id,
        i_recruit=any(each.id == access.me().person_id for each in recruiters),
        reasons=closure_reasons(),
        stage_choices=list(stage_names().items()),
        stages_shown=STAGES[:-1],
        channels=channel_names(),
        today=local_today(),
        now=clock.now(),
        soon=clock.now() + dt.timedelta(days=1),
    )


def _sites(offers: list[NamedOffer], chosen: str) -> list[str]:
    return sorted({each.location for each in offers if each.location} | ({chosen} - {""}))


def _narrowed(
    f: ReferralFilter, offers: list[NamedOffer], recruiters: list[Named]
) -> list[tuple[str, str]]:
    """Each narrower filter in words, and the address without it."""
    found: list[tuple[str, str]] = []
    if f.stage:
        found.append((stage_names()[f.stage], url_with(stage=None)))
    if f.q.strip():
        found.append((_("“%(words)s”", words=f.q.strip()), url_with(q=None)))
    if f.offer_id:
        title = next((each.title for each in offers if each.id == f.offer_id), None)
        found.append((title or _("An offer that is not there"), url_with(offer=None)))
    if f.site:
        found.append((f.site, url_with(site=None)))
    if read_id(request.args.get("owner")):
        name = next((each.name for each in recruiters if each.id == f.owner_id), None)
        found.append((name or _("Somebody who is no recruiter now"), url_with(owner=None)))
    return found


@board.get("/referrals.csv")
@access.role(*WHO)
def export() -> Response:
    """All that the filters show, as a table for a spreadsheet. It is noted who took it."""
    with transaction():
        audit.record("referrals.exported", "referral", "-", actor_id=access.me().person_id)
    rows = board_export.lines(queries.each_referral(asked()))
    return sheets.download("referrals", board_export.header(), rows, parted_by=sheets.delimiter())


@board.get("/referrals/columns")
@access.role(*WHO)
def columns() -> Response:
    """What each column of that table says."""
    back = request.query_string.decode("utf-8", "replace")
    return render(
        "referrals/board_columns.html", columns=board_export.columns(),
        query=saved_views.cleaned(LIST, back),
    )  # fmt: skip


@board.get("/referrals/columns.csv")
@access.role(*WHO)
def columns_export() -> Response:
    """The same as a file, to be kept beside the table."""
    header = [_("Column"), _("What it says")]
    rows: Iterator[list[sheets.Cell]] = ([c.name, c.definition] for c in board_export.columns())
    return sheets.download("referrals-columns", header, rows, parted_by=sheets.delimiter())


def as_date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None


def promised(day: dt.date | None) -> dt.datetime | None:
    """An answer promised by a day is due at six in the evening of it, by the house's clock."""
    return dt.datetime.combine(day, dt.time(18), current_settings().timezone) if day else None


def record_stage(referral_id: uuid.UUID) -> None:
    form, reader = request.form, access.me()
    day = as_date(form.get("occurred_on"))
    at = None
    if day is not None and day != local_today():
        at = dt.datetime.combine(day, dt.time(12), current_settings().timezone)
    service.set_stage(
        referral_id,
        form.get("stage", ""),
        actor_id=reader.person_id,
        actor_role="recruiter" if "recruiter" in reader.roles else "admin",
        occurred_at=at,
        closure_reason=form.get("closure_reason") or None,
        starts_on=as_date(form.get("starts_on")),
    )


@board.get("/referrals/<uuid:referral_id>")
@access.role(*WHO)
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
    recruiters = present_with_role("recruiter")
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
        recruiter_choices=[(each.id, each.name) for each in recruiters],
        my_id=reader.person_id,
        i_may_follow=row.owner_id != reader.person_id
        and any(each.id == reader.person_id for each in recruiters),
        errors=errors or {},
        typed=request.form,
        today=local_today(),
        now=clock.now(),
    )


@board.post("/referrals/<uuid:referral_id>/stages")
@access.role(*WHO)
def add_stage(referral_id: uuid.UUID) -> Response:
    """A stage by hand."""
    try:
        record_stage(referral_id)
    except InvalidInput as error:
        return _file(referral_id, 422, {k: " ".join(map(str, v)) for k, v in error.errors.items()})
    flash(_("The stage is recorded. The person is told by mail."), "ok")
    if current_settings().smtp_url is None:
        flash(mail.in_folder(), "info")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/referrals/<uuid:referral_id>/next-step")
@access.role(*WHO)
def next_step(referral_id: uuid.UUID) -> Response:
    """What happens next and by when, as the candidate reads it."""
    due = promised(as_date(request.form.get("due_on")))
    try:
        service.set_next_step(
            referral_id, request.form.get("next_step", ""), due, access.me().person_id
        )
    except InvalidInput as error:
        return _file(referral_id, 422, {k: " ".join(map(str, v)) for k, v in error.errors.items()})
    flash(_("The person reads this on their page now."), "ok")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/referrals/<uuid:referral_id>/owner")
@access.role(*WHO)
def owner(referral_id: uuid.UUID) -> Response:
    """Who follows this file."""
    chosen = read_id(request.form.get("owner"))
    known = {each.id for each in present_with_role("recruiter")}
    service.assign(referral_id, chosen if chosen in known else None, access.me().person_id)
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.get("/events")
@access.role(*WHO)
def unmatched() -> Response:
    """The human queue: hires of the tracking system that name nobody we know."""
    return render("referrals/events.html", events=queries.unmatched())


@board.post("/events/<uuid:event_id>/match")
@access.role(*WHO)
def match(event_id: uuid.UUID) -> Response:
    """Say which referral an event speaks of."""
    text = request.form.get("referral", "").strip().rstrip("/").rsplit("/", 1)[-1]
    referral_id = read_id(text)
    if referral_id is None or queries.referral(referral_id) is None:
        flash(_("Paste the address of a referral of this board."), "stop")
        return redirect_to("/studio/events")
    ats.match_by_hand(event_id, referral_id, access.me().person_id)
    flash(_("Matched. The event is being applied."), "ok")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/events/<uuid:event_id>/dismissal")
@access.role(*WHO)
def dismiss(event_id: uuid.UUID) -> Response:
    """Say that an event is not a referral."""
    ats.dismiss(event_id, access.me().person_id)
    flash(_("Set aside."), "ok")
    return redirect_to("/studio/events")
