"""Pictures: taken in with suspicion, redrawn, kept in the sizes that pages need."""

from flask import Flask


def start(app: Flask) -> None:
    """Register the route that serves pictures."""
    from app.media import models  # noqa: F401
