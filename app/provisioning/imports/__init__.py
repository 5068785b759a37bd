"""People from files: CSV and workbooks, seen before they are written, and undone where possible."""

from flask import Flask


def start(app: Flask) -> None:
    """Register tables, handlers of facts and routes."""
    from app.provisioning.imports import handlers, models, personal  # noqa: F401
    from app.provisioning.imports.views import blueprint

    personal.declare()
    app.register_blueprint(blueprint)
