"""Shapes of stories in the API. Times are RFC 3339 in UTC, identifiers opaque strings."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_babel import lazy_gettext as _l
from marshmallow import validate

from app.api.schemas import Instant, Paging, Strict
from app.library.models import STATUSES


class Caption(ma.fields.Field[Any]):
    """A text, or an object of `text`, `kind` and `language`; the library checks what it is."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            return CaptionIn().load(value)
        if not isinstance(value, str):
            raise ma.ValidationError(str(_l("Give a text here.")))
        return value


class CaptionIn(Strict):
    """A ready way to begin, 3,000 UTF-16 units at most. `kind`: `short`, `long`, `question`,
    `first-person`."""

    text = ma.fields.String(required=True)
    kind = ma.fields.String(allow_none=True)
    language = ma.fields.String(allow_none=True)


class TranslationIn(Strict):
    """The same story in another language."""

    title = ma.fields.String(required=True)
    summary = ma.fields.String(allow_none=True)
    body = ma.fields.String(allow_none=True)
    alt = ma.fields.String(allow_none=True)
    captions = ma.fields.List(Caption())


class StoryIn(Strict):
    """`title` is needed. A story begins as a draft; `body` is Markdown, `topics` are names,
    `networks` left empty means all; `alt` describes the picture. `audience` holds the identifiers
    of the segments it is meant for: none means everybody or, for a role that was given for
    segments, these."""

    kind = ma.fields.String(allow_none=True)
    language = ma.fields.String(allow_none=True)
    title = ma.fields.String(required=True)
    summary = ma.fields.String(allow_none=True)
    body = ma.fields.String(allow_none=True)
    alt = ma.fields.String(allow_none=True)
    url = ma.fields.String(allow_none=True)
    captions = ma.fields.List(Caption())
    topics = ma.fields.List(ma.fields.String())
    networks = ma.fields.List(ma.fields.String())
    visible_from = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)
    is_commercial = ma.fields.Boolean()
    audience = ma.fields.List(ma.fields.String())
    translations = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(TranslationIn))


class StoryPicture(ma.Schema):
    url = ma.fields.String()
    width = ma.fields.Integer()
    height = ma.fields.Integer()
    alt = ma.fields.String()


class TranslationOut(ma.Schema):
    title = ma.fields.String()
    summary = ma.fields.String()
    body = ma.fields.String()
    alt = ma.fields.String()
    captions = ma.fields.List(ma.fields.String())


class StoryOut(ma.Schema):
    """`translations` holds the languages other than the story's own. `audience` is told to those
    who work on the story: the identifiers of the segments it is meant for, none for everybody."""

    id = ma.fields.String()
    kind = ma.fields.String()
    language = ma.fields.String()
    title = ma.fields.String()
    summary = ma.fields.String()
    body = ma.fields.String()
    alt = ma.fields.String()
    url = ma.fields.String(allow_none=True)
    captions = ma.fields.List(ma.fields.String())
    topics = ma.fields.List(ma.fields.String())
    networks = ma.fields.List(ma.fields.String())
    visible_from = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)
    is_commercial = ma.fields.Boolean()
    translations = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(TranslationOut))
    status = ma.fields.String()
    audience = ma.fields.List(ma.fields.String())
    published_at = Instant(allow_none=True)
    public_url = ma.fields.String()
    picture = ma.fields.Nested(StoryPicture, allow_none=True)
    created_at = Instant()


class StoryQuery(Paging):
    status = ma.fields.String(validate=validate.OneOf(STATUSES))
    kind = ma.fields.String(load_default="")
    topic = ma.fields.String(load_default="")
    language = ma.fields.String(load_default="")
    network = ma.fields.String(load_default="")
    q = ma.fields.String(load_default="")
