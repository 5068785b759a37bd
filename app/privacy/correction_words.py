"""Corrections in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import Sentence
from app.privacy.corrections import FIELDS, OTHER
from app.rights.field_words import FIELDS as FIELD_WORDS


def name_of(field: str) -> Sentence:
    """What a field of the directory is called."""
    return _l("Something else") if field == OTHER else FIELD_WORDS[field]


def choices() -> list[tuple[str, Sentence]]:
    """Each field with its name."""
    return [(field, name_of(field)) for field in FIELDS]
