"""The ambassador's pages: open offers, personal links, and what became of each referral."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from app.errors import InvalidInput
from app.people.queries import named
from app.referrals import links, neighbours, offer_queries, queries
from app.referrals import public_words as said
from app.referrals.errors import UnknownReferral
from app.referrals.models import CHANNELS
from app.referrals.queries import ReferralFilter
from app.referrals.words import channel_names, claim_names, opening_reasons
from app.web import access, current_settings, redirect_to, render

member = Blueprint("referral_member", __name__)
PAGE = 24


def link_url(code: str) -> str:
    """The full address of a personal link."""
    return f"{current_settings().base_url}/r/{code}"


@member.get("/offers")
@access.role("member")
def offers() -> Response:
    """Open offers that are meant for the reader, newest first; filters live in the address."""
    asked = {
        name: request.args.get(name, "").strip()
        for name in ("q", "department", "location", "contract", "entity")
    }
    me = access.me().person_id
    args = request.args
    found = offer_queries.open_offers(
        me, **asked, after=args.get("after"), before=args.get("before"), limit=PAGE
    )
    facets = offer_queries.facets(person_id=me)
    return render(
        "referrals/offers.html",
        beside=found,
        offers=found.rows,
        asked=asked,
        choices={
            "location": [(f.value, f.value) for f in facets.locations],
            "department": [(f.value, f.value) for f in facets.departments],
            "contract": [(f.value, f.value) for f in facets.contracts],
            "entity": [(f.value, f.label) for f in facets.entities],
        },
    )


@member.get("/offers/<uuid:offer_id>")
@access.role("member")
def offer(offer_id: uuid.UUID) -> Response:
    """One offer: what it is, my words about it, my links."""
    return _offer_page(offer_id)


def _offer_page(
    offer_id: uuid.UUID, status: int = 200, error: str = "", words: str | None = None
) -> Response:
    me = access.me().person_id
    detail = offer_queries.offer_met(offer_id, me)
    mine = queries.links_of(me, offer_id=offer_id)
    kept = queries.words_of(me, offer_id)
    return render(
        "referrals/offer.html",
        status,
        offer=detail.row,
        pay=said.pay(detail.row),
        rewarded=said.rewarded(neighbours.rewarded()),
        description=detail.description_html,
        links=mine,
        link_url=link_url,
        words=kept if words is None else words,
        words_error=error,
        channels=channel_names(),
        public_url=f"{current_settings().base_url}/o/{detail.row.slug}",
    )


@member.post("/offers/<uuid:offer_id>/links")
@access.role("member")
def create_link(offer_id: uuid.UUID) -> Response:
    """My link for one channel."""
    channel = request.form.get("channel", "link")
    links.link_for(access.me().person_id, offer_id, channel if channel in CHANNELS else "link")
    return redirect_to(f"/offers/{offer_id}#links")


@member.post("/offers/<uuid:offer_id>/recommendation")
@access.role("member")
def recommend(offer_id: uuid.UUID) -> Response:
    """My own words, shown to whoever opens my link."""
    words = request.form.get("words", "")
    try:
        links.recommend(access.me().person_id, offer_id, words)
    except InvalidInput as error:
        return _offer_page(offer_id, 422, str(error.errors["words"][0]), words)
    flash(_("Your words are kept. Whoever opens your link reads them."), "ok")
    return redirect_to(f"/offers/{offer_id}")


@member.post("/links/<uuid:link_id>/revocation")
@access.role("member")
def revoke(link_id: uuid.UUID) -> Response:
    """Withdraw one of my links."""
    links.revoke(access.me().person_id, link_id)
    flash(_("This link is withdrawn. Who opens it now reads that it is no longer in use."), "ok")
    return redirect_to("/referrals?tab=links")


@member.get("/referrals")
@access.role("member")
def mine() -> Response:
    """My referrals as far as each candidate allows, and the life of my links."""
    me = access.me().person_id
    tab = "links" if request.args.get("tab") == "links" else "people"
    args = request.args
    found = queries.referrals(
        ReferralFilter(referrer_id=me, stage=args.get("stage") or None),
        after=args.get("after"),
        before=args.get("before"),
        limit=PAGE,
    )
    return render(
        "referrals/mine.html",
        tab=tab,
        beside=found,
        links=queries.links_of(me) if tab == "links" else [],
        link_url=link_url,
        channels=channel_names(),
        reasons=opening_reasons(),
    )


@member.get("/referrals/<uuid:referral_id>")
@access.role("member")
def one(referral_id: uuid.UUID) -> Response:
    """One of my referrals: where it stands, why it is mine, what it may bring."""
    me = access.me().person_id
    row = queries.referral(referral_id, referrer_id=me)
    if row is None:
        raise UnknownReferral
    known = queries.detail(row, for_referrer=True)
    return render(
        "referrals/one.html",
        row=row,
        history=known.history,
        claims=[c for c in known.claims if c.person_id == me],
        owner=named([row.owner_id]).get(row.owner_id) if row.owner_id else None,
        claim_names=claim_names(),
    )
