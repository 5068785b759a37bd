"""What waits for a second person, and when one is asked for."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import JSONDict, Model, primary_key, utc_column

APPROVED, DECLINED, WITHDRAWN, EXPIRED = "approved", "declined", "withdrawn", "expired"
OUTCOMES = (APPROVED, DECLINED, WITHDRAWN, EXPIRED)
_OPEN = text("outcome is null")


class ApprovalRequest(Model):
    """An act that waits for a second person; `outcome` None: still waiting, else one of
    `OUTCOMES`, reached at `decided_at`.

    `kind` is registered by a feature (`kinds`), which alone understands `payload`: codes,
    identifiers and what the programme says of a thing, never a name of somebody. `subject_id` is
    the person who profits: whose role, whose points. `key` stands for kind and payload, so that
    the same act waits once.
    """

    __tablename__ = "approval_request"
    __retention__ = retention.SECURITY_LOG
    __table_args__ = (
        Index(
            "uq_approval_request_open", "key", unique=True,
            sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_approval_request_outcome", "outcome", "requested_at", "id"),
        Index("ix_approval_request_subject", "subject_id"),
        Index("ix_approval_request_requested", "requested_at", "id"),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(64))
    payload: Mapped[JSONDict]
    subject_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    requested_at: Mapped[dt.datetime] = utc_column()
    expires_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    decided_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(10))


class ApprovalPolicy(Model):
    """When a second person is asked for: one row, none meaning the defaults of `rule.Policy`."""

    __tablename__ = "approval_policy"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    roles: Mapped[str] = mapped_column(String(5))
    points: Mapped[bool]
    points_above: Mapped[int]
    money: Mapped[bool]
    changed_at: Mapped[dt.datetime] = utc_column()
