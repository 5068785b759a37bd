"""The organisation that runs this installation: one row."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, utc_column


class Organisation(Model):
    """Name, colour, promises. `promise_days` are working days, `trial_days` calendar days."""

    __tablename__ = "organisation"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(120))
    brand: Mapped[str] = mapped_column(String(7), default="#006b4c")
    about: Mapped[str] = mapped_column(String(500), default="")
    website: Mapped[str | None] = mapped_column(String(300))
    privacy_contact: Mapped[str] = mapped_column(String(254), default="")
    promise_days: Mapped[int] = mapped_column(default=5)
    created_at: Mapped[dt.datetime] = utc_column()
