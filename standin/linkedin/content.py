"""The forms of `content` in a post and their limits (reference, section 5.1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from standin.linkedin import media
from standin.linkedin.little import units
from standin.linkedin.rest import Caller, check_urn
from standin.linkedin.wire import Json, refuse_input

TITLE_UNITS = 400
ALT_TEXT_UNITS = 4_086
_POLL_DAYS = ("ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS")


def check(caller: Caller, content: object) -> Json | None:
    """The content as kept with the post, `kind` first; None for a text. 400 by field otherwise."""
    if content is None:
        return None
    given = _object(content, "/content")
    if len(given) != 1:
        wrong("/content", f"exactly one of {', '.join(_FORMS)} is expected")
    ((name, value),) = given.items()
    if name not in _FORMS:
        wrong("/content", f"one of {', '.join(_FORMS)} is expected, not {name}")
    return _FORMS[name](caller, _object(value, f"/content/{name}"))


def media_in(content: Json | None) -> list[str]:
    """The URNs of media that a checked content shows."""
    if content is None:
        return []
    single = [content.get(name) for name in ("thumbnail", "image", "video", "document")]
    return [urn for urn in [*single, *(i["urn"] for i in content.get("images", []))] if urn]


def wrong(path: str, description: str) -> NoReturn:
    """400 `INVALID_VALUE_FOR_FIELD`."""
    refuse_input("INVALID_VALUE_FOR_FIELD", path, description)


def text(
    given: Mapping[str, object], name: str, path: str, limit: int | None, *, needed: bool = False
) -> str | None:
    """The text under `name`, at most `limit` UTF-16 units; 400 by field otherwise."""
    value = given.get(name)
    where = f"{path}/{name}"
    if value is None:
        if needed:
            refuse_input("MISSING_FIELD", where, "the field is required")
        return None
    if not isinstance(value, str) or not is_sound(value):
        wrong(where, "a text is expected")
    if needed and not value.strip():
        refuse_input("INVALID_VALUE_BLANK_FIELD", where, "the field must not be blank")
    if limit is not None and units(value) > limit:
        refuse_input("FIELD_LENGTH_TOO_LONG", where, f"at most {limit} are allowed")
    return value


def is_sound(value: str) -> bool:
    """Whether a text is Unicode throughout: half a surrogate pair is not."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _article(caller: Caller, given: Json) -> Json:
    """LinkedIn does not fetch the address: what is given is what is shown."""
    path = "/content/article"
    _only(given, path, "source", "title", "description", "thumbnail", "thumbnailAltText")
    source = text(given, "source", path, None, needed=True) or ""
    if not is_web_address(source):
        wrong(f"{path}/source", "an absolute http or https address is expected")
    thumbnail = given.get("thumbnail")
    if thumbnail is not None:
        thumbnail = _uploaded(caller, thumbnail, f"{path}/thumbnail", ("image",))["urn"]
    return {
        "kind": "article",
        "source": source,
        "title": text(given, "title", path, TITLE_UNITS, needed=True),
        "description": text(given, "description", path, None),
        "thumbnail": thumbnail,
    }


def _media(caller: Caller, given: Json) -> Json:
    path = "/content/media"
    row = _uploaded(caller, given.get("id"), f"{path}/id", ("image", "video", "document"))
    kind = str(row["kind"])
    if kind == "image":
        _only(given, path, "id", "altText")  # a single image takes no title
        alt_text = text(given, "altText", path, ALT_TEXT_UNITS)
        return {"kind": "image", "image": row["urn"], "alt_text": alt_text}
    _only(given, path, "id", "title")
    title = text(given, "title", path, TITLE_UNITS, needed=kind == "document")
    return {"kind": kind, kind: row["urn"], "title": title}


def _multi_image(caller: Caller, given: Json) -> Json:
    path = "/content/multiImage"
    _only(given, path, "images")
    images = given.get("images")
    if not isinstance(images, list) or not 2 <= len(images) <= 20:
        wrong(f"{path}/images", "2 to 20 images are expected")
    return {
        "kind": "images",
        "images": [_one_of(caller, i, f"{path}/images/{n}") for n, i in enumerate(images)],
    }


def _one_of(caller: Caller, given: object, path: str) -> Json:
    image = _object(given, path)
    _only(image, path, "id", "altText")
    row = _uploaded(caller, image.get("id"), f"{path}/id", ("image",))
    return {"urn": row["urn"], "alt_text": text(image, "altText", path, ALT_TEXT_UNITS)}


def _poll(caller: Caller, given: Json) -> Json:
    path = "/content/poll"
    _only(given, path, "question", "options", "settings")
    options, settings = given.get("options"), given.get("settings")
    if not isinstance(options, list) or not 2 <= len(options) <= 4:
        wrong(f"{path}/options", "2 to 4 options are expected")
    if not isinstance(settings, dict) or settings.get("duration") not in _POLL_DAYS:
        wrong(f"{path}/settings/duration", f"one of {', '.join(_POLL_DAYS)} is expected")
    return {
        "kind": "poll",
        "question": text(given, "question", path, 140, needed=True),
        "options": [_option(option, f"{path}/options/{n}") for n, option in enumerate(options)],
        "duration": settings["duration"],
    }


def _option(given: object, path: str) -> str:
    return text(_object(given, path), "text", path, 30, needed=True) or ""


_FORMS: dict[str, Callable[[Caller, Json], Json]] = {
    "article": _article,
    "media": _media,
    "multiImage": _multi_image,
    "poll": _poll,
}


def _uploaded(caller: Caller, urn: object, path: str, kinds: tuple[str, ...]) -> sqlite3.Row:
    """The row of media that this member uploaded and that is ready (section 8, rows of 400)."""
    if urn is None:
        refuse_input("MISSING_FIELD", path, "the field is required")
    found = media.find(caller.world, check_urn(urn, kinds, path))
    if found is None:
        refuse_input("INVALID_URN_ID", path, "no such media")
    if found["owner"] != caller.urn:
        wrong(path, "the media belongs to another member")
    state = media.status(caller.world, found)
    if state in ("WAITING_UPLOAD", "PROCESSING"):
        refuse_input("MEDIA_ASSET_WAITING_UPLOAD", path, "the media is not ready")
    if state == "PROCESSING_FAILED":
        refuse_input("MEDIA_ASSET_PROCESSING_FAILED", path, "the media could not be processed")
    return found


def is_web_address(address: str) -> bool:
    """Absolute, with http or https and a host."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in address
    except ValueError:
        return False


def _object(value: object, path: str) -> Json:
    if not isinstance(value, dict):
        wrong(path, "an object is expected")
    return value


def _only(given: Json, path: str, *names: str) -> None:
    for name in given:
        if name not in names:
            wrong(f"{path}/{name}", "unrecognized field found but not allowed")
