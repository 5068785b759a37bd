"""What connections do when facts arrive."""

from __future__ import annotations

import uuid

from app import outbox
from app.provisioning.scim import users


@outbox.on("person.linked", "scim.move")
def on_person_linked(entry_id: str, person_id: str) -> None:
    """An administrator confirmed that two entries are one person."""
    users.move(uuid.UUID(entry_id), uuid.UUID(person_id))
