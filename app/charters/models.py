"""The good-practice charter: versions that never change, and who accepted which."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event, inspect
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column

ACCEPTED, WITHDRAWN = "accepted", "withdrawn"


class CharterVersion(Model):
    """One version in French and English, Markdown. A draft (`published_at` None) may change, a
    published one never does; the newest published one without an entity is in force for all
    whose entity has none of its own (`EntityCharter`). Numbers are given once, whatever the
    entity, so that a proof's number names one text."""

    __tablename__ = "charter_version"
    __retention__ = retention.PROGRAMME

    id: Mapped[uuid.UUID] = primary_key()
    number: Mapped[int] = mapped_column(unique=True)
    entity_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("entity.id"))
    title_fr: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200))
    body_fr: Mapped[str] = mapped_column(Text)
    body_en: Mapped[str] = mapped_column(Text)
    note_fr: Mapped[str] = mapped_column(String(500), default="")
    note_en: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[dt.datetime] = utc_column()
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    published_at: Mapped[dt.datetime | None]
    published_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)


class EntityCharter(Model):
    """The version in force for the people of an entity that has a charter of its own. Without
    a row, the shared one is."""

    __tablename__ = "entity_charter"
    __retention__ = retention.PROGRAMME

    entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("entity.id"), primary_key=True)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("charter_version.id"))


class CharterAcceptance(Model):
    """One answer to a version, and its proof (rules K1, K3, K5). Rows are only ever added: a
    withdrawal is a row, too, and the newest row of a person is the one that holds.

    `text_hash`: SHA-256 (hex) of the text as it was shown, in `language`, with the name
    `organisation` had then. `act` is what was pressed, `shown_as` how the text was shown,
    `sign_in` and `signed_in_at` how and when the person had signed in (None where no browser
    was at hand), `software` the product's version. `digest` covers all of it and the
    person's row before (`proofs.py`); `sequence` counts from 1 for each person.
    """

    __tablename__ = "charter_acceptance"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (
        UniqueConstraint("person_id", "sequence"),
        Index("ix_charter_acceptance_version", "version_id"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("person.id"))
    sequence: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("charter_version.id"))
    language: Mapped[str] = mapped_column(String(5))
    organisation: Mapped[str] = mapped_column(String(120))
    text_hash: Mapped[str] = mapped_column(String(64))
    act: Mapped[str] = mapped_column(String(120))
    shown_as: Mapped[str] = mapped_column(String(20))
    sign_in: Mapped[str | None] = mapped_column(String(20))
    signed_in_at: Mapped[dt.datetime | None]
    software: Mapped[str] = mapped_column(String(20))
    accepted_at: Mapped[dt.datetime]
    digest: Mapped[str] = mapped_column(String(64))


@event.listens_for(CharterVersion, "before_update")
def _published_for_ever(_mapper: object, _connection: object, row: CharterVersion) -> None:
    """A published version is what people agreed to: no code path may touch it again."""
    before = inspect(row).attrs.published_at.history
    was_published = any([*(before.unchanged or ()), *(before.deleted or ())])
    if was_published:
        raise RuntimeError("a published charter never changes")


@event.listens_for(CharterAcceptance, "before_update")
def _kept_for_ever(_mapper: object, _connection: object, _row: CharterAcceptance) -> None:
    raise RuntimeError("an answer to the charter never changes")
