"""Offers, personal links, and the public form's own call."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response
from flask_babel import gettext as _
from flask_smorest import Blueprint

from app.api import schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page
from app.people import audiences
from app.people.audiences import KEPT, SEEN
from app.referrals import links, offer_queries, offers, reach, service
from app.referrals.models import Offer, OfferLink
from app.referrals.reach import Within
from app.settings import entities
from app.web import access
from app.web.i18n import language
from app.web.limits import limiter
from app.web.pages import current_settings

blueprint = Blueprint("api_offers", __name__, description="Job offers and links")


def _reach() -> Within:
    """How far the reader may know of offers that are not meant for them, drafts included."""
    return access.reach(*reach.READERS)


def _offers(rows: Sequence[Offer]) -> list[Json]:
    """Offers as the API shows them. Staff reads as well which company hires, whom each is meant
    for and who keeps it, of those within their reach."""
    within, ids = _reach(), [row.id for row in rows]
    if within is not None and not within:
        return [_offer(row) for row in rows]
    seen, kept = audiences.assigned(ids, SEEN), audiences.assigned(ids, KEPT)
    codes = {row.id: row.code for row in entities.entities(archived=True)}
    return [
        _offer(row) | {
            "entity": codes.get(row.entity_id) if row.entity_id else None,
            "audience": [each for each, _name in seen.get(row.id, [])],
            "kept": [each for each, _name in kept.get(row.id, [])],
        }
        if within is None or {each for each, _name in kept.get(row.id, [])} & {*within}
        else _offer(row)
        for row in rows
    ]  # fmt: skip


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
    """Offers, newest first: all for those who may write them, as far as their role goes; for
    others those that are published and meant for them."""
    limit = int(query["limit"])
    found = offer_queries.api_offers(
        status=query.get("status"),
        q=query["q"],
        external_id=query.get("external_id"),
        source=query.get("source"),
        entity=query["entity"],
        reader_id=access.me().person_id,
        within=_reach(),
        after=query.get("after"),
        limit=limit,
    )
    return page(_offers(found.rows), found.next, limit)


@blueprint.post("/offers")
@idempotent
@access.api("offers:write", *reach.WHO, within=True)
@blueprint.arguments(schemas.OfferIn)
@blueprint.response(201, schemas.OfferOut)
def create(fields: Json) -> Json:
    """A new offer. A role that was given for segments makes offers of these: `audience` and
    `kept` name some of them, or else all."""
    made = offers.create_offer(fields, access.me().person_id, within=reach.mine())
    return _offers([made])[0]


@blueprint.get("/offers/<offer_id>")
@access.api("read")
@blueprint.response(200, schemas.OfferOut)
def one(offer_id: str) -> Json:
    """One offer."""
    offer = offer_queries.offer_for(as_id(offer_id), access.me().person_id, _reach())
    return _offers([offer])[0]


@blueprint.post("/offers/<offer_id>/closure")
@idempotent
@access.api("offers:write", *reach.WHO, within=True)
@blueprint.response(201, schemas.OfferOut)
def close(offer_id: str) -> Json:
    """Close an offer. Its links still lead to its page, which says so."""
    me = access.me().person_id
    return _offers([offers.close_offer(as_id(offer_id), me, within=reach.mine())])[0]


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
