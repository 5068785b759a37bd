"""The stories of the demo: told on their day, seen in their window, some taken back."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from functools import partial

from sqlalchemy import select

from app import clock
from app.db import db
from app.demo.days import LIVED, Act, Calendar
from app.demo.people import id_of, members
from app.demo.pictures import Drawing, Easel
from app.demo.stories import STORIES, DemoStory, DemoText
from app.library import follows, topics
from app.library import service as library
from app.library.content import topic_code
from app.library.models import Story, StoryText
from app.people import segments_reach
from app.people.models import Segment
from app.people.segment_rules import parse
from app.people.segments_service import create_segment

CURATOR, SECOND_EYES = "ines", "nolwenn"
KEEPERS = {"Grenoble": "blandine.tissot"}
"""Who is a curator of what one site keeps, and of nothing else."""
TOPICS_IN_ENGLISH = {
    "Apprentissage": "Apprenticeship", "Atelier": "Workshop", "Chantiers": "Building sites",
    "Forêt et climat": "Forest and climate", "Métiers": "Trades", "Produits": "Products",
    "Recrutement": "Hiring", "Résultats": "Results", "Sécurité": "Safety",
    "Vie de la maison": "Life at Halvenne",
}  # fmt: skip
_PUBLISHED = ("published", "withdrawn")


def drawings() -> list[Drawing]:
    """What has to be drawn, in the order of its stories."""
    told = sorted(STORIES, key=lambda story: -story.days_ago)
    return [s.drawing for s in told if s.drawing is not None and story_id(s) is None]


def told_at(calendar: Calendar, story: DemoStory) -> dt.datetime:
    """When it came out."""
    return calendar.at(story.days_ago, 7, 45 + STORIES.index(story) % 15)


def acts(calendar: Calendar, easel: Easel) -> Iterator[Act]:
    """Each story on its day; members follow the topics they care for."""
    for story in STORIES:
        yield Act(told_at(calendar, story), partial(_tell, story, easel), alone=True)
        if story.status == "withdrawn":
            day = max(story.days_ago // 2, 0)
            yield Act(calendar.at(day, 16, 40), partial(_take_back, story))
    yield from _tastes(calendar)


def story_id(demo: DemoStory) -> uuid.UUID | None:
    """A story by its French title; None before it was told."""
    return db.session.scalar(
        select(Story.id)
        .join(StoryText, StoryText.story_id == Story.id)
        .where(StoryText.title == demo.fr.title)
        .limit(1)
    )


def _tell(demo: DemoStory, easel: Easel) -> None:
    made = story_id(demo) or library.create_story(_fields(demo, easel), id_of(CURATOR)).id
    _name_topics(demo)
    if demo.site in KEEPERS:
        keeper = id_of(KEEPERS[demo.site])
        segments_reach.give_role(keeper, "curator", _people_of(demo.site), actor_id=None)
    if demo.status in _PUBLISHED:
        library.publish_story(made, id_of(_publisher(demo)))


def _publisher(demo: DemoStory) -> str:
    """A sensitive topic wants a second pair of eyes."""
    codes = {topic_code(name) for name in demo.topics}
    return SECOND_EYES if codes & library.SENSITIVE_CODES else CURATOR


def _take_back(demo: DemoStory) -> None:
    found = story_id(demo)
    if found is not None:
        library.withdraw_story(found, id_of(CURATOR))


def _fields(demo: DemoStory, easel: Easel) -> dict[str, object]:
    fields: dict[str, object] = {
        "kind": demo.kind, "language": "fr", "url": demo.url, "topics": list(demo.topics),
        "is_commercial": demo.is_commercial, **_words(demo.fr),
        "translations": {"en": _words(demo.en)},
    }  # fmt: skip
    if demo.expires_in_days is not None:
        fields["expires_at"] = clock.now() + dt.timedelta(days=demo.expires_in_days)
    if demo.visible_in_days is not None:
        fields["visible_from"] = clock.now() + dt.timedelta(days=demo.visible_in_days)
    if demo.drawing is not None:
        fields["picture_id"] = easel.picture(demo.drawing)
    if demo.site:
        fields["audience"] = [str(_people_of(demo.site))]
        fields["keepers"] = fields["audience"] if demo.site in KEEPERS else []
    return fields


def _people_of(site: str) -> uuid.UUID:
    """The segment of everybody who works there, made on first use."""
    found = db.session.scalar(select(Segment.id).where(Segment.name == site))
    if found is not None:
        return found
    rule = parse({"match": "all", "conditions": [{"field": "site", "op": "is", "values": [site]}]})
    return create_segment(site, rule, actor_id=id_of(CURATOR))


def _words(text: DemoText) -> dict[str, object]:
    return {
        "title": text.title, "summary": text.summary, "body": text.body, "alt": text.alt,
        "captions": [{"kind": kind, "text": words} for kind, words in text.captions],
    }  # fmt: skip


# --- topics ------------------------------------------------------------------------------


def _name_topics(demo: DemoStory) -> None:
    """What each is called in English, from its first story on."""
    for name in demo.topics:
        topic, english = topics.find(db.session(), name), TOPICS_IN_ENGLISH[name]
        if topic is not None:
            topics.say_names(topic.id, language="fr", other_name=english, actor_id=id_of(CURATOR))


def _tastes(calendar: Calendar) -> Iterator[Act]:
    for demo in members():
        chance = random.Random(f"topics {demo.key}")  # nosec B311
        day = min((demo.joined or 0) - chance.randrange(4), LIVED - 60)
        known = sorted({t for s in STORIES if s.days_ago > day for t in s.topics})
        count = 2 if demo.is_named else chance.randrange(4)
        if day < 0 or (demo.left is not None and day <= demo.left):
            continue
        for name in chance.sample(known, min(count, len(known))):
            yield Act(calendar.at(day, 12, 5), partial(_follow, demo.key, name))


def _follow(key: str, name: str) -> None:
    follows.follow(id_of(key), topic_code(name))
