"""What is kept of people's ways in, through and out of the organisation."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Encrypted, Model, primary_key, utc_column


class Placement(Model):
    """Where a person had their place until `ended_at`: their team at the time. The present place
    stands on the person's own row, so only those who moved have rows here."""

    __tablename__ = "placement"
    __retention__ = retention.DIRECTORY
    __table_args__ = (Index("ix_placement_person", "person_id", "ended_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    department: Mapped[str | None] = mapped_column(String(200))
    site: Mapped[str | None] = mapped_column(String(200))
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    manager_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    started_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime]


class RoleReview(Model):
    """A role limited to a segment that its holder is no longer in, for an administrator to look
    at: `outcome` is 'kept' or 'taken' once somebody did."""

    __tablename__ = "role_review"
    __retention__ = retention.CREDENTIAL
    __table_args__ = (
        Index("ix_role_review_open", "settled_at", "noted_at"),
        Index("ix_role_review_person", "person_id"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(20))
    segment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("segment.id"))
    noted_at: Mapped[dt.datetime] = utc_column()
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    outcome: Mapped[str | None] = mapped_column(String(10))


class HeldInvitation(Model):
    """An invitation that was asked for before the person's first day and leaves on it."""

    __tablename__ = "held_invitation"
    __retention__ = retention.DIRECTORY

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    asked_at: Mapped[dt.datetime] = utc_column()


class PersonalAddress(Model):
    """An address of the person's own, for after the last day. `confirmed_at` is when its mailbox
    answered; nothing but the confirmation is sent before."""

    __tablename__ = "personal_address"
    __retention__ = retention.DIRECTORY

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    email: Mapped[str] = mapped_column(Encrypted)
    given_at: Mapped[dt.datetime] = utc_column()
    confirmed_at: Mapped[dt.datetime | None]


class Alumnus(Model):
    """A former employee's own choice to keep an account, with the text it answered (their
    consent). The person's row, badges and history stay the same."""

    __tablename__ = "alumnus"
    __retention__ = retention.MEMBERSHIP

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    text_version: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[dt.datetime] = utc_column()
    returned_at: Mapped[dt.datetime | None]
