"""Messages in the mail folder, where no server carries them (see `folder`)."""

from __future__ import annotations

import email
import logging
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app import retention
from app.db import gather
from app.mail.folder import mail_folder
from app.personal_data import CANDIDATE, PERSON, Names, Row, Subject, holds

log = logging.getLogger(__name__)


def _texts(message: Message) -> Iterator[str]:
    for name in ("To", "From", "Subject", "Reply-To"):
        if value := message.get(name):
            yield str(make_header(decode_header(str(value))))
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content.decode(part.get_content_charset() or "utf-8", errors="replace")


def _is_about(file: Path, names: Names) -> bool:
    try:
        message = email.message_from_bytes(file.read_bytes())
        return any(names.are_in(text) for text in _texts(message))
    except (OSError, LookupError, ValueError):
        return False


def _erase(_session: Session, subject: Subject) -> None:
    """Delete every message to the subject, and every one that names them."""
    gather(_search, subject)


def _search(subjects: list[Subject]) -> None:
    """The folder is read once, however many are erased together."""
    folder, names = mail_folder(), Names(subjects)
    if folder.is_dir():
        for file in folder.iterdir():
            if file.is_file() and _is_about(file, names):
                file.unlink(missing_ok=True)


def _rows(_session: Session, _id: object) -> list[Row]:
    """A message says what the tables say; a copy adds nothing."""
    return []


def declare() -> None:
    """Say it."""
    holds(
        "mail.folder", title=_l("Messages sent to you"), purpose=_l("to tell you about your affairs"),
        basis="contract", source="use", recipients=("you",),
        exports={PERSON: _rows, CANDIDATE: _rows}, erasures={PERSON: _erase, CANDIDATE: _erase},
        stays=_l("Messages that left are in your mailbox, which is yours."),
        in_files=retention.MAIL_LOG,
    )  # fmt: skip
