"""Rights over one's data: my data, erasure, requests, registers."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.privacy import (
        erasure_views,
        models,  # noqa: F401  (a table)
        my_data_views,
        purge,  # noqa: F401  (it declares handlers)
        register_views,
        retention_views,
    )

    for views in (my_data_views, erasure_views, retention_views, register_views):
        app.register_blueprint(views.blueprint)
