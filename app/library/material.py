"""A story as those above the library use it: one language, ready to be told or shared."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from app import clock
from app.db import db
from app.library.errors import NetworkNotOffered, StoryExpired, StoryWithdrawn, UnknownStory
from app.library.models import Story, StoryText
from app.media.drawing import NETWORK_WIDTH
from app.media.service import PictureUrls


@dataclass(frozen=True, slots=True)
class Start:
    """A way to begin, offered to whoever shares. `kind` is one of `CAPTION_KINDS`."""

    id: uuid.UUID
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    """A story in one language. `languages` are all it has, its own first; `networks` empty
    means all; `starts` are those of the language shown, in order; `body` is Markdown."""

    story_id: uuid.UUID
    slug: str
    kind: str
    language: str
    languages: tuple[str, ...]
    title: str
    summary: str
    body: str
    alt: str
    url: str | None
    picture_id: uuid.UUID | None
    networks: tuple[str, ...]
    is_commercial: bool
    topic_ids: frozenset[uuid.UUID]
    starts: tuple[Start, ...]
    visible_from: dt.datetime | None
    expires_at: dt.datetime | None
    status: str


class Target(NamedTuple):
    """Where a personal link leads: to `url` when there is one, else to the page of `slug`."""

    url: str | None
    slug: str
    is_gone: bool


def material(story_id: uuid.UUID, language: str | None = None) -> Material:
    """One story, drafts too, in the language asked for or else its own.

    Raises `UnknownStory`.
    """
    story = db.session.get(Story, story_id)
    if story is None:
        raise UnknownStory
    return material_of(story, language)


def shareable(
    story_id: uuid.UUID, language: str | None = None, network: str | None = None
) -> Material:
    """The same for somebody who is about to share it, now and on that network.

    Raises `UnknownStory` (drafts, and those not visible yet), `StoryWithdrawn`,
    `StoryExpired`, `NetworkNotOffered`.
    """
    found = material(story_id, language)
    now = clock.now()
    if found.status == "withdrawn":
        raise StoryWithdrawn
    if found.status != "published" or (found.visible_from and found.visible_from > now):
        raise UnknownStory
    if found.expires_at is not None and found.expires_at <= now:
        raise StoryExpired
    if network is not None and found.networks and network not in found.networks:
        raise NetworkNotOffered
    return found


def public_url_path(slug: str) -> str:
    """The path of a story's public page."""
    return f"/s/{slug}"


Heard = Callable[[], None]
_listeners: list[Heard] = []


def when_targets_change(listener: Heard) -> None:
    """A feature above that remembers where links to stories lead says here, once, what it does
    when one of them begins to lead elsewhere or nowhere."""
    if listener not in _listeners:
        _listeners.append(listener)


def target_changed() -> None:
    """Tell them, inside the transaction that changes it."""
    for listener in _listeners:
        listener()


def target_of(story_id: uuid.UUID) -> Target:
    """Where a link to this story leads. `is_gone` once it was withdrawn. An expired story still
    leads on: what was posted in its time stays true. Raises `UnknownStory` (drafts too)."""
    row = db.session.execute(
        select(Story.url, Story.slug, Story.status).where(Story.id == story_id)
    ).one_or_none()
    if row is None or row.status == "draft":
        raise UnknownStory
    return Target(row.url, row.slug, row.status == "withdrawn")


def material_of(story: Story, language: str | None = None) -> Material:
    """The material of a loaded story."""
    text = text_of(story, language)
    return Material(
        story_id=story.id,
        slug=story.slug,
        kind=story.kind,
        language=text.language,
        languages=languages_of(story),
        title=text.title,
        summary=text.summary,
        body=text.body,
        alt=text.alt,
        url=story.url,
        picture_id=story.picture_id,
        networks=tuple(story.networks),
        is_commercial=story.is_commercial,
        topic_ids=frozenset(topic.id for topic in story.topics),
        starts=tuple(
            Start(c.id, c.kind, c.text) for c in story.captions if c.language == text.language
        ),
        visible_from=story.visible_from,
        expires_at=story.expires_at,
        status=story.status,
    )


def languages_of(story: Story) -> tuple[str, ...]:
    """The languages a story has a text in, its own first."""
    return own_first([text.language for text in story.texts], story.language)


def own_first(languages: Iterable[str], own: str) -> tuple[str, ...]:
    """Languages in the order in which a story has them: its own, then the others."""
    return tuple(sorted(languages, key=lambda language: (language != own, language)))


def text_of(story: Story, language: str | None) -> StoryText:
    """The text in the language asked for, or in the story's own."""
    texts = {text.language: text for text in story.texts}
    return texts.get(language or story.language) or texts[story.language]


def jpeg_size(urls: PictureUrls) -> tuple[int, int]:
    """Width and height of a picture's JPEG, which is what other people's feeds are given."""
    width = min(urls.width, NETWORK_WIDTH)
    return width, round(urls.height * width / urls.width)
