"""The one task: carry a delivery to its handler."""

from __future__ import annotations

import logging
import uuid

from flask import Flask

from app import outbox

log = logging.getLogger(__name__)

_app: Flask | None = None


def bind(app: Flask) -> None:
    """Name the application whose handlers this process runs."""
    global _app
    _app = app


def deliver(delivery_id: str) -> None:
    """Run one delivery. What goes wrong is written down and the outbox tries again; RQ must
    not, so nothing is raised here."""
    if _app is None:
        raise RuntimeError("this process has no application to deliver with")
    with _app.app_context():
        try:
            outbox.deliver(uuid.UUID(delivery_id))
        except Exception:
            log.exception("delivery %s failed, the outbox will try again", delivery_id)
