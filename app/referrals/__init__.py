"""Offers, links, clicks, candidates, referrals: from the link to the hire."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.referrals import handlers, models  # noqa: F401
    from app.referrals.views import blueprints

    for blueprint in blueprints:
        app.register_blueprint(blueprint)
