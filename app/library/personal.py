"""What the library keeps about people: what they follow, and what they wrote for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.library.models import Story, Topic, TopicFollow
from app.personal_data import PERSON, Row, Subject, deletes, holds, plain


def _followed(session: Session, person_id: uuid.UUID) -> Iterable[Row]:
    query = (
        select(Topic.name, TopicFollow.since)
        .join(Topic, Topic.id == TopicFollow.topic_id)
        .where(TopicFollow.person_id == person_id)
        .order_by(Topic.name)
    )
    for name, since in session.execute(query):
        yield {"topic": name, "since": plain(since)}


def _written(session: Session, person_id: uuid.UUID) -> Iterable[Row]:
    """Stories by their author, and who published what."""
    mine = or_(Story.author_id == person_id, Story.published_by == person_id)
    for story in session.scalars(select(Story).where(mine).order_by(Story.created_at)):
        yield {
            "title": story.texts[0].title if story.texts else story.slug,
            "written_by_you": story.author_id == person_id,
            "published_by_you": story.published_by == person_id,
            "status": story.status,
            "created_at": plain(story.created_at),
            "published_at": plain(story.published_at),
        }


def _forget_who(session: Session, subject: Subject) -> None:
    for column in (Story.author_id, Story.published_by):
        session.execute(update(Story).where(column == subject.id).values({column.key: None}))


def declare() -> None:
    """Say it."""
    holds(
        "library.topics", TopicFollow, title=_l("Topics you follow"),
        purpose=_l("to show you first what interests you"), basis="contract", source="you",
        recipients=("you",), exports={PERSON: _followed},
        erasures={PERSON: deletes(TopicFollow, TopicFollow.person_id)},
    )  # fmt: skip
    holds(
        "library.stories", Story, title=_l("Stories you wrote or published"),
        purpose=_l("to know who can answer for a story"), basis="interest", source="you",
        recipients=("team", "colleagues"), exports={PERSON: _written},
        erasures={PERSON: _forget_who},
        stays=_l("Stories of the organisation stay in the library, without who wrote them."),
    )  # fmt: skip
