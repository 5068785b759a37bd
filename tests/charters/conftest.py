"""The charter as an organisation begins with it, and people who read it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from app import outbox
from app.charters import queries, service
from app.charters.queries import CharterVersionView
from app.people.models import Person
from tests.conftest import START, House

SINCE = START - dt.timedelta(days=90)


@dataclass
class Desk:
    """A house with the charter in force, and the one who leads its programme."""

    house: House
    lead: Person

    def in_force(self) -> CharterVersionView:
        found = queries.current()
        assert found is not None
        return found

    def texts(self, **changes: str) -> dict[str, str]:
        """The texts of the version in force with some of them changed."""
        now = self.in_force()
        return {
            "title_fr": now.title_fr, "title_en": now.title_en, "body_fr": now.body_fr,
            "body_en": now.body_en, "note_fr": "", "note_en": "",
        } | changes  # fmt: skip

    def publish(self, word: str = "nouveau", **changes: str) -> CharterVersionView:
        """A next version, with one more sentence in each language."""
        now = self.in_force()
        more = {
            "body_fr": f"{now.body_fr}\n\nUn mot {word}.", "body_en": f"{now.body_en}\n\nA {word} word.",
        }  # fmt: skip
        draft = service.save_draft(self.lead.id, **self.texts(**(more | changes)))
        service.publish(self.lead.id, draft)
        outbox.drain()
        return self.in_force()


@pytest.fixture
def desk(house: House) -> Desk:
    service.ensure_default(SINCE)
    return Desk(house, house.person("Inès Tavarès", "lead"))


@pytest.fixture
def any_desk(any_house: House) -> Desk:
    """The same on both databases."""
    service.ensure_default(SINCE)
    return Desk(any_house, any_house.person("Inès Tavarès", "lead"))
