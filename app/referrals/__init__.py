"""Offers, links, clicks, candidates, referrals: from the link to the hire."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.referrals import (  # noqa: F401
        fastpath,
        handlers,
        hits,
        ingester,
        models,
        personal,
        transitions,
    )
    from app.referrals.views import blueprints
    from app.web.health import also_measured
    from app.web.security import stand_before

    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    also_measured(ingester.figures)
    personal.declare()
    door = hits.start(app, app.extensions["portevoix"])
    stand_before(app, lambda following: fastpath.FastPath(app, door, following))
