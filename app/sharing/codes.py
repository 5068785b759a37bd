"""Where the code of a story's share leads (`/r/<code>`)."""

from __future__ import annotations

from sqlalchemy import select

from app.db import db
from app.library import material
from app.library.errors import UnknownStory
from app.referrals.links import Target
from app.sharing.models import Share

# The link of a post that was taken back leads nowhere any more.
DEAD = ("cancelled", "withdrawn")


def find(code: str) -> Target | None:
    """The target of a code of ours; None for a code that no share holds. A withdrawn story is a
    dead end, an expired one still leads on."""
    row = db.session.execute(
        select(Share.id, Share.person_id, Share.story_id, Share.status).where(Share.code == code)
    ).one_or_none()
    if row is None or row.story_id is None:
        return None
    try:
        leads = material.target_of(row.story_id)
    except UnknownStory:
        return None
    location = leads.url or material.public_url_path(leads.slug)
    alive = not leads.is_gone and row.status not in DEAD
    return Target(row.id, row.person_id, location, alive, share_id=row.id)
