"""The organisation's own settings."""

from flask import Flask

from app.settings.service import (
    organisation,
    save_organisation,
    set_logo,
    theme_css,
    theme_hash,
)

__all__ = ["organisation", "save_organisation", "set_logo", "start", "theme_css", "theme_hash"]


def start(app: Flask) -> None:
    """Register the palette and what templates know of the organisation."""
    from app.settings import pages

    pages.start(app)
