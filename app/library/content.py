"""What a story says, and the check of what somebody wants it to say.

`read` takes what was typed or sent, lays it over what the story says so far and answers with
the whole new content, cleaned, or with every fault at its field. Names of faults follow the
names of fields: `title`, `captions.2`, `translations.en.title`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from flask_babel import lazy_gettext as _l

from app.config import LANGUAGES
from app.errors import InvalidInput, Sentence
from app.integrations.linkedin import little
from app.integrations.text import clean_text, fold, safe_url
from app.library.models import CAPTION_KINDS, KINDS, NETWORKS, Story

Fields = Mapping[str, object]
"""What was given, by field name; see `read`."""

LINES: Final = {"title": 200, "summary": 600, "alt": 400}
"""One-line texts, in characters."""
BODY_LIMIT: Final = 20_000
EVIDENCE_LIMIT: Final = 5_000
CAPTION_UNITS: Final = little.MAX_UNITS
"""UTF-16 units, as networks count."""
MAX_CAPTIONS: Final = 20
MAX_TOPICS: Final = 10
TOPIC_LIMIT: Final = 80
_URL_LIMIT: Final = 2_000


class Way(NamedTuple):
    """A way to begin: its kind and its words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A story in one language. `body` is Markdown, `alt` describes the picture."""

    title: str = ""
    summary: str = ""
    body: str = ""
    alt: str = ""

    def __bool__(self) -> bool:
        return bool(self.title or self.summary or self.body or self.alt)


@dataclass(frozen=True, slots=True)
class Content:
    """A whole story. `topics` are names; texts and captions are keyed by language."""

    kind: str = "article"
    language: str = LANGUAGES[0]
    url: str | None = None
    picture_id: uuid.UUID | None = None
    networks: tuple[str, ...] = ()
    is_commercial: bool = False
    evidence: str = ""
    visible_from: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    topics: tuple[str, ...] = ()
    texts: Mapping[str, Words] = field(default_factory=dict)
    captions: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)


def content_of(story: Story) -> Content:
    """What a stored story says; its topics by the names that they were given first."""
    captions: dict[str, tuple[Way, ...]] = {}
    for row in story.captions:
        captions[row.language] = (*captions.get(row.language, ()), Way(row.kind, row.text))
    return Content(
        kind=story.kind,
        language=story.language,
        url=story.url,
        picture_id=story.picture_id,
        networks=tuple(story.networks),
        is_commercial=story.is_commercial,
        evidence=story.evidence,
        visible_from=story.visible_from,
        expires_at=story.expires_at,
        topics=tuple(sorted(topic.name for topic in story.topics)),
        texts={t.language: Words(t.title, t.summary, t.body, t.alt) for t in story.texts},
        captions=captions,
    )


def topic_code(name: str) -> str:
    """The word a topic is recognised by, whatever its capitals and accents."""
    return "-".join(fold(name).split())[:60].strip("-")


# --- reading -----------------------------------------------------------------------------


class _Faults:
    """Gathers what is wrong, field by field; the first fault of a field is the one told."""

    def __init__(self) -> None:
        self.by_field: dict[str, Sentence] = {}

    def add(self, name: str, sentence: Sentence) -> None:
        self.by_field.setdefault(name, sentence)


def wrong(errors: Mapping[str, Sentence]) -> InvalidInput:
    """The answer to a story that cannot be taken as it is."""
    return InvalidInput(_l("Something in the form needs another look."), errors)


def unknown_picture() -> InvalidInput:
    """The answer to a picture that is not there."""
    return wrong({"picture": _no_picture()})


def _no_picture() -> Sentence:
    sentence: Sentence = _l("We do not have this picture. Please choose it again.")
    return sentence


def bad_address() -> Sentence:
    """What is said of an address that cannot be one."""
    sentence: Sentence = _l("Give a full address that starts with https://.")
    return sentence


def read(given: Fields, before: Content) -> Content:
    """The content these fields make of a story that said `before`. Raises `InvalidInput`.

    Known fields: `kind`, `language`, `title` (needed once), `summary`, `body`, `alt`, `url`,
    `picture_id`, `captions` (texts, or mappings of `text`, `kind`, `language`), `topics`
    (names), `networks`, `visible_from`, `expires_at` (aware times), `is_commercial`,
    `evidence`, and `translations`: by language the same texts and captions, or None to take
    that language away. Fields that are not given stay; unknown ones are passed over.
    """
    faults = _Faults()
    content = replace(
        before,
        kind=_choice(given, "kind", KINDS, before.kind, faults),
        language=_choice(given, "language", LANGUAGES, before.language, faults),
        url=_url(given, before.url, faults),
        picture_id=_picture_id(given, before.picture_id, faults),
        networks=_networks(given, before.networks, faults),
        is_commercial=_flag(given, "is_commercial", before.is_commercial, faults),
        evidence=_block(given, "evidence", EVIDENCE_LIMIT, before.evidence, "", faults),
        visible_from=_moment(given, "visible_from", before.visible_from, faults),
        expires_at=_moment(given, "expires_at", before.expires_at, faults),
        topics=_topics(given, before.topics, faults),
    )
    content = _with_texts(given, content, faults)
    _check_window(content, faults)
    _check_titles(content, faults)
    if faults.by_field:
        raise wrong(faults.by_field)
    return content


def _choice(given: Fields, name: str, among: Sequence[str], before: str, faults: _Faults) -> str:
    value = given.get(name)
    if value is None or value == "":
        return before
    if value not in among:
        faults.add(name, _l("Choose one of: %(choices)s.", choices=", ".join(among)))
        return before
    return str(value)


def _flag(given: Fields, name: str, before: bool, faults: _Faults) -> bool:
    value = given.get(name, before)
    if not isinstance(value, bool):
        faults.add(name, _l("Answer with yes or no."))
        return before
    return value


def _url(given: Fields, before: str | None, faults: _Faults) -> str | None:
    if "url" not in given:
        return before
    typed = given["url"]
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        return None
    found = safe_url(typed) if isinstance(typed, str) and len(typed) <= _URL_LIMIT else None
    if found is None:
        faults.add("url", bad_address())
    return found


def _picture_id(given: Fields, before: uuid.UUID | None, faults: _Faults) -> uuid.UUID | None:
    if "picture_id" not in given:
        return before
    value = given["picture_id"]
    try:
        return uuid.UUID(str(value)) if value else None
    except ValueError:
        faults.add("picture", _no_picture())
        return before


def _networks(given: Fields, before: tuple[str, ...], faults: _Faults) -> tuple[str, ...]:
    names = _names(given, "networks", faults)
    if names is None:
        return before
    if unknown := sorted(set(names) - set(NETWORKS)):
        faults.add("networks", _l("We know no network called %(name)s.", name=unknown[0][:40]))
    return tuple(network for network in NETWORKS if network in names)


def _topics(given: Fields, before: tuple[str, ...], faults: _Faults) -> tuple[str, ...]:
    names = _names(given, "topics", faults)
    if names is None:
        return before
    by_code: dict[str, str] = {}
    for typed in names:
        name = clean_text(typed, TOPIC_LIMIT + 1)
        if not name:
            continue
        if len(name) > TOPIC_LIMIT:
            faults.add("topics", _l("A topic has %(max)d characters at most.", max=TOPIC_LIMIT))
        if not topic_code(name):
            faults.add("topics", _l("A topic needs letters or digits."))
        by_code.setdefault(topic_code(name), name)
    if len(by_code) > MAX_TOPICS:
        faults.add("topics", _l("%(max)d topics at most.", max=MAX_TOPICS))
    return tuple(by_code.values())


def _names(given: Fields, name: str, faults: _Faults) -> list[str] | None:
    """A list of texts; None where it was not given."""
    if name not in given:
        return None
    value = given[name]
    if value is None:
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        faults.add(name, _l("Give a list of names."))
        return None
    return list(value)


def _moment(
    given: Fields, name: str, before: dt.datetime | None, faults: _Faults
) -> dt.datetime | None:
    value = given.get(name, before)
    if value is None:
        return None
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        faults.add(name, _l("Give a day and a time."))
        return before
    return value.astimezone(dt.UTC)


# --- texts -------------------------------------------------------------------------------


def _lines(text: str) -> str:
    """Several clean lines; the spaces that begin one stay, because Markdown reads them."""
    found = []
    for line in text.replace("\t", "    ").splitlines():
        indent = len(line) - len(line.lstrip(" "))
        found.append(" " * min(indent, 24) + clean_text(line, len(line) + 1))
    return "\n".join(line.rstrip() for line in found).strip("\n")


def _too_long(limit: int, length: int) -> Sentence:
    sentence: Sentence = _l("%(max)d characters at most; you wrote %(n)d.", max=limit, n=length)
    return sentence


def _text(given: Fields, name: str, where: str, faults: _Faults) -> str | None:
    """What was typed, '' for nothing, None where the field was not given or is no text."""
    if name not in given:
        return None
    value = given[name]
    if value is not None and not isinstance(value, str):
        faults.add(where + name, _l("Give a text here."))
        return None
    return value or ""


def _line(given: Fields, name: str, before: str, where: str, faults: _Faults) -> str:
    typed = _text(given, name, where, faults)
    if typed is None:
        return before
    value = clean_text(typed, len(typed) + 1)
    if len(value) > LINES[name]:
        faults.add(where + name, _too_long(LINES[name], len(value)))
    return value


def _block(given: Fields, name: str, limit: int, before: str, where: str, faults: _Faults) -> str:
    typed = _text(given, name, where, faults)
    if typed is None:
        return before
    if len(typed) > limit * 2:  # certainly too long, and not worth cleaning
        faults.add(where + name, _too_long(limit, len(typed)))
        return before
    value = _lines(typed)
    if len(value) > limit:
        faults.add(where + name, _too_long(limit, len(value)))
    return value


def _words(given: Fields, before: Words, where: str, faults: _Faults) -> Words:
    return Words(
        title=_line(given, "title", before.title, where, faults),
        summary=_line(given, "summary", before.summary, where, faults),
        body=_block(given, "body", BODY_LIMIT, before.body, where, faults),
        alt=_line(given, "alt", before.alt, where, faults),
    )


def _with_texts(given: Fields, content: Content, faults: _Faults) -> Content:
    """The texts and captions of every language, the story's own in the outer fields."""
    own, texts, captions = content.language, {**content.texts}, {**content.captions}
    fresh: dict[str, tuple[Way, ...]] = {}
    for language, fields in _translations(given, faults).items():
        where = f"translations.{language}."
        if fields is None:
            texts.pop(language, None)
            captions.pop(language, None)
            continue
        texts[language] = _words(fields, texts.get(language, Words()), where, faults)
        _add(fresh, _captions(fields, language, where, faults))
    texts[own] = _words(given, texts.get(own, Words()), "", faults)
    _add(fresh, _captions(given, own, "", faults))
    captions |= fresh
    kept = {code: words for code, words in texts.items() if words or code == own}
    for language in sorted(set(captions) - set(kept)):
        if captions[language]:
            faults.add(_at(content, language, "captions"), _no_text(language))
    ways = {code: found for code, found in captions.items() if found}
    return replace(content, texts=kept, captions=ways)


