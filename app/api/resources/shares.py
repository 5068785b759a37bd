"""Shares: a member's own posts, by a personal token that they made for themselves."""

from __future__ import annotations

import datetime as dt
import uuid

from flask_babel import lazy_gettext as _l
from flask_smorest import Blueprint

from app.api import schemas, share_schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page
from app.db import db
from app.errors import InvalidInput
from app.integrations.linkedin.posts import post_url
from app.people.models import Person
from app.sharing import disclosures, networks, posting, queries, reach, service
from app.sharing.models import Share
from app.sharing.queries import ShareFilter
from app.sharing.service import Wish
from app.sharing.words import REASONS
from app.web import access
from app.web.i18n import language
from app.web.pages import current_settings

blueprint = Blueprint("api_shares", __name__, description="A member's own posts")


def shares_json(shares: list[Share]) -> list[Json]:
    """Shares as the API shows them, their figures read together."""
    figures = reach.reach_of(shares)
    return [_share(share, figures[share.id]) for share in shares]


def _one(share: Share) -> Json:
    return shares_json([share])[0]


def _share(share: Share, figures: reach.Reach) -> Json:
    settings = current_settings()
    link = posting.link_url(share, settings) if share.link_id else None
    urn = share.post_urn
    return {
        "id": share.id, "story_id": share.story_id, "offer_id": share.offer_id,
        "network": share.network, "language": share.language, "text": share.words,
        "disclosure": share.disclosure, "post_text": share.post_text, "status": share.status,
        "error": _error(share.reason), "publish_at": share.publish_at,
        "published_at": share.published_at, "withdrawn_at": share.withdrawn_at, "post_urn": urn,
        "post_url": post_url(settings, urn) if urn else None, "link_url": link,
        "intent_url": _intent(share, link), "seen_at": share.seen_at, "reach": figures,
        "created_at": share.created_at,
    }  # fmt: skip


def _error(reason: str | None) -> Json | None:
    if reason is None:
        return None
    return {"code": reason, "message": str(REASONS.get(reason, reason))}


def _intent(share: Share, link: str | None) -> str | None:
    if share.status != "intent" or link is None:
        return None
    return networks.intent_url(share.network, text=share.post_text, url=link, title=share.title)


@blueprint.get("/shares")
@access.api("read", "member")
@blueprint.arguments(share_schemas.ShareQuery, location="query")
@blueprint.response(200, schemas.page_of(share_schemas.ShareOut))
def mine(query: dict[str, str]) -> Json:
    """The caller's own posts, newest first."""
    limit = int(query["limit"])
    wanted = ShareFilter(
        person_id=access.me().person_id,
        statuses=(query["status"],) if "status" in query else (),
        story_id=as_id(query["story_id"]) if "story_id" in query else None,
        offer_id=as_id(query["offer_id"]) if "offer_id" in query else None,
    )
    found = queries.shares(wanted, after=query.get("after"), limit=limit)
    return page(shares_json(found.rows), found.next, limit)


@blueprint.post("/shares")
@idempotent
@access.api("shares:write", "member")
@blueprint.arguments(share_schemas.ShareIn)
@blueprint.response(202, share_schemas.ShareOut)
def create(fields: Json) -> Json:
    """The member's own press on this very post; it goes out now, or at `publish_at`."""
    return _one(service.press(access.me().person_id, _wish(fields)))


def _wish(fields: Json) -> Wish:
    story_id, offer_id = _id(fields, "story_id"), _id(fields, "offer_id")
    if (story_id is None) == (offer_id is None):
        sentence = _l("Name a story or an offer, one of them.")
        raise InvalidInput(sentence, {"story_id": sentence})
    publish_at, disclosure = fields.get("publish_at"), fields.get("disclosure")
    asked = fields.get("language")
    return Wish(
        story_id=story_id,
        offer_id=offer_id,
        network=str(fields["network"]),
        words=str(fields.get("text") or ""),
        disclosure=str(disclosure) if disclosure else None,
        publish_at=publish_at if isinstance(publish_at, dt.datetime) else None,
        language=str(asked) if asked else None,
    )


def _id(fields: Json, name: str) -> uuid.UUID | None:
    value = fields.get(name)
    return as_id(str(value)) if value else None


@blueprint.get("/shares/<share_id>")
@access.api("read", "member")
@blueprint.response(200, share_schemas.ShareOut)
def one(share_id: str) -> Json:
    """One of the caller's posts: its state, its reach, each figure with its truth."""
    return _one(queries.own_share(access.me().person_id, as_id(share_id)))


@blueprint.delete("/shares/<share_id>")
@access.api("shares:write", "member")
@blueprint.response(202, share_schemas.ShareOut)
def withdraw(share_id: str) -> Json:
    """Cancel it before it is sent; take it off the network after, where that is allowed."""
    return _one(service.withdraw(access.me().person_id, as_id(share_id)))


@blueprint.post("/shares/<share_id>/check")
@idempotent
@access.api("shares:write", "member")
@blueprint.response(202, share_schemas.ShareOut)
def check(share_id: str) -> Json:
    """An unknown one, within a day: send it if it is missing. The network refuses a text that it
    has, and names the post."""
    return _one(service.check(access.me().person_id, as_id(share_id)))


@blueprint.post("/shares/<share_id>/answer")
@idempotent
@access.api("shares:write", "member")
@blueprint.arguments(share_schemas.AnswerIn)
@blueprint.response(201, share_schemas.ShareOut)
def answer(fields: dict[str, bool], share_id: str) -> Json:
    """An unknown one: the author looked, and says whether it is online."""
    person_id = access.me().person_id
    return _one(service.declare(person_id, as_id(share_id), online=fields["online"]))


@blueprint.get("/disclosures")
@access.api("read", "member")
@blueprint.arguments(share_schemas.DisclosureQuery, location="query")
@blueprint.response(200, share_schemas.DisclosuresOut)
def approved(query: dict[str, str]) -> Json:
    """The approved wordings for the caller, the default one first."""
    person = db.session.get_one(Person, access.me().person_id)
    return {"items": disclosures.offered(query.get("language", language()), person.kind)}
