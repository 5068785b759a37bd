"""The good-practice charter and the page of rights."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.charters import handlers, models, personal, studio, views  # noqa: F401

    personal.declare()
    app.register_blueprint(views.charters)
