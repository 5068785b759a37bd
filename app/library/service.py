"""Writing, publishing and withdrawing stories, whoever asks: a form, a program, the demo.

A contributor creates stories and changes their own drafts; curators and administrators do
the rest. A role that was given for segments reaches the stories these keep, and what it creates
is kept by them and meant for them; what lies outside does not exist for it. A story on a
sensitive topic is published, and changed once it is public, by somebody other than its author
(rule L4 of our notes on the law). What became public, was taken back or was changed is told
once, in the transaction that made it so
(`story.published`, `story.withdrawn`, `story.changed`, `story.audience_changed`, with
`story_id`).
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput
from app.integrations.text import fold
from app.library import content as contents
from app.library import topics
from app.library.content import Content, Fields, Words, content_of, topic_code
from app.library.errors import (
    NotYours,
    SecondApprovalNeeded,
    StoryChanged,
    StoryIsPublic,
    UnknownStory,
)
from app.library.material import target_changed
from app.library.models import Caption, Story, StoryText, Topic
from app.media.models import Picture
from app.people import audiences, segments_reach
from app.people.audiences import KEPT, SEEN
from app.web import current_settings
from app.web.pressing import once

WRITERS: Final = frozenset({"contributor", "curator", "admin"})
CURATORS: Final = frozenset({"curator", "admin"})
SENSITIVE_CODES: Final = frozenset([
    "alcool", "alcohol", "bourse", "elections", "finance", "finances", "gambling", "health",
    "jeux-d-argent", "juridique", "legal", "politics", "politique", "restructuration",
    "restructuring", "resultats", "results", "sante",
])  # fmt: skip
"""Topics that begin as sensitive; an administrator decides afterwards."""

_SLUG_WORDS: Final = 72
_SLUG_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"})
_TAIL_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


# --- who may -----------------------------------------------------------------------------


Within = frozenset[uuid.UUID] | None
"""How far a role goes: None for everywhere, else the segments it was given for."""


@dataclass(frozen=True, slots=True)
class Rights:
    """How far somebody goes as a curator, and as a writer of any kind."""

    curates: Within
    writes: Within


def rights_of(actor_id: uuid.UUID | None) -> Rights:
    """What the actor may do; the product itself (None) may do everything."""
    if actor_id is None:
        return Rights(None, None)
    return Rights(
        segments_reach.reach_of(actor_id, CURATORS), segments_reach.reach_of(actor_id, WRITERS)
    )


def may_change(story: Story, actor_id: uuid.UUID | None) -> bool:
    """Curators change every story within their reach, contributors their own drafts."""
    rights = rights_of(actor_id)
    if audiences.is_kept_within(story.id, rights.curates):
        return True
    is_own_draft = story.author_id == actor_id and story.status == "draft"
    return is_own_draft and audiences.is_kept_within(story.id, rights.writes)


def may_publish(story: Story, actor_id: uuid.UUID | None) -> bool:
    """Curators publish and withdraw every story within their reach."""
    return audiences.is_kept_within(story.id, rights_of(actor_id).curates)


def check_may_change(story_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Refuse early, before something large is taken in. Raises `NotYours`, `UnknownStory`."""
    story = db.session.get(Story, story_id)
    if story is None:
        raise UnknownStory
    _check_may_change(story, actor_id)


def _check_may_change(story: Story, actor_id: uuid.UUID | None) -> None:
    if not may_change(story, actor_id):
        raise _refusal(story, actor_id)


def _check_may_publish(story: Story, actor_id: uuid.UUID | None) -> None:
    if not may_publish(story, actor_id):
        raise _refusal(story, actor_id)


def _refusal(story: Story, actor_id: uuid.UUID | None) -> NotYours | UnknownStory:
    """What lies outside the reach of a limited role is answered as what does not exist."""
    within = rights_of(actor_id).writes
    is_outside = bool(within) and not audiences.is_kept_within(story.id, within)
    return UnknownStory() if is_outside else NotYours()


def _check_second_eyes(story: Story, actor_id: uuid.UUID | None) -> None:
    """A sensitive story never becomes public, or other than it was, by its author alone."""
    is_sensitive = any(topic.is_sensitive for topic in story.topics)
    if is_sensitive and actor_id is not None and actor_id == story.author_id:
        raise SecondApprovalNeeded


# --- use cases ---------------------------------------------------------------------------


def create_story(
    fields: Fields, actor_id: uuid.UUID | None, *, id_: uuid.UUID | None = None
) -> Story:
    """A new draft. Its language is the organisation's unless the fields say another.

    Besides what `content.read` knows, `audience` names the segments it is meant for and, from
    curators of the whole organisation, `keepers` those that keep it: identifiers as texts.
    What was made under `id_` before is the answer. Raises `InvalidInput` by field, `NotYours`.
    """
    return once(Story, id_, lambda made: _create(made, fields, actor_id))


