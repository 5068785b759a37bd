"""What tests of sharing need: a published story, members who may post, the stand-in."""

from __future__ import annotations

import uuid
from typing import Any

from app import charters, outbox
from app.charters import queries as charter_queries
from app.charters import service as charter_service
from app.db import db
from app.library import service as library
from app.people.models import Person
from app.sharing import disclosures, grants, service
from app.sharing.models import Share
from app.sharing.service import Wish
from tests.conftest import START, House

__all__ = ["Wish", "accept", "charters", "connect", "member", "press", "share", "story"]


def accept(person_id: uuid.UUID, language: str = "fr") -> None:
    """The person reads the charter and agrees."""
    charter_service.ensure_default(START)
    current = charter_queries.current()
    assert current is not None
    charter_service.accept(person_id, current.id, language)


def connect(person_id: uuid.UUID, subject: str | None = None, token: str | None = None) -> None:
    """An invented grant: works with any loopback address that takes invented tokens."""
    subject = subject or person_id.hex[-12:]
    grants.store_invented(person_id, subject, "Maëlle Kerjan", token or f"token-{person_id.hex}")


def member(house: House, name: str = "Maëlle Kerjan", *roles: str, **more: Any) -> Person:
    """Somebody who joined, agreed to the charter and connected LinkedIn."""
    disclosures.ensure_defaults()
    person = house.person(name, *roles, **more)
    accept(person.id)
    connect(person.id)
    outbox.drain()
    return kept(person.id)


def kept(person_id: uuid.UUID) -> Person:
    """A person whose row stays readable when the worker lets go of its session."""
    person = db.session.get_one(Person, person_id, populate_existing=True)
    assert person.role_grants is not None
    db.session.expunge(person)
    return person


def story(house: House, **fields: Any) -> uuid.UUID:
    """A published story."""
    curator = house.person("Inès Tavarès", "curator")
    given = {
        "kind": "article", "language": "fr", "title": "Trente-huit mètres et pas un boulon",
        "summary": "Le gymnase tient par ses seuls assemblages.",
        "url": "https://halvenne.example/recits/trois-ponts",
        "captions": ["Lundi couchés dans la boue, vendredi debout."],
    } | fields  # fmt: skip
    made = library.create_story(given, curator.id)
    library.publish_story(made.id, curator.id)
    outbox.drain()
    return made.id


def press(
    person: Person, story_id: uuid.UUID, words: str = "Chapeau à l’équipe.", **more: Any
) -> Share:
    """One press, without letting the worker work."""
    made = service.press(person.id, Wish(story_id=story_id, words=words, **more))
    db.session.expunge(made)
    return made


def share(share_id: uuid.UUID) -> Share:
    """It, as the database has it now."""
    return db.session.get_one(Share, share_id, populate_existing=True)
