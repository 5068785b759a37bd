"""The catalogue of rewards, and who redeemed what."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app import retention
from app.db import Model, primary_key, utc_column
from app.people.models import Person

PAY_CLASSES = (
    "cash bonus", "voucher", "gift in kind", "chance prize", "employer donation",
    "time or symbolic",
)  # fmt: skip
RESERVED, FULFILLED, CANCELLED = "reserved", "fulfilled", "cancelled"


class Reward(Model):
    """Something points buy. `stock` null means unlimited; `stock_left` is guarded in SQL."""

    __tablename__ = "reward"
    __retention__ = retention.PROGRAMME
    __table_args__ = (CheckConstraint("stock_left is null or stock_left >= 0", name="stock"),)

    id: Mapped[uuid.UUID] = primary_key()
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(1000), default="")
    cost: Mapped[int]
    stock: Mapped[int | None]
    stock_left: Mapped[int | None]
    pay_class: Mapped[str] = mapped_column(String(30))
    deliverer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[dt.datetime] = utc_column()
    withdrawn_at: Mapped[dt.datetime | None]

    deliverer: Mapped[Person] = relationship(lazy="raise")


class Redemption(Model):
    """Points against a reward: reserved at once, then fulfilled or cancelled. The price is
    frozen here; the ledger's pending transfer holds the points."""

    __tablename__ = "redemption"
    __retention__ = retention.LEDGER
    __table_args__ = (
        Index("ix_redemption_person", "person_id", "created_at"),
        Index("ix_redemption_status", "status", "created_at"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    reward_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("reward.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    cost: Mapped[int]
    status: Mapped[str] = mapped_column(String(10), default=RESERVED)
    transfer_id: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = utc_column()
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))

    reward: Mapped[Reward] = relationship(lazy="raise")
