"""Mail, in the reader's language, sent by workers only.

A message is one template pair, `templates/mail/<name>.txt` and `.html`; the first line of
the text is the subject. Without an SMTP address messages go to a folder, one file each, so
that a small installation works and can be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formataddr, parseaddr
from typing import cast
from urllib.parse import unquote, urlsplit

import css_inline
from flask import Flask, current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_mailman import EmailMultiAlternatives, Mail

from app import config
from app.settings import organisation
from app.settings.palette import palette
from app.settings.service import DEFAULT_BRAND

__all__ = ["held_back_by", "in_folder", "send", "start", "url"]


def _settings() -> config.Settings:
    return cast(config.Settings, current_app.extensions["portevoix"])


def url(path: str) -> str:
    """The full address of one of our own paths, for a message."""
    return _settings().base_url + path


def in_folder() -> str:
    """What staff read beside "a mail is on its way" where no server carries it."""
    return str(
        _("No mail server is configured: it was written to the mail folder of the installation.")
    )


Guard = Callable[[str, str], bool]
_guards: list[Guard] = []


def held_back_by(guard: Guard) -> None:
    """A message leaves only where `guard(address, template)` is true: who knows the people says
    once to whom nothing is sent at the moment."""
    if guard not in _guards:
        _guards.append(guard)


def send(to: str, name: str, template: str, language: str, **context: object) -> None:
    """Send one message. Called by handlers of facts, never in a request or a transaction.

    Raises what the transport raises; the outbox then tries again.
    """
    if not all(guard(to, template) for guard in _guards):
        return
    org = organisation()
    with force_locale(language):
        ink = palette(org.brand if org else DEFAULT_BRAND)
        shared = {"org": org, "lang": language, "url": url, "ink": ink, **context}
        text = render_template(f"mail/{template}.txt", **shared).strip()
        subject, _line, body = text.partition("\n")
        html = css_inline.inline(
            render_template(f"mail/{template}.html", subject=subject, **shared),
            keep_style_tags=True,  # the dark scheme is a media query, it cannot be inlined
        )
    message = EmailMultiAlternatives(
        subject=subject.strip(),
        body=body.strip() + "\n",
        from_email=_sender(org.sender_name if org else ""),
        to=[formataddr((name, to))] if name else [to],
        headers=_headers(language, context),
    )
    message.attach_alternative(html, "text/html")
    message.send()


def _sender(name: str) -> str:
    """Where it comes from; the organisation's name for it stands before the address."""
    configured: str = current_app.config["MAIL_DEFAULT_SENDER"]
    usual, address = parseaddr(configured)
    return formataddr((name or usual, address)) if name or usual else address


def _headers(language: str, context: dict[str, object]) -> dict[str, str]:
    """A message that was agreed to says how to stop it, with one press (RFC 8058)."""
    headers = {"Auto-Submitted": "auto-generated", "Content-Language": language}
    if "unsubscribe_url" in context:
        headers["List-Unsubscribe"] = f"<{context['unsubscribe_url']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def start(app: Flask, settings: config.Settings) -> None:
    """Choose the transport."""
    from app.mail import personal

    app.config["MAIL_DEFAULT_SENDER"] = settings.mail_from
    if settings.smtp_url:
        parts = urlsplit(settings.smtp_url)
        app.config.update(
            MAIL_BACKEND="smtp",
            MAIL_SERVER=parts.hostname,
            MAIL_PORT=parts.port or (465 if parts.scheme == "smtps" else 25),
            MAIL_USERNAME=unquote(parts.username) if parts.username else None,
            MAIL_PASSWORD=unquote(parts.password) if parts.password else None,
            MAIL_USE_SSL=parts.scheme == "smtps",
            MAIL_USE_TLS=parts.scheme == "smtp+starttls",
            MAIL_TIMEOUT=15,
        )
    else:
        app.config["MAIL_BACKEND"] = "app.mail.folder"
    Mail(app)
    personal.declare()
