"""Reading and changing the organisation; its palette as one line of CSS."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from app import audit
from app.db import db, transaction
from app.errors import InvalidInput, Sentence
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
    other_about: str = "",
    website: str | None = None,
    privacy_contact: str = "",
    promise_days: int = 5,
    sender_name: str = "",
    joining_threshold: int | None = None,
    team_threshold: int | None = None,
    actor_id: uuid.UUID | None = None,
) -> Organisation:
    """Create or change the organisation. Raises `InvalidInput` by field. What changed is noted by
    the names of its fields."""
    wanted: dict[str, object] = {
        "name": name.strip(), "brand": brand.lower(), "about": about.strip(),
        "other_about": other_about.strip(),
        "website": (website or "").strip() or None, "privacy_contact": privacy_contact.strip(),
        "promise_days": promise_days, "sender_name": sender_name.strip(),
        "joining_threshold": joining_threshold, "team_threshold": team_threshold,
    }  # fmt: skip
    if faults := dict(_faults(wanted)):
        raise InvalidInput(_l("Please check the form."), faults)
    with transaction() as session:
        row = session.get(Organisation, 1)
        changed = [field for field, value in wanted.items() if getattr(row, field, None) != value]
        if row is None:
            session.add(row := Organisation(id=1, **wanted))
        for field in changed:
            setattr(row, field, wanted[field])
        if changed:
            fields = " ".join(changed)
            audit.record("organisation.saved", "organisation", 1, actor_id=actor_id, fields=fields)
    return row


def set_logo(picture_id: uuid.UUID | None, src: str | None, *, actor_id: uuid.UUID | None) -> None:
    """Show this picture beside the name, or none; `src` is the address of its smallest size.
    Raises `RuntimeError` before the set-up."""
    with transaction() as session:
        row = session.get(Organisation, 1)
        if row is None:
            raise RuntimeError("there is no organisation yet")
        row.logo_id, row.logo_src = picture_id, src
        audit.record("organisation.saved", "organisation", 1, actor_id=actor_id, fields="logo")


_LENGTHS = {
    "name": 120,
    "about": 500,
    "other_about": 500,
    "website": 300,
    "privacy_contact": 254,
    "sender_name": 120,
}


def _faults(wanted: dict[str, object]) -> Iterator[tuple[str, Sentence]]:
    if not wanted["name"]:
        yield "name", _l("Give the organisation’s name.")
    if not _COLOUR.fullmatch(str(wanted["brand"])):
        yield "brand", _l("Give a colour such as #006b4c.")
    site = str(wanted["website"] or "https://")
    if not site.startswith(("https://", "http://")) or " " in site:
        yield "website", _l("Give an address that begins with https://.")
    if any(mark in str(wanted["sender_name"]) for mark in '\r\n<>@"'):
        yield "sender_name", _l("A name only, without an address.")
    for field, most in _LENGTHS.items():
        if len(str(wanted[field] or "")) > most:
            yield field, _l("At most %(most)s characters.", most=most)
    for field, least, most in (
        ("promise_days", 1, 60), ("joining_threshold", 10, 1_000), ("team_threshold", 5, 1_000),
    ):  # fmt: skip
        value = wanted[field]
        if value is not None and not (isinstance(value, int) and least <= value <= most):
            yield field, _l("A whole number from %(least)s to %(most)s.", least=least, most=most)


def theme_css(brand: str) -> str:
    """The only colour the organisation gives; every token derives from it."""
    return f":root{{--brand:{brand}}}\n"


def theme_hash(brand: str) -> str:
    """Names the theme file, so that it can be cached for ever."""
    return hashlib.sha256(theme_css(brand).encode()).hexdigest()[:12]
