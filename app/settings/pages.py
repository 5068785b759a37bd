"""What every page knows of the organisation, and its palette as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Flask, Response, g
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.db import db
from app.prepared import Reading
from app.settings.models import Organisation
from app.settings.service import DEFAULT_BRAND, theme_css, theme_hash
from app.web import access, current_settings
from app.web.i18n import language

settings = Blueprint("settings", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """The organisation as templates see it. `about_first` is what it does in the installation's
    first language, `about_other` in the other one; '' where it has none."""

    name: str
    brand: str
    about_first: str
    about_other: str
    privacy_contact: str
    promise_days: int
    theme_hash: str
    public_url: str
    logo_src: str | None = None

    @property
    def about(self) -> str:
        """What it does, in the reader's language where there is a sentence in it."""
        is_other = language() != current_settings().locale
        return self.about_other if is_other and self.about_other else self.about_first


_SHOWN: Final = Reading(
    select(
        Organisation.name, Organisation.brand, Organisation.about, Organisation.other_about,
        Organisation.privacy_contact, Organisation.promise_days, Organisation.website,
        Organisation.logo_src,
    ).where(Organisation.id == 1)
)  # fmt: skip


def shown() -> Shown:
    """The organisation of this request; a neutral one before set-up or while the database is
    away, so that even the page that says so has its colours."""
    if "organisation" not in g:
        try:
            row = _SHOWN.first({})
        except SQLAlchemyError:
            db.session.remove()
            row = None
        brand = row.brand if row else DEFAULT_BRAND
        g.organisation = Shown(
            name=row.name if row else "Portevoix",
            brand=brand,
            about_first=row.about if row else "",
            about_other=row.other_about if row else "",
            privacy_contact=row.privacy_contact if row else "",
            promise_days=row.promise_days if row else 5,
            theme_hash=theme_hash(brand),
            public_url=(row.website if row else None) or "/privacy",
            logo_src=row.logo_src if row else None,
        )
    found: Shown = g.organisation
    return found


@settings.get("/theme-<version>.css")
@access.public
def theme(version: str) -> Response:
    """One line of CSS. Its name changes with the colour, so it may be kept for ever."""
    # The neutral one needs no database, so that a page which says it is away has its colours.
    brand = DEFAULT_BRAND if version == theme_hash(DEFAULT_BRAND) else shown().brand
    response = Response(theme_css(brand), content_type="text/css; charset=utf-8")
    fresh = version == theme_hash(brand)
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if fresh else "no-cache"
    )
    return response


def start(app: Flask) -> None:
    """Register the palette and give templates `org`."""
    from app.settings.installable import home_icon, installable

    app.register_blueprint(settings)
    app.register_blueprint(installable)
    app.jinja_env.globals["home_icon"] = home_icon

    @app.context_processor
    def shared() -> dict[str, object]:
        return {"org": shown()}
