"""The server: one thread a connection, and a firm hand on the socket.

A request is handled only once all of it has arrived, so a client that dies half-way changes
nothing. Faults that need the socket (no answer, half an answer, a connection that closes) are
played here.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from standin.linkedin import members, reading, routes, tokens
from standin.linkedin.clock import rfc3339
from standin.linkedin.faults import Action
from standin.linkedin.store import fingerprint
from standin.linkedin.wire import Answer, Json, Refused, Request, problem
from standin.linkedin.world import World

IDLE_SECONDS = 75.0
_WITHOUT_FAULTS = ("/_standin/", "/feed", "/favicon.ico")
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 for one world."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        world.address = f"http://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection, so that stopping ends it."""
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection and closes it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""

    def stop(self) -> None:
        """Stops listening and ends every connection."""
        self.stopping.set()
        self._stop_listening()
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def _stop_listening(self) -> None:
        """Ends `serve_forever`, woken by a connection so that nobody waits for its next round."""
        ending = threading.Thread(target=self.shutdown)
        ending.start()
        while ending.is_alive():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.server_port), timeout=1).close()
            ending.join(0.01)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "LinkedInStandIn"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    _started = 0.0

    @property
    def world(self) -> World:
        """The one this server is for."""
        return cast(Server, self.server).world

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing on the terminal; `GET /_standin/requests` tells."""

    def handle_one_request(self) -> None:
        """Reads one request whole, then answers it as told."""
        self.close_connection = True
        with contextlib.suppress(OSError, reading.Gone):
            request = self._head()
            if request is not None:
                self._serve(request)
            return
        self.close_connection = True

    def _head(self) -> Request | None:
        """Request line and headers; None when the client has nothing more to ask."""
        self.raw_requestline = self.rfile.readline(65_537)
        self._started = time.perf_counter()
        if len(self.raw_requestline) > 65_536:
            self.requestline, self.request_version, self.command = "", "", ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return None
        if not self.raw_requestline or not self.parse_request():
            return None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, self.path, headers)

    def _serve(self, head: Request) -> None:
        fault = self._fault_before_the_body(head)
        if fault is not None and fault.do == "drop_before":
            self._note(head, "dropped", fault)
            raise reading.Gone
        try:
            body = reading.body(cast(Any, self.rfile), head.headers)
        except Refused as refusal:
            self._note(head, refusal.answer.status, None)
            self._write(refusal.answer)
            raise reading.Gone from None
        except (OSError, reading.Gone):
            self._note(head, "incomplete", fault)
            raise
        request = Request(head.method, head.target, head.headers, body)
        with contextlib.nullcontext() if _is_control(head) else self.world.journal.one_more():
            self._play(request, fault or self._fault(request))

    # Faults

    def _fault_before_the_body(self, request: Request) -> Action | None:
        """The fault, when it does not depend on who is calling."""
        faults = self.world.faults
        if request.target.startswith(_WITHOUT_FAULTS) or faults.ask_by_member():
            return None
        return faults.pick(request.method, request.target, None)

    def _fault(self, request: Request) -> Action | None:
        """The fault, when it depends on who is calling."""
        faults = self.world.faults
        if request.target.startswith(_WITHOUT_FAULTS) or not faults.ask_by_member():
            return None
        return faults.pick(request.method, request.target, self._member(request))

    def _member(self, request: Request) -> str | None:
        """The member of the token; of the body when the token was never issued here."""
        row = tokens.find(self.world, request.bearer())
        if row is not None and row["sub"] is not None:
            return str(row["sub"])
        try:
            body = request.json()
        except Refused:
            return None
        inner = body.get("initializeUploadRequest")
        owner = body.get("author") or (inner.get("owner") if isinstance(inner, dict) else None)
        return owner.removeprefix(members.PERSON) if isinstance(owner, str) else None

    def _play(self, request: Request, fault: Action | None) -> None:
        """Handles the request and answers, as the fault wants it."""
        if fault is None:
            self._send(request, self._answer(request))
            return
        if fault.do == "slow" and fault.when == "before":
            self._wait(fault.seconds)
        answer = self._answer(request) if fault.commit else problem(500, "Internal Server Error")
        match fault.do:
            case "status":
                self._send(request, fault.answer(), fault)
            case "slow" | "no_header":
                self._send_spoilt(request, answer, fault)
            case "half":
                self._send_half(request, answer, fault)
            case "garbage":
                self._send_garbage(request, fault)
            case _:
                self._leave_unanswered(request, fault)

    def _leave_unanswered(self, request: Request, fault: Action) -> None:
        """`drop_after_accept`, `drop_before` and, after its time, `silence`."""
        self._note(request, "silent" if fault.do == "silence" else "dropped", fault)
        self._wait(fault.seconds, leave_with_client=True)
        raise reading.Gone

    def _wait(self, seconds: float, *, leave_with_client: bool = False) -> None:
        """Lets time pass; ends early when the server stops, or the client is gone if asked."""
        stopping = cast(Server, self.server).stopping
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stopping.wait(min(left, 0.25)):
            if leave_with_client and self._client_is_gone():
                return

    def _client_is_gone(self) -> bool:
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    # Answering

    def _answer(self, request: Request) -> Answer:
        if not _is_local(request.headers.get("host", "")):
            return problem(421, "Only names of this machine are answered")
        try:
            return routes.answer(self.world, request)
        except Exception:  # noqa: BLE001
            return problem(500, traceback.format_exc())

    def _send(self, request: Request, answer: Answer, fault: Action | None = None) -> None:
        """Noted first: who has the answer finds it in the journal."""
        self._note(request, answer.status, fault)
        self._write(answer)
        self.close_connection = self._wants_close()

    def _send_spoilt(self, request: Request, answer: Answer, fault: Action) -> None:
        if fault.do == "no_header":
            answer.headers.pop("x-restli-id", None)
        if fault.do == "slow" and fault.when == "after":
            self._wait(fault.seconds)
        self._send(request, answer, fault)

    def _send_half(self, request: Request, answer: Answer, fault: Action) -> None:
        """Half of the headers; when there is a body, all of them and half of the body."""
        self._note(request, "half", fault)
        packed = self._packed(answer)
        keep = len(packed) - (len(answer.body) + 1) // 2 if answer.body else len(packed) // 2
        self.connection.sendall(packed[:keep])
        raise reading.Gone

    def _send_garbage(self, request: Request, fault: Action) -> None:
        self._note(request, "garbage", fault)
        if fault.form == "body":
            kind = {"Content-Type": "application/json"}
            self._write(Answer(200, b'{"value": [}\x00\xff\xfe', kind))
        else:
            self.connection.sendall(bytes(range(1, 256)) + b"\r\n\r\n")
        raise reading.Gone

    def _write(self, answer: Answer) -> None:
        self.connection.sendall(self._packed(answer))

    def _packed(self, answer: Answer) -> bytes:
        headers = {
            "Server": self.server_version,
            "Date": self.date_time_string(),
            **answer.headers,
        }
        if answer.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(answer.body))
        if self._wants_close():
            headers["Connection"] = "close"
        first = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"
        lines = [first, *(f"{name}: {value}" for name, value in headers.items())]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        return head if self.command == "HEAD" else head + answer.body

    def _wants_close(self) -> bool:
        asked = self.headers.get("Connection", "").lower()
        return asked == "close" or (self.request_version == "HTTP/1.0" and asked != "keep-alive")

    # The journal

    def _note(self, request: Request, status: int | str, fault: Action | None) -> None:
        """Neither the query nor a token is kept, but the name of an action is."""
        if not _is_control(request):
            self.world.journal.note(self._entry(request, status, fault))

    def _entry(self, request: Request, status: int | str, fault: Action | None) -> Json:
        token = request.bearer()
        row = tokens.find(self.world, token) if token else None
        label = routes.label_of(request.path)
        action = request.query.get("action", "") if request.method == "POST" else ""
        return {
            "at": rfc3339(self.world.timestamp()),
            "method": request.method,
            "path": f"{label}?action={action}" if action.isalpha() else label,
            "status": status,
            "fault": _name(fault),
            "token": fingerprint(token) if token else None,
            "member": row["sub"] if row else None,
            "version": request.headers.get("linkedin-version"),
            "bytes": len(request.body),
            "ms": round((time.perf_counter() - self._started) * 1000),
        }


def _is_control(request: Request) -> bool:
    """Whether the stand-in's own control is addressed, which the journal leaves out."""
    return request.path.startswith("/_standin/")


def _is_local(host: str) -> bool:
    """Whether a Host header names this machine: a strange name may be somebody's page."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name in _LOCAL_NAMES or name.endswith(".localhost")


def _name(fault: Action | None) -> str | None:
    """`500`, `silence`, …; `+commit` when the request took effect although it may not seem so."""
    if fault is None:
        return None
    name = fault.error or fault.do
    return (
        f"{name}+commit" if fault.commit and fault.do in ("status", "silence", "garbage") else name
    )
