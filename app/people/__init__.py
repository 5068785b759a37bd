"""People: directory, members, sign-in, roles, tokens, joining and leaving."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.people import handlers, models, sessions, views  # noqa: F401

    sessions.start(app)
    app.register_blueprint(views.people)
