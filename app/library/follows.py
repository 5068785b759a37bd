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
from app.library.errors import UnknownTopic
from app.library.models import Topic, TopicFollow
from app.library.topics import find, name_in, name_read
from app.people.lookup import load_member
from app.prepared import Reading
from app.web.two_languages import READS

MOST: Final = 500
"""Topics that are read at once; a library has far fewer."""


@dataclass(frozen=True, slots=True)
class FollowedTopic:
    """One topic, by its name for the reader, and whether this member follows it. `names`: all
    that it is called, where somebody looks for them."""

    id: uuid.UUID
    code: str
    name: str
    is_followed: bool
    names: tuple[str, ...] = ()


def follow(person_id: uuid.UUID, code: str, language: str | None = None) -> FollowedTopic:
    """See more of a topic from now on; one that is followed stays so. `code` or name, in either
    language; the answer is in that of the reader.

    Raises `UnknownTopic`, `NotMember`, `NoSuchPerson`.
    """
    with transaction() as session:
        load_member(session, person_id)  # locked, so that two presses make one row
        topic = _topic(code)
        if session.get(TopicFollow, (person_id, topic.id)) is None:
            session.add(TopicFollow(person_id=person_id, topic_id=topic.id))
        return FollowedTopic(topic.id, topic.code, name_in(topic, language), True)


def unfollow(person_id: uuid.UUID, code: str, language: str | None = None) -> FollowedTopic:
    """No longer. One that was not followed stays so. Raises `UnknownTopic`."""
    with transaction() as session:
        topic = _topic(code)
        session.execute(
            delete(TopicFollow).where(
                TopicFollow.person_id == person_id, TopicFollow.topic_id == topic.id
            )
        )
        return FollowedTopic(topic.id, topic.code, name_in(topic, language), False)


def _topic(code: str) -> Topic:
    found = find(db.session(), code)
    if found is None:
        raise UnknownTopic
    return found


def topic(code: str, language: str | None = None) -> FollowedTopic | None:
    """A topic as somebody sees it who does not follow it; None where there is none."""
    found = find(db.session(), code)
    if found is None:
        return None
    return FollowedTopic(found.id, found.code, name_in(found, language), False)


_FOLLOWED: Final = Reading(
    select(Topic.id, Topic.code, name_read.label("shown"), Topic.name, Topic.other_name)
    .join(TopicFollow, TopicFollow.topic_id == Topic.id)
    .where(TopicFollow.person_id == bindparam("person_id"))
    .order_by(name_read, Topic.id)
    .limit(MOST)
)


def followed(person_id: uuid.UUID, language: str | None = None) -> list[FollowedTopic]:
    """What a member follows, by its name for them."""
    rows = _FOLLOWED.all({"person_id": person_id, READS: language})
    return [
        FollowedTopic(id_, code, shown, True, (name, other))
        for id_, code, shown, name, other in rows
    ]


def choices(person_id: uuid.UUID, language: str | None = None) -> list[FollowedTopic]:
    """Every topic by its name for a member, and which of them a member follows."""
    query = (
        select(Topic.id, Topic.code, name_read, TopicFollow.person_id.is_not(None))
        .outerjoin(
            TopicFollow,
            (TopicFollow.topic_id == Topic.id) & (TopicFollow.person_id == person_id),
        )
        .order_by(name_read, Topic.id)
        .limit(MOST)
    )
    return [FollowedTopic(*row) for row in db.session.execute(query, {READS: language})]


@outbox.on("person.left", "library.forget_topics")
def on_person_left(person_id: str) -> None:
    """Nothing is shown to them any more, so nothing needs to be known of their taste."""
    db.session.execute(delete(TopicFollow).where(TopicFollow.person_id == uuid.UUID(person_id)))
