"""What stands in the composer's form: read as it came, never lost."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flask_babel import lazy_gettext as _l

from app.db import new_id, read_id
from app.errors import InvalidInput
from app.integrations.linkedin import little
from app.sharing import disclosures
from app.sharing.models import Share
from app.sharing.service import Wish
from app.sharing.words import CHECK_FORM

BLANK, ASIDE = "blank", "aside"
NOW, FREE, CHOSEN = "now", "free", "at"
MOST_SIGNS: Final = 30_000
"""Read no further when composing: ten times what any network takes."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The form. `start` names the way to begin that was chosen, `aside` what the member had
    written before choosing it; `free_at` is the free moment that was on the page; `is_sure`
    answers the question about leaving out where one speaks from."""

    story_id: uuid.UUID | None = None
    offer_id: uuid.UUID | None = None
    language: str | None = None
    words: str = ""
    start: str = ""
    aside: str = ""
    disclosure: str = ""
    disclosure_words: str = ""
    is_sure: bool = False
    when: str = NOW
    free_at: dt.datetime | None = None
    at: str = ""
    press_id: uuid.UUID = field(default_factory=new_id)

    @property
    def caption_id(self) -> uuid.UUID | None:
        """The caption the words began with, if one was."""
        return read_id(self.start)


def _instant(value: str | None) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo else None


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n")


def read(form: Mapping[str, str]) -> Typed:
    """The form as it came back. Unknown choices become the usual ones."""
    story_id, when = read_id(form.get("story_id")), form.get("when", NOW)
    return Typed(
        story_id=story_id,
        offer_id=read_id(form.get("offer_id")) if story_id is None else None,
        language=form.get("language", "")[:5] or None,
        words=_text(form, "words"),
        start=form.get("start", "")[:40],
        aside=_text(form, "aside"),
        disclosure=form.get("disclosure", "")[:40],
        disclosure_words=little.clean(form.get("disclosure_words", ""))[:1000],
        is_sure=form.get("confirm_none") == "1",
        when=when if when in (NOW, FREE, CHOSEN) else NOW,
        free_at=_instant(form.get("free_at")),
        at=form.get("at", "")[:40],
        press_id=read_id(form.get("press_id")) or new_id(),
    )


def of_share(share: Share) -> Typed:
    """The form filled with the words of a draft, or of a post that is written again."""
    is_own = share.disclosure == disclosures.OWN
    return Typed(
        words=share.words,
        disclosure=share.disclosure,
        disclosure_words=share.disclosure_text if is_own else "",
    )


def begin(typed: Typed, value: str, texts: Mapping[str, str]) -> Typed:
    """Another way to begin. What the member had written themselves is set aside, one press
    away; `texts` are the offered beginnings by value."""
    offered = {little.clean(text) for text in texts.values()}
    words = little.clean(typed.words)
    aside = typed.words if words and words not in offered else typed.aside
    if value == ASIDE:
        return replace(typed, words=aside, start=ASIDE, aside="")
    return replace(typed, words=texts.get(value, ""), start=value, aside=aside)


# --- what it asks for --------------------------------------------------------------------


def moment_of(typed: Typed, zone: dt.tzinfo) -> dt.datetime | None:
    """The moment chosen; None is now. Raises `InvalidInput` for a moment that is none."""
    if typed.when == NOW:
        return None
    if typed.when == FREE and typed.free_at is not None:
        return typed.free_at
    return read_moment(typed.at, zone)


def read_moment(text: str, zone: dt.tzinfo) -> dt.datetime:
    """A moment typed on the organisation's wall clock. Raises `InvalidInput`."""
    try:
        found = dt.datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        sentence = _l("Say a day and an hour.")
        raise InvalidInput(CHECK_FORM, {"publish_at": sentence}) from None


def wish_of(
    person_id: uuid.UUID, typed: Typed, network: str, publish_at: dt.datetime | None
) -> Wish:
    """The press. Its identifier follows from who presses what: the same form sent twice is one
    press, the same form changed and sent again is another."""
    words = typed.words[:MOST_SIGNS]
    pressed = (person_id, network, words, typed.disclosure, typed.disclosure_words, publish_at)
    content = "\x1f".join(map(str, pressed))
    return Wish(
        story_id=typed.story_id,
        offer_id=typed.offer_id,
        network=network,
        words=words,
        disclosure=typed.disclosure or None,
        disclosure_words=typed.disclosure_words,
        publish_at=publish_at,
        language=typed.language,
        caption_id=typed.caption_id,
        id=uuid.uuid5(typed.press_id, content),
    )
