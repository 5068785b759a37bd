"""What a pause does to planned posts: they wait, and ask again where their moment has passed."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, select, update

from app import clock, outbox
from app.db import db
from app.people.joining_models import Pause
from app.sharing import stop
from app.sharing.models import Share

RESTING, RESTED = "resting", "rested"


@outbox.on("person.paused", "sharing.rest")
def on_person_paused(person_id: str) -> None:
    """What was planned waits, unless its author is back already. No mail tells it: it is their
    own act. A post that is pressed during a pause goes."""
    pause = db.session.get(Pause, uuid.UUID(person_id))
    if pause is None:
        return
    db.session.execute(
        update(Share)
        .where(
            Share.person_id == pause.person_id,
            Share.status == "scheduled",
            Share.created_at <= pause.began_at,
            Share.reason.is_distinct_from("check"),
        )
        .values(status="paused", reason=RESTING)
    )


@outbox.on("person.resumed", "sharing.wake")
def on_person_resumed(person_id: str) -> None:
    """What is planned for later goes on as planned; what has missed its moment waits for a press,
    and what a stop concerns waits for its end."""
    person = uuid.UUID(person_id)
    if db.session.get(Pause, person) is not None:
        return  # resting again meanwhile
    waiting, now = _waiting(person), clock.now()
    _set(waiting & ~stop.none_stands(), status="paused", reason="stopped")
    _set(waiting & (Share.publish_at <= now), status="paused", reason=RESTED)
    later = db.session.execute(select(Share.id, Share.publish_at).where(waiting)).all()
    _set(waiting, status="scheduled", reason=None)
    for share in later:
        outbox.record("share.due", delay=share.publish_at - now, share_id=str(share.id))


def _waiting(person_id: uuid.UUID) -> ColumnElement[bool]:
    return (Share.person_id == person_id) & (Share.status == "paused") & (Share.reason == RESTING)


def _set(which: ColumnElement[bool], *, status: str, reason: str | None) -> None:
    db.session.execute(
        update(Share)
        .where(which)
        .values(status=status, reason=reason)
        .execution_options(synchronize_session=False)
    )
