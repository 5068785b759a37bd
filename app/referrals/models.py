"""Offers, links, clicks, candidates, referrals and what is known about each.

A *referral* is one application of one person to one offer. What happened to it is a set of
`ReferralEvent`; stage, hire and closure are folded from that set by the time each event
happened, never by the order of arrival (see `stages.py`).
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import retention
from app.db import Encrypted, JSONDict, Model, primary_key, utc_column
from app.people.models import Person

STAGES = ("received", "screened", "interview", "offer", "hired", "trial_passed", "closed")
CLOSURE_REASONS = (
    "not-selected", "position-filled", "no-answer", "withdrawn", "left-during-trial", "other",
)  # fmt: skip
VISIBILITIES = ("all", "ends", "none")
CHANNELS = ("link", "linkedin", "email", "message", "qr", "other")


class Connection(Model):
    """A tracking system that sends us events. `public_id` is the unguessable part of its
    webhook address; `secrets` are newest first, a rotation keeps two. `entity_id` is the entity
    of the offers it brings; the segments that keep them are assigned to its identifier."""

    __tablename__ = "connection"
    __retention__ = retention.PROGRAMME

    id: Mapped[uuid.UUID] = primary_key()
    public_id: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    name: Mapped[str] = mapped_column(String(120))
    secrets_json: Mapped[str] = mapped_column(Encrypted)
    api_url: Mapped[str | None] = mapped_column(String(500))
    api_key: Mapped[str | None] = mapped_column(Encrypted)
    settings: Mapped[JSONDict]
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    created_at: Mapped[dt.datetime] = utc_column()
    synced_at: Mapped[dt.datetime | None]
    heard_at: Mapped[dt.datetime | None]
    deleted_at: Mapped[dt.datetime | None]


class Offer(Model):
    """A job offer. `external_id` names the source's *post*, `external_job_id` its *job*:
    feeds speak of the first, webhooks of the second. `closed_reason` tells a person's
    closing from the source's (an import may undo only the latter); `search_text` is what
    the lists are searched by, without case and accents. `entity_id` is the company that hires."""

    __tablename__ = "offer"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        UniqueConstraint("source", "connection_id", "external_id"),
        Index("ix_offer_status_opened", "status", "opened_at", "id"),
        Index("ix_offer_external", "connection_id", "external_job_id"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    description_html: Mapped[str] = mapped_column(Text, default="")
    location: Mapped[str] = mapped_column(String(300), default="")
    country_codes: Mapped[list[str]]
    department: Mapped[str] = mapped_column(String(200), default="")
    contract: Mapped[str] = mapped_column(String(80), default="")
    remote: Mapped[str | None] = mapped_column(String(10))
    language: Mapped[str] = mapped_column(String(5), default="fr")
    salary_min: Mapped[int | None]
    salary_max: Mapped[int | None]
    salary_currency: Mapped[str | None] = mapped_column(String(3))
    salary_interval: Mapped[str | None] = mapped_column(String(10))
    salary_text: Mapped[str] = mapped_column(String(200), default="")
    apply_url: Mapped[str | None] = mapped_column(String(1000))
    status: Mapped[str] = mapped_column(String(10), default="open")
    source: Mapped[str] = mapped_column(String(30), default="manual")
    connection_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("connection.id"))
    external_id: Mapped[str | None] = mapped_column(String(120))
    external_job_id: Mapped[str | None] = mapped_column(String(120))
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    recruiter_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    opened_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[str | None] = mapped_column(String(30))
    search_text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[dt.datetime] = utc_column()
    updated_at: Mapped[dt.datetime] = utc_column()

    recruiter: Mapped[Person | None] = relationship(lazy="raise")


class Recommendation(Model):
    """Why a member thinks of this offer for somebody: their own words, shown on the page."""

    __tablename__ = "recommendation"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (UniqueConstraint("person_id", "offer_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
    words: Mapped[str] = mapped_column(String(500))
    updated_at: Mapped[dt.datetime] = utc_column()


class OfferLink(Model):
    """A personal link: one for each member, offer and channel. Short, not guessable, revocable.
    A link that was made for one post (`share_id`) stands beside them, so that a post's clicks
    are its own."""

    __tablename__ = "offer_link"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (
        Index("uq_offer_link_live", "person_id", "offer_id", "channel", unique=True,
              sqlite_where=text("revoked_at is null and share_id is null"),
              postgresql_where=text("revoked_at is null and share_id is null")),
        Index("uq_offer_link_share", "share_id", unique=True),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    code: Mapped[str] = mapped_column(String(16), unique=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
    channel: Mapped[str] = mapped_column(String(20))
    share_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class Click(Model):
    """One opening of a link. No foreign key: it may be stored after the application it led to.
    `verdict` is given in the hit ('person', or why it is not counted)."""

    __tablename__ = "click"
    __retention__ = retention.CLICK
    __table_args__ = (
        Index("ix_click_link", "link_id", "occurred_at"),
        Index(
            "ix_click_visitor_key", "visitor_key",  # of 48 hours only, however many clicks
            sqlite_where=text("visitor_key is not null"),
            postgresql_where=text("visitor_key is not null"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    link_id: Mapped[uuid.UUID]
    occurred_at: Mapped[dt.datetime]
    verdict: Mapped[str] = mapped_column(String(16))
    visitor_key: Mapped[str | None] = mapped_column(String(64))


class ClickCount(Model):
    """How many openings of a link had which verdict; kept in the transaction that stores them,
    so that no page ever counts clicks."""

    __tablename__ = "click_count"
    __retention__ = retention.MEMBERSHIP  # as long as the link

    link_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, default=0)
    last_at: Mapped[dt.datetime]


class ClickHour(Model):
    """The same by the hour (UTC), for curves."""

    __tablename__ = "click_hour"
    __retention__ = retention.CLICK

    link_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    hour: Mapped[dt.datetime] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class SpoolFile(Model):
    """How far a web host's spool file has been read into the tables: `position` in bytes. It
    moves in the transaction of the clicks it stands for, so nothing is stored twice."""

    __tablename__ = "spool_file"
    __retention__ = retention.EVENT

    host: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    read_at: Mapped[dt.datetime] = utc_column()


class LinkVersion(Model):
    """One row. It grows when a code that was given out begins to lead elsewhere or nowhere; web
    processes that remember codes look at it."""

    __tablename__ = "link_version"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger, default=0)


class Candidate(Model):
    """The person who applied. Everything about them is here, so that erasure is one row.
    `address_hash` recognises the same mailbox again; it goes with the rest."""

    __tablename__ = "candidate"
    __retention__ = retention.CANDIDATE

    id: Mapped[uuid.UUID] = primary_key()
    address_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(40))
    profile_url: Mapped[str | None] = mapped_column(String(300))
    language: Mapped[str] = mapped_column(String(5), default="fr")
    created_at: Mapped[dt.datetime] = utc_column()
    erased_at: Mapped[dt.datetime | None]

    @property
    def name(self) -> str | None:
        if not self.first_name and not self.last_name:
            return None
        return f"{self.first_name or ''} {self.last_name or ''}".strip()


class Referral(Model):
    """One application of one person to one offer, and where it stands."""

    __tablename__ = "referral"
    __retention__ = retention.REFERRAL
    __table_args__ = (
        UniqueConstraint("candidate_id", "offer_id"),
        UniqueConstraint("connection_id", "external_id"),
        Index("ix_referral_board", "stage", "received_at", "id"),
        Index("ix_referral_referrer", "referrer_id", "received_at", "id"),
    )

    # Random, not ordered by time: an answer that repeats it must not tell when it was made.
    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"), index=True)
    candidate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("candidate.id"))
    referrer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    link_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer_link.id"), index=True)
    click_id: Mapped[uuid.UUID | None]
    visibility: Mapped[str] = mapped_column(String(5), default="ends")
    notice_version: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str | None] = mapped_column(Text)

    stage: Mapped[str] = mapped_column(String(15), default="received")
    stage_at: Mapped[dt.datetime]
    closure_reason: Mapped[str | None] = mapped_column(String(30))
    received_at: Mapped[dt.datetime]
    hire_key: Mapped[str | None] = mapped_column(String(64))
    hired_at: Mapped[dt.datetime | None]
    starts_on: Mapped[dt.date | None]
    ended_at: Mapped[dt.datetime | None]
    promise_due_at: Mapped[dt.datetime | None]
    next_step: Mapped[str | None] = mapped_column(String(200))
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)

    connection_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("connection.id"))
    external_id: Mapped[str | None] = mapped_column(String(120))
    external_candidate_id: Mapped[str | None] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(default=0)

    offer: Mapped[Offer | None] = relationship(lazy="raise")
    candidate: Mapped[Candidate | None] = relationship(lazy="raise")
    referrer: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[referrer_id])
    owner: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[owner_id])


class ReferralEvent(Model):
    """Something that happened to a referral, when it happened by its source's own clock.

    `kind`: 'stage', 'hired', 'unhired', 'closed', 'reopened', 'trial_passed'. `hire_key`
    names one hire: (application, offer id, resolved_at). Rows are only ever added.
    """

    __tablename__ = "referral_event"
    __retention__ = retention.REFERRAL
    __table_args__ = (
        UniqueConstraint("referral_id", "external_event_id"),
        Index("ix_referral_event_time", "referral_id", "occurred_at"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    referral_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("referral.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(15))
    stage: Mapped[str | None] = mapped_column(String(15))
    raw_stage: Mapped[str | None] = mapped_column(String(120))
    closure_reason: Mapped[str | None] = mapped_column(String(30))
    hire_key: Mapped[str | None] = mapped_column(String(64))
    starts_on: Mapped[dt.date | None]
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime] = utc_column()
    source: Mapped[str] = mapped_column(String(12))
    external_event_id: Mapped[str] = mapped_column(String(200))
    actor_id: Mapped[uuid.UUID | None]


class Claim(Model):
    """A clue that a member brought this person: what kind, with what evidence, since when."""

    __tablename__ = "claim"
    __retention__ = retention.REFERRAL
    __table_args__ = (UniqueConstraint("referral_id", "person_id", "kind"),)

    id: Mapped[uuid.UUID] = primary_key()
    referral_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("referral.id", ondelete="CASCADE"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    evidence: Mapped[JSONDict]
    claimed_at: Mapped[dt.datetime]
    outcome: Mapped[str] = mapped_column(String(10), default="open")
    reason: Mapped[str | None] = mapped_column(String(40))


class Decision(Model):
    """Which claim holds, by which version of the written rule, and why. Latest row counts."""

    __tablename__ = "decision"
    __retention__ = retention.REFERRAL
    __table_args__ = (Index("ix_decision_referral", "referral_id", "decided_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    referral_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("referral.id", ondelete="CASCADE"))
    claim_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("claim.id", ondelete="CASCADE"), index=True
    )
    rule_version: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40))
    decided_at: Mapped[dt.datetime] = utc_column()
    decided_by: Mapped[uuid.UUID | None]


class AtsEvent(Model):
    """A signed event as it arrived. The body is a secret of its candidate: encrypted, 30 days."""

    __tablename__ = "ats_event"
    __retention__ = retention.RAW_EVENT
    __table_args__ = (
        UniqueConstraint("connection_id", "event_id"),
        Index("ix_ats_event_open", "received_at", sqlite_where=text("state = 'unmatched'"),
              postgresql_where=text("state = 'unmatched'")),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    connection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("connection.id"))
    event_id: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(30))
    application_id: Mapped[str | None] = mapped_column(String(120))
    body_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[str | None] = mapped_column(Encrypted)
    received_at: Mapped[dt.datetime] = utc_column(index=True)
    state: Mapped[str] = mapped_column(String(12), default="pending")
    note: Mapped[str | None] = mapped_column(String(60))
    referral_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("referral.id", ondelete="SET NULL"), index=True
    )


class CandidateCode(Model):
    """A code sent to a candidate's mailbox, as a hash; it lets them act on their page."""

    __tablename__ = "candidate_code"
    __retention__ = retention.SESSION

    referral_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("referral.id", ondelete="CASCADE"), primary_key=True
    )
    code_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[dt.datetime]
    attempts_left: Mapped[int] = mapped_column(default=5)


