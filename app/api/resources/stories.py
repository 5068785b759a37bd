"""Stories of the library: written, published, taken back."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from flask import request
from flask_babel import lazy_gettext as _l
from flask_smorest import Blueprint

from app.api import schemas, story_schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page
from app.errors import InvalidInput
from app.library import queries, service
from app.library.errors import StoryWithdrawn
from app.library.material import jpeg_size, public_url_path
from app.library.models import Story, StoryText
from app.library.queries import StoryFilter, Viewer
from app.media import service as media
from app.media.service import PictureView
from app.people import audiences
from app.web import access
from app.web.pages import current_settings

blueprint = Blueprint("api_stories", __name__, description="Stories of the library")

Pictures = dict[uuid.UUID, PictureView]
Meant = dict[uuid.UUID, list[tuple[uuid.UUID, str]]]


def _viewer() -> Viewer:
    who = access.me()
    return Viewer(who.person_id, who.roles, who.reach)


def _stories(rows: Sequence[Story]) -> list[Json]:
    """Stories as the API shows them, their pictures in one read; whom they are meant for only to
    those who work on them."""
    pictures = media.pictures([row.picture_id for row in rows if row.picture_id])
    told = queries.kept_among([row.id for row in rows], _viewer().writes)
    meant = audiences.assigned(told, audiences.SEEN)
    return [_story(row, pictures) | _audience(row.id, told, meant) for row in rows]


def _audience(story_id: uuid.UUID, told: Collection[uuid.UUID], meant: Meant) -> Json:
    if story_id not in told:
        return {}
    return {"audience": [key for key, _name in meant.get(story_id, ())]}


def _one(story: Story) -> Json:
    return _stories([story])[0]


def _story(story: Story, pictures: Pictures) -> Json:
    texts = {text.language: text for text in story.texts}
    own = texts.pop(story.language)
    siblings = {code: _words(story, texts[code]) for code in sorted(texts)}
    return {
        "id": story.id, "kind": story.kind, "language": story.language,
        **_words(story, own),
        "url": story.url, "topics": sorted(topic.name for topic in story.topics),
        "networks": story.networks, "visible_from": story.visible_from,
        "expires_at": story.expires_at, "is_commercial": story.is_commercial,
        "translations": siblings, "status": story.status,
        "published_at": story.published_at, "created_at": story.created_at,
        "public_url": f"{current_settings().base_url}{public_url_path(story.slug)}",
        "picture": _picture(pictures.get(story.picture_id) if story.picture_id else None, own),
    }  # fmt: skip


def _words(story: Story, text: StoryText) -> Json:
    return {
        "title": text.title, "summary": text.summary, "body": text.body, "alt": text.alt,
        "captions": [c.text for c in story.captions if c.language == text.language],
    }  # fmt: skip


def _picture(found: PictureView | None, text: StoryText) -> Json | None:
    if found is None:
        return None
    urls = media.urls(found)
    width, height = jpeg_size(urls)
    url = f"{current_settings().base_url}{urls.jpeg}"
    return {"url": url, "width": width, "height": height, "alt": text.alt}


@blueprint.get("/stories")
@access.api("read")
@blueprint.arguments(story_schemas.StoryQuery, location="query")
@blueprint.response(200, schemas.page_of(story_schemas.StoryOut))
def stories_list(query: dict[str, str]) -> Json:
    """Stories, newest first. Members get what is meant for them and may be shared now; writers
    their own drafts, too; curators everything. A role that was given for segments adds what
    these keep."""
    filters = StoryFilter(
        q=query["q"], topic=query["topic"], kind=query["kind"], language=query["language"],
        network=query["network"], status=query.get("status", ""),
    )  # fmt: skip
    limit = int(query["limit"])
    found = queries.api_stories(filters, _viewer(), query.get("after"), limit)
    return page(_stories(found.rows), found.next, limit)


@blueprint.post("/stories")
@idempotent
@access.api("stories:write", "contributor", "curator", "admin", within=True)
@blueprint.arguments(story_schemas.StoryIn)
@blueprint.response(201, story_schemas.StoryOut)
def create(fields: Json) -> Json:
    """A new draft, meant for everybody or for the segments of `audience`."""
    return _one(service.create_story(fields, access.me().person_id))


@blueprint.get("/stories/<story_id>")
@access.api("read")
@blueprint.response(200, story_schemas.StoryOut)
def one(story_id: str) -> Json:
    """One story. Members are told when it was withdrawn (410)."""
    viewer = _viewer()
    story = queries.story_for(as_id(story_id), viewer)
    if story.status == "withdrawn" and not queries.kept_among([story.id], viewer.writes):
        raise StoryWithdrawn
    return _one(story)


@blueprint.post("/stories/<story_id>/publication")
@idempotent
@access.api("stories:write", "curator", "admin", within=True)
@blueprint.response(201, story_schemas.StoryOut)
def publish(story_id: str) -> Json:
    """Show it to members, from `visible_from` on."""
    return _one(service.publish_story(as_id(story_id), access.me().person_id))


@blueprint.delete("/stories/<story_id>/publication")
@access.api("stories:write", "curator", "admin", within=True)
@blueprint.response(204)
def withdraw(story_id: str) -> None:
    """Take it back. Its page says so, and nobody can share it any more."""
    service.withdraw_story(as_id(story_id), access.me().person_id)


@blueprint.post("/stories/<story_id>/picture")
@access.api("stories:write", "contributor", "curator", "admin", within=True)
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["picture"],
                    "properties": {
                        "picture": {"type": "string", "format": "binary"},
                        "alt": {"type": "string"},
                    },
                }
            }
        },
    }
)
@blueprint.response(201, story_schemas.StoryOut)
def add_picture(story_id: str) -> Json:
    """Its picture, as a form with the file `picture` (20 MB at most) and the words `alt` in
    the story's own language. The same file again changes nothing."""
    me, found = access.me().person_id, as_id(story_id)
    file = request.files.get("picture") or request.files.get("file")
    if file is None:
        sentence = _l("Send the picture as the file “picture” of a form.")
        raise InvalidInput(sentence, {"picture": sentence})
    service.check_may_change(found, me)
    picture = media.add(file.read(), actor_id=me)
    fields: Json = {"picture_id": picture.id}
    if "alt" in request.form:
        fields["alt"] = request.form["alt"]
    return _one(service.change_story(found, fields, me))
