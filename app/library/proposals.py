"""A page that a member thinks worth telling: it becomes a draft in their name.

The editors find it among their drafts, with the address, the title and the member's reason,
are told by mail, and decide. Nobody but them sees it before it is published, and then it
carries the member's name.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app import audit, clock, mail, outbox
from app.db import db, transaction
from app.errors import DomainError
from app.integrations.text import clean_text, safe_url
from app.library import service
from app.library.content import bad_address, wrong
from app.library.models import Story
from app.people.audiences import KEPT
from app.people.lookup import load_member
from app.people.models import Assignment, Person, RoleGrant

MOST_WORDS: Final = 500
MOST_A_DAY: Final = 10
_TITLE: Final = 200
_DAY: Final = dt.timedelta(days=1)


class EnoughForToday(DomainError):
    """The editors read them one by one."""

    status = 429
    code = "too-many-proposals"

    def __init__(self) -> None:
        super().__init__(_l("Ten pages a day are read with care. Keep this one for tomorrow."))


def propose(person_id: uuid.UUID, url: str, title: str = "", words: str = "") -> uuid.UUID:
    """Suggest a page to the editors; the draft's identifier. The same page by the same member
    is one draft, however often it is sent.

    Raises `InvalidInput` at `url` or `words`, `EnoughForToday`, `NotMember`.
    """
    address, said = safe_url(url), clean_text(words, 2 * MOST_WORDS)
    if address is None:
        raise wrong({"url": bad_address()})
    if len(said) > MOST_WORDS:
        raise wrong({"words": _l("%(max)d characters at most.", max=MOST_WORDS)})
    with transaction() as session:
        person = load_member(session, person_id)
        known = session.scalar(_drafts(person.id).where(Story.url == address))
        if known is not None:
            return known
        _check_today(session, person.id)
        story = service.create_story(
            {
                "url": address,
                "title": clean_text(title, _TITLE) or str(urlsplit(address).hostname),
                "evidence": said,
                "language": person.language,
            },
            None,
        )
        story.author_id = person.id
        audit.record("story.proposed", "story", story.id, actor_id=person.id)
        outbox.record("story.proposed", story_id=str(story.id))
        return story.id


def _drafts(person_id: uuid.UUID) -> Select[uuid.UUID]:
    return select(Story.id).where(Story.author_id == person_id, Story.status == "draft").limit(1)


def _check_today(session: Session, person_id: uuid.UUID) -> None:
    since = clock.now() - _DAY
    mine = select(func.count()).where(Story.author_id == person_id, Story.created_at > since)
    if (session.scalar(mine) or 0) >= MOST_A_DAY:
        raise EnoughForToday


@outbox.on("story.proposed", "library.mail_proposed", outside=True)
def tell_editors(story_id: str) -> None:
    """To those who decide, while there is something to decide."""
    story = db.session.get(Story, uuid.UUID(story_id))
    if story is None or story.status != "draft" or story.author_id is None:
        return
    author = db.session.get_one(Person, story.author_id)
    for editor in _editors(story.id):
        mail.send(
            editor.email,
            editor.name,
            "proposal",
            editor.language,
            editor=editor,
            author=author,
            url_proposed=story.url,
            words=story.evidence,
            link=mail.url(f"/studio/stories/{story.id}"),
        )


def _editors(story_id: uuid.UUID) -> list[Person]:
    """Curators whose role reaches the draft: those of the whole organisation, and of the segments
    that keep it once somebody handed it over; the administrators where there is none."""
    kept = select(Assignment.segment_id).where(
        Assignment.subject_id == story_id, Assignment.purpose == KEPT
    )
    reaches = or_(RoleGrant.segment_id.is_(None), RoleGrant.segment_id.in_(kept))
    for role in ("curator", "admin"):
        found = db.session.scalars(
            select(Person)
            .join(RoleGrant, RoleGrant.person_id == Person.id)
            .where(RoleGrant.role == role, reaches, Person.departed_at.is_(None))
            .order_by(Person.id)
        ).unique()
        if editors := list(found):
            return editors
    return []
