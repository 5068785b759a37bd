"""Stories: one id, one publication, one set of figures, texts keyed by language."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import retention
from app.db import Model, primary_key, utc_column
from app.media.models import Picture
from app.people.models import Person

KINDS = (
    "article", "news", "story", "testimonial", "infographic", "visual", "video", "event",
)  # fmt: skip
STATUSES = ("draft", "published", "withdrawn")
CAPTION_KINDS = ("short", "long", "question", "first-person")
NETWORKS = (
    "linkedin", "x", "facebook", "whatsapp", "bluesky", "mastodon", "telegram", "threads",
    "reddit", "email", "sms", "copy", "qr",
)  # fmt: skip


class Story(Model):
    """Something worth passing on. `language` is the one it was written in; `networks` empty
    means all; a commercial one carries the legal mention. It can be shared while it is
    published and inside its window (`visible_from`, `expires_at`)."""

    __tablename__ = "story"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        Index("ix_story_shelf", "status", "published_at", "id"),
        Index("ix_story_author", "author_id", "created_at", "id"),
        Index("ix_story_made", "created_at", "id"),
        Index("ix_story_status", "status", "created_at", "id"),
        Index("ix_story_planned", "visible_from"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20), default="article")
    language: Mapped[str] = mapped_column(String(5), default="fr")
    url: Mapped[str | None] = mapped_column(String(2000))
    picture_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("picture.id"))
    networks: Mapped[list[str]]
    is_commercial: Mapped[bool] = mapped_column(default=False)
    evidence: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(10), default="draft")
    visible_from: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[dt.datetime | None]
    published_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    withdrawn_at: Mapped[dt.datetime | None]
    search_text: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = utc_column()
    updated_at: Mapped[dt.datetime] = utc_column()

    author: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[author_id])
    picture: Mapped[Picture | None] = relationship(lazy="raise")
    texts: Mapped[list[StoryText]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="StoryText.language"
    )
    captions: Mapped[list[Caption]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="Caption.position"
    )
    topics: Mapped[list[Topic]] = relationship(secondary="story_topic", lazy="selectin")


class StoryText(Model):
    """A story in one language. `body` is Markdown; `alt` describes the picture."""

    __tablename__ = "story_text"
    __retention__ = retention.PROGRAMME

    story_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("story.id", ondelete="CASCADE"), primary_key=True
    )
    language: Mapped[str] = mapped_column(String(5), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(600), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    alt: Mapped[str] = mapped_column(String(400), default="")


class Caption(Model):
    """A way to begin, offered to whoever shares the story; always editable."""

    __tablename__ = "caption"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_caption_story", "story_id", "language", "position"),)

    id: Mapped[uuid.UUID] = primary_key()
    story_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("story.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(5))
    kind: Mapped[str] = mapped_column(String(20), default="short")
    text: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(default=0)


class Topic(Model):
    """What stories are about. One that is sensitive (health, finance, …) needs a second pair of
    eyes before publication (rule L4). `language` is that of `name`, None where nobody said;
    `other_name` is for readers of the product's other language, empty without one. Each name has
    its code, by which the topic is found."""

    __tablename__ = "topic"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_topic_other_code", "other_code", unique=True),)

    id: Mapped[uuid.UUID] = primary_key()
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str | None] = mapped_column(String(5))
    other_name: Mapped[str] = mapped_column(String(60), default="", server_default="")
    other_code: Mapped[str | None] = mapped_column(String(60))
    is_sensitive: Mapped[bool] = mapped_column(default=False)


class StoryTopic(Model):
    """A story's topics."""

    __tablename__ = "story_topic"
    __retention__ = retention.PROGRAMME

    story_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("story.id", ondelete="CASCADE"), primary_key=True
    )
    topic_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("topic.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class TopicFollow(Model):
    """A member wants to see more of a topic. It says what to show first, and to nobody else."""

    __tablename__ = "topic_follow"
    __retention__ = retention.MEMBERSHIP

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    topic_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("topic.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[dt.datetime] = utc_column()


class LinkPreview(Model):
    """What a page says of itself, read once and safely. `state`: 'waiting', 'ready', 'failed'
    (then `reason` is a code)."""

    __tablename__ = "link_preview"
    __retention__ = retention.PROGRAMME
    __table_args__ = (UniqueConstraint("url_hash"),)

    id: Mapped[uuid.UUID] = primary_key()
    url_hash: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String(2000))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    reason: Mapped[str | None] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(String(600), default="")
    site_name: Mapped[str] = mapped_column(String(120), default="")
    picture_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("picture.id"))
    asked_at: Mapped[dt.datetime] = utc_column()
    fetched_at: Mapped[dt.datetime | None]
