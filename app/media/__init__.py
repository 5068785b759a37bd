"""Pictures: taken in with suspicion, redrawn, kept in the sizes that pages need."""

from flask import Flask


def start(app: Flask) -> None:
    """Say where pictures are kept, register the route that serves them, and give templates
    `picture_urls`. Raises `SettingsError` for a place that cannot be used."""
    from app.media import (
        personal,
        service,
        store,
        upkeep,  # noqa: F401  (a handler declares itself)
    )
    from app.media.views import media
    from app.web.health import keeps_files_in

    app.extensions[store.EXTENSION] = store.folder_of(app.extensions["portevoix"])
    keeps_files_in(app, app.extensions[store.EXTENSION])
    personal.declare()
    app.register_blueprint(media)
    app.jinja_env.globals["picture_urls"] = service.urls
