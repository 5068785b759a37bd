"""What happens on a connection, counted by day: for the page of its administrators.

Counts only. Who was concerned stands in the audit log, by identifier.
"""

from __future__ import annotations

import uuid

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.provisioning.scim.models import ScimCount

KINDS = (
    "created", "adopted", "changed", "departed", "returned", "deleted",
    "group_created", "group_changed", "group_deleted",
)  # fmt: skip


def count(connection_id: uuid.UUID, what: str) -> None:
    """One more, in the transaction of the act."""
    with transaction() as session:
        if _add(session, connection_id, what):
            return
        try:
            with session.begin_nested():
                row = {"connection_id": connection_id, "day": clock.today(), "what": what[:40]}
                session.add(ScimCount(**row, times=1))
        except IntegrityError:  # the first of the day twice at the same moment
            _add(session, connection_id, what)


def _add(session: Session, connection_id: uuid.UUID, what: str) -> bool:
    found = session.execute(
        update(ScimCount)
        .where(
            ScimCount.connection_id == connection_id,
            ScimCount.day == clock.today(),
            ScimCount.what == what[:40],
        )
        .values(times=ScimCount.times + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(found, "rowcount", 0))
