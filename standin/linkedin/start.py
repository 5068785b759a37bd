"""Puts a stand-in together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from standin.linkedin import members, registry
from standin.linkedin.clock import Clock
from standin.linkedin.knobs import Knobs
from standin.linkedin.server import Server
from standin.linkedin.store import Store
from standin.linkedin.world import World


def build(
    port: int = 0,
    data_dir: Path | None = None,
    *,
    lenient: bool = False,
    now: dt.datetime | None = None,
    also_versions: Iterable[str] = (),
) -> Server:
    """A server that listens on 127.0.0.1, not yet serving; `server.world.address` is where."""
    knobs = Knobs(accept_any_token=lenient, also_versions=list(also_versions))
    world = World(Store(data_dir), knobs, Clock(now))
    with world.store.transaction():
        members.add_invented(world.store)
        registry.add_default(world.store)
    return Server(world, port)


def register(
    server: Server,
    client_id: str,
    client_secret: str,
    redirect_uris: Iterable[str],
    name: str | None = None,
) -> None:
    """Registers the application of the command line, with the scopes of both modes."""
    addresses = list(redirect_uris) or [registry.LOOPBACK]
    scopes = dict.fromkeys(f"{registry.SHARE_SCOPE} {registry.CMA_SCOPE}".split())
    with server.world.store.transaction():
        registry.register(
            server.world.store, client_id, client_secret, addresses, scopes, name=name
        )
