"""What a work-horse does after its job: it carries other short deliveries that wait.

A fork costs some twenty milliseconds, many a handler one or two. So a work-horse that is done
takes, in their order, further deliveries from the queue whose handlers are short and talk to
nobody outside, for a second at most. Each is claimed in one step on the queue server, where it
then counts as begun: if this process dies, the relay finds it silent, counts an attempt and
sends it again, as it does for a job.
"""

from __future__ import annotations

import logging
import uuid

from rq.utils import as_text, utcformat
from rq.utils import now as queue_now

from app import clock, outbox
from app.jobs.queue import DeliveryQueue

log = logging.getLogger(__name__)

MOST_SECONDS = 1.0
MOST = 200
LOOK = 50
"""So many jobs at the head of the queue are looked at together."""

# Claims a waiting job: 1 when it was still waiting and is ours now.
_CLAIM = """
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], 'status', 'started', 'last_heartbeat', ARGV[2])
return 1
"""


def carry_on(queue: DeliveryQueue) -> int:
    """Deliver what is short and waits, for a second; how many were carried."""
    until, carried = clock.monotonic() + MOST_SECONDS, 0
    while carried < MOST and clock.monotonic() < until:
        found = outbox.short(_waiting(queue))
        if not found:
            return carried
        for delivery_id in found:
            if clock.monotonic() >= until:
                return carried
            carried += _carry(queue, delivery_id)
    return carried


def _waiting(queue: DeliveryQueue) -> list[uuid.UUID]:
    """The deliveries at the head of the queue."""
    found = []
    for raw in queue.connection.lrange(queue.key, 0, LOOK - 1):
        try:
            found.append(uuid.UUID(as_text(raw)))
        except ValueError:
            continue  # not ours; the worker will refuse it
    return found


def _carry(queue: DeliveryQueue, delivery_id: uuid.UUID) -> bool:
    job_key = queue.job_class.key_for(str(delivery_id))
    keys, now = (queue.key, job_key), utcformat(queue_now())
    if not queue.connection.eval(_CLAIM, len(keys), *keys, str(delivery_id), now):
        return False
    try:
        outbox.deliver(delivery_id)
    except Exception:
        log.exception("delivery %s failed, the outbox will try again", delivery_id)
    queue.connection.delete(job_key)
    return True
