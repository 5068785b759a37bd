"""How often a network may be called: what it allows, what we have used, what a 429 asked for.

LinkedIn counts calls of one member and of the application from 00:00 to 24:00 UTC. We stay
below by ourselves, and a 429 stops the queue until the time it names (rule N7). Limits:
Share on LinkedIn 150 and 100,000; Community Management, development tier, 100 and 500.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from app import clock
from app.db import db, transaction
from app.sharing.models import NetworkQuota

APPLICATION = ""
LIMITS = {"self_serve": (150, 100_000), "community_management": (100, 500)}


def next_midnight() -> dt.datetime:
    """When the network's day ends."""
    tomorrow = clock.now().astimezone(dt.UTC).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(), dt.UTC)


def _row(network: str, holder: str) -> NetworkQuota | None:
    return db.session.get(NetworkQuota, (network, clock.now().date(), holder))


def waits_until(network: str, person_id: uuid.UUID, mode: str) -> dt.datetime | None:
    """Until when this member's posts wait, or None when one may go now."""
    now = clock.now()
    rows = db.session.execute(
        select(NetworkQuota.holder, NetworkQuota.calls, NetworkQuota.blocked_until).where(
            NetworkQuota.network == network,
            NetworkQuota.day >= now.date() - dt.timedelta(days=1),
            NetworkQuota.holder.in_((APPLICATION, person_id.hex)),
            (NetworkQuota.day == now.date()) | (NetworkQuota.blocked_until > now),
        )
    ).all()
    of_member, of_application = LIMITS.get(mode, LIMITS["self_serve"])
    waits = [row.blocked_until for row in rows if row.blocked_until and row.blocked_until > now]
    for row in rows:
        limit = of_application if row.holder == APPLICATION else of_member
        if row.calls >= limit:
            waits.append(next_midnight())
    return max(waits, default=None)


def count(network: str, person_id: uuid.UUID, calls: int) -> None:
    """Note calls that were made, for the member and for the application. Joins a transaction."""
    for holder in (APPLICATION, person_id.hex):
        _add(network, holder, calls)


def _add(network: str, holder: str, calls: int) -> None:
    insert = sqlite.insert if db.engine.dialect.name == "sqlite" else postgresql.insert
    statement = insert(NetworkQuota).values(
        network=network, day=clock.now().date(), holder=holder, calls=calls
    )
    with transaction() as session:
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["network", "day", "holder"],
                set_={"calls": NetworkQuota.calls + calls},
            )
        )


def block(network: str, person_id: uuid.UUID | None, until: dt.datetime) -> None:
    """The network said 429: wait with this member's posts, or (None) with everybody's."""
    holder = APPLICATION if person_id is None else person_id.hex
    with transaction() as session:
        _add(network, holder, 0)
        row = session.get_one(
            NetworkQuota, (network, clock.now().date(), holder), populate_existing=True
        )
        row.blocked_until = max(until, row.blocked_until or until)
