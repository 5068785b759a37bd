"""Facts that other features must hear about, written in the transaction that made them true.

`record()` stores the fact with the names of the handlers that declared themselves with `on()`.
The relay makes one delivery for each and hands it to the queue; the queue may lose everything, the database
is the truth and the relay sends again. A handler runs at least once and takes effect once:
its delivery is marked done in the transaction of its effect. Order is not promised.
"""

from app.outbox.registry import Handler, Payload, handlers_of, on, registered
from app.outbox.service import (
    Due,
    deliver,
    drain,
    is_under_way,
    keep_alive,
    record,
    record_each,
    short,
    wake,
)

__all__ = [
    "Due", "Handler", "Payload", "deliver", "drain", "handlers_of", "is_under_way", "keep_alive", "on", "record",
    "record_each", "registered", "short", "wake",
]  # fmt: skip
