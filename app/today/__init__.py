"""Today, and the places of the house that every page shows."""

from flask import Flask


def start(app: Flask) -> None:
    """Register the first page and the navigation."""
    from app.today import guides, places, shared_in, views, week, welcome

    app.register_blueprint(views.today)
    app.register_blueprint(guides.guides)
    app.register_blueprint(welcome.welcome)
    app.register_blueprint(week.week)
    app.register_blueprint(shared_in.shared_in)
    places.start(app)
