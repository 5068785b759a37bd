"""Approved ways to say where one speaks from (rule L1), by language and kind of person."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit, clock
from app.config import LANGUAGES
from app.db import db, transaction
from app.errors import InvalidInput, NotFound, Sentence
from app.integrations.linkedin import little
from app.people.models import KINDS
from app.settings import organisation
from app.sharing.errors import LastDisclosure
from app.sharing.models import Disclosure
from app.sharing.words import CHECK_FORM, TOO_LONG_DISCLOSURE, UNKNOWN_DISCLOSURE

NONE, OWN = "none", "own"
MAX_OWN = 160
ORGANISATION = "{organisation}"
_LETTERS = re.compile(r"[^\W\d_]{2}")

# What a new organisation starts with.
DEFAULTS: tuple[tuple[str, str, str, str], ...] = (
    ("fr-employee-1", "fr", "employee", "Je travaille chez {organisation}."),
    ("fr-employee-2", "fr", "employee", "{organisation} est mon employeur."),
    ("fr-employee-3", "fr", "employee", "Parole de maison : je travaille chez {organisation}."),
    ("fr-alumni-1", "fr", "alumni", "J’ai travaillé chez {organisation}."),
    ("fr-partner-1", "fr", "partner", "Je travaille avec {organisation}."),
    ("en-employee-1", "en", "employee", "I work at {organisation}."),
    ("en-employee-2", "en", "employee", "{organisation} is my employer."),
    ("en-employee-3", "en", "employee", "From the inside: I work at {organisation}."),
    ("en-alumni-1", "en", "alumni", "I used to work at {organisation}."),
    ("en-partner-1", "en", "partner", "I work with {organisation}."),
)


@dataclass(frozen=True, slots=True)
class Wording:
    """An approved wording with the organisation's name in it."""

    id: str
    language: str
    text: str


def ensure_defaults() -> None:
    """Give an organisation its first wordings; an existing one keeps its own."""
    with transaction() as session:
        known = set(session.scalars(select(Disclosure.id)))
        if known:
            return
        for position, (id_, language, kind, text) in enumerate(DEFAULTS):
            session.add(
                Disclosure(
                    id=id_, language=language, person_kind=kind, text=text, position=position
                )
            )


def offered(language: str, person_kind: str) -> list[Wording]:
    """The wordings for one language and kind of person; the first is the default."""
    rows = db.session.execute(
        select(Disclosure.id, Disclosure.language, Disclosure.text)
        .where(
            Disclosure.language == language,
            Disclosure.person_kind == person_kind,
            Disclosure.retired_at.is_(None),
        )
        .order_by(Disclosure.position, Disclosure.id)
    ).all()
    name = _name()
    return [Wording(r.id, r.language, _filled(r.text, name)) for r in rows]


def _name() -> str:
    """The organisation's, read once for a list."""
    org = organisation()
    return org.name if org else ""


def _filled(text: str, name: str) -> str:
    return text.replace(ORGANISATION, name).strip()


def resolve(asked: str | None, own_text: str, language: str, person_kind: str) -> tuple[str, str]:
    """(id to store, words to place first). None takes the default; 'own' the member's own
    words. Raises `InvalidInput` for a wording that is not offered."""
    if asked == NONE:
        return NONE, ""
    if asked == OWN:
        return OWN, _own(own_text)
    wordings = offered(language, person_kind)
    if asked is None or asked == "":
        return (wordings[0].id, wordings[0].text) if wordings else (NONE, "")
    found = next((w for w in wordings if w.id == asked), None) or _of_other_language(
        asked, person_kind
    )
    if found is None:
        raise InvalidInput(CHECK_FORM, {"disclosure": UNKNOWN_DISCLOSURE})
    return found.id, found.text


def _own(text: str) -> str:
    text = " ".join(text.split())
    if not text or len(text) > MAX_OWN:
        raise InvalidInput(CHECK_FORM, {"disclosure": TOO_LONG_DISCLOSURE})
    return text


