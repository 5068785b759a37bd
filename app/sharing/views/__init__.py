"""The members' pages of sharing, and those of the team around it."""

from __future__ import annotations

from flask import Blueprint

sharing = Blueprint("sharing", __name__)

# The rooms fill the blueprint, so they come after it.
from app.sharing.views import composer, linkedin, mine, studio  # noqa: E402

__all__ = ["composer", "linkedin", "mine", "sharing", "studio"]
