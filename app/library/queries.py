"""Reads about stories, shaped for the members' pages, the studio and the API.

Plain rows, keysets, no totals. What the first pages ask is built once, with places for the
values: building a statement costs more than the database takes to answer it. What is searched
is the story's `search_text`: folded words of every language it has, so that case and accents
do not matter, on either database.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
from app.library.errors import UnknownStory
from app.library.material import own_first
from app.library.models import Story, StoryText, StoryTopic, Topic, TopicFollow
from app.library.service import CURATORS, WRITERS
from app.library.topics import has_word, is_called, name_beside, name_read
from app.media.service import PictureView, pictures
from app.people import audiences
from app.people.audiences import SEEN
from app.people.models import Person
from app.prepared import Reading
from app.web.cursors import Beside, beside, beyond, encode_cursor, of_model
from app.web.two_languages import READS

Reach = frozenset[uuid.UUID] | None
"""How far a role goes: None for everywhere, else the segments it was given for."""
MAX_PAGE: Final = 200
_WORDS: Final = 8
_FACETS: Final = 60
SEARCHED: Final = 20_000
"""Stories that one page of a narrowed list looks through; the next page goes further back."""
LOOKED: Final = 2_000
"""The same for a whole list: most stories are meant for its reader, where they are not it ends."""
_TALKED_ABOUT: Final = 200
"""Stories, the newest ones, whose topics are offered beside the shelf."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. Members see what is meant for them, published and inside its window;
    contributors their own drafts, too, and what others published; curators everything.

    `roles` are held for the whole organisation; `reach` says of the others, which were given for
    segments, how far they go (`access.Reader`): they find only what these segments keep. Topics
    are told in their `language`; None: as they are named.
    """

    person_id: uuid.UUID
    roles: frozenset[str]
    reach: Mapping[str, frozenset[uuid.UUID] | None] = field(default_factory=dict)
    language: str | None = None

    @property
    def is_staff(self) -> bool:
        return self.writes is None or bool(self.writes)

    @property
    def is_curator(self) -> bool:
        """Whether they publish at all, some stories or every one."""
        return self.curates is None or bool(self.curates)

    @property
    def writes(self) -> Reach:
        return self._goes(WRITERS)

    @property
    def curates(self) -> Reach:
        return self._goes(CURATORS)

    @property
    def segments(self) -> frozenset[uuid.UUID]:
        """Those they are in, read once a request."""
        return audiences.mine(self.person_id)

    def _goes(self, roles: frozenset[str]) -> Reach:
        if self.roles & roles:
            return None
        return frozenset().union(*(self.reach.get(role) or () for role in roles))


@dataclass(frozen=True, slots=True)
class StoryFilter:
    """What a list shows. Empty means everything. `topic` is a code or a name, in either
    language; `network`
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
    published one before and after its window; `audience` names the segments it is meant for,
    none for everybody."""

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
    created_at: dt.datetime
    updated_at: dt.datetime
    has_picture: bool
    audience: tuple[str, ...]


class Cards(NamedTuple):
    """A part of a list; `next` is the cursor of the following part, None at the end. `is_cut`:
    this part ends because enough was looked through, `looked_through` stories, not because it is
    full."""

    items: list[StoryCard]
    next: str | None
    is_cut: bool = False
    looked_through: int = 0


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic by which a list can be narrowed, by its name for the reader. `other_name` is the
    one it has in the other language, '' without one."""

    id: uuid.UUID
    code: str
    name: str
    other_name: str
    is_sensitive: bool
    count: int


STATES: Final = ("draft", "scheduled", "published", "expired", "withdrawn")


# --- conditions --------------------------------------------------------------------------


def is_shown(
    now: dt.datetime | BindParameter[dt.datetime], *, by_id: bool = False
) -> ColumnElement[bool]:
    """Published, and inside its window. `by_id`: a few stories are named already, and SQLite,
    which knows no figures of the table, must not walk the index of all published ones instead."""
    status = Story.status.concat("") if by_id else Story.status
    return and_(
        status == "published",
        or_(Story.visible_from.is_(None), Story.visible_from <= now),
        or_(Story.expires_at.is_(None), Story.expires_at > now),
    )


def _works_on(viewer: Viewer) -> ColumnElement[bool]:
    """What the team's pages show to a writer."""
    kept = audiences.kept_within(Story.id, viewer.curates)
    may_know = or_(Story.status != "draft", Story.author_id == viewer.person_id)
    return or_(kept, and_(audiences.kept_within(Story.id, viewer.writes), may_know))


