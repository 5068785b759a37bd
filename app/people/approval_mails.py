"""A mail to whoever asked for something that a second person decided about."""

from __future__ import annotations

import uuid

from flask_babel import force_locale

from app import mail, outbox
from app.approvals import queries
from app.approvals.models import WITHDRAWN
from app.db import db
from app.people.models import Person


@outbox.on("approval.decided", "people.tell_asker", outside=True)
def tell_asker(request_id: str) -> None:
    """What became of it: approved, declined, or not decided in time. What was taken back is not
    told to whoever took it back, and nobody who left is written to."""
    row = queries.request(uuid.UUID(request_id))
    person = db.session.get(Person, row.requested_by) if row is not None else None
    if row is None or person is None or person.departed_at is not None:
        return
    if row.outcome in (None, WITHDRAWN):
        return
    with force_locale(person.language):
        words = queries.in_words([row])[row.id]
    mail.send(
        person.email, person.name, "approval", person.language, person=person, words=words,
        outcome=row.outcome, link=mail.url("/studio/approvals?view=mine"),
    )  # fmt: skip
