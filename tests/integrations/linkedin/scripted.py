"""A server on a real socket that does exactly what a test tells it, well or badly.

Each connection takes the next reply: bytes (sent once the whole request is in) or a
function that is given the `Call` and may read, answer, wait, cut or say nothing. What came
in is kept in `calls`, byte by byte.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any


def answer(status: int, body: bytes | str | dict[str, Any] = b"", **headers: str) -> bytes:
    """A whole answer; a dict becomes JSON."""
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        lines.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
        lines.setdefault("Content-Type", "text/html")
    lines.setdefault("Content-Length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


class Call:
    """One connection and what came over it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.head = b""
        self.body = b""

    def read_head(self) -> None:
        while not self._has_head:
            piece = self.connection.recv(1)  # no further: what follows may never be read
            if not piece:
                return
            self.head += piece

    def read_body(self, but: int = 0) -> None:
        """Until it is whole, `but` so many bytes, or the other side leaves."""
        while (left := self.length - but - len(self.body)) > 0:
            piece = self.connection.recv(min(left, 65536))
            if not piece:
                return
            self.body += piece

    @property
    def lines(self) -> list[str]:
        return self.head.decode("latin-1").split("\r\n")

    @property
    def method(self) -> str:
        return self.lines[0].split(" ")[0]

    @property
    def target(self) -> str:
        return self.lines[0].split(" ")[1]

    @property
    def headers(self) -> dict[str, str]:
        pairs = (line.split(":", 1) for line in self.lines[1:] if ":" in line)
        return {name.strip().lower(): value.strip() for name, value in pairs}

    @property
    def length(self) -> int:
        """What the head says of the body; 0 until it was read to its end."""
        return int(self.headers.get("content-length", "0")) if self._has_head else 0

    @property
    def is_whole(self) -> bool:
        return self._has_head and len(self.body) == self.length

    @property
    def _has_head(self) -> bool:
        return b"\r\n\r\n" in self.head

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        """Leave without a goodbye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Reply = bytes | Callable[[Call], None]


class Scripted:
    """Serves until it is closed; a connection without a reply left is closed unanswered."""

    def __init__(self, wrap: Callable[[socket.socket], socket.socket] | None = None) -> None:
        self._wrap = wrap
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.calls: list[Call] = []
        self.replies: list[Reply] = []
        self.failures: list[BaseException] = []
        self.over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            reply = self.replies.pop(0) if self.replies else None
            threading.Thread(target=self._take, args=(connection, reply), daemon=True).start()

    def _take(self, connection: socket.socket, reply: Reply | None) -> None:
        try:
            call = Call(self._wrap(connection) if self._wrap else connection)
            self.calls.append(call)
            if isinstance(reply, bytes):
                call.read_head()
                call.read_body()
                call.send(reply)
            elif reply:
                reply(call)
            call.connection.close()
        except OSError:
            connection.close()
        except BaseException as failure:  # noqa: BLE001  told to the test
            self.failures.append(failure)

    def close(self) -> None:
        self.over.set()
        self._listening.close()
        assert not self.failures


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what another thread is about to do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.002)
