"""Rules of points, awards, and the statement that explains each of them."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.play import handlers, models, views  # noqa: F401

    app.register_blueprint(views.play)
