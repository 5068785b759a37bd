"""The proof of who agreed to the charter."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.charters.models import CharterAcceptance
from app.personal_data import PERSON, holds, rows


def declare() -> None:
    """Say it."""
    holds(
        "charters.answers", CharterAcceptance, title=_l("Your answers to the charter"),
        purpose=_l("to prove which text you agreed to, and when"), basis="law", source="you",
        recipients=("you", "administrators"),
        exports={PERSON: rows(CharterAcceptance, CharterAcceptance.person_id,
                              order=CharterAcceptance.sequence)},
        stays=_l(
            "Answers to the charter stay as proof, by number and without your name, for five "
            "years after you left (GDPR, article 17.3.e). The proof you were sent by mail names "
            "that number."
        ),
    )  # fmt: skip
