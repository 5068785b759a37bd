"""Requests in words."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l

from app.errors import Sentence

KIND_NAMES: Final[dict[str, Sentence]] = {
    "copy": _l("A copy of the data"),
    "correction": _l("A correction"),
    "erasure": _l("Erasure"),
    "objection": _l("Objection"),
    "restriction": _l("Restriction"),
    "other": _l("Another request"),
}
OUTCOME_NAMES: Final[dict[str, Sentence]] = {
    "done": _l("Done"),
    "partly": _l("Done in part"),
    "refused": _l("Refused, with reasons"),
    "withdrawn": _l("Taken back"),
}
