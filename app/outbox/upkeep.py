"""Forgetting facts that were handled long ago."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, exists, select

from app import clock, retention
from app.db import transaction
from app.outbox.models import DONE, OutboxDelivery, OutboxEvent
from app.outbox.registry import on

BATCH = 5_000


@on("periodic.house.forget", "outbox.forget", timeout=300)
def forget() -> None:
    """Facts past their retention whose every delivery is done."""
    limit_at = clock.now() - (retention.EVENT.after or dt.timedelta(0))
    unfinished = exists().where(
        OutboxDelivery.event_id == OutboxEvent.id, OutboxDelivery.state != DONE
    )
    old = select(OutboxEvent.id).where(OutboxEvent.created_at < limit_at, ~unfinished).limit(BATCH)
    with transaction() as session:
        ids = session.scalars(old).all()
        session.execute(delete(OutboxDelivery).where(OutboxDelivery.event_id.in_(ids)))
        session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(ids)))
