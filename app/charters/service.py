"""The verbs around the charter: write, publish, agree, take back.

All entities share one charter. One may have its own, which then is in force for its people until
it shares again; each is a line of versions with a draft of its own.

Facts: `charter.published` (version_id), `charter.accepted` and `charter.withdrawn`
(person_id, acceptance_id).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, cast

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.charters import queries, texts
from app.charters.errors import (
    AlreadyPublished,
    CharterNotCurrent,
    CharterUnchanged,
    DraftChanged,
    NoSuchCharter,
)
from app.charters.models import (
    ACCEPTED,
    WITHDRAWN,
    CharterAcceptance,
    CharterVersion,
    EntityCharter,
)
from app.charters.proofs import digest_of
from app.charters.queries import Acceptance, CharterVersionView
from app.config import LANGUAGES
from app.db import new_id, transaction
from app.errors import InvalidInput, Sentence
from app.people.lookup import load_member, load_person
from app.settings import entities
from app.settings.models import Organisation
from app.web.markdown import blocks

DEFAULTS: Final = Path(__file__).resolve().parents[2] / "templates" / "charters"
_TEXTS: Final = ("title_fr", "title_en", "body_fr", "body_en", "note_fr", "note_en")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How an answer was given (rule K1): what was pressed, how the text was shown, how and
    when the person had signed in."""

    act: str = "program"
    shown_as: str = "text"
    sign_in: str | None = None
    signed_in_at: dt.datetime | None = None


@lru_cache(maxsize=1)
def _software() -> str:
    try:
        return version("portevoix")[:20]
    except PackageNotFoundError:
        return "0"


# Writing and publishing.


def save_draft(
    actor_id: uuid.UUID | None, title_fr: str, title_en: str, body_fr: str, body_en: str,
    note_fr: str = "", note_en: str = "", entity_id: uuid.UUID | None = None,
) -> uuid.UUID:  # fmt: skip
    """Keep the next version's texts, of the shared charter or of an entity's own, as many times
    as needed; each has one draft at a time.

    Raises `InvalidInput` by field: both languages are whole, nothing is too long; `NotFound` for
    an unknown entity.
    """
    given = _checked(
        {
            "title_fr": texts.clean_line(title_fr), "title_en": texts.clean_line(title_en),
            "body_fr": texts.clean_body(body_fr), "body_en": texts.clean_body(body_en),
            "note_fr": texts.clean_line(note_fr), "note_en": texts.clean_line(note_en),
        }
    )  # fmt: skip
    with transaction() as session:
        _one_hand_at_a_time(session)
        if entity_id is not None:
            entities.entity(entity_id)
        row = _draft(session, entity_id) or CharterVersion(
            number=_next_number(session), created_by=actor_id, entity_id=entity_id
        )
        for name, text in given.items():
            setattr(row, name, text)
        session.add(row)
        session.flush()
        audit.record("charter.drafted", "charter_version", row.id, actor_id=actor_id)
        return row.id


def _checked(given: dict[str, str]) -> dict[str, str]:
    errors: dict[str, Sentence] = {}
    for name, text in given.items():
        wrong = _WRONG[name.partition("_")[0]](text)
        if wrong is not None:
            errors[name] = wrong
    for name, other in (("note_fr", "note_en"), ("note_en", "note_fr")):
        if given[other] and not given[name]:
            errors[name] = _l("Say it in this language, too, or in neither.")
    if errors:
        raise InvalidInput(_l("Please check the form."), errors)
    return given


def _wrong_title(text: str) -> Sentence | None:
    if not text:
        return cast(Sentence, _l("A title is needed in this language."))
    return _too_long(text, texts.TITLE_LIMIT)


