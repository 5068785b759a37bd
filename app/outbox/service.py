"""Recording facts, and carrying each to its handlers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import func, select, update

from app import clock
from app.db import after_commit, db, in_transaction, new_id, transaction
from app.outbox.models import (
    ADD_DELIVERY,
    ADD_EVENT,
    DONE,
    FAILED,
    OPEN,
    PENDING,
    SENT,
    OutboxDelivery,
    OutboxEvent,
)
from app.outbox.registry import Handler, Payload, handlers_of, registered

MAX_ATTEMPTS = 12
LEASE = dt.timedelta(seconds=90)
LEASE_MARGIN = dt.timedelta(seconds=30)
DEFAULT_TIMEOUT = 60


class Due(NamedTuple):
    """A delivery to hand to the queue now; `timeout` in seconds is its handler's."""

    id: uuid.UUID
    handler: str
    timeout: int


_waker: Callable[[], None] | None = None


def set_waker(waker: Callable[[], None] | None) -> None:
    """How to tell the relay that there is something to do; a hint that may get lost."""
    global _waker
    _waker = waker


def wake() -> None:
    """Hint the relay. Never raises and never waits."""
    if _waker is not None:
        _waker()


def record(
    kind: str, *, delay: dt.timedelta | None = None, **payload: str | int | bool | None
) -> uuid.UUID:
    """Store a fact with the transaction that makes it true; its id. Raises outside `transaction()`.

    The payload holds identifiers and codes only. With `delay` the handlers hear it later.
    """
    return record_each(kind, [payload], delay=delay)[0]


def record_each(
    kind: str, payloads: Iterable[Payload], *, delay: dt.timedelta | None = None
) -> list[uuid.UUID]:
    """Store many facts of one kind at once; their ids."""
    if not in_transaction():
        raise RuntimeError(f"the fact {kind} must be recorded inside transaction()")
    now = clock.now()
    hearers = ",".join(handler.name for handler in handlers_of(kind)) or None
    due_at = None if hearers is None else now + delay if delay else now
    facts = [(new_id(), payload) for payload in payloads]
    rows = [[id_, kind, payload, now, hearers, due_at] for id_, payload in facts]
    ADD_EVENT.run_each(db.session().connection(), rows)
    if hearers is not None:
        after_commit(wake)
    return [id_ for id_, _ in facts]


def deliver(delivery_id: uuid.UUID) -> bool:
    """Run one delivery; True when it took effect now. Safe to call twice or side by side."""
    row = db.session.execute(
        select(OutboxDelivery.handler, OutboxDelivery.state).where(OutboxDelivery.id == delivery_id)
    ).one_or_none()
    if row is None or row.state == DONE:
        return False
    handler = registered(row.handler)
    if handler is None:
        _postpone(delivery_id, "no such handler in this version")
        return False
    try:
        return _run_outside(handler, delivery_id) if handler.outside else _run(handler, delivery_id)
    except Exception as error:
        _postpone(delivery_id, type(error).__name__)
        raise


def _run(handler: Handler, delivery_id: uuid.UUID) -> bool:
    with transaction() as session:
        delivery = session.get(OutboxDelivery, delivery_id, with_for_update=True)
        if delivery is None or delivery.state == DONE:
            return False
        handler.function(**_payload(delivery.event_id))
        delivery.state, delivery.done_at, delivery.error = DONE, clock.now(), None
    return True


def _run_outside(handler: Handler, delivery_id: uuid.UUID) -> bool:
    """Network work: claimed by a lease, so that a second copy of the job steps back. The lease
    outlasts the handler's time, and nothing is open while it talks."""
    now = clock.now()
    with transaction() as session:
        delivery = session.get(OutboxDelivery, delivery_id, with_for_update=True)
        if delivery is None or delivery.state == DONE:
            return False
        if delivery.lease_until is not None and delivery.lease_until >= now:
            return False
        delivery.lease_until = now + dt.timedelta(seconds=handler.timeout) + LEASE_MARGIN
        payload = _payload(delivery.event_id)
    handler.function(**payload)
    with transaction() as session:
        session.execute(
            update(OutboxDelivery)
            .where(OutboxDelivery.id == delivery_id)
            .values(state=DONE, done_at=clock.now(), lease_until=None, error=None)
        )
    return True


