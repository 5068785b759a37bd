"""Answers kept for programs that ask twice."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.api.models import IdempotencyKey
from app.personal_data import CANDIDATE, PERSON, Row, Subject, holds, plain

UNDER_WAY = 0
"""The status of an answer that is being made: the one to this very erasure."""


def caller_of(person_id: uuid.UUID) -> str:
    """How the keys of one person's programs are told apart."""
    return hashlib.sha256(str(person_id).encode()).hexdigest()


def _rows(session: Session, person_id: uuid.UUID) -> Iterable[Row]:
    query = select(IdempotencyKey.key, IdempotencyKey.status, IdempotencyKey.created_at)
    for key, status, at in session.execute(
        query.where(IdempotencyKey.caller == caller_of(person_id)).order_by(
            IdempotencyKey.created_at
        )
    ):
        yield {"key": key, "status": status, "created_at": plain(at)}


def _erase(session: Session, subject: Subject) -> None:
    """Answers to their own programs, and answers to anybody that name them."""
    body = IdempotencyKey.body
    texts = [str(subject.id), *subject.marks]
    # An answer is JSON: what is not ASCII may stand there escaped.
    escaped = [text.encode("ascii", "backslashreplace").decode() for text in texts]
    named = [body.icontains(text, autoescape=True) for text in {*texts, *escaped}]
    session.execute(
        delete(IdempotencyKey).where(
            or_(IdempotencyKey.caller == caller_of(subject.id), *named),
            IdempotencyKey.status != UNDER_WAY,
        ),
        execution_options={"synchronize_session": "fetch"},
    )


def declare() -> None:
    """Say it."""
    holds(
        "api.answers", IdempotencyKey, title=_l("Answers kept for your programs"),
        purpose=_l("so that a program that asks twice changes something once"),
        basis="contract", source="use", recipients=("you",),
        exports={PERSON: _rows}, erasures={PERSON: _erase, CANDIDATE: _erase},
    )  # fmt: skip
