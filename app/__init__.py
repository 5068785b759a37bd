"""Portevoix: a company's voice, lent to the people who want to carry it.

`create_app()` is the table of contents: settings, machinery, then the features from the
ground up. Nothing here opens a connection, so a process may import first and fork after.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from app import clock, config, crypto

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: config.Settings | None = None) -> Flask:
    """The application for one set of settings (by default those of the environment)."""
    settings = settings or config.load()
    clock.start(settings.data_dir, settings.clock)
    crypto.start(settings.secret_keys)
    app = Flask("app", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.extensions["portevoix"] = settings
    with _nothing_collected():
        _machinery(app, settings)
        _features(app)
    return app


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """What is imported and made here stays. To look for garbage among it, seven hundred times,
    takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _machinery(app: Flask, settings: config.Settings) -> None:
    # It notes whole addresses, and an upload's holds what opens it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from app import db, jobs, mail, web

    db.start(app, settings)
    jobs.start(app, settings)
    web.start(app, settings)
    mail.start(app, settings)


def _features(app: Flask) -> None:
    """Each feature brings its tables, its handlers of facts and its routes."""
    from app import (
        administration,
        api,
        approvals,
        charters,
        library,
        media,
        people,
        play,
        privacy,
        provisioning,
        referrals,
        rewards,
        rights,
        settings,
        setup,
        sharing,
        today,
    )

    for feature in (
        rights, settings, media, approvals, people, provisioning, library, charters, referrals, sharing,
        play, rewards, today, administration, setup, privacy, api,
    ):  # fmt: skip
        feature.start(app)
