"""Fetching a feed from an address that a person gave.

The guard connects to the address it has checked, each redirect too, so that a name cannot
point at our own network. A person in a browser may name public https addresses only; the
console, whose user already holds the machine, also plain http and the machine itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Final
from urllib.parse import urlsplit

import httpx
from ssrfguard import Policy
from ssrfguard.errors import SSRFGuardError
from ssrfguard.httpx import AsyncClient

from app.errors import DomainError
from app.referrals import import_words

MAX_BYTES: Final = 25 * 1024 * 1024
SECONDS: Final = 20.0
_USER_AGENT: Final = "Portevoix (job feed import)"
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
_NEVER_A_FEED: Final = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip")


class FetchFailed(DomainError):
    """Nothing usable came. `code`: unreachable, too-large, refused-address or not-a-feed."""

    status = 422

    def __init__(self, code: str) -> None:
        super().__init__(import_words.fault(code))
        self.code = code


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _policy(url: str, console: bool) -> Policy:
    """What may be reached. Only a console that names the machine itself may reach it: a public
    address that redirects there may not."""
    if not console:
        return Policy(allowed_schemes=frozenset({"https"}), allowed_ports=frozenset({443}))
    anywhere = Policy(allowed_ports=frozenset(range(1, 65_536)))
    if not _is_loopback(url):
        return anywhere
    networks = tuple(ipaddress.ip_network(network) for network in _LOOPBACK)
    return Policy(allowed_ports=anywhere.allowed_ports, allowed_networks=networks)


async def _read(response: httpx.Response) -> bytes:
    """The body, never more than `MAX_BYTES` of it."""
    if int(response.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise FetchFailed("too-large")
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise FetchFailed("too-large")
    return bytes(body)


async def _fetch(url: str, policy: Policy) -> bytes:
    headers = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
    client = AsyncClient(
        policy=policy, headers=headers, follow_redirects=True, timeout=10.0, trust_env=False
    )
    async with asyncio.timeout(SECONDS), client, client.stream("GET", url) as response:
        if response.status_code != 200:
            raise FetchFailed("unreachable")
        if response.headers.get("Content-Type", "").lower().startswith(_NEVER_A_FEED):
            raise FetchFailed("not-a-feed")
        return await _read(response)


def fetch(url: str, *, console: bool = False) -> bytes:
    """The bytes at an address: at most 25 MB, within 20 seconds, redirects included.

    Call it outside a transaction. Raises `FetchFailed`, nothing else.
    """
    try:
        return asyncio.run(_fetch(url.strip(), _policy(url.strip(), console)))
    except SSRFGuardError as error:
        raise FetchFailed("refused-address") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise FetchFailed("refused-address") from error
    except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError, ValueError) as error:
        raise FetchFailed("unreachable") from error
