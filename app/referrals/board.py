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
from app.people.queries import Holder
from app.referrals import ats, board_export, queries, reach, service
from app.referrals.errors import CannotFollow, UnknownReferral
from app.referrals.models import STAGES, ReferralEvent
from app.referrals.queries import NamedOffer, ReferralFilter
from app.referrals.words import (
    channel_names,
    claim_names,
    closure_reasons,
    outcome_names,
    stage_names,
)
from app.settings import entities
from app.web import access, current_settings, pressing, redirect_to, render, sheets
from app.web.pages import local_today, url_with

board = Blueprint("board", __name__, url_prefix="/studio")
PATH = "/studio/referrals"
PAGE, LONG_PAGE = 50, 200
VIEWS = ("running", "mine", "nobody", "late", "contested", "all")
WHO = reach.WHO
LIST = saved_views.declare(
    "referrals", PATH,
    ("view", "stage", "offer", "site", "entity", "owner", "q", "order", "density", "rows"),
    WHO, _l("Referrals"), usual={"view": "running"}, within=True,
)  # fmt: skip

staff = access.role(*WHO, within=True)
whole = access.role(*WHO)
"""What concerns no single offer is for roles of the whole organisation."""


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
        entity_id=_entity(),
        within=reach.mine(),
    )


def _entity() -> uuid.UUID | None:
    """The entity whose code the address names; one that is not there finds nothing."""
    code = request.args.get("entity", "")[:40].strip()
    if not code:
        return None
    known = {row.code: row.id for row in entities.entities(archived=True)}
    return known.get(code, uuid.UUID(int=0))


@board.get("/referrals")
@staff
@saved_views.opens_on(LIST)
def index() -> Response:
    """The list, its stages and its filters."""
    args, f = request.args, asked()
    oldest, size = args.get("order") == "oldest", LONG_PAGE if args.get("rows") == "200" else PAGE
    page = queries.referrals(
        f, after=args.get("after"), before=args.get("before"), oldest=oldest, limit=size
    )
    recruiters = reach.recruiters(f.within)
    offers = queries.offers_applied_to(f.offer_id, within=f.within)
    companies = [(row.code, row.name) for row in entities.entities()]
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
        narrowed=_narrowed(f, offers, recruiters, companies),
        offers=offers,
        companies=companies,
        may_match=f.within is None,
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
    f: ReferralFilter,
    offers: list[NamedOffer],
    recruiters: list[Holder],
    companies: list[tuple[str, str]],
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
    if code := request.args.get("entity", "").strip():
        found.append((dict(companies).get(code, code), url_with(entity=None)))
    if read_id(request.args.get("owner")):
        name = next((each.name for each in recruiters if each.id == f.owner_id), None)
        found.append((name or _("Somebody who is no recruiter now"), url_with(owner=None)))
    return found


@board.get("/referrals.csv")
@staff
def export() -> Response:
    """All that the filters show, as a table for a spreadsheet. It is noted who took it."""
    with transaction():
        audit.record("referrals.exported", "referral", "-", actor_id=access.me().person_id)
    rows = board_export.lines(queries.each_referral(asked()))
    return sheets.activity("referrals", board_export.header(), rows, parted_by=sheets.delimiter())


@board.get("/referrals/columns")
@staff
def columns() -> Response:
    """What each column of that table says."""
    back = request.query_string.decode("utf-8", "replace")
    return render(
        "referrals/board_columns.html", columns=board_export.columns(),
        query=saved_views.cleaned(LIST, back),
    )  # fmt: skip


@board.get("/referrals/columns.csv")
@staff
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
        actor_role=acting_as(),
        occurred_at=at,
        closure_reason=form.get("closure_reason") or None,
        starts_on=as_date(form.get("starts_on")),
        external_event_id=f"hand:{pressing.id_for(ReferralEvent, reader.person_id)}",
        within=reach.mine(),
    )


def acting_as() -> str:
    """The role in which the reader acts here, held for a segment or everywhere."""
    return reach.RECRUITER if reach.RECRUITER in access.me().reach else "admin"


@board.get("/referrals/<uuid:referral_id>")
@staff
def one(referral_id: uuid.UUID) -> Response:
    """One file. Opening it is noted, and the candidate can read who did."""
    return _file(referral_id)


def _file(
    referral_id: uuid.UUID, status: int = 200, errors: dict[str, str] | None = None
) -> Response:
    row = queries.referral(referral_id, within=reach.mine())
    if row is None:
        raise UnknownReferral
    reader = access.me()
    if request.method == "GET":
        with transaction():
            audit.record(
                "referral.opened", "referral", row.id, actor_id=reader.person_id,
                actor_role=acting_as(),
            )  # fmt: skip
    known = queries.detail(row, for_referrer=False)
    recruiters = reach.recruiters_of(row.offer_id)
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
@staff
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
@staff
def next_step(referral_id: uuid.UUID) -> Response:
    """What happens next and by when, as the candidate reads it."""
    due = promised(as_date(request.form.get("due_on")))
    try:
        service.set_next_step(
            referral_id,
            request.form.get("next_step", ""),
            due,
            access.me().person_id,
            within=reach.mine(),
        )
    except InvalidInput as error:
        return _file(referral_id, 422, {k: " ".join(map(str, v)) for k, v in error.errors.items()})
    flash(_("The person reads this on their page now."), "ok")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.post("/referrals/<uuid:referral_id>/owner")
@staff
def owner(referral_id: uuid.UUID) -> Response:
    """Who follows this file."""
    chosen, me = read_id(request.form.get("owner")), access.me().person_id
    try:
        service.assign(referral_id, chosen, me, within=reach.mine())
    except CannotFollow as error:
        flash(str(error.sentence), "stop")
    return redirect_to(f"/studio/referrals/{referral_id}")


@board.get("/events")
@whole
def unmatched() -> Response:
    """The human queue: hires of the tracking system that name nobody we know."""
    after, before = request.args.get("after"), request.args.get("before")
    return render("referrals/events.html", beside=queries.unmatched(after=after, before=before))


@board.post("/events/<uuid:event_id>/match")
@whole
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
@whole
def dismiss(event_id: uuid.UUID) -> Response:
    """Say that an event is not a referral."""
    ats.dismiss(event_id, access.me().person_id)
    flash(_("Set aside."), "ok")
    return redirect_to("/studio/events")
