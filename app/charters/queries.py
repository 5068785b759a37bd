"""Reads for pages and for other features: the text in force, who agreed to it, what changed.

No query here tells who did not agree (rule W2): answers are read for one person at a time,
and `agreed_count` is a number, kept back in a small group.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import aliased

from app.charters import differences, texts
from app.charters.differences import Change
from app.charters.errors import CharterNotAccepted, NoSuchCharter
from app.charters.models import ACCEPTED, CharterAcceptance, CharterVersion, EntityCharter
from app.db import db
from app.people import thresholds
from app.people.models import Login, Membership, Person
from app.settings import organisation
from app.settings.models import Entity
from app.web.markdown import to_html

NO_NAME: Final = "Portevoix"


@dataclass(frozen=True, slots=True)
class CharterVersionView:
    """A version in both languages; `published_at` is None for the draft.

    `*_fr` and `*_en` are as they were typed; the methods fill in the organisation's name.
    `entity_id` is whose own charter it is a version of; None: the shared one.
    """

    id: uuid.UUID
    number: int
    title_fr: str
    title_en: str
    body_fr: str
    body_en: str
    note_fr: str
    note_en: str
    created_at: dt.datetime
    published_at: dt.datetime | None
    organisation: str
    entity_id: uuid.UUID | None = None

    def title(self, language: str) -> str:
        """The title in 'fr' or 'en'."""
        return self._filled(self.title_fr if language == "fr" else self.title_en)

    def body(self, language: str) -> str:
        """The Markdown below the title."""
        return self._filled(self.body_fr if language == "fr" else self.body_en)

    def note(self, language: str) -> str:
        """What changed, in its author's words; may be empty."""
        return self._filled(self.note_fr if language == "fr" else self.note_en)

    def text(self, language: str, organisation: str | None = None) -> str:
        """The whole document, as it is downloaded and hashed; with an earlier name of the
        organisation where a proof needs it."""
        title, body = (
            (self.title_fr, self.body_fr) if language == "fr" else (self.title_en, self.body_en)
        )
        name = organisation or self.organisation
        return texts.document(texts.filled(title, name), texts.filled(body, name))

    def text_hash(self, language: str) -> str:
        """The fingerprint of what a reader of this language sees now."""
        return texts.text_hash(self.text(language))

    def html(self, language: str) -> Markup:
        """The body for a page that has the title as its own heading."""
        return to_html(self.body(language))

    def file_name(self, language: str) -> str:
        """What the download is called."""
        return f"charter-{self.number}-{language}.md"

    def _filled(self, text: str) -> str:
        return texts.filled(text, self.organisation)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One answer of a person; `CharterAcceptance` tells the fields. `number` is its version's."""

    id: uuid.UUID
    person_id: uuid.UUID
    sequence: int
    kind: str
    version_id: uuid.UUID
    number: int
    language: str
    organisation: str
    text_hash: str
    act: str
    shown_as: str
    sign_in: str | None
    signed_in_at: dt.datetime | None
    software: str
    accepted_at: dt.datetime
    digest: str

    @property
    def stands(self) -> bool:
        """True for an agreement, False for its withdrawal."""
        return self.kind == ACCEPTED


_VERSION = (
    CharterVersion.id, CharterVersion.number, CharterVersion.title_fr, CharterVersion.title_en,
    CharterVersion.body_fr, CharterVersion.body_en, CharterVersion.note_fr, CharterVersion.note_en,
    CharterVersion.created_at, CharterVersion.published_at, CharterVersion.entity_id,
)  # fmt: skip
_ANSWER = (
    CharterAcceptance.id, CharterAcceptance.person_id, CharterAcceptance.sequence,
    CharterAcceptance.kind, CharterAcceptance.version_id, CharterVersion.number,
    CharterAcceptance.language, CharterAcceptance.organisation, CharterAcceptance.text_hash,
    CharterAcceptance.act, CharterAcceptance.shown_as, CharterAcceptance.sign_in,
    CharterAcceptance.signed_in_at, CharterAcceptance.software, CharterAcceptance.accepted_at,
    CharterAcceptance.digest,
)  # fmt: skip
_SHARED = (
    select(CharterVersion.id)
    .where(CharterVersion.published_at.is_not(None), CharterVersion.entity_id.is_(None))
    .order_by(CharterVersion.number.desc())
    .limit(1)
)


