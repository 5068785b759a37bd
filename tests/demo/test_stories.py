"""The stories of the demo: what a newcomer reads first, and the pictures they see."""

from __future__ import annotations

import io
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import pytest
from PIL import Image

from app import clock
from app.demo.data import ORGANISATION
from app.demo.drawings import DRAWINGS, SIZE, draw
from app.demo.indoors import FIGURES
from app.demo.stories import STORIES, DemoStory, DemoText
from app.demo.telling import TOPICS_IN_ENGLISH
from app.library import content as contents
from app.library.models import CAPTION_KINDS, KINDS

BRAND = ORGANISATION["brand"]
TOPICS = {
    "Apprentissage", "Atelier", "Chantiers", "Forêt et climat", "Métiers", "Produits",
    "Recrutement", "Résultats", "Sécurité", "Vie de la maison",
}  # fmt: skip
each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.key)
each_drawing = pytest.mark.parametrize("name", sorted(DRAWINGS))


def words(text: DemoText) -> Iterator[str]:
    yield from (text.title, text.summary, text.body, text.alt)
    yield from (caption for _kind, caption in text.captions)


def plain(text: DemoText) -> tuple[str, ...]:
    return (text.title, text.summary, text.body, text.alt)


def figures(body: str) -> list[str]:
    """Every number that is written in digits, in its order, without its separators."""
    return re.findall(r"\d+", re.sub(r"(?<=\d)[\u202f,.](?=\d)", "", body))


def fields_of(story: DemoStory) -> dict[str, object]:
    """What the library is given for a story, with a picture where it has a drawing."""

    def said(text: DemoText) -> dict[str, object]:
        captions = [{"kind": kind, "text": caption} for kind, caption in text.captions]
        return {
            "title": text.title, "summary": text.summary, "body": text.body, "alt": text.alt,
            "captions": captions,
        }  # fmt: skip

    return {
        "kind": story.kind, "language": "fr", "url": story.url, "topics": list(story.topics),
        "picture_id": uuid.uuid4() if story.drawing else None,
        "is_commercial": story.is_commercial, **said(story.fr),
        "translations": {"en": said(story.en)},
    }  # fmt: skip


# --- the shelf as a whole ----------------------------------------------------------------


def test_it_tells_forty_stories_each_under_its_own_key_and_title() -> None:
    assert len(STORIES) == 40
    assert len({story.key for story in STORIES}) == 40
    assert len({story.fr.title for story in STORIES}) == 40
    assert len({story.en.title for story in STORIES}) == 40


def test_it_never_draws_the_same_picture_twice() -> None:
    drawings = [story.drawing for story in STORIES if story.drawing]
    assert len(drawings) >= 36
    assert len({seed for _name, seed in drawings}) == len(drawings)


def test_it_shows_every_kind_of_story_every_drawing_and_every_topic() -> None:
    assert {story.kind for story in STORIES} == set(KINDS)
    assert {story.drawing[0] for story in STORIES if story.drawing} == set(DRAWINGS)
    assert {topic for story in STORIES for topic in story.topics} == TOPICS
    assert set(TOPICS_IN_ENGLISH) == TOPICS
    codes = {contents.topic_code(name) for name in TOPICS_IN_ENGLISH.values()}
    assert len(codes - {""}) == len(TOPICS)


def test_it_covers_a_quarter_with_more_in_the_last_three_weeks() -> None:
    days = [story.days_ago for story in STORIES]
    assert min(days) == 0
    assert 90 <= max(days) <= 95
    assert sum(day <= 21 for day in days) > len(days) / 2
    assert sum(day > 21 for day in days) >= 10


def test_it_has_stories_in_every_state() -> None:
    def days_left(story: DemoStory) -> int | None:
        return None if story.expires_in_days is None else story.expires_in_days - story.days_ago

    waits = [(story.visible_in_days or 0) - story.days_ago for story in STORIES]
    left = [days for days in map(days_left, STORIES) if days is not None]
    assert Counter(story.status for story in STORIES) == {
        "published": 36, "draft": 3, "withdrawn": 1,
    }  # fmt: skip
    assert sorted(wait for wait in waits if wait > 0) == [2, 5, 10]
    assert sum(0 < days <= 10 for days in left) == 3
    assert sum(days <= 0 for days in left) == 3
    assert sum(story.is_commercial for story in STORIES) == 3


# --- each story --------------------------------------------------------------------------


