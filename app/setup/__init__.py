"""The first start of one's own organisation: one page behind a one-time address."""

from flask import Flask


def start(app: Flask) -> None:
    """Register the set-up."""
    from app.setup import views

    app.register_blueprint(views.setup)
