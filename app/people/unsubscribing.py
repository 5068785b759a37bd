"""A signed link that takes one yes back, from a mail and without signing in.

It works for as long as the mail lies in the mailbox; taking back twice is harmless. Mail
programs may do it with one press of theirs (RFC 8058): a POST, because a GET is followed by
link scanners.
"""

from __future__ import annotations

import uuid

from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer

from app import crypto
from app.errors import NotFound
from app.people.consents import PURPOSES


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for("unsubscribe"))], salt="unsubscribe")


def unsubscribe_path(person_id: uuid.UUID, purpose: str) -> str:
    """The path that stands in a mail of this purpose."""
    return f"/choices/{_serializer().dumps([person_id.hex, purpose])}"


def read(token: str) -> tuple[uuid.UUID, str]:
    """Whose yes to which purpose. Raises `NotFound` for what we never signed."""
    try:
        person, purpose = _serializer().loads(token)
        if purpose not in PURPOSES:
            raise ValueError(purpose)
        return uuid.UUID(hex=person), purpose
    except (BadSignature, TypeError, ValueError) as error:
        raise NotFound(_l("This link is incomplete. Your choices are on your own page.")) from error
