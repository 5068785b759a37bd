"""The organisation that runs this installation: one row; and its entities."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column


class Organisation(Model):
    """Name, colour, promises. `about` is in the installation's first language; `other_about` is for
    readers of the product's other one, empty without one. `promise_days` are working days. `logo_src` is where the smallest
    size of the logo's picture is, so that no page asks for the picture; `sender_name` stands
    before the address that mails come from; the thresholds only ever raise those of the product
    (`people.thresholds`)."""

    __tablename__ = "organisation"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(120))
    brand: Mapped[str] = mapped_column(String(7), default="#006b4c")
    about: Mapped[str] = mapped_column(String(500), default="")
    other_about: Mapped[str] = mapped_column(String(500), default="", server_default="")
    website: Mapped[str | None] = mapped_column(String(300))
    privacy_contact: Mapped[str] = mapped_column(String(254), default="")
    promise_days: Mapped[int] = mapped_column(default=5)
    logo_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("picture.id"))
    logo_src: Mapped[str | None] = mapped_column(String(200))
    sender_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    joining_threshold: Mapped[int | None]
    team_threshold: Mapped[int | None]
    created_at: Mapped[dt.datetime] = utc_column()


class Entity(Model):
    """A company or site of the organisation, which shares or overrides rewards, charters and
    offers. `code` is how imports name it. `keeps_offers`: its offers are shown to its own people
    only, unless an offer says its segments itself."""

    __tablename__ = "entity"
    __retention__ = retention.PROGRAMME

    id: Mapped[uuid.UUID] = primary_key()
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    keeps_offers: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = utc_column()
    archived_at: Mapped[dt.datetime | None]