def in_force(entity: Any = None) -> ColumnElement[uuid.UUID]:
    """The version in force for an entity (an identifier or an expression; None: for those of
    none): its own, else the shared one. For a statement."""
    if entity is None:
        return _SHARED.scalar_subquery()
    own = select(EntityCharter.version_id).where(EntityCharter.entity_id == entity)
    return func.coalesce(own.scalar_subquery(), _SHARED.scalar_subquery())


def in_force_for(person_id: Any) -> ColumnElement[uuid.UUID]:
    """The version in force for somebody, by the entity they belong to at that moment."""
    return in_force(select(Person.entity_id).where(Person.id == person_id).scalar_subquery())


def _versions(query: Select[*tuple[Any, ...]]) -> list[CharterVersionView]:
    rows = db.session.execute(query).all()
    org = organisation() if rows else None
    name = org.name if org else NO_NAME
    return [CharterVersionView(**row._mapping, organisation=name) for row in rows]


def current(entity_id: uuid.UUID | None = None) -> CharterVersionView | None:
    """The version in force: of an entity that has its own, else the newest shared one."""
    return _first(in_force(entity_id))


def current_for(person_id: uuid.UUID) -> CharterVersionView | None:
    """The version in force for somebody."""
    return _first(in_force_for(person_id))


def _first(version_id: ColumnElement[uuid.UUID]) -> CharterVersionView | None:
    found = _versions(select(*_VERSION).where(CharterVersion.id == version_id))
    return found[0] if found else None


def history(person_id: uuid.UUID | None = None) -> list[CharterVersionView]:
    """The published versions of the charter that is in force for somebody (None: the shared
    one), the one in force first."""
    theirs = in_force_for(person_id) if person_id else in_force()
    ours = select(CharterVersion.entity_id).where(CharterVersion.id == theirs)
    entity = ours.scalar_subquery()
    return _versions(
        select(*_VERSION)
        .where(
            CharterVersion.published_at.is_not(None),
            CharterVersion.entity_id.is_not_distinct_from(entity),
        )
        .order_by(CharterVersion.number.desc())
    )


def with_draft(
    entity_id: uuid.UUID | None = None,
) -> tuple[CharterVersionView | None, list[CharterVersionView]]:
    """The draft of the shared charter or of an entity's, where there is one, and the published
    versions, newest first."""
    ours = CharterVersion.entity_id.is_not_distinct_from(entity_id)
    found = _versions(select(*_VERSION).where(ours).order_by(CharterVersion.number.desc()))
    drafts = [view for view in found if view.published_at is None]
    return (drafts[0] if drafts else None), [view for view in found if view.published_at]


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity and the number of its own charter's version in force; None: it has none."""

    id: uuid.UUID
    name: str
    archived_at: dt.datetime | None
    number: int | None


def by_entity() -> list[EntityRow]:
    """The entities in use, and archived ones that have a charter of their own, by name."""
    rows = db.session.execute(
        select(Entity.id, Entity.name, Entity.archived_at, CharterVersion.number)
        .outerjoin(EntityCharter, EntityCharter.entity_id == Entity.id)
        .outerjoin(CharterVersion, CharterVersion.id == EntityCharter.version_id)
        .where(Entity.archived_at.is_(None) | CharterVersion.number.is_not(None))
        .order_by(Entity.name, Entity.id)
    )
    return [EntityRow(*row) for row in rows]


def entities_with_own() -> dict[uuid.UUID, int]:
    """The entities that have a charter of their own, with the number of its version in force."""
    return {row.id: row.number for row in by_entity() if row.number is not None}


def version(number: int) -> CharterVersionView:
    """One published version. Raises `NoSuchCharter`."""
    found = _versions(
        select(*_VERSION).where(
            CharterVersion.number == number, CharterVersion.published_at.is_not(None)
        )
    )
    if not found:
        raise NoSuchCharter
    return found[0]


