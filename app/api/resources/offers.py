"""Offers, personal links, and the public form's own call."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _
from flask_smorest import Blueprint

from app.api import schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, is_staff, page
from app.referrals import links, offer_queries, offers, service
from app.referrals.errors import UnknownOffer
from app.referrals.models import Offer, OfferLink
from app.web import access
from app.web.i18n import language
from app.web.limits import limiter
from app.web.pages import current_settings

blueprint = Blueprint("api_offers", __name__, description="Job offers and links")


def _offer(offer: Offer) -> Json:
    return {
        "id": offer.id, "title": offer.title, "description": offer.description_html,
        "location": offer.location, "department": offer.department, "contract": offer.contract,
        "remote": offer.remote, "language": offer.language, "apply_url": offer.apply_url,
        "status": offer.status, "external_id": offer.external_id, "source": offer.source,
        "public_url": f"{current_settings().base_url}/o/{offer.slug}",
        "opened_at": offer.opened_at, "closed_at": offer.closed_at,
    }  # fmt: skip


@blueprint.get("/offers")
@access.api("read")
@blueprint.arguments(schemas.OfferQuery, location="query")
@blueprint.response(200, schemas.page_of(schemas.OfferOut))
def offers_list(query: dict[str, str]) -> Json:
    """Offers, newest first; drafts only for those who may write them."""
    limit = int(query["limit"])
    rows, next_cursor = offer_queries.api_offers(
        status=query.get("status"),
        q=query["q"],
        external_id=query.get("external_id"),
        source=query.get("source"),
        drafts=is_staff(access.me()),
        after=query.get("after"),
        limit=limit,
    )
    return page([_offer(row) for row in rows], next_cursor, limit)


@blueprint.post("/offers")
@idempotent
@access.api("offers:write", "recruiter", "admin")
@blueprint.arguments(schemas.OfferIn)
@blueprint.response(201, schemas.OfferOut)
def create(fields: Json) -> Json:
    """A new offer."""
    return _offer(offers.create_offer(fields, actor_id=access.me().person_id))


@blueprint.get("/offers/<offer_id>")
@access.api("read")
@blueprint.response(200, schemas.OfferOut)
def one(offer_id: str) -> Json:
    """One offer."""
    offer = offers.find(as_id(offer_id))
    if offer.status == "draft" and not is_staff(access.me()):
        raise UnknownOffer
    return _offer(offer)


@blueprint.post("/offers/<offer_id>/closure")
@idempotent
@access.api("offers:write", "recruiter", "admin")
@blueprint.response(201, schemas.OfferOut)
def close(offer_id: str) -> Json:
    """Close an offer. Its links still lead to its page, which says so."""
    return _offer(offers.close_offer(as_id(offer_id), actor_id=access.me().person_id))


@blueprint.post("/offers/<offer_id>/links")
@idempotent
@access.api("referrals:write", "member")
@blueprint.arguments(schemas.LinkIn)
@blueprint.response(201, schemas.LinkOut)
def create_link(fields: dict[str, str], offer_id: str) -> Json:
    """The caller's own link for one channel; the same one at every call."""
    return link_json(links.link_for(access.me().person_id, as_id(offer_id), fields["channel"]))


def link_json(link: OfferLink) -> Json:
    """A link as the API shows it."""
    return {
        "id": link.id, "code": link.code, "channel": link.channel, "offer_id": link.offer_id,
        "url": f"{current_settings().base_url}/r/{link.code}", "created_at": link.created_at,
    }  # fmt: skip


@blueprint.post("/offers/<offer_id>/applications")
@limiter.limit("600/minute")
@idempotent
@access.public
@blueprint.arguments(schemas.ApplicationIn)
@blueprint.response(201, schemas.ApplicationOut)
def apply(fields: dict[str, str | None], offer_id: str) -> Json | Response:
    """The public form's own call. Whether somebody applied before is never shown: the same
    answer again, and the private address again by mail."""
    form = service.Application(
        first_name=fields["first_name"] or "",
        last_name=fields["last_name"] or "",
        email=fields["email"] or "",
        visibility=fields["visibility"] or "ends",
        notice_version=fields["notice_version"] or "",
        code=fields["code"] or None,
        click_id=fields["click_id"] or None,
        language=fields["language"] or language(),
    )
    referral_id = service.apply(as_id(offer_id), form)
    return {
        "id": referral_id, "offer_id": offer_id, "status": "received",
        "visibility": form.visibility,
        "message": _("Your private address is on its way to your mailbox."),
    }  # fmt: skip
