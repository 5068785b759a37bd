"""What connections do when facts arrive."""

from __future__ import annotations

import uuid

from app import outbox
from app.db import transaction
from app.provisioning.scim import group_roles, users


@outbox.on("person.linked", "scim.move")
def on_person_linked(entry_id: str, person_id: str) -> None:
    """An administrator confirmed that two entries are one person."""
    users.move(uuid.UUID(entry_id), uuid.UUID(person_id))


@outbox.on("person.returned", "scim.roles")
def on_person_returned(person_id: str) -> None:
    """Somebody is back, without roles; their directory may have them in a group that gives one."""
    with transaction() as session:
        group_roles.follow(session, {uuid.UUID(person_id)})
