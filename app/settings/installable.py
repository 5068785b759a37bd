"""On a phone's home screen: the manifest, its icons, the service worker, the page without a
network.

The worker keeps styles, scripts, letters and one page that says that there is no network:
nothing of anybody. Pages that are read without an account neither start it nor are touched by
it. Its text names its files by their hashes, so a new version of the product is a new worker.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import pgettext

from app.config import LANGUAGES
from app.settings import icons
from app.settings.pages import Shown, shown
from app.settings.palette import palette
from app.settings.service import organisation
from app.web import access, current_settings
from app.web.i18n import language
from app.web.pages import STATIC, static_url

installable = Blueprint("installable", __name__)

FOR_EVER: Final = "public, max-age=31536000, immutable"
_STYLES: Final = ("tokens", "base", "components", "public")
_SCRIPTS: Final = ("app", "away")
_LETTERS: Final = ("instrument-sans", "bricolage-grotesque")


@installable.get("/manifest.webmanifest")
@access.public
def manifest() -> Response:
    """What a home screen shows, in the reader's language and the organisation's colours."""
    org = _known()
    inks = palette(org.brand)
    told = {
        "id": "/",
        "name": _("Portevoix at %(org)s", org=org.name),
        "short_name": "Portevoix",
        "description": _("Stories to tell in your own words, offers to pass on."),
        "lang": language(),
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": inks["paper"],
        "theme_color": inks["deep"],
        "icons": _icons(org),
        "shortcuts": _shortcuts(org),
        "share_target": {
            "action": "/shared-in",
            "method": "GET",
            "params": {"title": "title", "text": "text", "url": "url"},
        },
    }
    return _fresh(Response(json.dumps(told), content_type="application/manifest+json"))


def _icon_url(org: Shown, name: str) -> str:
    return f"/icons/{name}-{icons.version(org.brand)}.png"


def _known() -> Shown:
    """The organisation; an error while it cannot be read, because what was kept of it is better
    than a neutral one."""
    organisation()
    return shown()


def home_icon() -> str:
    """The address of the sign for Apple's home screens, which read no manifest for it."""
    return _icon_url(shown(), "icon-180")


def _icons(org: Shown) -> list[dict[str, str]]:
    return [
        {
            "src": _icon_url(org, name),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "maskable" if name.startswith("maskable") else "any",
        }
        for name, size in icons.SIZES.items()
        if size != 180
    ]


def _shortcuts(org: Shown) -> list[dict[str, object]]:
    places = (
        (pgettext("place", "Library"), "/library"),
        (_("Offers"), "/offers"),
        (_("My points"), "/play"),
    )
    sign = [{"src": _icon_url(org, "icon-192"), "sizes": "192x192", "type": "image/png"}]
    return [{"name": name, "url": url, "icons": sign} for name, url in places]


@installable.get("/icons/<name>-<version>.png")
@access.public
def icon(name: str, version: str) -> Response:
    """One size of the sign. An earlier one leads on to the one of today."""
    org = shown()
    if name not in icons.SIZES:
        abort(404)
    if version != icons.version(org.brand):
        return Response(status=302, headers={"Location": _icon_url(org, name)})
    content = icons.icon_file(current_settings().data_dir / "icons", name, org.brand)
    return Response(content, content_type="image/png", headers={"Cache-Control": FOR_EVER})


# --- without a network -------------------------------------------------------------------


@installable.get("/sw.js")
@access.public
def worker() -> Response:
    """The service worker, told which files of today it keeps."""
    _known()
    text = (STATIC / "sw.js").read_text(encoding="utf-8")
    spoken = language()
    files = _shell()
    pages = {code: f"/offline?lang={code}" for code in LANGUAGES}
    page = _offline_text(spoken)
    digest = hashlib.sha256("\n".join([text, *files, page]).encode()).hexdigest()[:12]
    told = {"version": digest, "files": files, "pages": list(pages.values()), "page": pages[spoken]}
    body = f"const SHELL = {json.dumps(told)};\n{text}"
    return _fresh(Response(body, content_type="text/javascript; charset=utf-8"))


def _shell() -> list[str]:
    """The addresses of what every page is made of."""
    return [
        *(static_url(f"css/{name}.css") for name in _STYLES),
        f"/theme-{shown().theme_hash}.css",
        *(static_url(f"js/{name}.js") for name in _SCRIPTS),
        static_url("icons.svg"),
        static_url("favicon.svg"),
        *(f"/static/fonts/{name}.woff2" for name in _LETTERS),
    ]


@installable.get("/offline")
@access.public
def offline() -> Response:
    """What is shown where a page of the house cannot be fetched."""
    return _fresh(make_response(_offline_text(language())))


def _offline_text(spoken: str) -> str:
    other = next(code for code in LANGUAGES if code != spoken)
    return render_template("web/offline.html", other_lang_url=f"/offline?lang={other}")


def _fresh(response: Response) -> Response:
    """Asked for again each time, sent again only when it has changed."""
    response.headers["Cache-Control"] = "no-cache"
    response.vary.add("Accept-Language")
    response.add_etag()
    response.make_conditional(request)
    return response