def keep_alive(event_kind: str, key: str, value: str) -> None:
    """Lengthen the lease of a long job that is still at work (an import, a batch)."""
    now = clock.now()
    with transaction() as session:
        for delivery in session.scalars(
            select(OutboxDelivery)
            .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
            .where(
                OPEN,
                OutboxDelivery.lease_until > now,
                OutboxEvent.kind == event_kind,
                OutboxEvent.payload[key].as_string() == value,
            )
        ):
            delivery.lease_until = now + LEASE


def _payload(event_id: uuid.UUID) -> Payload:
    payload: Payload = db.session.execute(
        select(OutboxEvent.payload).where(OutboxEvent.id == event_id)
    ).scalar_one()
    return payload


def _postpone(delivery_id: uuid.UUID, reason: str) -> None:
    """Try again later, longer each time; give up visibly after `MAX_ATTEMPTS`."""
    with transaction() as session:
        delivery = session.get(OutboxDelivery, delivery_id, with_for_update=True)
        if delivery is None or delivery.state == DONE:
            return
        delivery.attempts += 1
        delivery.error = reason[:200]
        delivery.lease_until = None
        delivery.state = FAILED if delivery.attempts >= MAX_ATTEMPTS else PENDING
        delivery.not_before = clock.now() + dt.timedelta(seconds=min(2**delivery.attempts, 3600))


def lost(delivery_id: uuid.UUID) -> None:
    """Note that the process which ran it went away; counts as an attempt, so that work which
    takes its process with it each time is given up visibly, too."""
    _postpone(delivery_id, "its process went away")


def due(limit: int, resend_after: dt.timedelta) -> list[Due]:
    """Deliveries to hand to the queue now: new ones, those to try again, and those that were
    sent long ago and never finished. Up to `limit` new facts get their deliveries first."""
    tell(limit)
    now, delivery = clock.now(), OutboxDelivery
    is_open = select(delivery.id, delivery.handler, delivery.not_before).where(OPEN)
    new = is_open.where(delivery.state == PENDING, delivery.not_before <= now)
    silent = is_open.where(
        delivery.state == SENT,
        delivery.sent_at < now - resend_after,
        delivery.lease_until.is_(None) | (delivery.lease_until < now),
    )
    # Each by the index; the two in one query would read everything that waits at each round.
    rows = [
        row
        for query in (new, silent)
        for row in db.session.execute(query.order_by(delivery.not_before).limit(limit))
    ]
    rows.sort(key=lambda row: row.not_before)
    return [Due(row.id, row.handler, _timeout_of(row.handler)) for row in rows[:limit]]


def tell(limit: int = 200) -> int:
    """Make the deliveries of up to `limit` new facts; how many facts. They go to the handlers of
    the version that recorded them: an older relay does not know those of a newer web process
    while one replaces the other."""
    untold = (
        select(OutboxEvent.id, OutboxEvent.hearers, OutboxEvent.due_at)
        .where(OutboxEvent.hearers.is_not(None))
        .order_by(OutboxEvent.id)
        .limit(limit)
    )
    if db.session.execute(untold.limit(1)).first() is None:
        return 0
    with transaction() as session:
        # A second relay passes over what the first is telling.
        facts = session.execute(untold.with_for_update(skip_locked=True)).all()
        rows = [
            [new_id(), id_, name, PENDING, due_at, 0]
            for id_, hearers, due_at in facts
            for name in str(hearers).split(",")
        ]
        ADD_DELIVERY.run_each(session.connection(), rows)
        session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.id.in_([fact.id for fact in facts]))
            .values(hearers=None, due_at=None)
        )
    return len(facts)


