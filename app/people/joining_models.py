"""Tables around joining: invitations, codes, the proof of choices, pauses, the activation."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Encrypted, Model, primary_key, utc_column


class Invitation(Model):
    """A mail that asks somebody of the directory to join: when it was sent last, until when its
    link is good. It says nothing of an answer (rule W2)."""

    __tablename__ = "invitation"
    __retention__ = retention.DIRECTORY
    __table_args__ = (Index("ix_invitation_sent", "sent_at", "person_id"),)

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    sent_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]

    @property
    def is_revoked(self) -> bool:
        """The last mail was taken back; one that was sent since is another one."""
        return self.revoked_at is not None and self.revoked_at >= self.sent_at


class InvitationRefusal(Model):
    """A "no, thank you": a keyed fingerprint of the address that is written to no more."""

    __tablename__ = "invitation_refusal"
    __retention__ = retention.PROGRAMME

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    refused_at: Mapped[dt.datetime] = utc_column()


class InvitationRound(Model):
    """Inviting everybody of a segment, or of the directory (`segment_id` None), who had no
    invitation yet. `total` entries are gone through, `done` of them are; `place` is the last one.
    `state`: 'running', 'done' or 'stopped'. `is_limited`: an administrator of a part began it,
    who writes to nobody with a role."""

    __tablename__ = "invitation_round"
    __retention__ = retention.SECURITY_LOG

    id: Mapped[uuid.UUID] = primary_key()
    segment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("segment.id"), index=True)
    is_limited: Mapped[bool] = mapped_column(default=False)
    started_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    started_at: Mapped[dt.datetime] = utc_column(index=True)
    state: Mapped[str] = mapped_column(String(10))
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    place: Mapped[uuid.UUID]
    finished_at: Mapped[dt.datetime | None]


class OpenInvitation(Model):
    """A link, poster or paper code for a team or a site. `admission`: 'domain' (an address of
    `domain`), 'approval' (an administrator looks first) or 'paper' (whoever holds the code, one
    person each). `code_hash` finds it, `code` is what a sheet prints again. Codes that were
    made together share a `batch_id`. With 'personal' it is for one entry of the directory, whose
    id is the `batch_id`; it has no label."""

    __tablename__ = "open_invitation"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_open_invitation_batch", "batch_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    batch_id: Mapped[uuid.UUID]
    label: Mapped[str] = mapped_column(String(120))
    site: Mapped[str | None] = mapped_column(String(200))
    department: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(5))
    admission: Mapped[str] = mapped_column(String(10))
    domain: Mapped[str | None] = mapped_column(String(254))
    use_limit: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0)
    code: Mapped[str] = mapped_column(Encrypted)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class JoinRequest(Model):
    """Somebody who answers an open invitation, until they join: what they typed themselves.
    `verified_at`: their mailbox is theirs; `asked_at`: an administrator is asked."""

    __tablename__ = "join_request"
    __retention__ = retention.CONTACT_ENTRY
    __table_args__ = (Index("ix_join_request_asked", "asked_at", "id"),)

    id: Mapped[uuid.UUID] = primary_key()
    invitation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("open_invitation.id"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[dt.datetime] = utc_column(index=True)
    verified_at: Mapped[dt.datetime | None]
    asked_at: Mapped[dt.datetime | None]


class EmailCode(Model):
    """Six figures sent to a mailbox, for the browser that asked: `code_hash` is empty until the
    mail was made. Of a person who signs in, or of a request to join."""

    __tablename__ = "email_code"
    __retention__ = retention.SESSION

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    request_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("join_request.id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[str] = mapped_column(String(64), default="")
    tries_left: Mapped[int]
    expires_at: Mapped[dt.datetime]


class ConsentText(Model):
    """A text as it was shown beside a choice, named by its SHA-256. Never changed."""

    __tablename__ = "consent_text"
    __retention__ = retention.PROGRAMME

    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(5))
    text: Mapped[str] = mapped_column(Text)
    first_shown_at: Mapped[dt.datetime] = utc_column()


class ConsentRecord(Model):
    """One answer to one text, append only. `answer`: 'given' or 'withdrawn'; `act` says where:
    'joining', 'own-page', 'mail', 'leaving', 'departure', 'service'."""

    __tablename__ = "consent_record"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (Index("ix_consent_record_person", "person_id", "answered_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(20))
    answer: Mapped[str] = mapped_column(String(10))
    text_hash: Mapped[str] = mapped_column(ForeignKey("consent_text.text_hash"))
    act: Mapped[str] = mapped_column(String(20))
    answered_at: Mapped[dt.datetime] = utc_column()


class Pause(Model):
    """A member who rests, until a moment or until they come back. Gone when it is over."""

    __tablename__ = "pause"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (Index("ix_pause_ends", "ends_at"),)

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    began_at: Mapped[dt.datetime] = utc_column()
    ends_at: Mapped[dt.datetime | None]


class ActivationRecord(Model):
    """What an administrator recorded of the staff notice and the council, append only; the newest
    row counts. `council_on` is None where none applies. `text_hash`: what they confirmed."""

    __tablename__ = "activation_record"
    __retention__ = retention.PROGRAMME

    id: Mapped[uuid.UUID] = primary_key()
    staff_notice_on: Mapped[dt.date | None]
    council_applies: Mapped[bool]
    council_on: Mapped[dt.date | None]
    text_hash: Mapped[str] = mapped_column(String(64))
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    recorded_at: Mapped[dt.datetime] = utc_column(index=True)
