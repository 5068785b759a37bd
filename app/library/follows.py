"""The topics a member follows (F6): their own choice, seen by nobody else.

Every topic is open: a member follows and leaves it as they like, nothing is followed for them.
What they follow says what Today shows first, and goes when they leave the programme.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, select

from app import outbox
from app.db import db, transaction
from app.library.content import topic_code
from app.library.errors import UnknownTopic
from app.library.models import Topic, TopicFollow
from app.people.lookup import load_member
from app.prepared import Reading

MOST: Final = 500
"""Topics that are read at once; a library has far fewer."""


@dataclass(frozen=True, slots=True)
class FollowedTopic:
    """One topic, and whether this member follows it."""

    id: uuid.UUID
    code: str
    name: str
    is_followed: bool


def follow(person_id: uuid.UUID, code: str) -> FollowedTopic:
    """See more of a topic from now on; one that is followed stays so. `code` or name.

    Raises `UnknownTopic`, `NotMember`, `NoSuchPerson`.
    """
    with transaction() as session:
        load_member(session, person_id)  # locked, so that two presses make one row
        topic = _topic(code)
        if session.get(TopicFollow, (person_id, topic.id)) is None:
            session.add(TopicFollow(person_id=person_id, topic_id=topic.id))
        return FollowedTopic(topic.id, topic.code, topic.name, True)


def unfollow(person_id: uuid.UUID, code: str) -> FollowedTopic:
    """No longer. One that was not followed stays so. Raises `UnknownTopic`."""
    with transaction() as session:
        topic = _topic(code)
        session.execute(
            delete(TopicFollow).where(
                TopicFollow.person_id == person_id, TopicFollow.topic_id == topic.id
            )
        )
        return FollowedTopic(topic.id, topic.code, topic.name, False)


def _topic(code: str) -> Topic:
    found = db.session.scalar(select(Topic).where(Topic.code == topic_code(code[:200])))
    if found is None:
        raise UnknownTopic
    return found


def topic(code: str) -> FollowedTopic | None:
    """A topic as somebody sees it who does not follow it; None where there is none."""
    row = db.session.execute(
        select(Topic.id, Topic.code, Topic.name).where(Topic.code == topic_code(code[:200]))
    ).one_or_none()
    return FollowedTopic(*row, False) if row else None


_FOLLOWED: Final = Reading(
    select(Topic.id, Topic.code, Topic.name)
    .join(TopicFollow, TopicFollow.topic_id == Topic.id)
    .where(TopicFollow.person_id == bindparam("person_id"))
    .order_by(Topic.name, Topic.id)
    .limit(MOST)
)


def followed(person_id: uuid.UUID) -> list[FollowedTopic]:
    """What a member follows, by name."""
    rows = _FOLLOWED.all({"person_id": person_id})
    return [FollowedTopic(id_, code, name, True) for id_, code, name in rows]


def choices(person_id: uuid.UUID) -> list[FollowedTopic]:
    """Every topic by name, and which of them a member follows."""
    query = (
        select(Topic.id, Topic.code, Topic.name, TopicFollow.person_id.is_not(None))
        .outerjoin(
            TopicFollow,
            (TopicFollow.topic_id == Topic.id) & (TopicFollow.person_id == person_id),
        )
        .order_by(Topic.name, Topic.id)
        .limit(MOST)
    )
    return [FollowedTopic(*row) for row in db.session.execute(query)]


@outbox.on("person.left", "library.forget_topics")
def on_person_left(person_id: str) -> None:
    """Nothing is shown to them any more, so nothing needs to be known of their taste."""
    db.session.execute(delete(TopicFollow).where(TopicFollow.person_id == uuid.UUID(person_id)))
