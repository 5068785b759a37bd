"""French and English: which language a reader gets, and how dates and numbers are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request
from flask_babel import (
    Babel,
    format_date,
    format_datetime,
    format_decimal,
    format_timedelta,
    get_locale,
)
from flask_babel import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context
from werkzeug.exceptions import HTTPException

from app import clock
from app.config import LANGUAGES, Settings
from app.web import access

TRANSLATIONS = Path(__file__).resolve().parent.parent.parent / "translations"
WEEK = dt.timedelta(days=7)


def compile_catalogues() -> None:
    """Make the binary catalogue of each language when it is missing or older than its text."""
    for text in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"):
        binary = text.with_suffix(".mo")
        if not binary.exists() or binary.stat().st_mtime < text.stat().st_mtime:
            with text.open("rb") as source:
                catalogue = read_po(source, locale=text.parent.parent.name)
            draft = binary.with_suffix(".mo.new")
            with draft.open("wb") as target:
                write_mo(target, catalogue)
            draft.replace(binary)


def language() -> str:
    """The reader's language: asked for in the address, their own, their browser's, ours."""
    if not has_request_context():
        return str(g.get("mail_language", "")) or _default()
    if "language" not in g:
        g.language = _choose()
    return str(g.language)


def _choose() -> str:
    asked = request.args.get("lang") or _typed_language()
    if asked in LANGUAGES:
        return str(asked)
    rule = access.rule_of(request.endpoint)
    if rule is not None and rule.who not in ("public", "signed"):
        who = access.reader()
        says_so = who is not None and who.scopes is not None and bool(request.accept_languages)
        if who is not None and not says_so and who.language in LANGUAGES:
            return who.language
    return request.accept_languages.best_match(LANGUAGES) or _default()


def _typed_language() -> str | None:
    """The language a form carries; a body that is too large to be read carries none."""
    try:
        return request.form.get("lang")
    except HTTPException:
        return None


def _default() -> str:
    from app.web.pages import current_settings

    return current_settings().locale


def zone_name() -> str:
    """The organisation's time zone, in which every page tells the time."""
    from app.web.pages import current_settings

    return current_settings().timezone.key


def _first(date: str) -> str:
    """French counts the days of a month, except the first: 1er novembre, 2 novembre."""
    locale = get_locale()
    is_first = locale is not None and locale.language == "fr" and date.startswith("1 ")
    return f"1er {date[2:]}" if is_first else date


def day(value: dt.datetime | dt.date | None) -> str:
    """17 November 2026, 17 novembre 2026."""
    return _first(str(format_date(value, "d MMMM y"))) if value else ""


def short_day(value: dt.datetime | dt.date | None) -> str:
    """17 Nov, 17 nov.; with its year when it is not this year's."""
    if value is None:
        return ""
    return _first(str(format_date(value, "d MMM" if value.year == clock.now().year else "d MMM y")))


def month_name(value: dt.date) -> str:
    """November 2026, Novembre 2026: as a title begins."""
    name = str(format_date(value, "LLLL y"))
    return name[:1].upper() + name[1:]


def moment(value: dt.datetime | None) -> str:
    """Date and time of day."""
    return _first(str(format_datetime(value, "d MMMM y, H:mm"))) if value else ""


def relative(value: dt.datetime | None) -> str:
    """Relative up to a week, then written out."""
    if value is None:
        return ""
    distance = value - clock.now()
    if abs(distance) > WEEK:
        return day(value)
    if abs(distance) < dt.timedelta(minutes=1):
        return str(_("just now"))
    return str(format_timedelta(distance, add_direction=True, threshold=0.95))


def the_other(language: str) -> str:
    """The language that a text has beside this one."""
    return next(code for code in LANGUAGES if code != language)


def points(value: int | None) -> str:
    """A whole number with its thousands parted, the minus a true minus."""
    return str(format_decimal(value or 0)).replace("-", "−")


def signed_points(value: int) -> str:
    """+80, −80."""
    return f"+{points(value)}" if value > 0 else points(value)


def add_filter(app: Flask, function: Callable[..., str]) -> None:
    """Let templates use it. It asks for the context so that it is asked at each look: of a constant,
    Jinja keeps what a filter made of it in the language of whoever looked first."""

    @pass_context
    @wraps(function)
    def at_each_look(_context: Context, *values: Any) -> str:
        return function(*values)

    app.add_template_filter(at_each_look, function.__name__)


def start(app: Flask, settings: Settings) -> None:
    """Install the catalogues and the filters of templates."""
    compile_catalogues()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.config["BABEL_DEFAULT_LOCALE"] = settings.locale
    Babel(app, locale_selector=language, timezone_selector=zone_name)
    for function in (day, short_day, month_name, moment, relative, points, signed_points):
        add_filter(app, function)
    app.jinja_env.globals["get_locale"] = get_locale
