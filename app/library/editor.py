"""The editor's form: what it shows, and what a filled-in one means.

The form has one column for each language, the story's own first, and a fixed number of spare
rows for captions, so that it works without a script. Whatever was typed is shown again as it
was typed; `errors` are keyed by the names of the form's own fields.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from flask_babel import gettext as _
from flask_babel import pgettext
from werkzeug.datastructures import MultiDict

from app.config import LANGUAGES
from app.db import read_id
from app.errors import InvalidInput
from app.library.content import Content, Fields, Way
from app.library.models import CAPTION_KINDS, NETWORKS
from app.library.previews import Preview
from app.web import current_settings

SPARE: Final = 2
"""Empty rows for captions below those that are filled."""
MOST_ROWS: Final = 24
TEXTS: Final = ("title", "summary", "body", "alt")
_LOCAL: Final = "%Y-%m-%dT%H:%M"
_NOTHING: Final = Content()


@dataclass(slots=True)
class Typed:
    """The form as it stands: plain texts by field name, captions by language. `audience` and
    `keepers` are the segments that were ticked; None where nobody was asked."""

    values: dict[str, str]
    captions: dict[str, list[Way]]
    networks: list[str]
    language: str
    picture_id: uuid.UUID | None = None
    is_commercial: bool = False
    audience: list[str] | None = None
    keepers: list[str] | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def languages(self) -> list[str]:
        """The columns: the story's own language first."""
        return sorted(LANGUAGES, key=lambda code: code != self.language)

    def rows(self, language: str) -> list[Way]:
        """The captions of a column, with room for more."""
        ways = self.captions.get(language, [])
        return [*ways, *[Way(CAPTION_KINDS[0], "")] * SPARE][:MOST_ROWS]

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, said in error.errors.items():
            self.errors.setdefault(self._field(name), " ".join(str(s) for s in said))

    def _field(self, name: str) -> str:
        """The form's name for a field of the service: `translations.en.captions.2` is
        `caption_en_2`."""
        language, parts = self.language, name.split(".")
        if parts[0] == "translations" and len(parts) > 2:
            language, parts = parts[1], parts[2:]
        if parts[0] == "captions":
            return f"caption_{language}_{parts[1] if len(parts) > 1 else 0}"
        return f"{parts[0]}_{language}" if parts[0] in TEXTS else parts[0]

    def fill(self, preview: Preview) -> list[str]:
        """Put what a page says of itself into the empty fields; the names of those filled."""
        found = {"title": preview.title[:200], "summary": preview.description[:600]}
        filled = []
        for name, text in found.items():
            place = f"{name}_{self.language}"
            if text and not self.get(place).strip():
                self.values[place] = text
                filled.append(place)
        return filled


# --- times -------------------------------------------------------------------------------


def local(value: dt.datetime | None) -> str:
    """An instant as the form's inputs write it, in the organisation's zone."""
    return value.astimezone(current_settings().timezone).strftime(_LOCAL) if value else ""


def _instant(typed: str, before: dt.datetime | None) -> dt.datetime | str | None:
    """The instant meant; the text itself where it is none, for the service to refuse. What
    was shown and came back unchanged stays to the second."""
    typed = typed.strip()
    if not typed:
        return None
    if typed == local(before):
        return before
    try:
        found = dt.datetime.fromisoformat(typed)
    except ValueError:
        return typed
    return found if found.tzinfo else found.replace(tzinfo=current_settings().timezone)


# --- from a story, from a form -----------------------------------------------------------


def shown(content: Content) -> Typed:
    """The form for a story as it is stored."""
    values = {
        "kind": content.kind, "language": content.language, "url": content.url or "",
        "topics": ", ".join(content.topics), "evidence": content.evidence,
        "visible_from": local(content.visible_from), "expires_at": local(content.expires_at),
    }  # fmt: skip
    for language, words in content.texts.items():
        values |= {f"{name}_{language}": getattr(words, name) for name in TEXTS}
    return Typed(
        values=values,
        captions={code: list(ways) for code, ways in content.captions.items()},
        networks=list(content.networks),
        language=content.language,
        picture_id=content.picture_id,
        is_commercial=content.is_commercial,
    )


def typed(form: MultiDict[str, str]) -> Typed:
    """The form as it came back."""
    language = form.get("language", "")
    return Typed(
        values={name: value for name, value in form.items() if not name.startswith("caption")},
        captions={code: _typed_captions(form, code) for code in LANGUAGES},
        networks=[name for name in NETWORKS if name in form.getlist("networks")],
        language=language if language in LANGUAGES else current_settings().locale,
        picture_id=read_id(form.get("picture_id")),
        is_commercial="is_commercial" in form,
        audience=form.getlist("audience") if "audience" in form else None,
        keepers=form.getlist("keepers") if "keepers" in form else None,
    )


def _typed_captions(form: MultiDict[str, str], language: str) -> list[Way]:
    """The filled rows of a column; emptying a row takes the caption away."""
    found = []
    for at in range(MOST_ROWS):
        text = form.get(f"caption_{language}_{at}", "")
        if text.strip():
            kind = form.get(f"caption_kind_{language}_{at}") or CAPTION_KINDS[0]
            found.append(Way(kind, text))
    return found


def fields_of(form: Typed, before: Content = _NOTHING) -> Fields:
    """What the form means, as the service takes it."""
    fields: dict[str, object] = {
        "kind": form.get("kind"), "language": form.language, "url": form.get("url"),
        "picture_id": form.picture_id, "is_commercial": form.is_commercial,
        "networks": form.networks, "evidence": form.get("evidence"),
        "topics": form.get("topics").replace(";", ",").split(","),
        "visible_from": _instant(form.get("visible_from"), before.visible_from),
        "expires_at": _instant(form.get("expires_at"), before.expires_at),
        "audience": form.audience, "keepers": form.keepers,
        **_texts(form, form.language),
    }  # fmt: skip
    fields["translations"] = {
        code: _translation(form, code) for code in LANGUAGES if code != form.language
    }
    return fields


def _texts(form: Typed, language: str) -> dict[str, object]:
    texts: dict[str, object] = {name: form.get(f"{name}_{language}") for name in TEXTS}
    texts["captions"] = [
        {"text": way.text, "kind": way.kind} for way in form.captions.get(language, [])
    ]
    return texts


def _translation(form: Typed, language: str) -> Mapping[str, object] | None:
    """A column that was left empty, or emptied, is no translation."""
    texts = _texts(form, language)
    is_empty = not any(str(texts[name]).strip() for name in TEXTS) and not texts["captions"]
    return None if is_empty else texts


def labels() -> dict[str, str]:
    """The names of the fields in the order of the form, for the list of what needs another
    look."""
    texts = {
        "title": pgettext("story", "Title"), "summary": _("Summary"), "body": _("Text"),
        "alt": _("What the picture shows"),
    }  # fmt: skip
    found: dict[str, str] = {}
    for code in LANGUAGES:
        found |= {f"{name}_{code}": f"{label} ({code})" for name, label in texts.items()}
        for at in range(MOST_ROWS):
            found[f"caption_{code}_{at}"] = _("Caption %(n)d (%(code)s)", n=at + 1, code=code)
    return found | {
        "picture": _("Picture"), "url": _("Address"), "kind": _("Kind"),
        "language": _("Language of the story"), "topics": _("Topics"),
        "visible_from": _("Visible from"), "expires_at": _("Until"), "networks": _("Networks"),
        "audience": _("Whom it is meant for"), "keepers": _("Who keeps it"),
        "evidence": pgettext("story", "Evidence"),
    }  # fmt: skip
