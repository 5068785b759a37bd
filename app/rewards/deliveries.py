"""Handing over: one's own deliveries, and all of them for HR and administrators."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby, islice

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import audit, clock, crypto
from app.db import read_id, transaction
from app.errors import DomainError
from app.people import saved_views
from app.rewards import queries, service, words
from app.rewards.errors import NoSuchRedemption
from app.rewards.models import CANCELLED, FULFILLED, RESERVED, Redemption
from app.rewards.queries import RedemptionFilter, RedemptionRow, RewardRow
from app.rewards.views import rewards
from app.web import access, redirect_to, render, sheets
from app.web.i18n import language

PAGE = 50
BULK = 100
PAPER = 500
STATES = (RESERVED, FULFILLED, CANCELLED)
OWN, ALL = "/play/deliveries", "/studio/redemptions"
LIST = saved_views.declare(
    "redemptions", ALL, ("state", "deliverer", "reward", "q"), ("hr", "admin"), _l("To deliver"),
    usual={"state": RESERVED}, within=True,
)  # fmt: skip


def _reach() -> frozenset[uuid.UUID] | None:
    """Whose redemptions the reader settles for others: None for everybody's."""
    return access.reach("hr", "admin")


def _asked(
    *, deliverer_id: uuid.UUID | None = None, within: frozenset[uuid.UUID] | None = None
) -> RedemptionFilter:
    """What the address asks for; what waits, unless it says otherwise."""
    args = request.args
    state = args.get("state", RESERVED)
    return RedemptionFilter(
        status="" if state == "all" else state if state in STATES else RESERVED,
        deliverer_id=deliverer_id or read_id(args.get("deliverer")),
        reward_id=read_id(args.get("reward")),
        q=args.get("q", "")[:80],
        within=within,
        language=language(),
    )


def _list(template: str, asked: RedemptionFilter) -> Response:
    args = request.args
    page = queries.redemptions(
        asked, after=args.get("after"), before=args.get("before"), limit=PAGE
    )
    return render(
        template,
        rows=page.rows,
        beside=page,
        asked=asked,
        reward_title=_title(asked, page.rows),
        my_id=access.me().person_id,
        status_name=words.status_name,
        reasons=[(code, words.reason_name(code)) for code in service.CANCELLATION_REASONS],
    )


def _title(asked: RedemptionFilter, rows: list[RedemptionRow]) -> str:
    """The reward that a list is about; of one outside the reader's reach, what its rows say."""
    if asked.reward_id is None:
        return ""
    known = rows[0] if rows else _reward(asked, asked.reward_id)
    return known.title if known else _("One reward")


def _reward(asked: RedemptionFilter, reward_id: uuid.UUID) -> RewardRow | None:
    return queries.reward(reward_id, within=asked.within, language=asked.language)


# ---- One's own


@rewards.get("/play/deliveries")
@access.signed_in
def deliveries() -> Response:
    """What waits for the reader's own hands, whatever their role."""
    return _list("rewards/deliveries.html", _asked(deliverer_id=access.me().person_id))


def _to_deliver(redemption_id: uuid.UUID) -> RedemptionRow:
    row = queries.redemption(redemption_id, language=language())
    if row is None or row.deliverer_id != access.me().person_id:
        raise NoSuchRedemption
    return row


@rewards.post("/play/deliveries/<uuid:redemption_id>/fulfilment")
@access.signed_in
def deliver(redemption_id: uuid.UUID) -> Response:
    """The reader handed it over."""
    return _fulfil(_to_deliver(redemption_id), OWN)


@rewards.post("/play/deliveries/<uuid:redemption_id>/cancellation")
@access.signed_in
def decline(redemption_id: uuid.UUID) -> Response:
    """The reader cannot hand it over."""
    return _cancel(_to_deliver(redemption_id), OWN)


# ---- All of them


@rewards.get("/studio/redemptions")
@access.role("hr", "admin", within=True)
@saved_views.opens_on(LIST)
def board() -> Response:
    """Who waits for what, the oldest first."""
    return _list("rewards/board.html", _asked(within=_reach()))


def _one(redemption_id: uuid.UUID) -> RedemptionRow:
    row = queries.redemption(redemption_id, within=_reach(), language=language())
    if row is None:
        raise NoSuchRedemption
    return row


@rewards.post("/studio/redemptions/<uuid:redemption_id>/fulfilment")
@access.role("hr", "admin", within=True)
def board_deliver(redemption_id: uuid.UUID) -> Response:
    """It was handed over."""
    return _fulfil(_one(redemption_id), _back())


@rewards.post("/studio/redemptions/<uuid:redemption_id>/cancellation")
@access.role("hr", "admin", within=True)
def board_cancel(redemption_id: uuid.UUID) -> Response:
    """Give points and stock back."""
    return _cancel(_one(redemption_id), _back())


def _back() -> str:
    """Back to the list as it was; only ever to that list."""
    target = request.form.get("back", "")
    return target if target == ALL or target.startswith(f"{ALL}?") else ALL


def _fulfil(row: RedemptionRow, back: str) -> Response:
    service.fulfil(row.id, access.me().person_id)
    flash(
        _("Noted: “%(title)s” was handed to %(name)s.", title=row.title, name=row.person_name), "ok"
    )
    return redirect_to(back)


