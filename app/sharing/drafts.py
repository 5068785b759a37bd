"""Words kept for later: one draft for each member and subject, which nothing ever sends.

It is what makes a way out of the composer a way back: to read the charter, to connect a
network, to sleep on it. The press on a post makes its draft disappear.
"""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, delete, select

from app.db import db, new_id, transaction
from app.errors import InvalidInput
from app.people.lookup import load_member
from app.people.models import Person
from app.sharing import disclosures
from app.sharing.composing import Subject, compose
from app.sharing.grants import LINKEDIN
from app.sharing.models import Share
from app.sharing.service import Wish
from app.sharing.subjects import shareable

DRAFT = "draft"


def _theirs(
    person_id: uuid.UUID, story_id: uuid.UUID | None, offer_id: uuid.UUID | None
) -> list[ColumnElement[bool]]:
    return [
        Share.person_id == person_id,
        Share.status == DRAFT,
        Share.story_id == story_id if story_id else Share.offer_id == offer_id,
    ]


def find(
    person_id: uuid.UUID, story_id: uuid.UUID | None, offer_id: uuid.UUID | None
) -> Share | None:
    """What the member kept of this story or offer; None when nothing."""
    return db.session.scalars(
        select(Share)
        .where(*_theirs(person_id, story_id, offer_id))
        .order_by(Share.created_at.desc())
        .limit(1)
    ).one_or_none()


def keep(person_id: uuid.UUID, wish: Wish) -> Share | None:
    """Keep the words in place of what was kept before; no words keep nothing.

    Raises `NotMember` and what `shareable` raises.
    """
    with transaction() as session:
        person = load_member(session, person_id)
        language = wish.language or person.language
        subject = shareable(person.id, wish.story_id, wish.offer_id, language)
        drop(person_id, wish.story_id, wish.offer_id)
        if not wish.words.strip():
            return None
        share = _draft(person, wish, subject)
        session.add(share)
    return share


def _draft(person: Person, wish: Wish, subject: Subject) -> Share:
    disclosure, text = _disclosure(wish, subject, person.kind)
    made = compose(subject, wish.words, text)
    return Share(
        id=new_id(),
        person_id=person.id,
        story_id=wish.story_id,
        offer_id=wish.offer_id if wish.story_id is None else None,
        network=LINKEDIN,
        language=subject.language,
        words=made.words,
        disclosure=disclosure,
        disclosure_text=text,
        format=subject.format,
        post_text=made.post_text,
        title=subject.title,
        summary=subject.summary,
        picture_id=subject.picture_id,
        alt=subject.alt,
        status=DRAFT,
    )


def _disclosure(wish: Wish, subject: Subject, person_kind: str) -> tuple[str, str]:
    """A draft may be as unfinished as its author left it."""
    try:
        return disclosures.resolve(
            wish.disclosure, wish.disclosure_words, subject.language, person_kind
        )
    except InvalidInput:
        return disclosures.OWN, wish.disclosure_words[: disclosures.MAX_OWN]


def drop(person_id: uuid.UUID, story_id: uuid.UUID | None, offer_id: uuid.UUID | None) -> None:
    """Forget what was kept of this story or offer."""
    with transaction() as session:
        session.execute(delete(Share).where(*_theirs(person_id, story_id, offer_id)))
