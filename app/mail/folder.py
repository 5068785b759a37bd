"""Messages as files in the data folder, for an installation without an SMTP server."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import cast

from flask import current_app
from flask_mailman import EmailMultiAlternatives
from flask_mailman.backends.base import BaseEmailBackend

from app import clock
from app.config import Settings


class EmailBackend(BaseEmailBackend):
    """Writes each message as one .eml file, complete before it gets its name."""

    def send_messages(self, email_messages: list[EmailMultiAlternatives]) -> int:
        folder = mail_folder()
        folder.mkdir(mode=0o750, exist_ok=True)
        for message in email_messages:
            name = f"{clock.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
            draft = folder / f"{name}.new"
            draft.write_bytes(message.message().as_bytes())
            draft.rename(folder / f"{name}.eml")
        return len(email_messages)


def mail_folder() -> Path:
    """Where messages lie."""
    return cast(Settings, current_app.extensions["portevoix"]).data_dir / "mail"
