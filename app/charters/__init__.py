"""The good-practice charter and the page of rights."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.charters import models  # noqa: F401
