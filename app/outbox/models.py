"""Tables of the outbox: the fact, its deliveries, the leases of those who run once."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final, cast

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import JSONDict, Model, primary_key, utc_column
from app.prepared import Prepared

PENDING, SENT, DONE, FAILED = "pending", "sent", "done", "failed"


class OutboxEvent(Model):
    """A fact: a kind and identifiers. Never a name, an address or free words (rule E1).

    `hearers` are the names of the handlers it is meant for, with commas between them, and
    `due_at` when they may hear it; both are there until the relay has made their deliveries.
    """

    __tablename__ = "outbox_event"
    __retention__ = retention.EVENT
    __table_args__ = (
        Index(
            "ix_outbox_event_untold",
            "id",
            sqlite_where=text("hearers is not null"),
            postgresql_where=text("hearers is not null"),
        ),
    )

    id: Mapped[uuid.UUID] = primary_key()
    kind: Mapped[str] = mapped_column(String(80))
    payload: Mapped[JSONDict]
    created_at: Mapped[dt.datetime] = utc_column(index=True)
    hearers: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[dt.datetime | None]


class OutboxDelivery(Model):
    """One handler's copy of a fact: pending, sent to the queue, done, or failed for good."""

    __tablename__ = "outbox_delivery"
    __retention__ = retention.EVENT
    __table_args__ = (
        UniqueConstraint("event_id", "handler"),
        Index(
            "ix_outbox_delivery_open",
            "state",
            "not_before",
            sqlite_where=text("state <> 'done'"),
            postgresql_where=text("state <> 'done'"),
        ),
    )

    id: Mapped[uuid.UUID] = primary_key()
    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outbox_event.id", ondelete="CASCADE"))
    handler: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    not_before: Mapped[dt.datetime] = utc_column()
    sent_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(200))


OPEN: Final = text("outbox_delivery.state <> 'done'")
"""What there is still to do or to look at, in the words of the index: SQLite does not conclude them
from others (`state = 'pending'`), and what is done is a thousand times more."""


class Lease(Model):
    """Who may do what only one process may do, and until when."""

    __tablename__ = "lease"
    __retention__ = retention.EVENT

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[dt.datetime]


class PeriodicRun(Model):
    """When a periodic job was last handed over."""

    __tablename__ = "periodic_run"
    __retention__ = retention.PROGRAMME

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    ran_at: Mapped[dt.datetime]


def _insert(model: type[Model], *names: str) -> Prepared:
    table = cast(Table, model.__table__)
    return Prepared(insert(table).values({name: bindparam(name) for name in names}), names)


# Every use case that says something pays for this one.
ADD_EVENT = _insert(OutboxEvent, "id", "kind", "payload", "created_at", "hearers", "due_at")
ADD_DELIVERY = _insert(
    OutboxDelivery, "id", "event_id", "handler", "state", "not_before", "attempts"
)
