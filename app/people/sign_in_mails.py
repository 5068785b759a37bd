"""A mail to whoever's ways in have changed, so that nobody else changes them unseen."""

from __future__ import annotations

import datetime as dt
import uuid

from flask_babel import lazy_gettext as _l

from app import mail, outbox
from app.db import db
from app.errors import Sentence
from app.people.models import Person

WORDS: dict[str, tuple[Sentence, Sentence]] = {
    "factor-on": (
        _l("Your second factor is set up"),
        _l(
            "From now on, signing in asks for a code of your app. Your other devices are signed out."
        ),
    ),
    "factor-off": (
        _l("Your second factor is switched off"),
        _l("Signing in no longer asks for a code. Your recovery codes are worth nothing any more."),
    ),
    "factor-reset": (
        _l("Your second factor was reset"),
        _l(
            "An administrator has removed your app, your recovery codes and your passkeys, and "
            "signed out your devices. Sign in with your password and set up a new one."
        ),
    ),
    "codes-renewed": (
        _l("You have new recovery codes"),
        _l("Ten new ones were made. Those before are worth nothing any more."),
    ),
    "recovery-code": (
        _l("A recovery code was used"),
        _l("It opened your account in place of a code of your app, and is used up."),
    ),
    "wrong-codes": (
        _l("Somebody gave wrong codes for your account"),
        _l(
            "They knew your password, and gave five wrong codes one after the other. If it was "
            "not you, choose a new password now."
        ),
    ),
    "passkey-added": (
        _l("A passkey was added"),
        _l("It signs in to your account without a password."),
    ),
    "passkey-removed": (
        _l("A passkey was removed"),
        _l("It opens nothing any more. Devices that it had signed in are signed out."),
    ),
}
"""What happened: the subject, and what it means."""


@outbox.on("sign_in.changed", "people.sign_in_changed", outside=True)
def send_change(person_id: str, what: str, at: str) -> None:
    """Say what happened, when, and what to do if it was somebody else."""
    person = db.session.get(Person, uuid.UUID(person_id))
    if person is None or person.departed_at is not None:
        return
    title, meaning = WORDS[what]
    mail.send(
        person.email,
        person.name,
        "sign-in-changed",
        person.language,
        person=person,
        title=title,
        meaning=meaning,
        at=dt.datetime.fromisoformat(at),
        link=mail.url("/me/devices"),
        password_link=mail.url("/sign-in/password"),
    )
