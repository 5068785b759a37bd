"""What commands share: settings, and the application where one is needed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app import config
from app.cli import standin
from app.config import Settings, SettingsError

if TYPE_CHECKING:
    from flask import Flask


def settings() -> Settings:
    """The settings, with the queue server and the address of the `up` that runs in this data
    folder, so that what the console prints (webhooks, links) leads there."""
    from app.supervisor import lock

    loaded = config.load()
    state = lock.running(loaded.data_dir)
    if state is None:
        return loaded
    if loaded.redis_url is None and state.redis_url:
        loaded = dataclasses.replace(loaded, redis_url=state.redis_url)
    if "PORTEVOIX_BASE_URL" not in os.environ and "PORT" not in os.environ and state.address:
        loaded = dataclasses.replace(loaded, base_url=state.address)
    return _with_linkedin(loaded, state.addresses.get(standin.NAME))


def _with_linkedin(loaded: Settings, address: str | None) -> Settings:
    """The LinkedIn that runs beside a demo, unless the operator named another."""
    if address is None or standin.is_named(os.environ):
        return loaded
    return dataclasses.replace(loaded, linkedin_auth_url=address, linkedin_api_url=address)


def queue_url(found: Settings) -> str:
    """Where the queue server is. Raises `SettingsError` where a part alone cannot know."""
    if found.redis_url is None:
        raise SettingsError(
            "PORTEVOIX_REDIS_URL", "needed by a part that runs alone (`up` brings its own)"
        )
    return found.redis_url


@contextmanager
def application(found: Settings | None = None) -> Iterator[Flask]:
    """The application, in its context."""
    from app import create_app

    app = create_app(found or settings())
    with app.app_context():
        yield app
