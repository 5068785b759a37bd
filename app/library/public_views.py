"""A story for whoever opens a link to it: no account, nothing stored on their device."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    render_template,
    request,
    session,
)
from flask_babel import gettext as _

from app import clock
from app.config import LANGUAGES
from app.integrations.text import html_to_text
from app.library import queries
from app.library.errors import UnknownStory
from app.library.material import Material, jpeg_size, languages_of, material_of, public_url_path
from app.library.models import Story
from app.library.queries import reading_minutes
from app.library.topics import names_in
from app.library.words import kind_names
from app.media import service as media
from app.media.cards import SIZE, Card, card_file
from app.media.service import PictureView
from app.settings.pages import shown
from app.web import access, current_settings
from app.web.i18n import language
from app.web.markdown import to_html

public = Blueprint("library_public", __name__)

OG_LOCALES: Final = {"fr": "fr_FR", "en": "en_GB"}
DESCRIPTION_SIGNS: Final = 200
FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Head:
    """What machines read: search engines, and the previews of networks."""

    url: str
    title: str
    description: str
    locale: str
    image: str
    image_width: int
    image_height: int
    image_alt: str
    image_type: str


@public.get("/s/<slug>")
@access.public
def story(slug: str) -> Response:
    """The story, readable without an account; a human page where it was taken back."""
    try:
        row = queries.story_by_slug(slug)
    except UnknownStory:
        return _mishap(
            404,
            _("There is no such story"),
            _("Perhaps a letter is missing: links are easily cut when they are copied."),
        )
    if row.status == "withdrawn":
        return _mishap(
            410,
            _("This story was withdrawn"),
            _("It was here for a while, and those who published it took it back."),
        )
    told = material_of(row, language())
    picture = media.picture(row.picture_id)
    response = _show(
        "library/public.html",
        story=told,
        head=_head(told, picture, _topics(row, told)),
        picture_shown=picture,
        body=to_html(told.body, heading=2) if told.body else "",
        minutes=reading_minutes(len(told.body)),
        topics=names_in(row.topics, language()),
        published_at=row.published_at,
        host=urlsplit(told.url).hostname if told.url else "",
        alternates=[(code, f"{_url(told)}?lang={code}") for code in languages_of(row)],
        other_lang_url=f"{request.path}?lang={_other(language())}",
    )
    if row.expires_at is not None and row.expires_at <= clock.now():
        response.headers["X-Robots-Tag"] = "noindex"
    return response


def _other(code: str) -> str:
    return LANGUAGES[1] if code == LANGUAGES[0] else LANGUAGES[0]


def _url(told: Material) -> str:
    return f"{current_settings().base_url}{public_url_path(told.slug)}"


def _head(told: Material, picture: PictureView | None, topics: list[str]) -> Head:
    """`url` is this very page, with the language that was asked for: a network that follows
    it must find what it was shown. A story without a picture is shown by its drawn card."""
    asked = request.args.get("lang")
    base = current_settings().base_url
    description = told.summary or html_to_text(str(to_html(told.body))).replace("\n", " ")
    urls = media.urls(picture) if picture else None
    width, height = jpeg_size(urls) if urls else SIZE
    return Head(
        url=_url(told) + (f"?lang={asked}" if asked in LANGUAGES else ""),
        title=told.title,
        description=_shortened(description) or shown().name,
        locale=OG_LOCALES[told.language],
        image=f"{base}{urls.jpeg}" if urls else f"{base}{_card_path(told, topics)}",
        image_width=width,
        image_height=height,
        image_alt=told.alt if urls else f"{told.title}, {shown().name}",
        image_type="image/jpeg" if urls else "image/png",
    )


# --- the drawn card ----------------------------------------------------------------------


def _topics(row: Story, told: Material) -> list[str]:
    """Its topics as the card names them: in the language of the story told there."""
    return names_in(row.topics, told.language)


def _card(told: Material, topics: list[str]) -> Card:
    org = shown()
    line = " · ".join(topics[:2]) or kind_names()[told.kind]
    return Card(told.title, line, org.name, org.brand)


def _card_path(told: Material, topics: list[str]) -> str:
    version = _card(told, topics).version
    return f"{public_url_path(told.slug)}/card-{told.language}-{version}.png"


@public.get("/s/<slug>/card-<any(fr, en):code>-<version>.png")
@access.public
def card(slug: str, code: str, version: str) -> Response:
    """The picture of a story that brings none, in one of its languages. An earlier one leads
    on to the one of today."""
    row = queries.story_by_slug(slug)
    if row.status == "withdrawn":
        raise UnknownStory
    told = material_of(row, code)
    topics = _topics(row, told)
    wanted = _card(told, topics)
    if (code, version) != (told.language, wanted.version):
        return Response(status=302, headers={"Location": _card_path(told, topics)})
    telling = uuid.uuid5(row.id, told.language)
    content = card_file(current_settings().data_dir / "cards", telling, wanted)
    return Response(content, content_type="image/png", headers={"Cache-Control": FOR_EVER})


def _shortened(text: str) -> str:
    if len(text) <= DESCRIPTION_SIGNS:
        return text
    return text[: DESCRIPTION_SIGNS - 1].rsplit(" ", 1)[0] + "…"


def _show(template: str, status: int = 200, **context: object) -> Response:
    return make_response(render_template(template, **context), status)


def _mishap(status: int, title: str, happened: str) -> Response:
    """What went wrong, for people."""
    return _show("errors/public.html", status, code=status, title=title, happened=happened)


@public.after_request
def _store_nothing(response: Response) -> Response:
    """Flask would renew a member's lasting cookie here, or take away one that has ended: a
    public page does neither."""
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        session.pop("_permanent", None)
        session.modified = False
    response.headers.setdefault("Cache-Control", "no-cache")
    if response.mimetype == "text/html":
        response.vary.add("Accept-Language")
    return response