def _create(id_: uuid.UUID, fields: Fields, actor_id: uuid.UUID | None) -> Story:
    before = Content(language=current_settings().locale)
    with transaction() as session:
        rights = rights_of(actor_id)
        if rights.writes is not None and not rights.writes:
            raise NotYours
        content = _settled(session, contents.read(fields, before))
        title = content.texts[content.language].title
        story = Story(id=id_, slug=_make_slug(title), author_id=actor_id, status="draft", version=1)
        _write(session, story, content)
        session.add(story)
        session.flush()
        _say_segments(session, story, fields, rights)
        audit.record("story.created", "story", story.id, actor_id=actor_id)
    return story


def change_story(
    story_id: uuid.UUID, fields: Fields, actor_id: uuid.UUID | None, version: int | None = None
) -> Story:
    """Change the given fields and no others. A public story stays publishable throughout. A
    limited role changes the part of the audience that it reaches.

    `version` is the one the writer saw; None for a writer who saw none. Raises
    `InvalidInput` by field, `StoryChanged`, `NotYours`, `SecondApprovalNeeded`,
    `UnknownStory`.
    """
    with transaction() as session:
        story = load(story_id)
        _check_may_change(story, actor_id)
        if version is not None and version != story.version:
            raise StoryChanged
        before = content_of(story)
        after = _settled(session, contents.read(fields, before))
        moved = _change_segments(session, story, fields, rights_of(actor_id))
        if after == before and not moved:
            return story
        if story.status == "published":
            contents.check_publishable(after, clock.now())
            _check_second_eyes(story, actor_id)
        _write(session, story, after)
        session.flush()
        if story.status == "published":
            _check_second_eyes(story, actor_id)
        _touch(story)
        names = ",".join([*contents.changed_names(before, after), *moved])
        audit.record("story.changed", "story", story.id, actor_id=actor_id, fields=names)
        outbox.record("story.changed", story_id=str(story.id))
        if "audience" in moved:
            outbox.record("story.audience_changed", story_id=str(story.id))
        if after.url != before.url:
            target_changed()
    return story


def publish_story(story_id: uuid.UUID, actor_id: uuid.UUID | None) -> Story:
    """Show it to members, from `visible_from` on. A published one stays as it is.

    Raises `InvalidInput` by field, `NotYours`, `SecondApprovalNeeded`, `UnknownStory`.
    """
    with transaction():
        story = load(story_id)
        _check_may_publish(story, actor_id)
        if story.status == "published":
            return story
        _check_second_eyes(story, actor_id)
        contents.check_publishable(content_of(story), clock.now())
        story.status, story.published_at, story.published_by = "published", clock.now(), actor_id
        story.withdrawn_at = None
        _touch(story)
        audit.record("story.published", "story", story.id, actor_id=actor_id)
        outbox.record("story.published", story_id=str(story.id))
    return story


def withdraw_story(story_id: uuid.UUID, actor_id: uuid.UUID | None) -> Story:
    """Take a published story back: its page says so, nobody can share it any more. One that
    was withdrawn stays as it is. Raises `NotYours`, `UnknownStory` (a draft, too)."""
    with transaction():
        story = load(story_id)
        _check_may_publish(story, actor_id)
        if story.status == "withdrawn":
            return story
        if story.status != "published":
            raise UnknownStory
        story.status, story.withdrawn_at = "withdrawn", clock.now()
        _touch(story)
        audit.record("story.withdrawn", "story", story.id, actor_id=actor_id)
        outbox.record("story.withdrawn", story_id=str(story.id))
        target_changed()
    return story


