"""Shapes of shares in the API. Times are RFC 3339 in UTC, identifiers opaque strings."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from app.api.schemas import Instant, Paging, Strict
from app.sharing.models import STATUSES


class ShareIn(Strict):
    """Exactly one of `story_id` and `offer_id`. `text` is the member's words; the disclosure is
    placed before them: an approved wording's id (`GET /disclosures`), `none`, or the default one
    when left out. `publish_at` null means now."""

    story_id = ma.fields.String(allow_none=True)
    offer_id = ma.fields.String(allow_none=True)
    network = ma.fields.String(load_default="linkedin")
    text = ma.fields.String(load_default="", allow_none=True)
    disclosure = ma.fields.String(allow_none=True)
    publish_at = Instant(allow_none=True)
    language = ma.fields.String(allow_none=True, validate=validate.OneOf(("fr", "en")))


class FigureOut(ma.Schema):
    value = ma.fields.Integer()
    truth = ma.fields.String(metadata={"description": "measured, estimated or declared"})
    taken_at = Instant(allow_none=True)


class ReachOut(ma.Schema):
    """Null means not measured: never a zero for an unknown."""

    clicks = ma.fields.Nested(FigureOut, allow_none=True)
    impressions = ma.fields.Nested(FigureOut, allow_none=True)
    reached = ma.fields.Nested(FigureOut, allow_none=True)
    reactions = ma.fields.Nested(FigureOut, allow_none=True)
    comments = ma.fields.Nested(FigureOut, allow_none=True)
    reshares = ma.fields.Nested(FigureOut, allow_none=True)


class ShareError(ma.Schema):
    code = ma.fields.String()
    message = ma.fields.String()


class ShareOut(ma.Schema):
    id = ma.fields.String()
    story_id = ma.fields.String(allow_none=True)
    offer_id = ma.fields.String(allow_none=True)
    network = ma.fields.String()
    language = ma.fields.String()
    text = ma.fields.String(metadata={"description": "The member's own words."})
    disclosure = ma.fields.String()
    post_text = ma.fields.String(metadata={"description": "The exact text of the post."})
    status = ma.fields.String()
    error = ma.fields.Nested(ShareError, allow_none=True)
    publish_at = Instant(allow_none=True)
    published_at = Instant(allow_none=True)
    withdrawn_at = Instant(allow_none=True)
    post_urn = ma.fields.String(allow_none=True)
    post_url = ma.fields.String(allow_none=True)
    link_url = ma.fields.String(allow_none=True)
    intent_url = ma.fields.String(allow_none=True)
    seen_at = Instant(allow_none=True)
    reach = ma.fields.Nested(ReachOut)
    created_at = Instant()


class ShareQuery(Paging):
    status = ma.fields.String(validate=validate.OneOf(STATUSES))
    story_id = ma.fields.String()
    offer_id = ma.fields.String()


class AnswerIn(Strict):
    """What the author saw on the network."""

    online = ma.fields.Boolean(required=True)


class DisclosureQuery(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    language = ma.fields.String(validate=validate.OneOf(("fr", "en")))


class DisclosureOut(ma.Schema):
    id = ma.fields.String()
    language = ma.fields.String()
    text = ma.fields.String()


class DisclosuresOut(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(DisclosureOut))
