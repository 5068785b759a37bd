"""Who added which picture."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.media.models import Picture
from app.personal_data import PERSON, Subject, holds, rows


def _forget_who(session: Session, subject: Subject) -> None:
    session.execute(update(Picture).where(Picture.added_by == subject.id).values(added_by=None))


def declare() -> None:
    """Say it."""
    holds(
        "media.pictures", Picture, title=_l("Pictures you added"),
        purpose=_l("to illustrate the organisation’s stories"), basis="interest", source="you",
        recipients=("team",),
        exports={PERSON: rows(Picture, Picture.added_by, hides=("widths", "has_alpha"))},
        erasures={PERSON: _forget_who},
        stays=_l("Pictures of the organisation’s stories stay, without who added them."),
    )  # fmt: skip
