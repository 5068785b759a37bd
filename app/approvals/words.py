"""What pages say about acts that wait."""

from __future__ import annotations

from flask import flash
from flask_babel import gettext as _


def tell_waiting(what: str = "") -> None:
    """Say on the next page that something waits for a second person, and where to see it."""
    sentence = str(
        _(
            "It waits for a second person, for 14 days at most. Nothing you typed is lost: it "
            "stands under “To approve”."
        )
    )
    flash(f"{what} {sentence}".strip(), "wait")