@each_story
def test_the_library_takes_a_story_as_it_is(story: DemoStory) -> None:
    content = contents.read(fields_of(story), contents.Content(language="fr"))
    if story.status != "draft":
        contents.check_publishable(content, clock.now())
    assert content.texts["fr"].title == story.fr.title  # nothing is lost in cleaning
    assert content.texts["fr"].body == story.fr.body
    assert len(content.captions.get("fr", ())) == len(story.fr.captions)
    assert content.texts["en"].title == story.en.title
    assert content.texts["en"].body == story.en.body


@each_story
def test_it_says_the_same_in_both_languages(story: DemoStory) -> None:
    """Each text in words of its own, as many paragraphs, and the same figures."""
    for french, english in zip(plain(story.fr), plain(story.en), strict=True):
        assert bool(french) == bool(english)
        assert french != english or not french
        assert french.count("\n\n") == english.count("\n\n")
    assert bool(story.fr.captions) == bool(story.en.captions)
    assert figures(story.fr.body) == figures(story.en.body)


@each_story
def test_a_drawing_is_described_in_each_language(story: DemoStory) -> None:
    for text in (story.fr, story.en):
        assert bool(text.alt) == bool(story.drawing)


@each_story
def test_captions_are_short_and_each_of_its_own_kind(story: DemoStory) -> None:
    for text in (story.fr, story.en):
        kinds = [kind for kind, _words in text.captions]
        assert len(kinds) == len(set(kinds)) <= len(CAPTION_KINDS)
        assert set(kinds) <= set(CAPTION_KINDS)
        assert all(len(caption) <= 280 for _kind, caption in text.captions)


@each_story
def test_french_is_set_as_the_french_set_it(story: DemoStory) -> None:
    """A no-break space before ; : ! ? » % and after «, curly apostrophes, digits in threes."""
    for text in words(story.fr):
        assert not re.search(r"[^\u202f][;!?»%]", text), text
        assert not re.search(r"[^\u00a0]:", text), text
        assert not re.search(r"«[^\u202f]", text), text
        assert not re.search(r"['\"“”]|\.\.\.|  ", text), text
        assert not re.search(r"\d \d", text), text


@each_story
def test_english_is_set_as_the_english_set_it(story: DemoStory) -> None:
    for text in words(story.en):
        assert not re.search(r"\s[;:!?%]", text), text
        assert not re.search(r"['\"«»]|\.\.\.|  ", text), text


@each_story
def test_a_story_speaks_without_shouting(story: DemoStory) -> None:
    for text in (story.fr, story.en):
        assert not any("!" in sentence for sentence in words(text))


@each_story
def test_a_picture_of_figures_shows_those_of_its_story(story: DemoStory) -> None:
    if story.drawing is None or story.drawing[0] not in ("boards", "pile"):
        return
    shown = FIGURES[story.drawing[1]]
    for text in (story.fr, story.en):
        told = {int(found) for found in re.findall(r"\d+", text.title + text.body)}
        assert set(shown) <= told


# --- the pictures ------------------------------------------------------------------------


def opened(name: str, seed: int) -> Image.Image:
    image = Image.open(io.BytesIO(draw(name, BRAND, seed)))
    image.load()
    return image


@each_drawing
def test_a_drawing_has_its_size_and_is_the_same_at_each_start(name: str) -> None:
    image = opened(name, 7)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", SIZE)
    assert draw(name, BRAND, 7) == draw(name, BRAND, 7)


@each_drawing
def test_a_drawing_differs_by_its_seed(name: str) -> None:
    small = [opened(name, seed).resize((64, 40)).tobytes() for seed in range(6)]
    for one, other in combinations(small, 2):
        far = sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
        assert far > 3  # of 255, all over the picture: seen at a glance


@each_drawing
def test_a_drawing_wears_the_colours_of_the_organisation(name: str) -> None:
    assert draw(name, "#1d4ed8", 4) != draw(name, BRAND, 4)


@pytest.mark.parametrize("story", [s for s in STORIES if s.drawing], ids=lambda s: s.key)
def test_what_matters_survives_the_square_crop(story: DemoStory) -> None:
    """The inner square holds at least four inks that cover something."""
    name, seed = story.drawing or ("", 0)
    square = (
        opened(name, seed).crop((300, 0, 1300, 1000)).resize((100, 100), Image.Resampling.NEAREST)
    )
    colours = square.getcolors(10_000) or []
    assert sum(count >= 50 for count, _ink in colours) >= 4
