"""The page of a month: one's own points and rank, and the first of those who chose to be named."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, request

from app import clock
from app.people.consents import PURPOSES
from app.people.queries import choices_of
from app.play import scores
from app.web import access, render

months = Blueprint("months", __name__)


@months.get("/play/month")
@access.role("member")
def show() -> Response:
    """This month, or the one that the address names."""
    reader = access.me().person_id
    board = scores.board(reader, request.args.get("month", "").strip())
    this_month = scores.period_at(clock.now())
    before = board.starts_on - dt.timedelta(days=1)
    return render(
        "play/month.html",
        board=board,
        is_now=board.period == this_month,
        before=f"{before:%Y-%m}",
        after=f"{board.ends_on + dt.timedelta(days=1):%Y-%m}" if board.period < this_month else "",
        choice=PURPOSES[scores.NAMED],
        is_named=any(
            choice.purpose.code == scores.NAMED and choice.granted_at
            for choice in choices_of(reader)
        ),
    )
