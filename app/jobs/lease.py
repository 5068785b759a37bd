"""Who may do what only one process may do: a row in the database with an end.

The holder renews it well before the end; who finds it ended takes it. Two processes that
believe to hold it for a moment do no harm: everything done under it is safe to do twice.
"""

from __future__ import annotations

import datetime as dt
from typing import cast

from sqlalchemy import CursorResult, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app import clock
from app.db import db, transaction
from app.outbox.models import Lease


def hold(name: str, holder: str, length: dt.timedelta) -> bool:
    """Take or renew the lease `name`; False while somebody else has it."""
    now = clock.now()
    row = db.session.execute(
        select(Lease.holder, Lease.until).where(Lease.name == name)
    ).one_or_none()
    if row is None:
        return _take_first(name, holder, now + length)
    if row.holder != holder and row.until >= now:
        return False
    with transaction() as session:
        # The condition is asked again under the lock: two may have found it ended.
        free = or_(Lease.holder == holder, Lease.until < now)
        taken = session.execute(
            update(Lease).where(Lease.name == name, free).values(holder=holder, until=now + length)
        )
    return cast(CursorResult[object], taken).rowcount == 1


def _take_first(name: str, holder: str, until: dt.datetime) -> bool:
    try:
        with transaction() as session:
            session.execute(insert(Lease).values(name=name, holder=holder, until=until))
    except IntegrityError:
        return False
    return True


def release(name: str, holder: str) -> None:
    """Let the next one have it at once."""
    with transaction() as session:
        session.execute(
            update(Lease)
            .where(Lease.name == name, Lease.holder == holder)
            .values(until=clock.now() - dt.timedelta(seconds=1))
        )
