"""Bringing people in: by file (`imports`), and by what keeps another directory (`scim`)."""

from flask import Flask


def start(app: Flask) -> None:
    """Register both."""
    from app.provisioning import imports, scim

    imports.start(app)
    scim.start(app)
