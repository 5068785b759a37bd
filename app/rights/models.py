"""Who was erased, by number, which a backup from before must not bring back; links to copies."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column


class Erasure(Model):
    """One erased subject. `kind` is 'person' or 'candidate', `subject_id` a random number that
    stands for nobody any more, `asked_by` one of the codes of `service`."""

    __tablename__ = "erasure"
    __retention__ = retention.ERASURE
    __table_args__ = (UniqueConstraint("kind", "subject_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(12))
    subject_id: Mapped[uuid.UUID]
    erased_at: Mapped[dt.datetime] = utc_column(index=True)
    asked_by: Mapped[str] = mapped_column(String(12))


class CopyLink(Model):
    """A link to the copy of one's data, sent to a mailbox: good once, for a day. The row holds
    the hash of its key."""

    __tablename__ = "copy_link"
    __retention__ = retention.SESSION
    __table_args__ = (Index("ix_copy_link_subject", "subject_id"),)

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(12))
    subject_id: Mapped[uuid.UUID]
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
