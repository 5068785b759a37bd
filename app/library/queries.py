"""Reads about stories, shaped for the members' pages, the studio and the API.

Plain rows, keysets, no totals. What the first pages ask is built once, with places for the
values: building a statement costs more than the database takes to answer it. What is searched
is the story's `search_text`: folded words of every language it has, so that case and accents
do not matter, on either database.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from app import clock
from app.db import db
from app.integrations.text import clean_text, fold
from app.library.content import topic_code
from app.library.errors import UnknownStory
from app.library.material import own_first
from app.library.models import Story, StoryText, StoryTopic, Topic, TopicFollow
from app.library.service import CURATORS, WRITERS
from app.media.service import PictureView, pictures
from app.people.models import Person
from app.web.cursors import decode_cursor, encode_cursor

MAX_PAGE: Final = 200
_WORDS: Final = 8
_FACETS: Final = 60
SEARCHED: Final = 20_000
"""Stories that one page of a narrowed list looks through; the next page goes further back."""
_TALKED_ABOUT: Final = 200
"""Stories, the newest ones, whose topics are offered beside the shelf."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. Members see what is published and inside its window; contributors their own
    drafts, too; curators everything."""

    person_id: uuid.UUID
    roles: frozenset[str]

    @property
    def is_staff(self) -> bool:
        return bool(self.roles & WRITERS)

    @property
    def is_curator(self) -> bool:
        return bool(self.roles & CURATORS)


@dataclass(frozen=True, slots=True)
class StoryFilter:
    """What a list shows. Empty means everything. `topic` is a code or a name; `network`
    finds the stories that may be shared there, `followed_by` those on a topic that this
    member follows."""

    q: str = ""
    topic: str = ""
    kind: str = ""
    language: str = ""
    network: str = ""
    status: str = ""
    author_id: uuid.UUID | None = None
    followed_by: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A story in a list, in the reader's language where it has one."""

    id: uuid.UUID
    slug: str
    kind: str
    language: str
    title: str
    summary: str
    alt: str
    minutes: int
    picture: PictureView | None
    topics: tuple[str, ...]
    published_at: dt.datetime | None
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StudioRow:
    """A story in the team's list. `state` is its status, or 'scheduled' and 'expired' for a
    published one before and after its window."""

    id: uuid.UUID
    kind: str
    title: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    networks: tuple[str, ...]
    author_name: str | None
    state: str
    visible_from: dt.datetime | None
    expires_at: dt.datetime | None
    published_at: dt.datetime | None
    updated_at: dt.datetime
    has_picture: bool


class Cards(NamedTuple):
    """A part of a list; `next` is the cursor of the following part, None at the end. `is_cut`:
    this part ends because enough was looked through, not because it is full."""

    items: list[StoryCard]
    next: str | None
    is_cut: bool = False


