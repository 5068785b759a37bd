"""What every page shares: who may use a route, words, errors, security headers, templates."""

from __future__ import annotations

from flask import Flask

from app.config import Settings
from app.web import access
from app.web.pages import current_settings, redirect_to, render

__all__ = ["access", "current_settings", "redirect_to", "render", "start"]


def start(app: Flask, settings: Settings) -> None:
    """Install the frame; features add their routes afterwards."""
    from app.web import delivery, errors, health, i18n, limits, pages, pressing, security

    delivery.start(app)  # first in, so its answers are the last touched
    security.start(app, settings)
    i18n.start(app, settings)
    pages.start(app)
    pressing.start(app)
    access.start(app)
    errors.start(app)
    limits.start(app, settings)
    health.start(app)
