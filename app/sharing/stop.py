"""The stop switch: nothing leaves while it is on; afterwards everybody is asked again (F135).

The worker looks at the switch in the very statement that allows the last byte to leave, so
stopping needs no word to any process. What was planned for a moment that passed meanwhile
stays paused until its author presses again; what is planned for later goes on as planned.
Authors hear of a stop and of its end once each, however many posts they have planned
(`sharing.stopped` and `sharing.asks`, with person_id and stop_id).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, case, distinct, exists, func, or_, select, update

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput, NotFound
from app.library.models import StoryTopic, Topic
from app.sharing.models import Share, SharingStop
from app.sharing.words import CHECK_FORM

MAX_MESSAGE = 500


def _concerns_share() -> ColumnElement[bool]:
    """A living stop that concerns the row of `Share` at hand, wherever that row is asked for."""
    of_topic = (
        exists()
        .where(StoryTopic.story_id == Share.story_id, StoryTopic.topic_id == SharingStop.topic_id)
        .correlate(Share, SharingStop)
    )
    return or_(SharingStop.topic_id.is_(None), of_topic)


def none_stands(but: uuid.UUID | None = None) -> ColumnElement[bool]:
    """SQL: no stop, or none `but` this one, concerns this share."""
    stands = exists().where(SharingStop.lifted_at.is_(None), _concerns_share()).correlate(Share)
    return ~(stands if but is None else stands.where(SharingStop.id != but))


def standing(topic_ids: frozenset[uuid.UUID] = frozenset()) -> SharingStop | None:
    """The stop that concerns something with these topics, if any."""
    concerns = or_(SharingStop.topic_id.is_(None), SharingStop.topic_id.in_(topic_ids))
    return db.session.scalars(
        select(SharingStop)
        .where(SharingStop.lifted_at.is_(None), concerns)
        .order_by(SharingStop.stopped_at, SharingStop.id)
        .limit(1)
    ).one_or_none()


def all_standing() -> list[SharingStop]:
    """Every stop that is on."""
    return list(
        db.session.scalars(
            select(SharingStop)
            .where(SharingStop.lifted_at.is_(None))
            .order_by(SharingStop.stopped_at, SharingStop.id)
        )
    )


def stop(actor_id: uuid.UUID, message: str = "", topic_id: uuid.UUID | None = None) -> SharingStop:
    """Stop all sharing, or that of one topic; the same again changes nothing.

    Raises `InvalidInput` (a message above 500 characters, an unknown topic).
    """
    message = message.strip()
    if len(message) > MAX_MESSAGE:
        raise InvalidInput(CHECK_FORM, {"message": _l("500 characters at most.")})
    with transaction() as session:
        if topic_id is not None and session.get(Topic, topic_id) is None:
            raise InvalidInput(CHECK_FORM, {"topic": _l("There is no such topic.")})
        known = next((s for s in all_standing() if s.topic_id == topic_id), None)
        if known is not None:
            return known
        row = SharingStop(topic_id=topic_id, message=message, stopped_by=actor_id)
        session.add(row)
        session.flush()
        paused = session.scalars(
            update(Share)
            .where(Share.status == "scheduled", Share.reason.is_distinct_from("check"), _hit(row))
            .values(status="paused", reason="stopped")
            .returning(Share.person_id)
        ).all()
        audit.record("sharing.stopped", "sharing", row.id, actor_id=actor_id, paused=len(paused))
        _tell("sharing.stopped", paused, row.id)
    return row


def _tell(kind: str, person_ids: Sequence[uuid.UUID], stop_id: uuid.UUID) -> None:
    for person_id in sorted(set(person_ids)):
        outbox.record(kind, person_id=str(person_id), stop_id=str(stop_id))


def _hit(row: SharingStop) -> ColumnElement[bool]:
    if row.topic_id is None:
        return Share.id.is_not(None)
    return exists().where(
        StoryTopic.story_id == Share.story_id, StoryTopic.topic_id == row.topic_id
    )


def paused_count() -> int:
    """How many posts wait for the end of a stop."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Share)
            .where(Share.status == "paused", Share.reason == "stopped")
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class Lifting:
    """What ending a stop would do: `later` posts go on as planned, for `asked` posts their
    moment has passed and their `authors` are asked; `held` posts stay paused by another stop."""

    stop: SharingStop
    later: int
    asked: int
    authors: int
    held: int


def lifting_of(stop_id: uuid.UUID) -> Lifting:
    """What ending a stop would do now. Raises `NotFound` where none of that name stands."""
    row = db.session.get(SharingStop, stop_id)
    if row is None or row.lifted_at is not None:
        raise NotFound(_l("There is no such stop."))
    free = none_stands(but=stop_id)
    passed = free & (Share.publish_at <= clock.now())
    found = db.session.execute(
        select(
            func.count(case((free & (Share.publish_at > clock.now()), 1))),
            func.count(case((passed, 1))),
            func.count(distinct(case((passed, Share.person_id)))),
            func.count(case((~free, 1))),
        ).where(Share.status == "paused", Share.reason == "stopped", _hit(row))
    ).one()
    return Lifting(row, *found)


def history(limit: int = 20) -> list[SharingStop]:
    """Stops that are over, the newest first."""
    return list(
        db.session.scalars(
            select(SharingStop)
            .where(SharingStop.lifted_at.is_not(None))
            .order_by(SharingStop.lifted_at.desc(), SharingStop.id.desc())
            .limit(limit)
        )
    )


def lift(actor_id: uuid.UUID, stop_id: uuid.UUID) -> int:
    """End a stop; of how many posts their authors are asked whether they still want them.

    Raises `NotFound`.
    """
    now = clock.now()
    with transaction() as session:
        row = session.get(SharingStop, stop_id, with_for_update=True)
        if row is None:
            raise NotFound(_l("There is no such stop."))
        if row.lifted_at is not None:
            return 0
        row.lifted_at, row.lifted_by = now, actor_id
        session.flush()
        waiting = (Share.status == "paused") & (Share.reason == "stopped") & none_stands()
        asked = session.scalars(
            update(Share)
            .where(waiting, Share.publish_at <= now)
            .values(reason="asks")
            .returning(Share.person_id)
        ).all()
        later = session.execute(
            update(Share)
            .where(waiting, Share.publish_at > now)
            .values(status="scheduled", reason=None)
            .returning(Share.id, Share.publish_at)
        ).all()
        _tell("sharing.asks", asked, row.id)
        for share in later:
            outbox.record("share.due", delay=share.publish_at - now, share_id=str(share.id))
        audit.record("sharing.resumed", "sharing", row.id, actor_id=actor_id, asked=len(asked))
    return len(asked)
