"""Reading and changing the organisation; its palette as one line of CSS."""

from __future__ import annotations

import hashlib
import re
import uuid

from flask_babel import lazy_gettext as _l

from app import audit
from app.db import db, transaction
from app.errors import InvalidInput
from app.settings.models import Organisation

DEFAULT_BRAND = "#006b4c"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def organisation() -> Organisation | None:
    """The organisation, or None before the set-up."""
    return db.session.get(Organisation, 1)


def save_organisation(
    *,
    name: str,
    brand: str,
    about: str = "",
    website: str | None = None,
    privacy_contact: str = "",
    promise_days: int = 5,
    actor_id: uuid.UUID | None = None,
) -> Organisation:
    """Create or change the organisation. Raises `InvalidInput` by field."""
    if not name.strip():
        raise InvalidInput(
            _l("Please check the form."), {"name": _l("Give the organisation’s name.")}
        )
    if not _COLOUR.fullmatch(brand):
        raise InvalidInput(
            _l("Please check the form."), {"brand": _l("Give a colour such as #006b4c.")}
        )
    with transaction() as session:
        row = session.get(Organisation, 1) or Organisation(id=1)
        row.name, row.brand, row.about = name.strip(), brand.lower(), about.strip()
        row.website, row.privacy_contact = website, privacy_contact.strip()
        row.promise_days = promise_days
        session.add(row)
        audit.record("organisation.saved", "organisation", 1, actor_id=actor_id)
    return row


def theme_css(row: Organisation | None) -> str:
    """The only colour the organisation gives; every token derives from it."""
    return f":root{{--brand:{row.brand if row else DEFAULT_BRAND}}}\n"


def theme_hash(row: Organisation | None) -> str:
    """Names the theme file, so that it can be cached for ever."""
    return hashlib.sha256(theme_css(row).encode()).hexdigest()[:12]
