"""Rewards, their stock, and redemptions."""

from flask import Flask


def start(app: Flask) -> None:
    """Register routes and handlers of facts, and tell the statement what points were spent on."""
    from app.play import neighbours
    from app.rewards import (  # noqa: F401
        deliveries,
        guarded,
        handlers,
        models,
        personal,
        shelf_bulk,
        studio,
        views,
    )

    neighbours.tells("redemption", views.told)
    neighbours.stands_beside(views.beside_statement)
    personal.declare()
    guarded.start()
    app.register_blueprint(views.rewards)
