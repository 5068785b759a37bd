"""A morning in the house: members, stories of several hands, offers, and Today read for one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app import outbox
from app.charters import service as charters
from app.people.models import Person
from app.sharing.models import Share
from app.today import queries
from app.today.queries import Today
from app.web.access import Reader
from tests.conftest import START, House
from tests.library.conftest import Desk
from tests.sharing.kit import accept, kept

DAY = dt.timedelta(days=1)


class Morning(Desk):
    """What Today shows comes from everywhere: stories, offers, posts, points."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        charters.ensure_default(START - 90 * DAY)
        self.maelle = self.member("Maëlle Kerjan", site="Lorient", department="Bureau d’études")

    def member(self, name: str, **fields: Any) -> Person:
        found = self.house.person(name, **fields)
        accept(found.id)
        outbox.drain()
        return kept(found.id)

    def story(self, by: Person | None = None, **fields: Any) -> uuid.UUID:
        given = {"body": "Lundi, six heures."} | fields
        return super().story(by, **given)

    def today(
        self,
        person: Person | None = None,
        *,
        since: dt.datetime | None = None,
        place: int = 1,
        language: str = "en",
    ) -> Today:
        """As one member would see it now."""
        person = person or self.maelle
        reader = Reader(person.id, frozenset({"member"}), language)
        with self.house.app.test_request_context(f"/?lang={language}"):
            return queries.today(reader, language, here_before=since, place=place)

    def reasons(self, **how: Any) -> dict[str, str]:
        """Title and reason of what is shown, in its order."""
        news = self.today(**how).news
        shown = [news.lead, *news.others] if news.lead else []
        return {story.card.title: story.reason for story in shown}

    def post(self, story_id: uuid.UUID, by: Person | None = None, **fields: Any) -> uuid.UUID:
        """A post as it stands after the worker: 'published' unless the fields say otherwise."""
        from app import clock
        from app.db import db, transaction

        person = by or self.maelle
        given = {
            "network": "linkedin", "language": "fr", "format": "article", "post_text": "Chapeau.",
            "title": "Une halle", "status": "published", "published_at": clock.now(),
            "link_id": uuid.uuid4(), "story_id": story_id, "person_id": person.id,
        } | fields  # fmt: skip
        with transaction():
            row = Share(**given)
            db.session.add(row)
            db.session.flush()
            return row.id


@pytest.fixture
def morning(house: House) -> Morning:
    return Morning(house)


@pytest.fixture
def any_morning(any_house: House) -> Morning:
    """The same on both databases."""
    return Morning(any_house)
