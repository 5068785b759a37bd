"""People: directory, members, sign-in, roles, tokens, joining and leaving."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.people import handlers, models, parking, saved_views, sessions, views  # noqa: F401

    sessions.start(app)
    parking.start(app)
    app.jinja_env.globals["saved_views"] = saved_views.bar
    app.register_blueprint(views.people)
