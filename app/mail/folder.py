"""Messages as files in the data folder, for an installation without an SMTP server.

A file's name begins with the moment it was written by the product's clock, so its age is read
without opening it, and in a demo whose clock runs ahead as well.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final, cast

from flask import current_app
from flask_mailman import EmailMultiAlternatives
from flask_mailman.backends.base import BaseEmailBackend

from app import clock
from app.config import Settings

_STAMP: Final = "%Y%m%dT%H%M%S%f"
_OURS: Final = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}\.(eml|new)")


class EmailBackend(BaseEmailBackend):
    """Writes each message as one .eml file, complete before it gets its name."""

    def send_messages(self, email_messages: list[EmailMultiAlternatives]) -> int:
        folder = mail_folder()
        folder.mkdir(mode=0o750, exist_ok=True)
        for message in email_messages:
            name = f"{clock.now().strftime(_STAMP)}-{secrets.token_hex(4)}"
            draft = folder / f"{name}.new"
            draft.write_bytes(message.message().as_bytes())
            draft.rename(folder / f"{name}.eml")
        return len(email_messages)


def mail_folder() -> Path:
    """Where messages lie."""
    return cast(Settings, current_app.extensions["portevoix"]).data_dir / "mail"


def written_before(instant: dt.datetime, most: int) -> list[Path]:
    """Messages from before an instant, and drafts that a power cut left: `most` of them at most,
    in no order. What has another name was put there by somebody else and is left alone."""
    limit = instant.astimezone(dt.UTC).strftime(_STAMP)
    try:
        with os.scandir(mail_folder()) as entries:
            old = (e.path for e in entries if e.name < limit and _OURS.fullmatch(e.name))
            return [Path(path) for path in islice(old, most)]
    except FileNotFoundError:
        return []  # no message was ever written


def forget(files: Iterable[Path]) -> None:
    """Delete messages. One that cannot be deleted leaves the others their turn, and is raised at
    the end (`OSError`)."""
    failed: OSError | None = None
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            failed = error
    if failed is not None:
        raise failed
