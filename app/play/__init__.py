"""Rules of points, awards, and the statement that explains each of them."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes, and who tells what a post would bring."""
    from app.play import handlers, models, promise, views  # noqa: F401
    from app.sharing import neighbours

    neighbours.worth_by(promise.worth)
    app.register_blueprint(views.play)
