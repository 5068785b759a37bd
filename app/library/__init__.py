"""The content library: stories, their texts, captions, topics and windows."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.library import models  # noqa: F401
