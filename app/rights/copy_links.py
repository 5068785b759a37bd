"""A link to the copy of one's data for somebody without an account: one use, one day (rule E5).

A mail robot that opens a link must not use it up, so opening shows a page with one press, and
the press is the use. The file can then be taken for a quarter of an hour.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import clock
from app.crypto import token_hash
from app.db import db, transaction
from app.errors import Gone, NotFound
from app.personal_data import CANDIDATE, PERSON, Subject, holds, rows
from app.rights.models import CopyLink

GOOD_FOR = dt.timedelta(hours=24)
FILE_FOR = dt.timedelta(minutes=15)


def make(kind: str, subject_id: uuid.UUID) -> str:
    """The key of a new link; earlier ones of the same subject stop working."""
    key = secrets.token_urlsafe(32)
    with transaction() as session:
        session.execute(delete(CopyLink).where(CopyLink.subject_id == subject_id))
        session.add(
            CopyLink(
                kind=kind, subject_id=subject_id, key_hash=token_hash(key),
                expires_at=clock.now() + GOOD_FOR,
            )
        )  # fmt: skip
    return key


def look(key: str) -> uuid.UUID:
    """Whose copy a link leads to, without using it. Raises `NotFound`, or `Gone` when it was
    used or is too old."""
    return _good(_found(key)).subject_id


def use(key: str) -> uuid.UUID:
    """The same, and the link has done its work. Of two presses at once one is refused."""
    with transaction():
        row = _good(_found(key, lock=True))
        row.used_at = clock.now()
        return row.subject_id


def take_file(key: str) -> uuid.UUID:
    """Whose file may be taken with a link that was used just now."""
    row = _found(key)
    if row.used_at is None or row.used_at + FILE_FOR < clock.now():
        raise Gone(_l("This link has already been used. Ask for another one."))
    return row.subject_id


def _found(key: str, *, lock: bool = False) -> CopyLink:
    query = select(CopyLink).where(CopyLink.key_hash == token_hash(key))
    row = db.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound(_l("There is no such page."))
    return row


def _good(row: CopyLink) -> CopyLink:
    if row.used_at is not None:
        raise Gone(_l("This link has already been used. Ask for another one."))
    if row.expires_at <= clock.now():
        raise Gone(_l("This link is no longer valid. Ask for another one."))
    return row


def _erase(session: Session, subject: Subject) -> None:
    session.execute(delete(CopyLink).where(CopyLink.subject_id == subject.id))


def declare() -> None:
    """Say it."""
    shown = rows(CopyLink, CopyLink.subject_id, hides=("id", "kind", "key_hash"))
    holds(
        "rights.copy_links", CopyLink, title=_l("Links to the copy of your data"),
        purpose=_l("to give you your data, and nobody else"), basis="law", source="you",
        recipients=("you",), exports={PERSON: shown, CANDIDATE: shown},
        erasures={PERSON: _erase, CANDIDATE: _erase},
    )  # fmt: skip
