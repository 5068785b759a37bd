"""Today, and the places of the house that every page shows."""

from flask import Flask


def start(app: Flask) -> None:
    """Register the first page and the navigation."""
    from app.today import places, views

    app.register_blueprint(views.today)
    places.start(app)
