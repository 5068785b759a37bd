"""What a topic is called: by its name, and by the one it has in the product's other language.

A reader is shown the name in their language; whoever types, writes an address or calls the API
may use either. A code belongs to one topic, be it that of its name or that of its other one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.config import LANGUAGES
from app.db import db, transaction
from app.errors import Sentence
from app.integrations.text import clean_text
from app.library.content import topic_code, wrong
from app.library.errors import UnknownTopic
from app.library.models import Topic
from app.web.two_languages import in_other

NAME_LIMIT: Final = 60
"""Characters of the other name: all of its words are in its code, and so are found."""
_IN_OTHER: Final = in_other(Topic.language, Topic.other_name)
name_read: Final = case((_IN_OTHER, Topic.other_name), else_=Topic.name)
name_beside: Final = case((_IN_OTHER, Topic.name), else_=Topic.other_name)
"""The one that is not shown; empty where there is one name."""


def name_in(topic: Topic, language: str | None) -> str:
    """What a loaded topic is called for a reader."""
    is_other = topic.other_name and None not in (language, topic.language)
    return topic.other_name if is_other and topic.language != language else topic.name


def names_in(topics: Iterable[Topic], language: str | None) -> list[str]:
    """What some topics are called for a reader, in order."""
    return sorted(name_in(topic, language) for topic in topics)


def is_called(typed: str) -> ColumnElement[bool]:
    """A topic by a name, in either language, or by the code of one."""
    code = topic_code(typed[:200])
    return or_(Topic.code == code, Topic.other_code == code)


def has_word(word: str) -> ColumnElement[bool]:
    """A topic by a folded word of the name that the words of its stories do not hold."""
    return Topic.other_code.contains(word)


def find(session: Session, typed: str) -> Topic | None:
    """The topic of that name or code, in either language."""
    return session.scalars(
        select(Topic)
        .where(is_called(typed))
        .order_by(Topic.other_code == topic_code(typed[:200]), Topic.id)
        .limit(1)
    ).one_or_none()


def settled(session: Session, typed: Collection[str]) -> tuple[str, ...]:
    """The names of topics, each topic once and known ones as they are named: what is typed in
    the other language, or with other capitals, changes nothing."""
    known = _known(session, {topic_code(name) for name in typed})
    return tuple(sorted({known.get(topic_code(name), name) for name in typed}))


def _known(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Names by each of their codes."""
    if not codes:
        return {}
    found: dict[str, str] = {}
    query = select(Topic.name, Topic.code, Topic.other_code)
    query = query.where(or_(Topic.code.in_(codes), Topic.other_code.in_(codes)))
    for name, code, other_code in session.execute(query):
        found[code] = name
        if other_code:
            found.setdefault(other_code, name)
    return found


def topic(topic_id: uuid.UUID) -> Topic:
    """One topic. Raises `UnknownTopic`."""
    found = db.session.get(Topic, topic_id)
    if found is None:
        raise UnknownTopic
    return found


def say_names(
    topic_id: uuid.UUID, *, language: str, other_name: str, actor_id: uuid.UUID | None
) -> Topic:
    """In which language a topic is named, and its name in the other one; empty: it has none.

    Raises `InvalidInput` by field, `UnknownTopic`.
    """
    other = clean_text(other_name, len(other_name) + 1)
    try:
        with transaction() as session:
            found = session.get(Topic, topic_id, with_for_update=True, populate_existing=True)
            if found is None:
                raise UnknownTopic
            _check(session, found, language, other)
            if (found.language, found.other_name) != (language, other):
                found.language, found.other_name = language, other
                found.other_code = topic_code(other) or None
                session.flush()
                audit.record("topic.named", "topic", found.id, actor_id=actor_id)
    except IntegrityError as error:  # two topics were given one name at the same time
        raise wrong({"other_name": _taken()}) from error
    return found


def _check(session: Session, found: Topic, language: str, other: str) -> None:
    errors: dict[str, Sentence] = {}
    if language not in LANGUAGES:
        errors["language"] = _l("Choose the language of the name.")
    if len(other) > NAME_LIMIT:
        errors["other_name"] = _l("At most %(most)d characters.", most=NAME_LIMIT)
    elif other and not topic_code(other):
        errors["other_name"] = _l("A topic needs letters or digits.")
    elif "," in other or ";" in other:  # the editor's form parts topics there
        errors["other_name"] = _l("Leave out commas and semicolons: they part topics.")
    elif other and _is_of_another(session, found, other):
        errors["other_name"] = _taken()
    if errors:
        raise wrong(errors)


def _is_of_another(session: Session, found: Topic, name: str) -> bool:
    return session.scalar(select(Topic.id).where(is_called(name), Topic.id != found.id)) is not None


def _taken() -> Sentence:
    sentence: Sentence = _l("Another topic has this name.")
    return sentence
