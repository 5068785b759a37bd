"""Answers kept for `Idempotency-Key`."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, utc_column


class IdempotencyKey(Model):
    """One answered POST: the caller's key, a digest of what was asked, and the answer."""

    __tablename__ = "idempotency_key"
    __retention__ = retention.IDEMPOTENCY

    caller: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = utc_column(index=True)
