"""SCIM 2.0: a directory such as Entra ID or Okta keeps ours, and nothing more than that."""

from flask import Flask


def start(app: Flask) -> None:
    """Register the calls of directories and the pages about them."""
    from app.provisioning.scim import (  # noqa: F401
        answers,
        calls,
        group_roles,
        handlers,
        models,
        personal,
        sign_in,
        studio,
    )

    app.register_blueprint(calls.scim)
    answers.start(app)
    personal.declare()
    studio.start(app)
    sign_in.start()
    group_roles.start()
