"""Mails about redemptions: to who hands over, and to the member when it ends.

Each is made from the redemption as it stands when the mail leaves, so one that was settled
meanwhile sends nothing stale.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app import mail, outbox
from app.db import db
from app.people.models import Person
from app.people.segments_reach import holders_for
from app.rewards import queries, service, words
from app.rewards.models import CANCELLED, FULFILLED, RESERVED
from app.rewards.queries import RedemptionRow


def _row(redemption_id: str, status: str) -> RedemptionRow | None:
    row = queries.redemption(uuid.UUID(redemption_id))
    return row if row is not None and row.status == status else None


def _present(person_id: uuid.UUID) -> Person | None:
    person = db.session.get(Person, person_id)
    return None if person is None or person.departed_at is not None else person


def _deliverers(row: RedemptionRow) -> Sequence[Person]:
    """Who hands it over; when that person has left, HR as far as the member is within reach."""
    deliverer = _present(row.deliverer_id)
    if deliverer is not None:
        return [deliverer]
    return holders_for("hr", row.person_id)


def _send(person: Person, template: str, path: str, row: RedemptionRow, **more: object) -> None:
    row = queries.redemption(row.id, language=person.language) or row
    mail.send(
        person.email,
        person.name,
        template,
        person.language,
        person=person,
        row=row,
        link=mail.url(path),
        **more,
    )


@outbox.on("redemption.reserved", "rewards.to_deliver", outside=True)
def tell_deliverer(redemption_id: str) -> None:
    """Something to hand over."""
    row = _row(redemption_id, RESERVED)
    if row is None:
        return
    for person in _deliverers(row):
        own = person.id == row.deliverer_id
        path = "/play/deliveries" if own else "/studio/redemptions"
        _send(person, "redemption-to-deliver", path, row)


@outbox.on("redemption.fulfilled", "rewards.delivered", outside=True)
def tell_delivered(redemption_id: str) -> None:
    """The receipt, to the member."""
    row = _row(redemption_id, FULFILLED)
    member = _present(row.person_id) if row else None
    if row is not None and member is not None:
        _send(member, "redemption-delivered", f"/play/redemptions/{row.id}", row)


@outbox.on("redemption.cancelled", "rewards.cancelled", outside=True)
def tell_cancelled(redemption_id: str, reason: str) -> None:
    """The points are back, to the member."""
    row = _row(redemption_id, CANCELLED)
    member = _present(row.person_id) if row else None
    if row is None or member is None:
        return
    # The word for the reason is chosen where the mail is written, in the member's language.
    why = words.reason_name if reason != service.BY_CHOICE else None
    _send(
        member, "redemption-cancelled", f"/play/redemptions/{row.id}", row, why=why, reason=reason
    )


@outbox.on("redemption.cancelled", "rewards.no_longer_to_deliver", outside=True)
def tell_called_off(redemption_id: str, reason: str) -> None:
    """The member changed her mind: who hands over need not look for her any more."""
    row = _row(redemption_id, CANCELLED)
    if row is None or row.settled_by != row.person_id or row.person_id == row.deliverer_id:
        return
    for person in _deliverers(row):
        _send(person, "redemption-called-off", "/play/deliveries", row)