def discard(story_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Throw a draft away for good. Raises `NotYours`, `StoryIsPublic`, `UnknownStory`."""
    with transaction() as session:
        story = load(story_id)
        if story.status != "draft":
            refused = _refusal(story, actor_id)
            raise refused if isinstance(refused, UnknownStory) else StoryIsPublic
        _check_may_change(story, actor_id)
        audit.record("story.discarded", "story", story.id, actor_id=actor_id)
        audiences.forget(session, story.id)
        session.delete(story)


def set_sensitive(topic_id: uuid.UUID, is_sensitive: bool, actor_id: uuid.UUID | None) -> None:
    """Whether stories on this topic need a second pair of eyes. Raises `UnknownStory` where
    there is no such topic."""
    with transaction() as session:
        topic = session.get(Topic, topic_id, with_for_update=True)
        if topic is None:
            raise UnknownStory
        if topic.is_sensitive is is_sensitive:
            return
        topic.is_sensitive = is_sensitive
        action = "topic.sensitive" if is_sensitive else "topic.ordinary"
        audit.record(action, "topic", topic.id, actor_id=actor_id)


def load(story_id: uuid.UUID) -> Story:
    """One story, locked for the rest of the transaction. Raises `UnknownStory`."""
    story = db.session.get(Story, story_id, with_for_update=True, populate_existing=True)
    if story is None:
        raise UnknownStory
    return story


# --- whom it is meant for, and who keeps it ----------------------------------------------


def _say_segments(session: Session, story: Story, fields: Fields, rights: Rights) -> None:
    """What a limited role creates is kept by the segments it is meant for: its own."""
    seen = audiences.chosen(
        _given(fields, "audience") or (), field="audience", within=rights.writes
    )
    kept: Collection[uuid.UUID] = seen if rights.writes is not None else ()
    if rights.curates is None:
        kept = audiences.chosen(_given(fields, "keepers") or (), field="keepers")
    audiences.assign(session, story.id, SEEN, seen)
    audiences.assign(session, story.id, KEPT, kept)


def _change_segments(session: Session, story: Story, fields: Fields, rights: Rights) -> list[str]:
    """Which of the two changed; neither where it was not given."""
    within = rights.curates
    if not audiences.is_kept_within(story.id, within):  # a contributor's own draft
        within = rights.writes
    moved = []
    for name, purpose, limits in (("audience", SEEN, within), ("keepers", KEPT, None)):
        texts = _given(fields, name)
        if texts is None or (name == "keepers" and rights.curates is not None):
            continue
        before = audiences.ids_of(story.id, purpose)
        after = audiences.chosen(texts, field=name, within=limits, before=before)
        if audiences.assign(session, story.id, purpose, after):
            moved.append(name)
    return moved


def _given(fields: Fields, name: str) -> Sequence[str] | None:
    """A list of identifiers; None where it was not given."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(_l("Please check the form."), {name: _l("Choose one of the segments.")})
    return value


# --- storing -----------------------------------------------------------------------------


def _touch(story: Story) -> None:
    story.version += 1
    story.updated_at = clock.now()


def _settled(session: Session, content: Content) -> Content:
    """The same with the topics that exist as they are named."""
    return replace(content, topics=topics.settled(session, content.topics))


def _write(session: Session, story: Story, content: Content) -> None:
    """Make the rows say what the content says."""
    _check_picture(session, content.picture_id)
    story.kind, story.language, story.url = content.kind, content.language, content.url
    story.picture_id, story.networks = content.picture_id, list(content.networks)
    story.is_commercial, story.evidence = content.is_commercial, content.evidence
    story.visible_from, story.expires_at = content.visible_from, content.expires_at
    story.topics = [_topic(session, name) for name in content.topics]
    story.search_text = contents.search_text(content)
    _write_texts(story, content)
    if _captions_of(story) != content.captions:
        _write_captions(story, content)


def _check_picture(session: Session, picture_id: uuid.UUID | None) -> None:
    if picture_id is not None and session.get(Picture, picture_id) is None:
        raise contents.unknown_picture()


def _write_texts(story: Story, content: Content) -> None:
    rows = {row.language: row for row in story.texts}
    for language, words in content.texts.items():
        row = rows.pop(language, None)
        if row is None:
            story.texts.append(_text_row(language, words))
        else:
            row.title, row.summary, row.body, row.alt = (
                words.title, words.summary, words.body, words.alt,
            )  # fmt: skip
    for row in rows.values():
        story.texts.remove(row)


def _text_row(language: str, words: Words) -> StoryText:
    return StoryText(
        language=language, title=words.title, summary=words.summary, body=words.body, alt=words.alt
    )


def _captions_of(story: Story) -> object:
    return content_of(story).captions


def _write_captions(story: Story, content: Content) -> None:
    """What is worded as before keeps its row: those who were shown it are remembered by it."""
    known = {(row.language, row.text): row for row in story.captions}
    kept: list[Caption] = []
    for language in sorted(content.captions):
        for at, way in enumerate(content.captions[language]):
            row = known.pop((language, way.text), None) or Caption(language=language, text=way.text)
            row.kind, row.position = way.kind, at
            kept.append(row)
    story.captions = kept


def _topic(session: Session, name: str) -> Topic:
    """The topic of that name, made on first use. Two writers at once make one."""
    found = topics.find(session, name)
    if found is not None:
        return found
    code = topic_code(name)
    topic = Topic(code=code, name=name, is_sensitive=code in SENSITIVE_CODES)
    try:
        with session.begin_nested():
            session.add(topic)
            session.flush()
    except IntegrityError:
        return session.scalars(select(Topic).where(Topic.code == code)).one()
    return topic


def _make_slug(title: str) -> str:
    """A readable, unique address of at most 80 characters, made once and kept for ever."""
    words = re.sub(r"[^a-z0-9]+", "-", fold(title).translate(_SLUG_LETTERS)).strip("-")
    if len(words) > _SLUG_WORDS:
        words = words[:_SLUG_WORDS].rsplit("-", 1)[0].strip("-") or words[:_SLUG_WORDS]
    tail = "".join(secrets.choice(_TAIL_LETTERS) for _ in range(7))
    return f"{words or 'recit'}-{tail}"
