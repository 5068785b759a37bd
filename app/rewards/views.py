"""Members: the shelf, a reward, redeeming it, and the receipts."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from app.db import new_id
from app.errors import DomainError
from app.ledger.errors import InsufficientPoints
from app.play import coming
from app.play.neighbours import Section, Told
from app.rewards import effective, queries, service, words
from app.rewards.errors import NoSuchRedemption, NoSuchReward, OutOfStock, RewardWithdrawn
from app.rewards.queries import RedemptionFilter, RedemptionRow, RewardFilter, RewardRow
from app.web import access, redirect_to, render
from app.web.i18n import day, language

rewards = Blueprint("rewards", __name__)
PAGE = 24
BESIDE = 4
SHELF = ("now",)


@rewards.get("/play/rewards")
@access.role("member")
def shelf() -> Response:
    """What points can be exchanged for, the nearest first."""
    reach = coming.of_person(access.me().person_id)
    show = request.args.get("show", "")
    show = show if show in SHELF else ""
    asked = RewardFilter(
        in_stock=True,
        cost_up_to=reach.available if show == "now" else None,
        shopper=effective.reader(access.me().person_id),
        language=language(),
    )
    args = request.args
    found = queries.rewards(asked, after=args.get("after"), before=args.get("before"), limit=PAGE)
    return render(
        "rewards/shelf.html",
        beside=found,
        show=show,
        available=reach.available,
        reach=reach,
        pay_note=words.pay_note,
    )


def beside_statement() -> Section:
    """The beginning of the shelf, for the side of the statement."""
    shopper = effective.reader(access.me().person_id)
    asked = RewardFilter(in_stock=True, shopper=shopper, language=language())
    rows = queries.rewards(asked, limit=BESIDE).rows
    delivers = queries.delivers(access.me().person_id)
    reach = coming.of_person(access.me().person_id)
    shown = {"rows": rows, "pay_note": words.pay_note, "delivers": delivers, "reach": reach}
    return Section("rewards/_beside.html", shown)


def told(redemption_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Told]:
    """Lines of the statement that were spent here, in words."""
    return {row.id: _told(row) for row in queries.by_ids(redemption_ids, language=language())}


def _told(row: RedemptionRow) -> Told:
    about = {
        "reserved": _("Reward reserved; %(name)s hands it over", name=row.deliverer_name),
        "fulfilled": _("Handed over on %(day)s", day=day(row.settled_at)),
        "cancelled": _("Cancelled on %(day)s", day=day(row.settled_at)),
    }[row.status]
    evidence = _("Receipt of %(day)s", day=day(row.created_at))
    return Told(row.title, about, evidence, f"/play/redemptions/{row.id}")


@rewards.get("/play/rewards/<uuid:reward_id>")
@access.role("member")
def one(reward_id: uuid.UUID) -> Response:
    """One reward, everything one should know before pressing."""
    return _reward_page(_on_my_shelf(reward_id))


def _on_my_shelf(reward_id: uuid.UUID) -> RewardRow:
    shopper = effective.reader(access.me().person_id)
    row = queries.reward(reward_id, shopper=shopper, language=language())
    if row is None:
        raise NoSuchReward
    return row


def _reward_page(row: RewardRow, status: int = 200, refusal: DomainError | None = None) -> Response:
    reach = coming.of_person(access.me().person_id)
    return render(
        "rewards/reward.html",
        status,
        row=row,
        available=reach.available,
        missing=row.missing(reach.available),
        soon=reach.day_of(row.cost),
        refusal=refusal.sentence if refusal else None,
        pay_note=words.pay_note(row.pay_class),
        key=new_id(),
    )


@rewards.post("/play/rewards/<uuid:reward_id>/redemptions")
@access.role("member")
def redeem(reward_id: uuid.UUID) -> Response:
    """Reserve one. The form's own key makes a double press one redemption."""
    key = request.form.get("key", "")[:64] or None
    try:
        redemption = service.redeem(access.me().person_id, reward_id, key=key)
    except (OutOfStock, InsufficientPoints, RewardWithdrawn) as refusal:
        return _reward_page(_on_my_shelf(reward_id), refusal.status, refusal)
    flash(_("It is kept for you. Until it is handed over, one press below takes it back."), "ok")
    return redirect_to(f"/play/redemptions/{redemption.id}")


@rewards.get("/play/redemptions")
@access.role("member")
def receipts() -> Response:
    """One's own redemptions, newest first."""
    mine = RedemptionFilter(person_id=access.me().person_id, language=language())
    args = request.args
    found = queries.redemptions(
        mine, after=args.get("after"), before=args.get("before"), limit=PAGE
    )
    return render(
        "rewards/receipts.html",
        beside=found,
        status_name=words.status_name,
    )


@rewards.get("/play/redemptions/<uuid:redemption_id>")
@access.role("member")
def receipt(redemption_id: uuid.UUID) -> Response:
    """What was reserved, where it stands, what comes next."""
    row = _mine(redemption_id)
    return render("rewards/receipt.html", row=row, pay_note=words.pay_note(row.pay_class))


def _mine(redemption_id: uuid.UUID) -> RedemptionRow:
    row = queries.redemption(redemption_id, language=language())
    if row is None or row.person_id != access.me().person_id:
        raise NoSuchRedemption
    return row


@rewards.post("/play/redemptions/<uuid:redemption_id>/cancellation")
@access.role("member")
def cancel(redemption_id: uuid.UUID) -> Response:
    """Change one's mind while nothing was handed over."""
    row = _mine(redemption_id)
    service.cancel(row.id, access.me().person_id)
    flash(_("Cancelled. Your %(points)d points are back.", points=row.cost), "ok")
    return redirect_to(f"/play/redemptions/{row.id}")