def readable(number: int, person_id: uuid.UUID, *, is_team: bool) -> CharterVersionView:
    """One published version for a reader: the shared charter's, their entity's, any they ever
    answered, and all for the team. Raises `NoSuchCharter`."""
    found = version(number)
    if found.entity_id is None or is_team:
        return found
    theirs = db.session.scalar(select(Person.entity_id).where(Person.id == person_id))
    if theirs != found.entity_id and all(a.number != number for a in answers_of(person_id)):
        raise NoSuchCharter
    return found


def answers_of(person_id: uuid.UUID) -> list[Acceptance]:
    """Everything a person answered, the newest first."""
    rows = db.session.execute(
        select(*_ANSWER)
        .join(CharterVersion, CharterVersion.id == CharterAcceptance.version_id)
        .where(CharterAcceptance.person_id == person_id)
        .order_by(CharterAcceptance.sequence.desc())
    )
    return [Acceptance(**row._mapping) for row in rows]


def answer(person_id: uuid.UUID, answer_id: uuid.UUID) -> Acceptance:
    """One of the person's own answers. Raises `NoSuchCharter`."""
    found = next((a for a in answers_of(person_id) if a.id == answer_id), None)
    if found is None:
        raise NoSuchCharter
    return found


def accepted(person_id: uuid.UUID) -> Acceptance | None:
    """The person's newest agreement, of whatever version; None when it was taken back."""
    found = answers_of(person_id)
    return found[0] if found and found[0].stands else None


def _newest_of_person() -> ColumnElement[bool]:
    """The condition that an answer is the last one its person gave."""
    newer = aliased(CharterAcceptance)
    return ~(
        select(newer.id)
        .where(
            newer.person_id == CharterAcceptance.person_id,
            newer.sequence > CharterAcceptance.sequence,
        )
        .exists()
    )


def has_accepted_current(person_id: uuid.UUID) -> bool:
    """True while the person's agreement to the version in force for them stands. One query."""
    standing = (
        select(CharterAcceptance.id)
        .where(
            CharterAcceptance.person_id == person_id,
            CharterAcceptance.kind == ACCEPTED,
            CharterAcceptance.version_id == in_force_for(person_id),
            _newest_of_person(),
        )
        .limit(1)
    )
    return db.session.execute(standing).first() is not None


def require_accepted(person_id: uuid.UUID) -> None:
    """Raises `CharterNotAccepted` unless the agreement to the version in force stands."""
    if not has_accepted_current(person_id):
        raise CharterNotAccepted


def difference(
    from_version: CharterVersionView, to_version: CharterVersionView, language: str
) -> list[Change]:
    """What changed between two versions in one language, paragraph by paragraph."""
    return differences.difference(from_version.text(language), to_version.text(language))


def agreed_count(version_id: uuid.UUID, entity_id: uuid.UUID | None = None) -> int | None:
    """How many members' agreement to one version stands, of an entity's own among its people;
    None in a group that is too small."""
    present = and_(Membership.left_at.is_(None), Person.departed_at.is_(None))
    members = (
        select(func.count())
        .select_from(Membership)
        .join(Person, Person.id == Membership.person_id)
        .where(present)
    )
    if entity_id is not None:
        members = members.where(Person.entity_id == entity_id)
    if db.session.execute(members).scalar_one() < thresholds.joining():
        return None
    agreed = (
        members.join(CharterAcceptance, CharterAcceptance.person_id == Person.id)
        .where(CharterAcceptance.version_id == version_id, CharterAcceptance.kind == ACCEPTED)
        .where(_newest_of_person())
    )
    return db.session.execute(agreed).scalar_one()


def sign_in_of(login_id: uuid.UUID | None) -> tuple[str, dt.datetime] | None:
    """How and when a browser's login began, for the proof (rule K1)."""
    row = db.session.execute(
        select(Login.method, Login.created_at).where(Login.id == login_id)
    ).one_or_none()
    return (row.method, row.created_at) if row else None
