"""What a person is told before joining, the free choices they then have, and the proof of each
answer.

Each text carries a version, stored with the answer; a test notices words that changed
without it. Joining needs none of the choices (rules W8, K4): no box is ticked beforehand.
The proof is append only: the SHA-256 of the exact text in the language that was read, the act,
the moment. The text itself is kept once and stays readable for the person.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Final

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import db
from app.errors import Sentence
from app.people.joining_models import ConsentRecord, ConsentText


@dataclass(frozen=True, slots=True)
class Purpose:
    """One use of a member's data that waits for their yes, on one channel. `label` stands
    beside the box."""

    code: str
    version: str
    label: Sentence
    explanation: Sentence
    channel: str


NOTICE_VERSION = "2026-11-2"
TAKING_PART: Final = "taking-part"
"""Joining itself, among the answers that are proved."""

NOTICE: tuple[Sentence, ...] = (
    _l("You choose what you pass on, and in which words. Nothing leaves in your name by itself."),
    _l("Taking part is free: not taking part, or leaving, has no effect on your work."),
    _l("You keep your freedom of speech, and owe loyalty as before: taking part adds nothing."),
    _l("There is no list of those who do not take part, nor of those who left."),
    _l("Recruiters see the applications that came through you. Your manager does not."),
    _l("You may pause or leave at any time, in one press. What you have earned stays yours."),
    _l("You may see, correct, take with you or have erased what is kept about you."),
)

CHANNEL_NAMES: dict[str, Sentence] = {"pages": _l("On these pages"), "mail": _l("By mail")}

_ALL = (
    Purpose(
        "recognition",
        "2026-11",
        _l("Colleagues may see my first name and initial in results and in thanks."),
        _l("Without it, your part is counted without your name."),
        "pages",
    ),
    Purpose(
        "ideas",
        "2026-11",
        _l("Send me ideas of what to pass on, at most one mail a week."),
        _l("Without it, you only get mail about your own affairs."),
        "mail",
    ),
)

PURPOSES: dict[str, Purpose] = {purpose.code: purpose for purpose in _ALL}
TEXT_VERSION: dict[str, str] = {purpose.code: purpose.version for purpose in _ALL}

ACTS: dict[str, Sentence] = {
    "joining": _l("when joining"),
    "own-page": _l("on your own page"),
    "mail": _l("by the link of a mail"),
    "leaving": _l("by leaving the programme"),
    "departure": _l("by leaving the organisation"),
    "service": _l("by the installation"),
}


# --- the exact text ----------------------------------------------------------------------


def exact_text(code: str, language: str) -> str:
    """What stands on the page beside the choice, to the letter; for `TAKING_PART` the notice."""
    with force_locale(language):
        if code == TAKING_PART:
            return "".join(f"{line}\n" for line in NOTICE)
        purpose = PURPOSES[code]
        return f"{purpose.label}\n{beside(purpose)}\n"


def beside(purpose: Purpose) -> str:
    """The small print of a choice: its channel, and what happens without a yes."""
    return f"{CHANNEL_NAMES[purpose.channel]}. {purpose.explanation}"


def text_hash(text: str) -> str:
    """The SHA-256 of its bytes in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _version(code: str) -> str:
    return NOTICE_VERSION if code == TAKING_PART else TEXT_VERSION[code]


def _keep_text(session: Session, code: str, language: str) -> str:
    text = exact_text(code, language)
    digest = text_hash(text)
    if session.get(ConsentText, digest) is None:
        row = ConsentText(
            text_hash=digest, purpose=code, version=_version(code), language=language, text=text
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            pass  # somebody answered the same text at the same moment
    return digest


# --- the proof ---------------------------------------------------------------------------


def note_given(
    session: Session, person_id: uuid.UUID, code: str, *, language: str, act: str
) -> None:
    """A yes to the text of today, in the language it was read in. Inside a transaction."""
    _note(session, person_id, code, "given", _keep_text(session, code, language), act)


def note_withdrawn(
    session: Session, person_id: uuid.UUID, code: str, *, language: str, act: str
) -> None:
    """The end of a yes: it names the text that the yes had answered."""
    answered = session.scalars(
        select(ConsentRecord.text_hash)
        .where(
            ConsentRecord.person_id == person_id,
            ConsentRecord.purpose == code,
            ConsentRecord.answer == "given",
        )
        .order_by(ConsentRecord.answered_at.desc(), ConsentRecord.id.desc())
        .limit(1)
    ).one_or_none()
    digest = answered or _keep_text(session, code, language)
    _note(session, person_id, code, "withdrawn", digest, act)


def _note(
    session: Session, person_id: uuid.UUID, code: str, answer: str, digest: str, act: str
) -> None:
    if act not in ACTS:
        raise ValueError(f"no such act: {act}")
    channel = PURPOSES[code].channel if code in PURPOSES else "pages"
    session.add(
        ConsentRecord(
            person_id=person_id, purpose=code, channel=channel, answer=answer, text_hash=digest,
            act=act,
        )
    )  # fmt: skip
    session.flush()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer with the exact text it was given to."""

    purpose: str
    channel: str
    answer: str
    act: str
    answered_at: dt.datetime
    version: str
    language: str
    text: str
    text_hash: str

    @property
    def channel_name(self) -> Sentence:
        return CHANNEL_NAMES[self.channel]

    @property
    def where(self) -> Sentence:
        return ACTS[self.act]


def answers_of(person_id: uuid.UUID, limit: int = 200) -> list[Answer]:
    """A person's own answers, the newest first."""
    rows = db.session.execute(
        select(
            ConsentRecord.purpose, ConsentRecord.channel, ConsentRecord.answer, ConsentRecord.act,
            ConsentRecord.answered_at, ConsentText.version, ConsentText.language, ConsentText.text,
            ConsentText.text_hash,
        )
        .join(ConsentText, ConsentText.text_hash == ConsentRecord.text_hash)
        .where(ConsentRecord.person_id == person_id)
        .order_by(ConsentRecord.answered_at.desc(), ConsentRecord.id.desc())
        .limit(limit)
    )  # fmt: skip
    return [Answer(*row) for row in rows]
