"""Requests about personal data, with the day by which each must be answered (rule E7)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Encrypted, Model, primary_key, utc_column

KINDS = ("copy", "correction", "erasure", "objection", "restriction", "other")
OUTCOMES = ("done", "partly", "refused", "withdrawn")


class DataRequest(Model):
    """One request. Who it is about is an identifier only, so that an erasure reaches it;
    `due_at` is a month after it came, or three once it was extended (GDPR, article 12.3)."""

    __tablename__ = "data_request"
    __retention__ = retention.REQUEST
    __table_args__ = (Index("ix_data_request_due", "closed_at", "due_at", "id"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(20))
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[uuid.UUID]
    received_at: Mapped[dt.datetime] = utc_column()
    due_at: Mapped[dt.datetime]
    is_extended: Mapped[bool] = mapped_column(default=False)
    noted_by: Mapped[uuid.UUID | None]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[uuid.UUID | None]
    outcome: Mapped[str | None] = mapped_column(String(20))


class Correction(Model):
    """What a person asks to be put right, beside the line of the register that has the due date.

    `field` is one of `corrections.FIELDS`. Their words, and why it was declined, are encrypted,
    go with the person, and half a year after the answer in any case (GDPR, article 16).
    """

    __tablename__ = "correction"
    __retention__ = retention.CORRECTION
    __table_args__ = (
        Index(
            "uq_correction_open", "person_id", "field", unique=True,
            sqlite_where=text("answered_at is null"),
            postgresql_where=text("answered_at is null"),
        ),
        Index("ix_correction_answered", "answered_at"),
    )  # fmt: skip

    request_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("data_request.id"), primary_key=True)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    field: Mapped[str] = mapped_column(String(20))
    proposed: Mapped[str] = mapped_column(Encrypted)
    asked_at: Mapped[dt.datetime] = utc_column()
    answered_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Encrypted)
