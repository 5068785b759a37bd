"""Writers, a reader, and what they write."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image, ImageDraw

from app import outbox
from app.db import db
from app.library import service
from app.library.models import Story
from app.media import service as media
from app.people.models import Person
from tests.conftest import House


class Desk:
    """The people around a story, and stories by the product's own services."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.contributor = house.person("Gaël Lebrun", "contributor", joined=False, language="en")
        self.curator = house.person("Inès Tavarès", "curator", joined=False, language="en")

    def draft(self, by: Person | None = None, **fields: Any) -> uuid.UUID:
        given = {"title": "Trente-huit mètres", "summary": "Pas un boulon."} | fields
        return service.create_story(given, (by or self.contributor).id).id

    def story(self, by: Person | None = None, **fields: Any) -> uuid.UUID:
        """A published one."""
        found = self.draft(by, **fields)
        service.publish_story(found, self.curator.id)
        return found

    def row(self, story_id: uuid.UUID) -> Story:
        """As it is stored now."""
        db.session.rollback()
        db.session.expire_all()
        found = db.session.get(Story, story_id)
        assert found is not None
        return found

    def picture(self, colour: str = "#00664a") -> uuid.UUID:
        return media.add(photo(colour), actor_id=self.curator.id).id


def photo(colour: str = "#00664a", size: tuple[int, int] = (1600, 1000)) -> bytes:
    """A JPEG as a person would choose it."""
    image, out = Image.new("RGB", size, "#e8e2d4"), io.BytesIO()
    drawing = ImageDraw.Draw(image)
    drawing.polygon([(0, size[1]), (size[0] // 2, size[1] // 5), size], fill=colour)
    drawing.ellipse((size[0] // 3, size[1] // 3, size[0] // 2, size[1] // 2 + 90), fill="#f2b544")
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def facts(kind: str) -> list[dict[str, Any]]:
    """What the rest of the house was told, oldest first."""
    from sqlalchemy import select

    from app.outbox.models import OutboxEvent

    rows = db.session.scalars(
        select(OutboxEvent.payload).where(OutboxEvent.kind == kind).order_by(OutboxEvent.id)
    )
    return list(rows)


def work() -> None:
    """Let the workers do everything that is due."""
    db.session.rollback()
    db.session.expire_all()
    outbox.drain()
    db.session.expire_all()


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


@pytest.fixture
def any_desk(any_house: House) -> Desk:
    return Desk(any_house)


@pytest.fixture
def maelle(house: House) -> Person:
    """A member who reads French."""
    return house.person("Maëlle Kerjan", language="fr")
