"""Pictures that were redrawn by us, named after what they show."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column


class Picture(Model):
    """One picture. `digest` is the SHA-256 of the redrawn original, `widths` are the sizes that
    exist. Its alternative text belongs to whoever shows it, because that has a language."""

    __tablename__ = "picture"
    __retention__ = retention.PROGRAMME

    id: Mapped[uuid.UUID] = primary_key()
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    width: Mapped[int]
    height: Mapped[int]
    has_alpha: Mapped[bool] = mapped_column(default=False)
    widths: Mapped[list[int]]
    added_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    added_at: Mapped[dt.datetime] = utc_column()
