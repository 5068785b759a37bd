"""What is new, and why it is shown: computed from what is known, never guessed.

Only the newest stories are looked at, so the page costs the same in a library of any size.
Each of them gets a weight: a topic the reader follows, somebody of their site, new since they
were here, not passed on yet by anybody; it loses weight by the week. What they passed on
themselves comes last. The reason that weighs most is said beside the story.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import Select, bindparam, exists, func, select

from app import clock
from app.library import queries as library
from app.library.models import Story, StoryTopic, Topic, TopicFollow
from app.library.queries import StoryCard
from app.library.topics import name_read
from app.people import audiences
from app.people.models import Person
from app.prepared import Reading
from app.sharing.models import Share
from app.today.readers import Member, bare
from app.web.two_languages import READS

WINDOW: Final = 60
"""The newest stories meant for the reader, among which Today chooses."""
SHOWN: Final = 3
_TOLD: Final = ("published", "intent")
_WEEK: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Known:
    """What decides about one story. `topic`: one that the reader follows, or ''."""

    id: uuid.UUID
    published_at: dt.datetime
    is_mine: bool
    site: str
    topic: str
    is_told: bool
    is_told_by_me: bool


@dataclass(frozen=True, slots=True)
class NewStory:
    """A story and the sentence that says why it is here."""

    card: StoryCard
    reason: str


@dataclass(frozen=True, slots=True)
class News:
    """`lead` None: the library is empty. `fresh`: how many of the newest appeared since the
    last visit."""

    lead: NewStory | None
    others: list[NewStory]
    fresh: int


def news(reader: Member, since: dt.datetime | None) -> News:
    """One lead story and two more, in the reader's language where they have it."""
    found = _newest(reader)
    chosen = sorted(found, key=lambda story: _order(story, reader, since), reverse=True)[:SHOWN]
    why = {story.id: reason(story, reader, since) for story in chosen}
    ids, mine = [story.id for story in chosen], audiences.mine(reader.id)
    cards = library.cards_of(ids, reader.language, mine=mine)
    shown = [NewStory(card, why[card.id]) for card in cards]
    fresh = sum(1 for story in found if since is not None and story.published_at > since)
    return News(shown[0] if shown else None, shown[1:], fresh)


def _newest(reader: Member) -> list[Known]:
    values = {
        "now": clock.now(), "reader_id": reader.id, "mine": [*audiences.mine(reader.id)],
        READS: reader.language,
    }  # fmt: skip
    return [Known(*row) for row in _NEWEST.all(values)]


def _shelf_end() -> Select[Any]:
    """One statement: the end of the shelf's index `now`, what is meant for the segments `mine`,
    and a few look-ups for each story, which ask about `reader_id`. Built once, because building costs more than asking."""
    reader_id = bindparam("reader_id", type_=Person.id.type)
    newest = (
        select(Story.id, Story.published_at, Story.author_id)
        .where(
            library.is_shown(bindparam("now", type_=Story.published_at.type)),
            library.is_mine(),
            library.no_older_than(library.LOOKED),
        )
        .order_by(Story.published_at.desc(), Story.id.desc())
        .limit(WINDOW)
        .subquery("newest")
    )
    topic = (
        select(func.min(name_read))
        .select_from(StoryTopic)
        .join(TopicFollow, TopicFollow.topic_id == StoryTopic.topic_id)
        .join(Topic, Topic.id == StoryTopic.topic_id)
        .where(StoryTopic.story_id == newest.c.id, TopicFollow.person_id == reader_id)
        .scalar_subquery()
    )
    told = exists().where(Share.story_id == newest.c.id, Share.status.in_(_TOLD))
    by_me = told.where(Share.person_id == reader_id)
    return (
        select(
            newest.c.id, newest.c.published_at,
            func.coalesce(newest.c.author_id == reader_id, False),
            func.coalesce(Person.site, ""), func.coalesce(topic, ""), told,
            by_me,
        )
        .outerjoin(Person, Person.id == newest.c.author_id)
        .order_by(newest.c.published_at.desc(), newest.c.id.desc())
    )  # fmt: skip


_NEWEST: Final = Reading(_shelf_end())


def _is_near(story: Known, reader: Member) -> bool:
    if story.is_mine or not story.site or not reader.site:
        return False
    return bare(story.site) == bare(reader.site)


def _order(
    story: Known, reader: Member, since: dt.datetime | None
) -> tuple[float, dt.datetime, int]:
    """Heavier first; among equals the newer one."""
    weeks = min((clock.now() - story.published_at) / _WEEK, 8)
    weight = (
        6 * bool(story.topic)
        + 2 * _is_near(story, reader)
        + 2 * (since is not None and story.published_at > since)
        + (not story.is_told)
        - weeks
        - 20 * (story.is_told_by_me or story.is_mine)
    )
    return weight, story.published_at, story.id.int


def reason(story: Known, reader: Member, since: dt.datetime | None) -> str:
    """Why this story is shown, as a sentence that is true of it."""
    if story.is_mine:
        return str(_("You wrote it"))
    if story.is_told_by_me:
        return str(_("You have passed it on already"))
    if story.topic:
        return str(_("Because you follow %(topic)s", topic=story.topic))
    if _is_near(story, reader):
        return str(_("By a colleague in %(site)s", site=reader.site))
    if since is not None and story.published_at > since:
        return str(_("New since your last visit"))
    if not story.is_told:
        return str(_("Nobody has passed it on yet"))
    return str(_("Colleagues have passed it on"))