def _wrong_body(text: str) -> Sentence | None:
    if len(text) > texts.BODY_LIMIT:
        return _too_long(text, texts.BODY_LIMIT)
    found = len(blocks(text))
    if not found:
        return cast(Sentence, _l("The text is missing in this language."))
    if found > texts.BLOCK_LIMIT:
        told = _l("At most %(max)d paragraphs and list items; this has %(num)d.",
                  max=texts.BLOCK_LIMIT, num=found)  # fmt: skip
        return cast(Sentence, told)
    return None


def _wrong_note(text: str) -> Sentence | None:
    return _too_long(text, texts.NOTE_LIMIT)


def _too_long(text: str, limit: int) -> Sentence | None:
    if len(text) <= limit:
        return None
    told = _l("At most %(max)d characters; this has %(num)d.", max=limit, num=len(text))
    return cast(Sentence, told)


_WRONG: Final = {"title": _wrong_title, "body": _wrong_body, "note": _wrong_note}


def _one_hand_at_a_time(session: Session) -> None:
    """Versions are written one after the other: two drafts cannot take one number."""
    session.execute(select(Organisation.id).with_for_update())


def _draft(session: Session, entity_id: uuid.UUID | None) -> CharterVersion | None:
    return session.scalar(
        select(CharterVersion).where(
            CharterVersion.published_at.is_(None),
            CharterVersion.entity_id.is_not_distinct_from(entity_id),
        )
    )


def _next_number(session: Session) -> int:
    return (session.scalar(select(func.max(CharterVersion.number))) or 0) + 1


def discard_draft(actor_id: uuid.UUID, entity_id: uuid.UUID | None = None) -> bool:
    """Throw the draft away; False when there was none."""
    with transaction() as session:
        _one_hand_at_a_time(session)
        row = _draft(session, entity_id)
        if row is None:
            return False
        audit.record("charter.discarded", "charter_version", row.id, actor_id=actor_id)
        session.delete(row)
        return True


def publish(actor_id: uuid.UUID | None, version_id: uuid.UUID, *, seen: str | None = None) -> None:
    """Put the draft in force, for the people of its entity where it has one. It never changes
    again, and everybody it is for is asked anew before their next share. `seen` is the
    `fingerprint` of what the publisher looked at.

    Raises `NoSuchCharter`, `AlreadyPublished`, `CharterUnchanged`, `DraftChanged`.
    """
    with transaction() as session:
        _one_hand_at_a_time(session)
        row = session.get(CharterVersion, version_id)
        if row is None:
            raise NoSuchCharter
        if row.published_at is not None:
            raise AlreadyPublished
        if seen is not None and seen != fingerprint(row):
            raise DraftChanged
        before = queries.current(row.entity_id)
        if before is not None and _says_the_same(row, before):
            raise CharterUnchanged
        _put_in_force(session, row, clock.now(), actor_id)


def fingerprint(row: CharterVersion | CharterVersionView) -> str:
    """Changes with any word of a version."""
    return texts.text_hash("\0".join(getattr(row, name) for name in _TEXTS))


def _says_the_same(row: CharterVersion, before: CharterVersionView) -> bool:
    return all(getattr(row, name) == getattr(before, name) for name in _TEXTS[:4])


def _put_in_force(
    session: Session, row: CharterVersion, at: dt.datetime, actor_id: uuid.UUID | None
) -> None:
    row.published_at, row.published_by = at, actor_id
    session.flush()
    if row.entity_id is not None:
        own = session.get(EntityCharter, row.entity_id) or EntityCharter(entity_id=row.entity_id)
        own.version_id = row.id
        session.add(own)
    audit.record("charter.published", "charter_version", row.id, actor_id=actor_id)
    outbox.record("charter.published", version_id=str(row.id))


