"""Fetching from an address that somebody wrote.

The guard connects to the address it has checked, each redirect too, so that a name cannot
point at our own network. A person in a browser may name public https addresses only; the
console, whose user already holds the machine, also plain http and the machine itself.

What comes is bounded in bytes and in seconds, before and after unpacking. Bodies are unpacked
here, because a library that does it whole lets some kilobytes grow to gigabytes first, and
redirects are followed here, because a library reads the body of each to its end.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlsplit

import httpx
from flask_babel import lazy_gettext as _l
from ssrfguard import Policy
from ssrfguard.errors import SSRFGuardError
from ssrfguard.httpx import AsyncClient

from app.errors import DomainError, Sentence

MAX_REDIRECTS: Final = 5
PUBLIC: Policy = Policy(
    allowed_schemes=frozenset({"https"}),
    allowed_ports=frozenset({443}),
    max_redirects=MAX_REDIRECTS,
)
"""What an address from a browser may reach."""

_CONSOLE: Final = Policy(allowed_ports=frozenset(range(1, 65_536)), max_redirects=MAX_REDIRECTS)
_LOOPBACK: Final = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
_CONSOLE_HERE: Final = Policy(
    allowed_ports=_CONSOLE.allowed_ports, allowed_networks=_LOOPBACK, max_redirects=MAX_REDIRECTS
)
_PART: Final = 64 * 1024

_FAULTS: Final[Mapping[str, Sentence]] = {
    "unreachable": _l("Nobody answers at this address. Check it, or try again in a while."),
    "too-slow": _l("This address takes too long to answer. Try again in a while."),
    "too-large": _l("What this address sends is too large."),
    "refused-address": _l(
        "We do not fetch from this address. Give a public one that starts with https://."
    ),
    "wrong-type": _l("This address sends something else than expected."),
}


class FetchFailed(DomainError):
    """Nothing usable came. `code`: unreachable, too-slow, too-large, refused-address or
    wrong-type."""

    status = 422

    def __init__(self, code: str) -> None:
        super().__init__(_FAULTS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came. `url` is where it came from, after redirects; `content_type` is the header as
    it was sent, or ''; `body` is unpacked."""

    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The bounds of one fetch."""

    max_bytes: int
    seconds: float
    accept: tuple[str, ...]
    never: tuple[str, ...]
    truncate: bool


def get(
    url: str,
    *,
    max_bytes: int,
    seconds: float,
    accept: tuple[str, ...] = (),
    console: bool = False,
    never: tuple[str, ...] = (),
    truncate: bool = False,
    purpose: str = "",
) -> Fetched:
    """What an address sends, within bounds that hold for redirects, names and body together.

    `accept` and `never` are beginnings of content types ('text/html', 'image/'); with an empty
    `accept` any type is taken. With `truncate` a longer body is cut at `max_bytes` instead of
    refused. `purpose` tells the other side why we come. Call it outside a transaction. Raises
    `FetchFailed`, nothing else.
    """
    address = url.strip()
    wanted = _Wanted(max_bytes, seconds, accept, never, truncate)
    try:
        policy = _policy(address, console)
        return asyncio.run(_fetch(address, policy, wanted, purpose))
    except (SSRFGuardError, httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise FetchFailed("refused-address") from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise FetchFailed("too-slow") from error
    except (httpx.HTTPError, httpx.StreamError, OSError, ValueError, zlib.error) as error:
        raise FetchFailed("unreachable") from error


def _policy(url: str, console: bool) -> Policy:
    """What may be reached. Only a console that names the machine itself may reach it: a public
    address that redirects there may not."""
    if not console:
        return PUBLIC
    return _CONSOLE_HERE if _is_loopback(url) else _CONSOLE


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _fetch(url: str, policy: Policy, wanted: _Wanted, purpose: str) -> Fetched:
    headers = {
        "User-Agent": f"Portevoix ({purpose})" if purpose else "Portevoix",
        "Accept": ", ".join(wanted.accept and map(_offered, wanted.accept)) or "*/*",
        "Accept-Encoding": "gzip",
    }
    client = AsyncClient(
        policy=policy, headers=headers, timeout=wanted.seconds,
        follow_redirects=False, trust_env=False, verify=_tls(),
    )  # fmt: skip
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    async with asyncio.timeout(wanted.seconds), client:
        request: httpx.Request | None = client.build_request("GET", url)
        for _hop in range(MAX_REDIRECTS + 1):
            if request is None:
                break
            response = await client.send(request, stream=True)
            try:
                request = response.next_request
                if request is None:
                    return await _read(response, wanted)
            finally:
                await response.aclose()
    raise FetchFailed("unreachable")


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked; reading the roots takes a tenth of a second, so once."""
    return httpx.create_ssl_context(trust_env=False)


def _offered(kind: str) -> str:
    return f"{kind}*" if kind.endswith("/") else kind


async def _read(response: httpx.Response, wanted: _Wanted) -> Fetched:
    if response.status_code != 200:
        raise FetchFailed("unreachable")
    content_type = response.headers.get("Content-Type", "")
    kind = content_type.strip().lower()
    if kind.startswith(wanted.never) or (wanted.accept and not kind.startswith(wanted.accept)):
        raise FetchFailed("wrong-type")
    announced = int(response.headers.get("Content-Length") or 0)
    if announced > wanted.max_bytes and not wanted.truncate:
        raise FetchFailed("too-large")
    body = bytearray()
    async for part in _unpacked(response):
        body += part
        if wanted.truncate and len(body) >= wanted.max_bytes:
            break
        if len(body) > wanted.max_bytes:
            raise FetchFailed("too-large")
    return Fetched(str(response.url), content_type, bytes(body[: wanted.max_bytes]))


# --- unpacking -----------------------------------------------------------------------------


async def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in parts of at most 64 kB, whatever they were packed into."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        async for part in response.aiter_raw(_PART):
            yield part
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchFailed("wrong-type")
    unpacker: _Unpacker | None = None
    async for packed in response.aiter_raw(_PART):
        unpacker = unpacker or _Unpacker(_window(encoding, packed))
        for part in unpacker.feed(packed):
            yield part
    if unpacker and not unpacker.is_done:
        raise ValueError("the packed body breaks off")


def _window(encoding: str, packed: bytes) -> int:
    """How zlib is to read it. Servers mean two things by 'deflate' (RFC 9110, 8.4.1.2)."""
    if encoding != "deflate":
        return zlib.MAX_WBITS | 16
    is_zlib = packed[0] & 0x0F == 8 and int.from_bytes(packed[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS


class _Unpacker:
    """One stream after the other, as gzip allows, never more than a part at a time."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._stream = zlib.decompressobj(window)

    @property
    def is_done(self) -> bool:
        return self._stream.eof

    def feed(self, packed: bytes) -> Iterable[bytes]:
        while packed:
            if self._stream.eof:
                self._stream = zlib.decompressobj(self._window)
            yield self._stream.decompress(packed, _PART)
            packed = self._stream.unconsumed_tail or self._stream.unused_data
