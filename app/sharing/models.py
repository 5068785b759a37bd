"""Grants, shares, what became of them, and the switch that stops everything.

A share is one row from the press to the end: one lease, one attempt number. `phase` tells
how far the attempt under way has come: 'preparing' (nothing that could be a post has been
sent; it may be taken back or tried again) or 'sent' (the last byte may have left; only the
network's answer or the author can say what became of it).
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import retention
from app.db import Encrypted, Model, primary_key, utc_column
from app.library.models import Story
from app.referrals.models import Offer

STATUSES = (
    "draft", "scheduled", "paused", "publishing", "published", "unknown", "failed", "cancelled",
    "withdrawn", "intent",
)  # fmt: skip
FORMATS = ("article", "image", "text")
PREPARING, SENT = "preparing", "sent"


class Grant(Model):
    """A member lets us write in their name on one network. Tokens are encrypted and sealed to
    this row and its owner (`sealing.py`). `state`: 'active', 'reconnect' (expired or refused by
    the network). Ending a grant deletes its row. `consent_version` is the text the member
    agreed to before the network's own page. Two people never post as one profile: `subject`
    is who the network says it is.

    `busy_until`: one post of a member at a time; `rests_until`: a pause after trouble."""

    __tablename__ = "share_grant"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (
        UniqueConstraint("person_id", "network"),
        UniqueConstraint("network", "subject"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    network: Mapped[str] = mapped_column(String(20), default="linkedin")
    mode: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(100))
    display_name: Mapped[str] = mapped_column(String(200), default="")
    scopes: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(10), default="active")
    # Read only where they are used, so that a page needs no key.
    access_token: Mapped[str] = mapped_column(Encrypted, deferred=True)
    refresh_token: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    expires_at: Mapped[dt.datetime]
    refresh_expires_at: Mapped[dt.datetime | None]
    consent_version: Mapped[str] = mapped_column(String(40))
    consented_at: Mapped[dt.datetime] = utc_column()
    connected_at: Mapped[dt.datetime] = utc_column()
    busy_until: Mapped[dt.datetime | None]
    rests_until: Mapped[dt.datetime | None]
    reminded_at: Mapped[dt.datetime | None]


class GrantRevocation(Model):
    """A token on its way out: its grant is gone, the network is still to be told. The row goes
    with the first try, whatever the network says (rule N6)."""

    __tablename__ = "grant_revocation"
    __retention__ = retention.CREDENTIAL

    id: Mapped[uuid.UUID] = primary_key()
    token: Mapped[str] = mapped_column(Encrypted)
    asked_at: Mapped[dt.datetime] = utc_column()


class Share(Model):
    """A story or an offer in a member's words, on one network.

    `words` is what the member typed, `post_text` the exact text that is sent, `title`,
    `summary`, `picture_id` and `alt` the card: what the preview promised is stored and sent.
    `code` is the personal link of a story share; the share of an offer has a link of its own
    (`link_id`), so that an application finds its referrer. `link_id` names the clicks of both.

    `reason` says why a share is paused or failed, in codes (`words.py` has the sentences).
    `not_before` is a wait the network asked for; `publish_at` is the member's own choice.
    """

    __tablename__ = "share"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (
        UniqueConstraint("network", "post_urn"),
        Index("ix_share_due", "publish_at", sqlite_where=text("status = 'scheduled'"),
              postgresql_where=text("status = 'scheduled'")),
        Index("ix_share_lease", "lease_until", sqlite_where=text("status = 'publishing'"),
              postgresql_where=text("status = 'publishing'")),
        Index("ix_share_person", "person_id", "created_at", "id"),
        Index("ix_share_waiting", "person_id", "created_at", "id",
              sqlite_where=text("status in ('unknown', 'paused')"),
              postgresql_where=text("status in ('unknown', 'paused')")),
        Index("ix_share_story", "story_id", "status", "person_id"),
        Index("ix_share_offer", "offer_id"),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    story_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("story.id"))
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    network: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(5))
    caption_id: Mapped[uuid.UUID | None]
    words: Mapped[str] = mapped_column(Text, default="")
    disclosure: Mapped[str] = mapped_column(String(40), default="none")
    disclosure_text: Mapped[str] = mapped_column(String(300), default="")
    own_words_percent: Mapped[int | None]
    format: Mapped[str] = mapped_column(String(10))
    post_text: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(String(400), default="")
    summary: Mapped[str] = mapped_column(String(600), default="")
    picture_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("picture.id"), index=True)
    alt: Mapped[str] = mapped_column(String(400), default="")
    code: Mapped[str | None] = mapped_column(String(16), unique=True)
    link_id: Mapped[uuid.UUID | None] = mapped_column(index=True)

    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(40))
    publish_at: Mapped[dt.datetime | None]
    not_before: Mapped[dt.datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    phase: Mapped[str | None] = mapped_column(String(10))
    lease_until: Mapped[dt.datetime | None]
    sent_at: Mapped[dt.datetime | None]
    post_urn: Mapped[str | None] = mapped_column(String(120))
    published_at: Mapped[dt.datetime | None]
    is_declared: Mapped[bool] = mapped_column(default=False)
    withdrawal_asked_at: Mapped[dt.datetime | None]
    withdrawn_at: Mapped[dt.datetime | None]
    seen_at: Mapped[dt.datetime | None]
    polled_at: Mapped[dt.datetime | None]
    poll_due_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    created_at: Mapped[dt.datetime] = utc_column()

    story: Mapped[Story | None] = relationship(lazy="raise")
    offer: Mapped[Offer | None] = relationship(lazy="raise")


class ReachFigure(Model):
    """The newest value of one metric of one share. `truth`: 'measured' by the network's own
    interface, or 'declared' by the author. Clicks on our link are not here: they are counted."""

    __tablename__ = "reach_figure"
    __retention__ = retention.MEMBERSHIP

    share_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("share.id", ondelete="CASCADE"), primary_key=True
    )
    metric: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[int]
    truth: Mapped[str] = mapped_column(String(10))
    taken_at: Mapped[dt.datetime] = utc_column()


class Disclosure(Model):
    """An approved wording of "I work at …" (rule L1). `{organisation}` stands for its name. The
    first of its language and kind of person is the default."""

    __tablename__ = "disclosure"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_disclosure_language", "language", "position"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    language: Mapped[str] = mapped_column(String(5))
    person_kind: Mapped[str] = mapped_column(String(20), default="employee")
    text: Mapped[str] = mapped_column(String(200))
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[dt.datetime | None]


class SharingStop(Model):
    """The stop switch (F135): while a row is not lifted nothing leaves, whole or for one topic."""

    __tablename__ = "sharing_stop"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        Index("ix_sharing_stop_live", "stopped_at", sqlite_where=text("lifted_at is null"),
              postgresql_where=text("lifted_at is null")),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    topic_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("topic.id"))
    message: Mapped[str] = mapped_column(String(500), default="")
    stopped_at: Mapped[dt.datetime] = utc_column()
    stopped_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    lifted_at: Mapped[dt.datetime | None]
    lifted_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)


class SharingPolicy(Model):
    """What the organisation decides about sharing: one row. `daily_cap` is posts through the
    network's interface, each member and day (rule N7)."""

    __tablename__ = "sharing_policy"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    daily_cap: Mapped[int] = mapped_column(default=3)


class NetworkQuota(Model):
    """Calls to a network in one of its days (UTC): of one member, or of the application
    (`holder` ''). `blocked_until` is what a 429 asked for."""

    __tablename__ = "network_quota"
    __retention__ = retention.EVENT

    network: Mapped[str] = mapped_column(String(20), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    holder: Mapped[str] = mapped_column(String(36), primary_key=True)
    calls: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[dt.datetime | None]


class IdeaMail(Model):
    """When a member last got ideas of what to pass on: at most once a week (rule W9)."""

    __tablename__ = "idea_mail"
    __retention__ = retention.MAIL_LOG

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    sent_at: Mapped[dt.datetime] = utc_column()