def share_again(entity_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> bool:
    """The shared charter is in force for an entity's people from now on; its own versions stay
    for the proofs that name them. False when it had none."""
    with transaction() as session:
        _one_hand_at_a_time(session)
        row = session.get(EntityCharter, entity_id)
        if row is None:
            return False
        session.delete(row)
        audit.record("charter.shared_again", "entity", entity_id, actor_id=actor_id)
    return True


def ensure_default(at: dt.datetime) -> bool:
    """Give an organisation without a charter the product's own, in force since `at`; False
    when it has one already."""
    with transaction() as session:
        _one_hand_at_a_time(session)
        ours = CharterVersion.entity_id.is_(None)
        if session.scalar(select(CharterVersion.id).where(ours).limit(1)) is not None:
            return False
        row = CharterVersion(number=_next_number(session), note_fr="", note_en="", created_at=at)
        row.title_fr, row.body_fr = _default("fr")
        row.title_en, row.body_en = _default("en")
        session.add(row)
        _put_in_force(session, row, at, None)
        return True


def _default(language: str) -> tuple[str, str]:
    text = (DEFAULTS / f"default.{language}.md").read_text(encoding="utf-8")
    title, _, body = text.partition("\n")
    return texts.clean_line(title.removeprefix("#")), texts.clean_body(body)


# Agreeing and taking back.


def accept(
    person_id: uuid.UUID,
    version_id: uuid.UUID,
    language: str,
    how: Circumstances | None = None,
    *,
    shown_hash: str | None = None,
) -> Acceptance:
    """A member agrees to the version in force for them; the proof is kept. Agreeing twice changes
    nothing. `shown_hash` is the fingerprint of the text that was before the person.

    Raises `CharterNotCurrent`, `InvalidInput` for another language, `NotMember`,
    `NoSuchPerson`.
    """
    if language not in LANGUAGES:
        raise InvalidInput(_l("This language does not exist here."))
    with transaction() as session:
        load_member(session, person_id)
        text = queries.current_for(person_id)
        if text is None or text.id != version_id:
            raise CharterNotCurrent
        if shown_hash is not None and shown_hash != text.text_hash(language):
            raise CharterNotCurrent
        standing = queries.accepted(person_id)
        if standing is not None and standing.version_id == version_id:
            return standing
        answer_id = _answer(session, person_id, ACCEPTED, text, language, how or Circumstances())
        return queries.answer(person_id, answer_id)


def withdraw(person_id: uuid.UUID, how: Circumstances | None = None) -> bool:
    """Take the agreement back, from now on; both answers stay as they were given (rule K5).

    False when none stands. Raises `NoSuchPerson`.
    """
    with transaction() as session:
        load_person(session, person_id)
        standing = queries.accepted(person_id)
        if standing is None:
            return False
        text = queries.version(standing.number)
        _answer(session, person_id, WITHDRAWN, text, standing.language, how or Circumstances())
        return True


def _answer(
    session: Session,
    person_id: uuid.UUID,
    kind: str,
    text: CharterVersionView,
    language: str,
    how: Circumstances,
) -> uuid.UUID:
    """Add one row to the person's chain, which the lock on the person keeps in order."""
    before = session.execute(
        select(CharterAcceptance.sequence, CharterAcceptance.digest)
        .where(CharterAcceptance.person_id == person_id)
        .order_by(CharterAcceptance.sequence.desc())
        .limit(1)
    ).one_or_none()
    row = CharterAcceptance(
        id=new_id(), person_id=person_id, sequence=before.sequence + 1 if before else 1, kind=kind,
        version_id=text.id, language=language, organisation=text.organisation,
        text_hash=text.text_hash(language), act=how.act, shown_as=how.shown_as,
        sign_in=how.sign_in, signed_in_at=how.signed_in_at, software=_software(),
        accepted_at=clock.now(),
    )  # fmt: skip
    row.digest = digest_of(row, before.digest if before else "")
    session.add(row)
    session.flush()
    audit.record(
        f"charter.{kind}", "charter_version", text.id, actor_id=person_id, number=text.number
    )
    outbox.record(f"charter.{kind}", person_id=str(person_id), acceptance_id=str(row.id))
    return row.id