def _is_open_to(viewer: Viewer, now: dt.datetime) -> ColumnElement[bool]:
    """The same, and what they may read as anybody of the house."""
    if viewer.writes is None:
        return _works_on(viewer)
    shown = and_(is_shown(now), audiences.meant_for(Story.id, viewer.segments))
    return or_(_works_on(viewer), shown) if viewer.is_staff else shown


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
                is_called(f.topic),
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
    return found + [_says(word) for word in words]


def _says(word: str) -> ColumnElement[bool]:
    """A word of the story, or of what one of its topics is called in the other language."""
    called = select(Topic.id).where(has_word(word))
    named = select(StoryTopic.story_id).where(StoryTopic.topic_id.in_(called))
    return or_(Story.search_text.contains(word), Story.id.in_(named))


def _is_for(network: str) -> ColumnElement[bool]:
    """The list of networks is stored as JSON text on both databases; an empty one means all."""
    stored = func.replace(cast(Story.networks, Text), " ", "")
    return or_(stored == "[]", stored.contains(f'"{fold(network[:40])}"'))


# --- cards for members -------------------------------------------------------------------

_SIGNS_A_MINUTE: Final = 1_200
"""Characters that somebody reads in a minute, spaces included."""

_own, _asked = aliased(StoryText), aliased(StoryText)
_TOPIC: Final = (
    Topic.id, Topic.code, name_read.label("name"), name_beside.label("other_name"),
    Topic.is_sensitive,
)  # fmt: skip


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
_MOST: Final[BindParameter[int]] = bindparam("most", type_=Integer, literal_execute=True)
_MINE: Final[BindParameter[uuid.UUID]] = bindparam("mine", expanding=True)
_BEGINNING: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NOWHERE: Final = uuid.UUID(int=0)


class _Depth(NamedTuple):
    """How far down the shelf one looks: the place of the last story looked at. Two values of one
    row, none where the library ends before."""

    at: Any
    id: Any


def _depth(most: int, behind: Sequence[ColumnElement[bool]] = ()) -> _Depth:
    """The place of the last of `most` stories, read from the index of the shelf alone."""
    last = (
        select(Story.published_at, Story.id)
        .where(Story.status == "published", *behind)
        .order_by(Story.published_at.desc(), Story.id.desc())
        .offset(most - 1)
        .limit(1)
        .cte("depth")
    )
    return _Depth(*(select(column).scalar_subquery() for column in last.c))


def no_older_than(most: int) -> ColumnElement[bool]:
    """Among the newest `most` stories: however few of them are meant for a reader, looking for
    those ends there."""
    return _above(_depth(most))


def _above(depth: _Depth) -> ColumnElement[bool]:
    at = func.coalesce(depth.at, literal(_BEGINNING, Story.published_at.type))
    key = func.coalesce(depth.id, literal(_NOWHERE, Story.id.type))
    return tuple_(Story.published_at, Story.id) >= tuple_(at, key)


def is_mine() -> ColumnElement[bool]:
    """Meant for a reader of the segments `mine`, a place in a statement that is built once."""
    return audiences.meant_for(Story.id, _MINE)


def _cards(*, by_id: bool = False) -> Select[Any]:
    """The cards of what a member of the segments `mine` may read `now`, in `language`, the last
    published first; `by_id` where they are named."""
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
        .where(is_shown(_NOW, by_id=by_id), is_mine())
        .order_by(Story.published_at.desc(), Story.id.desc())
    )  # fmt: skip


def _shelf(
    most: int,
    narrowed: Sequence[ColumnElement[bool]] = (),
    behind: Sequence[ColumnElement[bool]] = (),
) -> Select[Any]:
    """A part of the shelf, each row with the place at which looking through it ends."""
    depth = _depth(most, behind)
    return (
        _cards()
        .add_columns(depth.at.label("end_at"), depth.id.label("end_id"))
        .where(_above(depth), *behind, *narrowed)
        .limit(_MOST)
    )


_SHELF: Final = Reading(_shelf(LOOKED))
_CHOSEN: Final = Reading(_cards(by_id=True).where(Story.id.in_(bindparam("ids", expanding=True))))
_TOPIC_NAMES: Final = Reading(
    select(StoryTopic.story_id, name_read.label("name"))
    .join(Topic, Topic.id == StoryTopic.topic_id)
    .where(StoryTopic.story_id.in_(bindparam("ids", expanding=True)))
    .order_by(name_read)
)


def _as_cards(rows: Sequence[Any], reads: str) -> list[StoryCard]:
    topics = topic_names([row.id for row in rows], reads)
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


