"""Servers of strangers, real ones, on this machine.

127.0.0.2 plays the public internet: the policy of a test lets it through and nothing else.
127.0.0.1 and ::1 are what they are, our own machine; a trap listens there and counts who
comes. Every connection that this process begins is noted from below (an audit hook of the
interpreter), so "no connection" covers addresses at which nobody can listen too.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ssrfguard import Policy

PUBLIC_HOST = "127.0.0.2"

Answer = bytes | Callable[[socket.socket], None]


def answer(
    body: bytes = b"",
    content_type: str | None = "text/html; charset=utf-8",
    status: str = "200 OK",
    length: str | None = None,
    **headers: str,
) -> bytes:
    """An HTTP answer; keywords become headers. `length` may lie."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length or len(body)}", "Connection: close"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def moved(to: str, status: str = "302 Found", body: bytes = b"") -> bytes:
    return answer(body, status=status, Location=to)


@dataclass
class Stranger:
    """A server whose answer depends on the path. `asked` lists the paths that were asked for."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def says(self, what: Answer, path: str = "/page") -> str:
        """Answer `what` at `path`; its address."""
        self.answers[path] = what
        return self.address + path


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    stranger: Stranger
    tls: ssl.SSLContext | None


class _Talk(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        talk: socket.socket = self.request
        server = self.server
        assert isinstance(server, _Server)
        stranger = server.stranger
        with contextlib.suppress(OSError):
            talk.settimeout(20)
            if server.tls:
                talk = server.tls.wrap_socket(talk, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                part = talk.recv(65_536)
                if not part:
                    return
                head += part
            path = head.split(b" ")[1].decode("latin-1")
            stranger.asked.append(path)
            stranger.heads.append(head.decode("latin-1"))
            what = stranger.answers.get(path, answer(b"", status="404 Not Found"))
            if callable(what):
                what(talk)
            else:
                talk.sendall(what)


@contextlib.contextmanager
def serving(host: str = PUBLIC_HOST, tls: ssl.SSLContext | None = None) -> Iterator[Stranger]:
    """A stranger at work; with `tls` over https."""
    with _Server((host, 0), _Talk) as server:
        server.tls = tls
        server.stranger = Stranger(f"http://{host}:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.stranger
        server.shutdown()


def policy(*ports: int) -> Policy:
    """What lets a test take 127.0.0.2 for the public internet; all ports by default."""
    return Policy(
        allowed_networks=(ipaddress.ip_network(f"{PUBLIC_HOST}/32"),),
        allowed_ports=frozenset(ports or range(1, 65_536)),
    )


@dataclass
class Trap:
    """A socket that only counts who comes."""

    port: int
    sockets: list[socket.socket]

    def visitors(self) -> int:
        count = 0
        for listening in self.sockets:
            listening.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    listening.accept()[0].close()
                    count += 1
        return count


@contextlib.contextmanager
def trap() -> Iterator[Trap]:
    """Listening on 127.0.0.1 and, where there is one, on ::1, on the same port."""
    with contextlib.ExitStack() as stack:
        four = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = four.getsockname()[1]
        sockets = [four]
        with contextlib.suppress(OSError):
            six = socket.create_server(("::1", port), family=socket.AF_INET6)
            sockets.append(stack.enter_context(six))
        yield Trap(port, sockets)


_noting: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _noting and isinstance(arguments[1], tuple):
        _noting[-1].append(str(arguments[1][0]))


sys.addaudithook(_note)


@contextlib.contextmanager
def connections() -> Iterator[list[str]]:
    """The address of every connection that this process begins meanwhile."""
    found: list[str] = []
    _noting.append(found)
    try:
        yield found
    finally:
        _noting.remove(found)