def short(delivery_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Those of `delivery_ids`, in their order, that may share a process: not done, their handler
    inside a transaction and no longer than usual."""
    rows = db.session.execute(
        select(OutboxDelivery.id, OutboxDelivery.handler).where(
            OutboxDelivery.id.in_(delivery_ids), OutboxDelivery.state.in_((PENDING, SENT))
        )
    ).all()
    db.session.rollback()
    names = {row.id: row.handler for row in rows}
    return [id_ for id_ in delivery_ids if id_ in names and _is_short(names[id_])]


def _is_short(name: str) -> bool:
    handler = registered(name)
    return handler is not None and not handler.outside and handler.timeout <= DEFAULT_TIMEOUT


def _timeout_of(name: str) -> int:
    handler = registered(name)
    return handler.timeout if handler else DEFAULT_TIMEOUT


def mark_sent(delivery_ids: list[uuid.UUID], as_of: dt.datetime) -> None:
    """Note that the queue has them, as they were due at `as_of`. What is done stays done, and
    what a fast worker has already postponed keeps its new time."""
    with transaction() as session:
        session.execute(
            update(OutboxDelivery)
            .where(
                OutboxDelivery.id.in_(delivery_ids),
                OutboxDelivery.state.in_((PENDING, SENT)),
                OutboxDelivery.not_before <= as_of,
            )
            .values(state=SENT, sent_at=clock.now())
        )


def drain(limit: int = 10_000) -> int:
    """Run everything that is due, here and now, facts made on the way included; how many.

    For the console, the demo and tests; a running installation leaves it to the workers.
    """
    count = 0
    while count < limit:
        batch = due(200, resend_after=dt.timedelta(days=36_500))
        if not batch:
            return count
        for delivery in batch:
            deliver(delivery.id)
            count += 1
    return count


def is_under_way(
    kind: str, told: Mapping[str, str] | None = None, *, though_silent: bool = True
) -> bool:
    """Whether somebody has still to hear a fact of that kind, with these values in its payload.
    Without `though_silent`, work whose process lets its lease run out does not count."""
    delivery = OutboxDelivery
    query = select(OutboxEvent.id).where(
        OutboxEvent.kind == kind,
        *(OutboxEvent.payload[key].as_string() == value for key, value in (told or {}).items()),
    )
    untold = query.where(OutboxEvent.hearers.is_not(None))
    unfinished = query.join(delivery, delivery.event_id == OutboxEvent.id).where(
        OPEN, delivery.state != FAILED
    )
    if not though_silent:
        is_alive = delivery.lease_until.is_(None) | (delivery.lease_until > clock.now())
        unfinished = unfinished.where(is_alive)
    return any(
        db.session.execute(each.limit(1)).first() is not None for each in (untold, unfinished)
    )


def counts() -> dict[str, int]:
    """Deliveries by state, for the console, which may wait: it looks at everything ever made."""
    done = select(func.count()).where(OutboxDelivery.state == DONE)
    return counts_open() | {DONE: db.session.scalar(done) or 0}


def counts_open() -> dict[str, int]:
    """Deliveries that are not done by state, for who asks often; those of facts that the relay
    has not seen yet are pending."""
    state, count = OutboxDelivery.state, func.count()
    rows = db.session.execute(select(state, count).where(OPEN).group_by(state)).all()
    found = dict.fromkeys((PENDING, SENT, FAILED), 0) | {row[0]: row[1] for row in rows}
    commas = func.length(OutboxEvent.hearers) - func.length(
        func.replace(OutboxEvent.hearers, ",", "")
    )
    untold = select(func.sum(commas + 1)).where(OutboxEvent.hearers.is_not(None))
    found[PENDING] += int(db.session.scalar(untold) or 0)
    return found


def oldest_waiting() -> dt.datetime | None:
    """Since when the oldest delivery that is due has waited; None when nothing waits."""
    now, delivery = clock.now(), OutboxDelivery
    told = select(func.min(delivery.not_before)).where(
        OPEN, delivery.state != FAILED, delivery.not_before <= now
    )
    untold = select(func.min(OutboxEvent.due_at)).where(
        OutboxEvent.hearers.is_not(None), OutboxEvent.due_at <= now
    )
    return min(filter(None, map(db.session.scalar, (told, untold))), default=None)


def given_up() -> list[tuple[str, str, int]]:
    """What failed for good: handler, last error, how many."""
    rows = db.session.execute(
        select(OutboxDelivery.handler, OutboxDelivery.error, func.count())
        .where(OPEN, OutboxDelivery.state == FAILED)
        .group_by(OutboxDelivery.handler, OutboxDelivery.error)
        .order_by(OutboxDelivery.handler)
    ).all()
    return [(row[0], row[1] or "?", row[2]) for row in rows]
