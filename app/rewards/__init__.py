"""Rewards, their stock, and redemptions."""

from flask import Flask


def start(app: Flask) -> None:
    """Register routes and handlers of facts, and tell the statement what points were spent on."""
    from app.play import neighbours
    from app.rewards import deliveries, handlers, models, personal, studio, views  # noqa: F401

    neighbours.tells("redemption", views.told)
    neighbours.stands_beside(views.beside_statement)
    personal.declare()
    app.register_blueprint(views.rewards)
