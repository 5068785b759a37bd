"""One exchange with LinkedIn over HTTP: a connection of its own, and an end to patience.

Each exchange opens a fresh connection, follows no redirect, reads at most a megabyte and is
cut after `Timeouts.total`, however slowly the other side drips. What went wrong is told in
one word: neither our exception nor anything it carries holds a header or a body.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import httpx

from app import clock
from app.config import Settings
from app.integrations.text import Json, JsonObject, UnreadableJson, as_object, read_json

Trouble: TypeAlias = Literal["unreachable", "timeout", "cut", "request"]

BODY_LIMIT: Final = 1_000_000
"""Bytes read of any answer; a longer one is as good as unreadable."""
PAUSES: Final = (0.5, 2.0)
"""Seconds between the three tries of a call that may be repeated."""

_HEADERS: Final = {
    "User-Agent": "Portevoix",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to send a piece, to wait for a piece, and for the whole exchange."""

    connect: float = 5.0
    write: float = 10.0
    read: float = 20.0
    total: float = 45.0

    @classmethod
    def of(cls, settings: Settings) -> Timeouts:
        """Those of this installation: the operator decides how long we wait for an answer."""
        read = float(settings.share_timeout_seconds)
        return cls(read=read, total=2 * read + 5)


class Away(Exception):
    """No answer. `reason` says how: `unreachable` and `request` before anything was sent.

    `timeout`: too slow; `cut`: the connection ended in the middle; `request`: the address or
    a header cannot be sent at all.
    """

    def __init__(self, reason: Trouble) -> None:
        super().__init__(reason)
        self.reason: Trouble = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is None when it could not be read to its end."""

    status: int
    headers: httpx.Headers
    body: bytes | None

    @property
    def json(self) -> Json:
        """The body as JSON, or None: gateways answer in HTML, and a body may break off."""
        try:
            return read_json(self.body or b"")
        except UnreadableJson:
            return None

    @property
    def object(self) -> JsonObject:
        """The body if it is a JSON object, else an empty one."""
        return as_object(self.json)


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    timeouts: Timeouts,
) -> Answer:
    """One request and its whole answer. Raises `Away`."""
    with exchange(method, url, headers=headers, content=content, timeouts=timeouts) as answer:
        if answer.body is None:
            raise Away("cut")
        return answer


@contextmanager
def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | Iterable[bytes] | None = None,
    timeouts: Timeouts,
) -> Iterator[Answer]:
    """One request; the answer as far as it could be read. Raises `Away`.

    Exceptions of an iterable `content` pass through, the connection being closed. It must
    come with a `Content-Length`.
    """
    deadline = _Deadline(timeouts.total)
    limits = httpx.Timeout(
        connect=timeouts.connect, write=timeouts.write, read=timeouts.read, pool=timeouts.connect
    )
    with _told_in_a_word(deadline), deadline, _client(url, limits) as client:
        request = client.build_request(
            method,
            url,
            headers={**_HEADERS, **headers},
            content=content,
            extensions={"trace": deadline.watch},
        )
        response = client.send(request, stream=True)
        try:
            yield Answer(response.status_code, response.headers, _body(response))
        finally:
            response.close()


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token. Raises `Away` for one that no header can hold."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Away("request")
    return {"Authorization": f"Bearer {token}"}


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine."""
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _client(url: str, limits: httpx.Timeout) -> httpx.Client:
    """A client of one exchange. Nothing is kept; the environment's proxies are for hosts
    outside this machine."""
    return httpx.Client(
        timeout=limits,
        verify=_certificates(),
        trust_env=not is_loopback(url),
        follow_redirects=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _body(response: httpx.Response) -> bytes | None:
    """The whole body, or None when it is too long, breaks off or cannot be unpacked.

    201 says everything in its head: no body is waited for.
    """
    found = bytearray()
    if response.status_code == 201:
        return b""
    try:
        for piece in response.iter_bytes():
            found += piece
            if len(found) > BODY_LIMIT:
                return None
    except httpx.HTTPError:
        return None
    return bytes(found)


@contextmanager
def _told_in_a_word(deadline: _Deadline) -> Iterator[None]:
    """httpx's errors as `Away`, without the request they carry."""
    reason: Trouble
    try:
        yield
        return
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL):
        reason = "request"
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError):
        reason = "unreachable"
    except httpx.TimeoutException:
        reason = "timeout"
    except httpx.HTTPError:
        reason = "timeout" if deadline.is_over else "cut"
    raise Away(reason) from None


class _Deadline:
    """Cuts a connection when the time is over.

    httpx limits each wait, not their sum: a server that sends a byte now and then would
    hold us for hours. The connection's socket is learnt from httpx's trace.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Told by httpx of each step; those that open or wrap a socket hand us it."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                self._shut()

    def _cut(self) -> None:
        with self._lock:
            self.is_over = True
            self._shut()

    def _shut(self) -> None:
        """End the connection under whoever waits on it; TLS would want to say goodbye."""
        if self.is_over and self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def patiently(call: Callable[[], Answer], pauses: tuple[float, ...]) -> Answer:
    """The answer of a call that may be repeated: again on trouble and 5xx, with pauses.

    Raises `Away` when the last try brought no answer.
    """
    for pause in pauses:
        try:
            answer = call()
        except Away as away:
            if away.reason == "request":
                raise
        else:
            if answer.status < 500:
                return answer
        clock.sleep(pause)
    return call()
