"""What happens by the clock."""

from __future__ import annotations

import uuid

from app import outbox
from app.approvals import service


@outbox.on("person.departed", "approvals.lapse")
def on_departure(person_id: str) -> None:
    """Nothing waits any more that somebody who left the organisation asked for, or that was for
    them."""
    service.lapse(uuid.UUID(person_id))


@outbox.on("periodic.approvals.expire", "approvals.expire")
def on_hour() -> None:
    """What nobody decided within two weeks."""
    service.expire()