def _add(to: dict[str, tuple[Way, ...]], more: Mapping[str, tuple[Way, ...]]) -> None:
    """Captions of one language may come from its own fields and from the outer list."""
    for language, ways in more.items():
        to[language] = (*to.get(language, ()), *ways)


def _no_text(language: str) -> Sentence:
    sentence: Sentence = _l(
        "There is a caption in “%(language)s”, but no text of the story in that language.",
        language=language,
    )
    return sentence


def _translations(given: Fields, faults: _Faults) -> dict[str, Fields | None]:
    value = given.get("translations") or {}
    if not isinstance(value, Mapping):
        faults.add("translations", _l("Give the texts by language."))
        return {}
    found: dict[str, Fields | None] = {}
    for language, fields in value.items():
        if language not in LANGUAGES:
            said = _l("Choose one of: %(choices)s.", choices=", ".join(LANGUAGES))
            faults.add(f"translations.{str(language)[:20]}", said)
        elif fields is not None and not isinstance(fields, Mapping):
            faults.add(f"translations.{language}", _l("Give the texts by their names."))
        else:
            found[str(language)] = fields
    return found


def _captions(
    given: Fields, language: str, where: str, faults: _Faults
) -> dict[str, tuple[Way, ...]]:
    """The captions that were given, by language; empty ones fall away."""
    if "captions" not in given:
        return {}
    value = given["captions"] or []
    if not isinstance(value, list | tuple):
        faults.add(f"{where}captions", _l("Give a list of texts."))
        return {}
    found: dict[str, list[Way]] = {language: []}
    for at, item in enumerate(value):
        spoken, way = _caption(item, language, f"{where}captions.{at}", faults)
        if way.text:
            found.setdefault(spoken, []).append(way)
    if any(len(ways) > MAX_CAPTIONS for ways in found.values()):
        faults.add(f"{where}captions", _l("%(max)d captions at most.", max=MAX_CAPTIONS))
    return {code: tuple(ways) for code, ways in found.items()}


