"""The content library: stories, their texts, captions, topics and windows."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app.library import (  # noqa: F401  (a handler declares itself)
        follows,
        models,
        personal,
        previews,
        proposals,
    )
    from app.library.public_views import public
    from app.library.studio import studio
    from app.library.views import library

    personal.declare()
    for blueprint in (library, public, studio):
        app.register_blueprint(blueprint)
