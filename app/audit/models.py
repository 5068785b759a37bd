"""Who did what to whom, and when. Identifiers and codes only, so that erasure reaches all."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Index, String, event
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import JSONDict, Model, primary_key, utc_column


class AuditEntry(Model):
    """One act. `actor_id` is null when the product itself acted."""

    __tablename__ = "audit_entry"
    __retention__ = retention.SECURITY_LOG
    __table_args__ = (
        Index("ix_audit_entry_target", "target_kind", "target_id", "at"),
        Index("ix_audit_entry_actor", "actor_id", "at"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    at: Mapped[dt.datetime] = utc_column(index=True)
    actor_id: Mapped[uuid.UUID | None]
    actor_role: Mapped[str | None] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(60))
    target_kind: Mapped[str] = mapped_column(String(40))
    target_id: Mapped[str] = mapped_column(String(60))
    details: Mapped[JSONDict]


@event.listens_for(AuditEntry, "before_update")
def _refuse(mapper: object, connection: object, entry: AuditEntry) -> None:
    """The database refuses it as well, by a trigger (revision `c97ad5f8c1b8`)."""
    raise RuntimeError("an audit entry never changes")