def _caption(item: object, language: str, where: str, faults: _Faults) -> tuple[str, Way]:
    """One caption: a text, or its text with a kind and a language."""
    fields: Fields = item if isinstance(item, Mapping) else {"text": item}
    typed = fields.get("text")
    kind, spoken = fields.get("kind") or CAPTION_KINDS[0], fields.get("language") or language
    if not isinstance(typed, str):
        faults.add(where, _l("Give a text here."))
        typed = ""
    if kind not in CAPTION_KINDS:
        faults.add(where, _l("Choose one of: %(choices)s.", choices=", ".join(CAPTION_KINDS)))
    if spoken not in LANGUAGES:
        faults.add(where, _l("Choose one of: %(choices)s.", choices=", ".join(LANGUAGES)))
        spoken = language
    text = little.clean(typed) if len(typed) <= 4 * CAPTION_UNITS else typed
    if little.units(text) > CAPTION_UNITS:
        faults.add(where, _too_long(CAPTION_UNITS, little.units(text)))
    return str(spoken), Way(str(kind), text)


# --- what only the whole tells ----------------------------------------------------------


def _check_window(content: Content, faults: _Faults) -> None:
    start, end = content.visible_from, content.expires_at
    if start is not None and end is not None and start >= end:
        faults.add("expires_at", _l("The end lies before the beginning."))