def _of_other_language(asked: str, person_kind: str) -> Wording | None:
    """A post may be in another language than its story: any approved wording will do."""
    row = db.session.execute(
        select(Disclosure.language).where(
            Disclosure.id == asked,
            Disclosure.person_kind == person_kind,
            Disclosure.retired_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return next((w for w in offered(row.language, person_kind) if w.id == asked), None)


# --- the list itself ---------------------------------------------------------------------


def standing() -> list[tuple[str, str, list[Wording]]]:
    """Every wording in use: (language, kind of person, wordings, the default first)."""
    rows = db.session.execute(
        select(Disclosure.id, Disclosure.language, Disclosure.person_kind, Disclosure.text)
        .where(Disclosure.retired_at.is_(None))
        .order_by(Disclosure.position, Disclosure.id)
    ).all()
    found: dict[tuple[str, str], list[Wording]] = {
        (lang, kind): [] for lang in LANGUAGES for kind in KINDS
    }
    name = _name()
    for row in rows:
        wording = Wording(row.id, row.language, _filled(row.text, name))
        found.setdefault((row.language, row.person_kind), []).append(wording)
    return [(lang, kind, wordings) for (lang, kind), wordings in found.items()]


def add(language: str, person_kind: str, text: str, actor_id: uuid.UUID | None) -> str:
    """Approve one more wording, behind those there are; its id. `{organisation}` stands for
    the organisation's name.

    Raises `InvalidInput` by field: an unknown language or kind, no words, too many, only a
    hashtag (rule L1), or what is there already.
    """
    text = " ".join(little.clean(text).split())
    with transaction() as session:
        errors = _faults(language, person_kind, text)
        if errors:
            raise InvalidInput(CHECK_FORM, errors)
        rows = _locked(session, language, person_kind)
        name = _name()
        filled = _filled(text, name).casefold()
        if any(_filled(row.text, name).casefold() == filled for row in rows):
            raise InvalidInput(CHECK_FORM, {"text": _l("This wording is there already.")})
        row = Disclosure(
            id=f"{language}-{person_kind}-{secrets.token_hex(4)}",
            language=language,
            person_kind=person_kind,
            text=text,
            position=max((r.position for r in rows), default=-1) + 1,
        )
        session.add(row)
        audit.record("disclosure.added", "disclosure", row.id, actor_id=actor_id)
    return row.id


def _faults(language: str, person_kind: str, text: str) -> dict[str, Sentence]:
    errors: dict[str, Sentence] = {}
    if language not in LANGUAGES:
        errors["language"] = _l("Choose one of: %(choices)s.", choices=", ".join(LANGUAGES))
    if person_kind not in KINDS:
        errors["person_kind"] = _l("Choose one of: %(choices)s.", choices=", ".join(KINDS))
    plain = " ".join(word for word in text.split() if not word.startswith("#"))
    if not _LETTERS.search(plain.replace(ORGANISATION, "")):
        errors["text"] = _l("Say it in words; a hashtag or a name alone tells nobody.")
    elif len(_filled(text, _name())) > MAX_OWN or len(text) > MAX_OWN:
        errors["text"] = _l("%(max)d characters at most, the name included.", max=MAX_OWN)
    return errors


def _locked(session: Session, language: str, person_kind: str) -> list[Disclosure]:
    """The wordings of one list in their order, locked until the transaction ends."""
    return list(
        session.scalars(
            select(Disclosure)
            .where(
                Disclosure.language == language,
                Disclosure.person_kind == person_kind,
                Disclosure.retired_at.is_(None),
            )
            .order_by(Disclosure.position, Disclosure.id)
            .with_for_update()
        )
    )


def retire(disclosure_id: str, actor_id: uuid.UUID | None) -> None:
    """Offer it no longer; posts that carry it keep their words. One always stays for each
    language and kind of person. Raises `NotFound`, `LastDisclosure`."""
    with transaction() as session:
        row, rows = _found(session, disclosure_id)
        if len(rows) == 1:
            raise LastDisclosure
        row.retired_at = clock.now()
        audit.record("disclosure.retired", "disclosure", row.id, actor_id=actor_id)


def put_first(disclosure_id: str, actor_id: uuid.UUID | None) -> None:
    """Make it the one that is proposed. Raises `NotFound`."""
    with transaction() as session:
        row, rows = _found(session, disclosure_id)
        if rows[0] is row:
            return
        for position, other in enumerate([row, *(r for r in rows if r is not row)]):
            other.position = position
        audit.record("disclosure.put_first", "disclosure", row.id, actor_id=actor_id)


def _found(session: Session, disclosure_id: str) -> tuple[Disclosure, list[Disclosure]]:
    row = session.get(Disclosure, disclosure_id)
    rows = [] if row is None else _locked(session, row.language, row.person_kind)
    if row is None or row not in rows:
        raise NotFound(_l("There is no such wording."))
    return row, rows
