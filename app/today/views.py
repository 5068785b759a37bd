"""The first page: what is new and why, an offer that fits, what waits, what became of it."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import format_date

from app import clock
from app.today import queries, visits
from app.web import access, render
from app.web.i18n import language
from app.web.pages import is_htmx, redirect_to

today = Blueprint("today", __name__)

OFFER = "fitting-offer"
"""The part of the page that a reader leafs through."""


@today.get("/")
@access.signed_in
def show() -> Response:
    """Today, for a member; who has not joined is asked first."""
    who = access.me()
    if "member" not in who.roles:
        return redirect_to("/join")
    place = _place()
    if is_htmx() and request.headers.get("HX-Target") == OFFER:
        return render("today/_offer.html", offer=queries.offer(who, language(), place))
    shown = queries.today(who, language(), here_before=visits.before_this(), place=place)
    return render(
        "today/today.html",
        today=shown,
        now=clock.now(),
        date=_date(),
        is_team=bool({*who.roles, *who.reach} - {"member"}),
    )


def _date() -> str:
    """Tuesday 17 November, Mardi 17 novembre: as a line by itself begins."""
    text = str(format_date(clock.now(), "EEEE d MMMM"))
    return text[:1].upper() + text[1:]


def _place() -> int:
    """Which of the fitting offers the address asks for; the first one for an odd address."""
    asked = request.args.get("offer", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1