def _check_titles(content: Content, faults: _Faults) -> None:
    for language, words in content.texts.items():
        if not words.title:
            faults.add(_at(content, language, "title"), _l("Give the story a title."))


def _at(content: Content, language: str, name: str) -> str:
    """The name of a text's field."""
    return name if language == content.language else f"translations.{language}.{name}"


def check_publishable(content: Content, now: dt.datetime) -> None:
    """Refuse, field by field, what cannot be shown to members as it is: a story without
    anything behind its title, a picture without its words, a window that is over."""
    faults = _Faults()
    if content.expires_at is not None and content.expires_at <= now:
        faults.add("expires_at", _l("This day is over: nobody would see the story."))
    if content.picture_id is not None:
        for language in sorted(content.texts):
            if not content.texts[language].alt:
                sentence = _l("Say what the picture shows, for those who do not see it.")
                faults.add(_at(content, language, "alt"), sentence)
    if not _has_something(content):
        faults.add("body", _l("Give it something to read: a text, a picture or an address."))
    _check_titles(content, faults)
    if faults.by_field:
        raise wrong(faults.by_field)


def _has_something(content: Content) -> bool:
    own = content.texts.get(content.language, Words())
    return bool(
        content.url
        or content.picture_id
        or own.body
        or own.summary
        or content.captions.get(content.language)
    )


def search_text(content: Content) -> str:
    """The folded words by which lists find a story, in every language it has."""
    parts: list[str] = [*content.topics]
    for words in content.texts.values():
        parts += [words.title, words.summary, words.body[:5_000]]
    return fold(" ".join(parts))


def changed_names(before: Content, after: Content) -> Iterable[str]:
    """Which parts differ, for the audit."""
    names = Content.__dataclass_fields__
    return (name for name in names if getattr(before, name) != getattr(after, name))
