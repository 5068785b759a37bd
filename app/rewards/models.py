"""The catalogue of rewards, and who redeemed what."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false
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
    """Something points buy. `stock` null means unlimited; `stock_left` is guarded in SQL.

    With `entity_id` it is on the shelf of that entity alone; without, all share it, and each may
    say otherwise for its own people (`RewardOverride`). `is_open_outside` opens a class that
    goes through payroll to former employees and partners. `language` is that of `title` and
    `description`, None where nobody said; `other_title` and `other_description` are for readers of
    the product's other language, empty without one.
    """

    __tablename__ = "reward"
    __retention__ = retention.PROGRAMME
    __table_args__ = (CheckConstraint("stock_left is null or stock_left >= 0", name="stock"),)

    id: Mapped[uuid.UUID] = primary_key()
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(String(1000), default="")
    language: Mapped[str | None] = mapped_column(String(5))
    other_title: Mapped[str] = mapped_column(String(120), default="", server_default="")
    other_description: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    cost: Mapped[int]
    stock: Mapped[int | None]
    stock_left: Mapped[int | None]
    pay_class: Mapped[str] = mapped_column(String(30))
    deliverer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"), index=True)
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    is_open_outside: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = utc_column()
    withdrawn_at: Mapped[dt.datetime | None]

    deliverer: Mapped[Person] = relationship(lazy="raise")


class RewardOverride(Model):
    """What one entity says of a shared reward for its own people; what is None stands as it is
    shared. With `has_own_stock` it is sold from a stock of the entity's own (`stock` null:
    unlimited). Written under the lock of the reward."""

    __tablename__ = "reward_override"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        CheckConstraint("stock_left is null or stock_left >= 0", name="stock"),
        Index("ix_reward_override_entity", "entity_id"),
    )

    reward_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("reward.id"), primary_key=True)
    entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("entity.id"), primary_key=True)
    is_hidden: Mapped[bool] = mapped_column(default=False)
    cost: Mapped[int | None]
    description: Mapped[str | None] = mapped_column(String(1000))
    deliverer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    has_own_stock: Mapped[bool] = mapped_column(default=False)
    stock: Mapped[int | None]
    stock_left: Mapped[int | None]
    changed_at: Mapped[dt.datetime]


class Redemption(Model):
    """Points against a reward: reserved at once, then fulfilled or cancelled. The price is
    frozen here, and so is the entity the person belonged to, whose terms they are; the ledger's
    pending transfer holds the points. `from_own_stock`: taken from the stock of that entity."""

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
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    from_own_stock: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[dt.datetime] = utc_column()
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)

    reward: Mapped[Reward] = relationship(lazy="raise")