def topic_names(
    story_ids: Sequence[uuid.UUID], language: str | None = None
) -> dict[uuid.UUID, tuple[str, ...]]:
    """The topics of each story for a reader, in one read."""
    found: dict[uuid.UUID, tuple[str, ...]] = {}
    if not story_ids:
        return found
    for story_id, name in _TOPIC_NAMES.all({"ids": story_ids, READS: language}):
        found[story_id] = (*found.get(story_id, ()), name)
    return found


def shelf(
    filters: StoryFilter,
    language: str,
    after: str | None = None,
    limit: int = 24,
    *,
    mine: Collection[uuid.UUID] = (),
    reads: str = "",
) -> Cards:
    """What a member of the segments `mine` may read now, the last published first, in `language`
    where a story has it. Topics are named in the language `reads` where it is another. Raises
    `InvalidInput` for a cursor that is none.

    A narrowed list looks through `SEARCHED` stories, a whole one through `LOOKED`, and then
    hands out its cursor, so that a word nobody ever wrote, and a reader for whom hardly anything
    is meant, cost the same in a library of any size.
    """
    limit, narrowed = min(max(limit, 1), MAX_PAGE), _conditions(filters)
    behind = [beyond(after, (Story.published_at, Story.id))] if after else []
    most = SEARCHED if narrowed else LOOKED
    values = {"now": clock.now(), "language": language, "most": limit + 1, "mine": [*mine]}
    rows: Sequence[Any] = (
        db.session.execute(_shelf(most, narrowed, behind), values).all()
        if narrowed or behind
        else _SHELF.all(values)
    )
    cards = _as_cards(rows[:limit], reads or language)
    if len(rows) > limit:
        last = rows[limit - 1]
        return Cards(cards, encode_cursor(last.published_at, last.id))
    end = rows[0][-2:] if rows else db.session.execute(select(*_depth(most, behind))).one()
    return Cards(cards, encode_cursor(*end), True, most) if end[0] else Cards(cards, None)


def cards_of(
    ids: Sequence[uuid.UUID], language: str, *, mine: Collection[uuid.UUID] = ()
) -> list[StoryCard]:
    """The cards of some stories that a member of the segments `mine` may read now, in the order
    of their ids."""
    if not ids:
        return []
    values = {"now": clock.now(), "language": language, "ids": list(ids), "mine": [*mine]}
    rows = _CHOSEN.all(values)
    known = {card.id: card for card in _as_cards(rows, language)}
    return [known[story_id] for story_id in ids if story_id in known]


def latest(limit: int, language: str = "", *, mine: Collection[uuid.UUID] = ()) -> list[StoryCard]:
    """The last published stories for a member of the segments `mine`."""
    return shelf(StoryFilter(), language, limit=limit, mine=mine).items


def has_news(since: dt.datetime) -> bool:
    """Whether anything was published since then that somebody may read now."""
    found = select(Story.id).where(is_shown(clock.now()), Story.published_at > since)
    return db.session.scalar(found.limit(1)) is not None


def _talked_about() -> Any:
    newest = (
        select(Story.id)
        .where(is_shown(_NOW), is_mine(), no_older_than(LOOKED))
        .order_by(Story.published_at.desc(), Story.id.desc())
        .limit(_MOST)
        .subquery()
    )
    return (
        select(*_TOPIC, func.count().label("count"))
        .select_from(newest)
        .join(StoryTopic, StoryTopic.story_id == newest.c.id)
        .join(Topic, Topic.id == StoryTopic.topic_id)
        .group_by(Topic.id)
        .order_by(func.count().desc(), name_read)
        .limit(_FACETS)
    )


_TALK: Final = Reading(_talked_about())


def shown_topics(mine: Collection[uuid.UUID] = (), language: str | None = None) -> list[TopicRow]:
    """What the library talks about: the topics of the newest stories that a member of the
    segments `mine` may read now, in their `language`, the most frequent first. `count` is over those stories, not over
    all of them."""
    values = {"now": clock.now(), "most": _TALKED_ABOUT, "mine": [*mine], READS: language}
    return [TopicRow(*row) for row in _TALK.all(values)]


def topic_choices(language: str | None = None) -> list[tuple[str, str]]:
    """Code and name of every topic for a reader, by name."""
    query = select(Topic.code, name_read).order_by(name_read, Topic.id).limit(500)
    return [(code, name) for code, name in db.session.execute(query, {READS: language})]


