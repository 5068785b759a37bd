"""Inviting somebody of the directory to join; the mail leaves by `handlers`."""

from __future__ import annotations

import uuid

from app import audit, outbox
from app.db import transaction
from app.people.links import INVITATION, new_ticket
from app.people.lookup import load_present


def invite(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Send an invitation, valid for 14 days. Raises `NoSuchPerson`, `Departed`.

    Somebody who takes part already gets none, and the caller is not told: nobody may find
    out in this way who joined (rule W2).
    """
    with transaction() as session:
        person = load_present(session, person_id)
        ticket = new_ticket(INVITATION, person)
        audit.record("person.invited", "person", person_id, actor_id=actor_id)
        outbox.record(
            "person.invited",
            person_id=str(person_id),
            expires_at=ticket.expires_at,
            state=ticket.state,
        )
