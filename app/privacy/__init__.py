"""Rights over one's data: my data, erasure, requests, registers."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.privacy import (
        correction_views,
        erasure_views,
        handlers,  # noqa: F401  (the same)
        models,  # noqa: F401  (tables)
        my_data_views,
        personal,
        purge,  # noqa: F401  (it declares handlers)
        register_views,
        retention_views,
    )

    personal.declare()
    for views in (
        my_data_views, correction_views, erasure_views, retention_views, register_views,
    ):  # fmt: skip
        app.register_blueprint(views.blueprint)