def _cancel(row: RedemptionRow, back: str) -> Response:
    reason = request.form.get("reason", "cancelled")
    service.cancel(row.id, access.me().person_id, reason=reason)
    flash(_("Cancelled: %(name)s has the points back.", name=row.person_name), "ok")
    return redirect_to(back)


# ---- Several at once


def _chosen() -> list[RedemptionRow]:
    ids = (read_id(text) for text in request.form.getlist("redemption")[:BULK])
    known = {each for each in ids if each is not None}
    return queries.by_ids(known, within=_reach(), language=language())


@rewards.post("/studio/redemptions/fulfilments")
@access.role("hr", "admin", within=True)
def bulk_deliver() -> Response:
    """Several were handed over."""
    return _bulk("fulfilments", lambda row: service.fulfil(row.id, access.me().person_id))


@rewards.post("/studio/redemptions/cancellations")
@access.role("hr", "admin", within=True)
def bulk_cancel() -> Response:
    """Several are called off for one reason."""
    reason = request.form.get("reason", "cancelled")
    return _bulk(
        "cancellations", lambda row: service.cancel(row.id, access.me().person_id, reason=reason)
    )


def _bulk(act: str, settle: Callable[[RedemptionRow], Redemption]) -> Response:
    """Ask with the list under the reader's eyes, then settle each in its own transaction, so
    that one that cannot be settled keeps none of the others waiting."""
    rows = _chosen()
    if not rows:
        flash(_("Choose at least one redemption first."), "wait")
        return redirect_to(_back())
    if request.form.get("sure") != "yes":
        reasons = [(code, words.reason_name(code)) for code in service.CANCELLATION_REASONS]
        return render("rewards/bulk.html", rows=rows, act=act, back=_back(), reasons=reasons)
    results = [(row, _refusal(row, settle)) for row in rows]
    if not any(refusal for _row, refusal in results):
        done = len(rows)
        flash(ngettext("One redemption noted.", "%(num)d redemptions noted.", done), "ok")
        return redirect_to(_back())
    return render("rewards/bulk_done.html", results=results, act=act, back=_back())


def _refusal(row: RedemptionRow, settle: Callable[[RedemptionRow], Redemption]) -> str:
    """Settle one in a transaction of its own; why it could not be, empty when it was."""
    try:
        settle(row)
    except DomainError as refused:
        return str(refused.sentence)
    return ""


# ---- On paper


def _paper(asked: RedemptionFilter, back: str) -> Response:
    """What is to be handed over, to be ticked and signed; by who hands it over, then by site."""
    rows = list(islice(queries.each_redemption(asked), PAPER))
    rows.sort(key=lambda row: (row.deliverer_name, row.deliverer_id, row.person_site or "",
                               row.person_name, row.created_at))  # fmt: skip
    parts = [
        (name, [*of_one])
        for (name, _id), of_one in groupby(rows, key=lambda r: (r.deliverer_name, r.deliverer_id))
    ]
    return render(
        "rewards/paper.html",
        parts=parts,
        now=clock.now(),
        is_cut=len(rows) == PAPER,
        back=back,
        notice=sheets.notice() if parts else "",
    )


@rewards.get("/play/deliveries/list")
@access.signed_in
def paper() -> Response:
    """One's own, for paper."""
    me = access.me().person_id
    mine = RedemptionFilter(status=RESERVED, deliverer_id=me, language=language())
    return _paper(mine, OWN)


@rewards.get("/studio/redemptions/list")
@access.role("hr", "admin", within=True)
def board_paper() -> Response:
    """What waits and fits the filter of the address, for paper."""
    with transaction():
        audit.record("redemptions.printed", "redemption", "-", actor_id=access.me().person_id)
    return _paper(replace(_asked(within=_reach()), status=RESERVED), ALL)


@rewards.get("/studio/redemptions.csv")
@access.role("hr", "admin", within=True)
def export() -> Response:
    """The filtered list as a table for a spreadsheet: whom to hand what. It goes by name and
    address; employee numbers stay in the directory (rule W7)."""
    with transaction():
        audit.record("redemptions.exported", "redemption", "-", actor_id=access.me().person_id)
    rows = queries.each_redemption(_asked(within=_reach()))
    return sheets.activity("redemptions", _header(), _cells(rows))


def _header() -> list[str]:
    return [
        _("Redemption"), _("Reserved on"), _("Status"), _("Reward"), _("Pay class"), _("Points"),
        _("Member"), _("Mail"), _("Site"), _("Delivered by"), _("Settled on"), _("Settled by"),
        _("Entity"),
    ]  # fmt: skip


def _cells(rows: Iterator[RedemptionRow]) -> Iterator[list[sheets.Cell]]:
    for row in rows:
        yield [
            str(row.id), row.created_at, words.status_name(row.status), row.title,
            words.pay_class_name(row.pay_class), row.cost, _member(row), row.person_email,
            row.person_site, row.deliverer_name, row.settled_at, row.settled_by_name,
            row.entity_name,
        ]  # fmt: skip


def _member(row: RedemptionRow) -> str:
    """The member's name; of somebody who left, a number that is the same on every line and in
    every download, so that the accounts add up and name nobody (rule W2)."""
    if not row.has_left:
        return row.person_name
    number = crypto.fingerprint(row.person_id.hex, "former-member")[:10]
    return str(_("Former member %(number)s", number=number))
