"""The proof of an answer: its digest, its check, and the paper a person takes along.

Each answer's digest is

    SHA-256(digest before | the answer's fields)

as hexadecimal, the fields being one JSON array in the order of `_COVERED`, identifiers as
32 hexadecimal digits, instants in UTC with microseconds. The first answer of a person has
an empty digest before it. So an answer that was changed, put in or taken out between others
shows, and so does a text that is no longer the one that was accepted.

A chain alone cannot tell that its end was cut off. The audit log can: it has a line for each
answer, written in the same transaction. So a person whose log knows of more answers, or of a
later one, than the table has, has lost some. The log is kept for a year; after that, only what
a later answer hangs on to is proved.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import uuid
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from flask_babel import gettext as _
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.charters import texts
from app.charters.models import ACCEPTED, WITHDRAWN, CharterAcceptance, CharterVersion
from app.charters.queries import Acceptance, CharterVersionView
from app.db import db
from app.people.models import Person

_COVERED: Final = (
    "id", "person_id", "sequence", "kind", "version_id", "language", "organisation", "text_hash",
    "act", "shown_as", "sign_in", "signed_in_at", "software", "accepted_at",
)  # fmt: skip
_TOGETHER: Final = dt.timedelta(minutes=1)
"""An answer and its line in the log are written within this time."""
CUT: Final = "-" * 72 + "\n"
"""Stands between the facts and the text in a proof; the hash covers all that follows it."""


class Answer(Protocol):
    """What has the fields of an answer: the row, or what a page reads."""

    person_id: uuid.UUID
    sequence: int
    digest: str


def _plain(value: object) -> str:
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    raise TypeError(f"a digest cannot cover a {type(value).__name__}")


def digest_of(answer: object, before: str) -> str:
    """The digest of one answer after the digest of the person's answer before ("" for none)."""
    covered = [getattr(answer, name) for name in _COVERED]
    content = json.dumps(covered, default=_plain, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{before}|{content}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verification:
    """`answers`: how many were read; `first_difference`: what is wrong, None when all hold."""

    answers: int
    first_difference: str | None = None

    @property
    def ok(self) -> bool:
        """True when nothing differs."""
        return self.first_difference is None


def verify() -> Verification:
    """Read every answer again, person by person: its place, its digest, the text it names; and
    ask the audit log whether the last ones are there."""
    versions = {row.id: row for row in db.session.scalars(select(CharterVersion))}
    rows = db.session.scalars(
        select(CharterAcceptance)
        .order_by(CharterAcceptance.person_id, CharterAcceptance.sequence)
        .execution_options(yield_per=500, populate_existing=True)
    )
    seen, logged = 0, _logged()
    for person_id, answers in itertools.groupby(rows, lambda row: row.person_id):
        before = ""
        for place, row in enumerate(answers, 1):
            seen += 1
            wrong = _difference(row, place, before, versions[row.version_id])
            if wrong:
                return Verification(seen, f"{wrong}: charter_acceptance {row.id}")
            before = row.digest
            log = logged.get(person_id)
            if log and log.last_at <= row.accepted_at + _TOGETHER and place >= log.answers:
                del logged[person_id]
    cut = next(iter(logged.items()), None)
    if cut is None:
        return Verification(seen)
    return Verification(seen, f"cut off, {cut[1].answers} were logged: answers of {cut[0]}")


class _Log(NamedTuple):
    """What the audit log knows of one person: how many answers, and when the last one was."""

    answers: int
    last_at: dt.datetime


def _logged() -> dict[uuid.UUID, _Log]:
    """By person, of those who are still here: an erased person has no answers to prove."""
    rows = db.session.execute(
        select(AuditEntry.actor_id, func.count(), func.max(AuditEntry.at))
        .join(Person, Person.id == AuditEntry.actor_id)
        .where(AuditEntry.action.in_([f"charter.{kind}" for kind in (ACCEPTED, WITHDRAWN)]))
        .group_by(AuditEntry.actor_id)
    ).all()
    return {id_: _Log(count, at) for id_, count, at in rows if id_ is not None}


def _difference(
    row: CharterAcceptance, place: int, before: str, version: CharterVersion
) -> str | None:
    title, body = (
        (version.title_fr, version.body_fr)
        if row.language == "fr"
        else (version.title_en, version.body_en)
    )
    text = texts.document(
        texts.filled(title, row.organisation), texts.filled(body, row.organisation)
    )
    checks = {
        "sequence": row.sequence == place,
        "digest": row.digest == digest_of(row, before),
        "text": row.text_hash == texts.text_hash(text),
    }
    return next((what for what, holds in checks.items() if not holds), None)


def paper(answer: Acceptance, version: CharterVersionView, name: str) -> str:
    """The proof as plain text in the reader's language: the facts, a line, the exact text."""
    facts = [
        (_("Who"), name),
        (_("What"), _("Agreed to the charter") if answer.stands else _("Took the agreement back")),
        (_("Version"), str(answer.number)),
        (_("Language of the text"), answer.language),
        (_("When (UTC)"), answer.accepted_at.astimezone(dt.UTC).isoformat(timespec="seconds")),
        (_("How"), answer.act),
        (_("Text shown as"), answer.shown_as),
        (_("Signed in by"), answer.sign_in or "-"),
        (_("Signed in at (UTC)"), _instant(answer.signed_in_at)),
        (_("Software"), f"Portevoix {answer.software}"),
        (_("SHA-256 of the text"), answer.text_hash),
        (_("Digest of this record"), answer.digest),
        (_("Number of this record"), str(answer.id)),
    ]
    head = "\n".join(f"{label}: {value}" for label, value in facts)
    told = _("The text is everything below the line, as UTF-8, to the last line break.")
    return f"{head}\n\n{told}\n{CUT}{version.text(answer.language, answer.organisation)}"


def _instant(at: dt.datetime | None) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds") if at else "-"
