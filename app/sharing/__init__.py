"""Sharing: grants, the composer, the publishing worker, reach."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.sharing import models  # noqa: F401
