"""The good-practice charter: versions that never change, and who accepted which."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column


class CharterVersion(Model):
    """One version in French and English, Markdown. A draft (`published_at` None) may change, a
    published one never does; the newest published one is in force."""

    __tablename__ = "charter_version"
    __retention__ = retention.PROGRAMME

    id: Mapped[uuid.UUID] = primary_key()
    number: Mapped[int] = mapped_column(unique=True)
    title_fr: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200))
    body_fr: Mapped[str] = mapped_column(Text)
    body_en: Mapped[str] = mapped_column(Text)
    note_fr: Mapped[str] = mapped_column(String(500), default="")
    note_en: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[dt.datetime] = utc_column()
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[dt.datetime | None]
    published_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))


class CharterAcceptance(Model):
    """The proof: who accepted which version, in which language, and the hash of that text."""

    __tablename__ = "charter_acceptance"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (UniqueConstraint("person_id", "version_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("charter_version.id"))
    language: Mapped[str] = mapped_column(String(5))
    text_hash: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[dt.datetime] = utc_column()
