"""The developer applications that are registered (section 1 of the reference)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from standin.linkedin.store import Store

# Two applications that every stand-in knows. Their secrets open nothing else.
CLIENT_ID = "78standinshare"
CLIENT_SECRET = "WPL_AP1.standin-share"  # nosec B105
CMA_CLIENT_ID = "78standinreach"
CMA_CLIENT_SECRET = "WPL_AP1.standin-reach"  # nosec B105

SHARE_SCOPE = "openid profile email w_member_social"
CMA_SCOPE = (
    "r_basicprofile w_member_social w_member_social_feed r_member_postAnalytics "
    "r_member_profileAnalytics r_1st_connections_size"
)
KNOWN_SCOPES = frozenset(
    f"{SHARE_SCOPE} {CMA_SCOPE} r_member_social r_member_social_feed rw_organization_admin "
    "r_organization_social w_organization_social r_organization_social_feed "
    "w_organization_social_feed r_organization_followers r_dma_portability_3rd_party "
    "r_dma_portability_self_serve".split()
)

LOOPBACK = "loopback"  # in place of a redirect URI: any address of this machine
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}

SHARE_LIMITS = (150, 100_000)  # calls per member and per application in a day (section 8)
CMA_LIMITS = (100, 500)  # of the development tier


def add_default(store: Store) -> None:
    """Registers the two applications that every stand-in knows."""
    register(store, CLIENT_ID, CLIENT_SECRET, name="Portevoix")
    register(
        store,
        CMA_CLIENT_ID,
        CMA_CLIENT_SECRET,
        scopes=CMA_SCOPE.split(),
        limits=CMA_LIMITS,
        name="Portevoix, reach",
    )


def register(
    store: Store,
    client_id: str,
    client_secret: str,
    redirect_uris: Iterable[str] = (LOOPBACK,),
    scopes: Iterable[str] = tuple(SHARE_SCOPE.split()),
    limits: tuple[int, int] = SHARE_LIMITS,
    name: str | None = None,
) -> None:
    """Registers an application or changes it; `name` is what the consent page says, `limits` are
    calls a day for a member and for all. Raises ValueError for an unusable redirect URI."""
    addresses = list(redirect_uris)
    for address in addresses:
        if address != LOOPBACK and not is_registrable(address):
            raise ValueError(f"{address} cannot be registered: absolute, https, without #")
    store.put(
        "client",
        client_id=client_id,
        client_secret=client_secret,
        name=name or client_id,
        redirect_uris=json.dumps(addresses),
        scope=" ".join(scopes),
        member_day_limit=limits[0],
        app_day_limit=limits[1],
    )


def register_json(store: Store, given: Mapping[str, Any]) -> None:
    """`POST /_standin/clients`. Raises ValueError."""
    known = {"client_id", "client_secret", "redirect_uris", "scopes", "limits", "name"}
    if not {"client_id", "client_secret"} <= set(given) <= known:
        raise ValueError(f"an application has client_id and client_secret, of {sorted(known)}")
    more = {name: value for name, value in given.items() if name in known and value is not None}
    register(store, **more)


def find(store: Store, client_id: str) -> sqlite3.Row | None:
    """The registered application."""
    return store.one("SELECT * FROM client WHERE client_id = ?", client_id)


def is_registrable(address: str) -> bool:
    """Absolute, https (http on this machine only), no fragment (section 2.2)."""
    if "#" in address or any(sign <= " " for sign in address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(address))


def is_loopback(address: str) -> bool:
    """Whether an address leads to this machine."""
    host = urlsplit(address).hostname or ""
    return re.sub(r"^.*\.localhost$", "localhost", host) in _LOOPBACK_HOSTS


def may_redirect(client: sqlite3.Row, address: str) -> bool:
    """Exact match with a registered address, the query part ignored (section 2.2)."""
    if not is_registrable(address):
        return False
    registered: list[str] = json.loads(client["redirect_uris"])
    if LOOPBACK in registered and is_loopback(address):
        return True
    return _without_query(address) in map(_without_query, registered)


def _without_query(address: str) -> str:
    return address.partition("?")[0]
