"""What follows from an answer to the charter: a copy for the person who gave it (rule K2)."""

from __future__ import annotations

import uuid

from app import mail, outbox
from app.charters import queries
from app.db import db
from app.people.models import Person
from app.web.markdown import to_html


@outbox.on("charter.accepted", "charters.copy", outside=True)
def send_copy(person_id: str, acceptance_id: str) -> None:
    """The text that was agreed to, as it was shown, with its proof; nothing to somebody who
    has left the organisation meanwhile."""
    person = db.session.get(Person, uuid.UUID(person_id))
    if person is None or person.departed_at is not None:
        return
    answer = queries.answer(person.id, uuid.UUID(acceptance_id))
    exact = queries.version(answer.number).text(answer.language, answer.organisation)
    mail.send(
        person.email,
        person.name,
        "charter",
        person.language,
        person=person,
        answer=answer,
        text=exact,
        html=to_html(exact),
        link=mail.url("/charter"),
    )