def all_topics(within: Reach = None, language: str | None = None) -> list[TopicRow]:
    """Every topic for a reader, by name, with the number of its stories that are kept `within` a reach."""
    kept = audiences.kept_within(StoryTopic.story_id, within)
    query = (
        select(*_TOPIC, func.count(StoryTopic.story_id))
        .outerjoin(StoryTopic, and_(StoryTopic.topic_id == Topic.id, kept))
        .group_by(Topic.id)
        .order_by(name_read, Topic.id)
        .limit(500)
    )
    return [TopicRow(*row) for row in db.session.execute(query, {READS: language})]


# --- the studio --------------------------------------------------------------------------


def studio(
    filters: StoryFilter,
    viewer: Viewer,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Beside[StudioRow]:
    """The stories a writer may see, the last made first: those after one place of the list or
    before another; `filters.status` is one of `STATES`. Raises `InvalidInput` for a cursor that
    is none."""
    now = clock.now()
    query = (
        select(
            Story.id, Story.kind, _own.title, Story.networks, Person.name.label("author_name"),
            Story.status, Story.visible_from, Story.expires_at, Story.published_at,
            Story.updated_at, Story.picture_id, Story.created_at, Story.language,
        )
        .join(_own, and_(_own.story_id == Story.id, _own.language == Story.language))
        .outerjoin(Person, Person.id == Story.author_id)
        .where(_works_on(viewer), *_conditions(filters))
    )  # fmt: skip
    if filters.status in STATES:
        query = query.where(_in_state(filters.status, now))
    return beside(
        query,
        (Story.created_at, Story.id),
        lambda part: _as_rows(db.session.execute(part).all(), now, viewer.language),
        lambda row: encode_cursor(row.created_at, row.id),
        after=after,
        before=before,
        limit=min(max(limit, 1), MAX_PAGE),
    )


def _as_rows(rows: Sequence[Any], now: dt.datetime, language: str | None) -> list[StudioRow]:
    ids = [row.id for row in rows]
    topics, languages = topic_names(ids, language), _languages(ids)
    meant = audiences.assigned(ids, SEEN)
    return [
        StudioRow(
            id=row.id, kind=row.kind, title=row.title, topics=topics.get(row.id, ()),
            languages=own_first(languages[row.id], row.language),
            networks=tuple(row.networks), author_name=row.author_name,
            state=state_of(row.status, row.visible_from, row.expires_at, now),
            visible_from=row.visible_from, expires_at=row.expires_at,
            published_at=row.published_at, created_at=row.created_at, updated_at=row.updated_at,
            has_picture=row.picture_id is not None,
            audience=tuple(name for _id, name in meant.get(row.id, ())),
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
    """One story that this reader may see. Members see published ones that are meant for them
    from their hour on, also after their end and after a withdrawal. Raises `UnknownStory`."""
    return _one(story_id, or_(_works_on(viewer), _was_shown_to(viewer)))


def story_of_member(story_id: uuid.UUID, viewer: Viewer) -> Story:
    """The same for a page of members, where a role opens nothing more: what is meant for others
    is read in the studio. Raises `UnknownStory`."""
    return _one(story_id, _was_shown_to(viewer))


def story_of_team(story_id: uuid.UUID, viewer: Viewer) -> Story:
    """One story that this writer works on. Raises `UnknownStory`."""
    return _one(story_id, _works_on(viewer))


def _one(story_id: uuid.UUID, may: ColumnElement[bool]) -> Story:
    story = db.session.scalar(select(Story).where(Story.id == story_id, may))
    if story is None:
        raise UnknownStory
    return story


def _was_shown_to(viewer: Viewer) -> ColumnElement[bool]:
    return and_(_was_shown(clock.now()), audiences.meant_for(Story.id, viewer.segments))


def kept_among(
    story_ids: Collection[uuid.UUID], within: Collection[uuid.UUID] | None
) -> frozenset[uuid.UUID]:
    """Those of some stories that are kept within a reach, in one read."""
    if within is None:
        return frozenset(story_ids)
    if not story_ids or not within:
        return frozenset()
    kept = audiences.kept_within(Story.id, within)
    return frozenset(db.session.scalars(select(Story.id).where(Story.id.in_({*story_ids}), kept)))


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
) -> Beside[Story]:
    """Whole stories for a program, the last made first. Who is no writer
    gets what is meant for them and may be read now. Raises `InvalidInput` for a cursor that is none."""
    query = select(Story).where(_is_open_to(viewer, clock.now()), *_conditions(filters))
    if filters.status:
        query = query.where(Story.status == filters.status)
    limit = min(max(limit, 1), MAX_PAGE)
    return of_model(query, (Story.created_at, Story.id), after=after, limit=limit)
