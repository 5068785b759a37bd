"""The first page: what waits for me, what became of what I did, what is new."""

from __future__ import annotations

from flask import Blueprint, Response

from app.library import queries as library
from app.people.queries import person
from app.play import accounts, statement
from app.referrals import offer_queries
from app.referrals import queries as referrals
from app.referrals.queries import ReferralFilter
from app.sharing import queries as sharing
from app.sharing import reach
from app.sharing.queries import ShareFilter
from app.sharing.words import NETWORK_NAMES, STATUS_NAMES
from app.web import access, render
from app.web.i18n import language
from app.web.pages import redirect_to

today = Blueprint("today", __name__)


@today.get("/")
@access.signed_in
def show() -> Response:
    """Today, for a member; who has not joined is asked first."""
    who = access.me()
    if "member" not in who.roles:
        return redirect_to("/join")
    rows, _next = referrals.referrals(ReferralFilter(referrer_id=who.person_id), limit=3)
    offers, _more = offer_queries.open_offers(limit=3)
    shares, _older = sharing.shares(ShareFilter(person_id=who.person_id), limit=3)
    return render(
        "today/today.html",
        person=person(who.person_id),
        balance=accounts.balance_of(who.person_id),
        pending=statement.pending(who.person_id, language=language())[:3],
        referrals=rows,
        offers=offers,
        stories=library.latest(3, language()),
        shares=shares,
        figures=reach.reach_of(shares),
        statuses=STATUS_NAMES,
        networks=NETWORK_NAMES,
    )