class OfferImport(Model):
    """One run of an import, from the file to the report."""

    __tablename__ = "offer_import"
    __retention__ = retention.EVENT
    __table_args__ = (Index("ix_offer_import_created", "created_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    connection_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("connection.id"))
    kind: Mapped[str] = mapped_column(String(30))
    origin: Mapped[str] = mapped_column(String(300))
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default="preview")
    error: Mapped[str | None] = mapped_column(String(60))
    mapping: Mapped[JSONDict]
    ignored_columns: Mapped[list[str]]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    created_count: Mapped[int] = mapped_column(default=0)
    updated_count: Mapped[int] = mapped_column(default=0)
    unchanged_count: Mapped[int] = mapped_column(default=0)
    refused_count: Mapped[int] = mapped_column(default=0)
    closed_count: Mapped[int] = mapped_column(default=0)
    suspicious: Mapped[str | None] = mapped_column(String(30))
    feed_digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = utc_column()
    finished_at: Mapped[dt.datetime | None]
    file: Mapped[bytes | None]


class OfferImportLine(Model):
    """What became of one row. `line` counts the report's own lines; `file_line` is where the
    row stands in the file, where its reader knows."""

    __tablename__ = "offer_import_line"
    __retention__ = retention.EVENT
    __table_args__ = (UniqueConstraint("import_id", "line"),)

    id: Mapped[uuid.UUID] = primary_key()
    import_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("offer_import.id", ondelete="CASCADE"), index=True
    )
    line: Mapped[int]
    file_line: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(12))
    code: Mapped[str | None] = mapped_column(String(40))
    value: Mapped[str | None] = mapped_column(String(200))
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"), index=True)
