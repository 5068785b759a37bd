"""From the outbox to the queue.

A delivery is put in the queue, then marked as sent; a crash in between only means that it
is offered again and refused, because the queue server knows its id. What stays sent too
long is looked up there: still waiting or at work, it is left alone; gone, it is put again;
its process died, that counts as an attempt.
"""

from __future__ import annotations

import datetime as dt

from app import clock
from app.db import db
from app.jobs.queue import SILENT_SECONDS, DeliveryQueue
from app.outbox import Due
from app.outbox import service as outbox

LIMIT = 200
RESULT_MARGIN_SECONDS = 60


def relay_once(queue: DeliveryQueue, resend_after: dt.timedelta, limit: int = LIMIT) -> int:
    """Hand what is due to the queue; how many deliveries were looked at.

    Raises `RedisError` when the queue server is away; then nothing is marked and nothing lost.
    """
    as_of = clock.now()
    batch = outbox.due(limit, resend_after)
    db.session.rollback()  # no snapshot stays open while the queue server is asked
    if not batch:
        return 0
    result_ttl = int(resend_after.total_seconds()) + RESULT_MARGIN_SECONDS
    put = queue.offer(batch, result_ttl)
    refused = [delivery for delivery, done in zip(batch, put, strict=True) if not done]
    given_up = _look_again(queue, refused, resend_after, result_ttl) if refused else set()
    outbox.mark_sent([d.id for d in batch if d not in given_up], as_of)
    return len(batch)


def _look_again(
    queue: DeliveryQueue, refused: list[Due], resend_after: dt.timedelta, result_ttl: int
) -> set[Due]:
    """Deliveries the server knows already: put again what is over there. Those whose process
    went away are postponed and returned."""
    known = queue.known(delivery.id for delivery in refused)
    silent_after = min(float(SILENT_SECONDS), resend_after.total_seconds())
    over = [d for d in refused if d.id not in known or known[d.id].is_over(silent_after)]
    dead = {d for d in over if d.id in known and known[d.id].died}
    for delivery in dead:
        outbox.lost(delivery.id)
    for delivery in over:
        queue.forget(delivery.id)
    queue.offer([d for d in over if d not in dead], result_ttl)
    return dead
