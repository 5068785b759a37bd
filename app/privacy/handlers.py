"""What follows when a request was answered."""

from __future__ import annotations

import uuid

from app import mail, outbox
from app.db import db
from app.errors import NotFound
from app.people.errors import NoSuchPerson
from app.privacy import corrections
from app.privacy.correction_words import name_of


@outbox.on("correction.answered", "privacy.tell_correction", outside=True)
def tell(request_id: str) -> None:
    """The outcome, and why, to whoever asked; nothing once they were erased."""
    try:
        wish = corrections.wish(uuid.UUID(request_id))
    except (NotFound, NoSuchPerson):
        return
    person, asked = wish.person, wish.asked
    mail.send(
        person.email, person.name, "correction", person.language, person=person,
        is_done=asked.outcome == corrections.DONE, what=name_of(asked.field),
        reason=asked.reason or "", link=mail.url("/me/corrections"),
    )  # fmt: skip
    db.session.rollback()