class Rows(NamedTuple):
    """A part of the studio's list; `next` as in `Cards`."""

    items: list[StudioRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic by which a list can be narrowed."""

    id: uuid.UUID
    code: str
    name: str
    is_sensitive: bool
    count: int


STATES: Final = ("draft", "scheduled", "published", "expired", "withdrawn")


# --- conditions --------------------------------------------------------------------------


def is_shown(now: dt.datetime | BindParameter[dt.datetime]) -> ColumnElement[bool]:
    """Published, and inside its window."""
    return and_(
        Story.status == "published",
        or_(Story.visible_from.is_(None), Story.visible_from <= now),
        or_(Story.expires_at.is_(None), Story.expires_at > now),
    )


def _is_open_to(viewer: Viewer, now: dt.datetime) -> ColumnElement[bool]:
    if viewer.is_curator:
        return Story.id.is_not(None)
    if viewer.is_staff:
        return or_(Story.status != "draft", Story.author_id == viewer.person_id)
    return is_shown(now)


def _in_state(state: str, now: dt.datetime) -> ColumnElement[bool]:
    if state == "scheduled":
        return and_(Story.status == "published", Story.visible_from > now)
    if state == "expired":
        return and_(Story.status == "published", Story.expires_at <= now)
    return is_shown(now) if state == "published" else Story.status == state


def _conditions(f: StoryFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if f.kind:
        found.append(Story.kind == clean_text(f.kind, 20))
    if f.topic:
        found.append(
            exists().where(
                StoryTopic.story_id == Story.id,
                StoryTopic.topic_id == Topic.id,
                Topic.code == topic_code(f.topic[:200]),
            )
        )
    if f.language:
        found.append(
            exists().where(
                StoryText.story_id == Story.id, StoryText.language == clean_text(f.language, 5)
            )
        )
    if f.network:
        found.append(_is_for(f.network))
    if f.author_id is not None:
        found.append(Story.author_id == f.author_id)
    if f.followed_by is not None:
        found.append(
            exists().where(
                StoryTopic.story_id == Story.id,
                StoryTopic.topic_id == TopicFollow.topic_id,
                TopicFollow.person_id == f.followed_by,
            )
        )
    # Folded words hold letters and digits only, so nothing in them is a wildcard.
    words = fold(f.q[:200]).split()[:_WORDS]
    return found + [Story.search_text.contains(word) for word in words]


def _is_for(network: str) -> ColumnElement[bool]:
    """The list of networks is stored as JSON text on both databases; an empty one means all."""
    stored = func.replace(cast(Story.networks, Text), " ", "")
    return or_(stored == "[]", stored.contains(f'"{fold(network[:40])}"'))


# --- cursors -----------------------------------------------------------------------------


def _before(column: Any, cursor: str | None) -> list[ColumnElement[bool]]:
    """The rows behind a cursor, in a list ordered by `column` and id, both falling."""
    place = decode_cursor(cursor)
    if place is None:
        return []
    bound = tuple_(literal(place[0], column.type), literal(place[1], Story.id.type))
    return [tuple_(column, Story.id) < bound]


# --- cards for members -------------------------------------------------------------------

_SIGNS_A_MINUTE: Final = 1_200
"""Characters that somebody reads in a minute, spaces included."""

_own, _asked = aliased(StoryText), aliased(StoryText)
_TOPIC: Final = (Topic.id, Topic.code, Topic.name, Topic.is_sensitive)


def own_text() -> type[StoryText]:
    """The text in a story's own language, to join with it."""
    return _own


def reading_minutes(signs: int) -> int:
    """How long a text of so many characters takes; 0 for none."""
    return -(-signs // _SIGNS_A_MINUTE)


def _told(name: str) -> ColumnElement[Any]:
    """A column of the text shown: in the language asked for, or in the story's own."""
    return case((_asked.story_id.is_not(None), getattr(_asked, name)), else_=getattr(_own, name))


_NOW: Final[BindParameter[dt.datetime]] = bindparam("now", type_=Story.published_at.type)
_MOST: Final[BindParameter[int]] = bindparam("most", type_=Integer)


def _cards() -> Select[Any]:
    """The cards of what members may read `now`, in `language`, the last published first."""
    language: BindParameter[str] = bindparam("language", type_=StoryText.language.type)
    return (
        select(
            Story.id, Story.slug, Story.kind, _told("language").label("language"),
            _told("title").label("title"), _told("summary").label("summary"),
            _told("alt").label("alt"), func.length(_told("body")).label("signs"),
            Story.picture_id, Story.published_at, Story.expires_at,
        )
        .join(_own, and_(_own.story_id == Story.id, _own.language == Story.language))
        .outerjoin(_asked, and_(_asked.story_id == Story.id, _asked.language == language))
        .where(is_shown(_NOW))
        .order_by(Story.published_at.desc(), Story.id.desc())
    )  # fmt: skip


_SHELF: Final = _cards().limit(_MOST)
_CHOSEN: Final = _cards().where(Story.id.in_(bindparam("ids", expanding=True)))
_TOPIC_NAMES: Final = (
    select(StoryTopic.story_id, Topic.name)
    .join(Topic, Topic.id == StoryTopic.topic_id)
    .where(StoryTopic.story_id.in_(bindparam("ids", expanding=True)))
    .order_by(Topic.name)
)


def _as_cards(rows: Sequence[Any]) -> list[StoryCard]:
    topics = topic_names([row.id for row in rows])
    found = pictures([row.picture_id for row in rows if row.picture_id])
    return [
        StoryCard(
            id=row.id, slug=row.slug, kind=row.kind, language=row.language, title=row.title,
            summary=row.summary, alt=row.alt, minutes=reading_minutes(row.signs),
            picture=found.get(row.picture_id), topics=topics.get(row.id, ()),
            published_at=row.published_at, expires_at=row.expires_at,
        )
        for row in rows
    ]  # fmt: skip


def topic_names(story_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, ...]]:
    """The topics of each story, in one read."""
    found: dict[uuid.UUID, tuple[str, ...]] = {}
    if not story_ids:
        return found
    for story_id, name in db.session.execute(_TOPIC_NAMES, {"ids": list(story_ids)}):
        found[story_id] = (*found.get(story_id, ()), name)
    return found


def shelf(filters: StoryFilter, language: str, after: str | None = None, limit: int = 24) -> Cards:
    """What members may read now, the last published first, in `language` where a story has
    it. Raises `InvalidInput` for a cursor that is none.

    A narrowed list looks through `SEARCHED` stories and then hands out its cursor, so that a
    word nobody ever wrote costs the same in a library of any size.
    """
    limit, narrowed = min(max(limit, 1), MAX_PAGE), _conditions(filters)
    narrowed_to = [*narrowed, *_before(Story.published_at, after)]
    far = _far_end(after) if narrowed else None
    if far is not None:
        narrowed_to.append(tuple_(Story.published_at, Story.id) >= _place(*far))
    query = _SHELF.where(*narrowed_to) if narrowed_to else _SHELF
    values = {"now": clock.now(), "language": language, "most": limit + 1}
    rows = db.session.execute(query, values).all()
    cards = _as_cards(rows[:limit])
    if len(rows) <= limit:
        return Cards(cards, encode_cursor(*far), True) if far else Cards(cards, None)
    last = rows[limit - 1]
    return Cards(cards, encode_cursor(last.published_at, last.id))


def _far_end(after: str | None) -> tuple[dt.datetime, uuid.UUID] | None:
    """Where looking through ends; None where the library ends before. Read from the index of
    the shelf alone."""
    row = db.session.execute(
        select(Story.published_at, Story.id)
        .where(Story.status == "published", *_before(Story.published_at, after))
        .order_by(Story.published_at.desc(), Story.id.desc())
        .offset(SEARCHED - 1)
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row is not None and row[0] is not None else None


def _place(at: dt.datetime, story_id: uuid.UUID) -> Any:
    """A place in the shelf with its column types, so that both databases compare alike."""
    return tuple_(literal(at, Story.published_at.type), literal(story_id, Story.id.type))


def cards_of(ids: Sequence[uuid.UUID], language: str) -> list[StoryCard]:
    """The cards of some stories that members may read now, in the order of their ids."""
    if not ids:
        return []
    values = {"now": clock.now(), "language": language, "ids": list(ids)}
    rows = db.session.execute(_CHOSEN, values).all()
    known = {card.id: card for card in _as_cards(rows)}
    return [known[story_id] for story_id in ids if story_id in known]


def latest(limit: int, language: str = "") -> list[StoryCard]:
    """The last published stories, for the first page."""
    return shelf(StoryFilter(), language, limit=limit).items


def _talked_about() -> Any:
    newest = (
        select(Story.id)
        .where(is_shown(_NOW))
        .order_by(Story.published_at.desc(), Story.id.desc())
        .limit(_MOST)
        .subquery()
    )
    return (
        select(*_TOPIC, func.count().label("count"))
        .select_from(newest)
        .join(StoryTopic, StoryTopic.story_id == newest.c.id)
        .join(Topic, Topic.id == StoryTopic.topic_id)
        .group_by(*_TOPIC)
        .order_by(func.count().desc(), Topic.name)
        .limit(_FACETS)
    )


_TALK: Final = _talked_about()


def shown_topics() -> list[TopicRow]:
    """What the library talks about: the topics of the newest stories that members may read
    now, the most frequent first. `count` is over those stories, not over all of them."""
    values = {"now": clock.now(), "most": _TALKED_ABOUT}
    return [TopicRow(*row) for row in db.session.execute(_TALK, values)]


def topic_choices() -> list[tuple[str, str]]:
    """Code and name of every topic, by name."""
    query = select(Topic.code, Topic.name).order_by(Topic.name, Topic.id).limit(500)
    return [(row.code, row.name) for row in db.session.execute(query)]


def all_topics() -> list[TopicRow]:
    """Every topic by name, with the number of its stories."""
    query = (
        select(*_TOPIC, func.count(StoryTopic.story_id))
        .outerjoin(StoryTopic, StoryTopic.topic_id == Topic.id)
        .group_by(*_TOPIC)
        .order_by(Topic.name, Topic.id)
        .limit(500)
    )
    return [TopicRow(*row) for row in db.session.execute(query)]


# --- the studio --------------------------------------------------------------------------


def studio(filters: StoryFilter, viewer: Viewer, after: str | None = None, limit: int = 50) -> Rows:
    """The stories a writer may see, the last made first; `filters.status` is one of `STATES`.
    Raises `InvalidInput` for a cursor that is none."""
    limit, now = min(max(limit, 1), MAX_PAGE), clock.now()
    query = (
        select(
            Story.id, Story.kind, _own.title, Story.networks, Person.name.label("author_name"),
            Story.status, Story.visible_from, Story.expires_at, Story.published_at,
            Story.updated_at, Story.picture_id, Story.created_at, Story.language,
        )
        .join(_own, and_(_own.story_id == Story.id, _own.language == Story.language))
        .outerjoin(Person, Person.id == Story.author_id)
        .where(_is_open_to(viewer, now), *_conditions(filters))
        .where(*_before(Story.created_at, after))
        .order_by(Story.created_at.desc(), Story.id.desc())
    )  # fmt: skip
    if filters.status in STATES:
        query = query.where(_in_state(filters.status, now))
    rows = db.session.execute(query.limit(limit + 1)).all()
    items = _as_rows(rows[:limit], now)
    if len(rows) <= limit:
        return Rows(items, None)
    last = rows[limit - 1]
    return Rows(items, encode_cursor(last.created_at, last.id))


def _as_rows(rows: Sequence[Any], now: dt.datetime) -> list[StudioRow]:
    ids = [row.id for row in rows]
    topics, languages = topic_names(ids), _languages(ids)
    return [
        StudioRow(
            id=row.id, kind=row.kind, title=row.title, topics=topics.get(row.id, ()),
            languages=own_first(languages[row.id], row.language),
            networks=tuple(row.networks), author_name=row.author_name,
            state=state_of(row.status, row.visible_from, row.expires_at, now),
            visible_from=row.visible_from, expires_at=row.expires_at,
            published_at=row.published_at, updated_at=row.updated_at,
            has_picture=row.picture_id is not None,
        )
        for row in rows
    ]  # fmt: skip


def _languages(story_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {story_id: [] for story_id in story_ids}
    if not story_ids:
        return found
    query = select(StoryText.story_id, StoryText.language).where(StoryText.story_id.in_(story_ids))
    for story_id, language in db.session.execute(query.order_by(StoryText.language)):
        found[story_id].append(language)
    return found


def state_of(
    status: str, visible_from: dt.datetime | None, expires_at: dt.datetime | None, now: dt.datetime
) -> str:
    """The status as people see it: one of `STATES`."""
    if status != "published":
        return status
    if expires_at is not None and expires_at <= now:
        return "expired"
    return "scheduled" if visible_from is not None and visible_from > now else "published"


# --- one story, and the API --------------------------------------------------------------


def story_for(story_id: uuid.UUID, viewer: Viewer) -> Story:
    """One story that this reader may see. Members see published ones from their hour on, also
    after their end and after a withdrawal. Raises `UnknownStory`."""
    now = clock.now()
    may = or_(_is_open_to(viewer, now), _was_shown(now))
    story = db.session.scalar(select(Story).where(Story.id == story_id, may))
    if story is None:
        raise UnknownStory
    return story


def _was_shown(now: dt.datetime) -> ColumnElement[bool]:
    begun = or_(Story.visible_from.is_(None), Story.visible_from <= now)
    return or_(Story.status == "withdrawn", and_(Story.status == "published", begun))


def story_by_slug(slug: str) -> Story:
    """The story at a public address, withdrawn and expired ones included. Raises
    `UnknownStory` for drafts and for those whose hour has not come."""
    if "\x00" in slug:  # PostgreSQL has no such character
        raise UnknownStory
    known = select(Story).where(Story.slug == slug[:200], _was_shown(clock.now()))
    story = db.session.scalar(known)
    if story is None:
        raise UnknownStory
    return story


def api_stories(
    filters: StoryFilter, viewer: Viewer, after: str | None = None, limit: int = 50
) -> tuple[list[Story], str | None]:
    """Whole stories for a program, the last made first, and the next cursor. Who is no writer
    gets what members may read now. Raises `InvalidInput` for a cursor that is none."""
    limit = min(max(limit, 1), MAX_PAGE)
    query = (
        select(Story)
        .where(_is_open_to(viewer, clock.now()), *_conditions(filters))
        .where(*_before(Story.created_at, after))
        .order_by(Story.created_at.desc(), Story.id.desc())
    )
    if filters.status:
        query = query.where(Story.status == filters.status)
    rows = list(db.session.scalars(query.limit(limit + 1)))
    more = encode_cursor(rows[limit - 1].created_at, rows[limit - 1].id) if rows[limit:] else None
    return rows[:limit], more
