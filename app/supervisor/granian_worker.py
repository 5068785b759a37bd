"""One worker of granian on a socket we opened, which takes answers from other threads, too.

granian answers a request when somebody calls the request's `response_bytes`, whichever thread
does; its own WSGI callback does so at once, with what the application returned. Ours lends the
function to the application (`app.web.later`). These parts of granian are not public, hence
pinned, and used here only.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from app.web import later

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

BACKLOG = 1024  # connections that wait

_SURROUNDINGS: WSGIEnvironment = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,  # werkzeug asks
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


class _Head:
    """What `start_response` was told last; the body is always returned."""

    __slots__ = ("headers", "status")

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        self.status, self.headers = int(status[:3]), headers
        return _no_write


def _no_write(_: bytes) -> object:
    raise NotImplementedError("this server takes bodies that are returned")


class _Body:
    """What granian asks for chunks, and closes at the end."""

    __slots__ = ("_chunks", "_parts")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._parts = chunks, iter(chunks)

    def __iter__(self) -> _Body:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        if (close := getattr(self._chunks, "close", None)) is not None:
            close()


def answering(app: WSGIApplication) -> Callable[[Any, WSGIEnvironment], None]:
    """granian's callback for an application: called with a request's protocol and what WSGI
    says of it."""

    def answer(proto: Any, environ: WSGIEnvironment) -> None:
        environ.update(_SURROUNDINGS)
        environ[later.KEY] = proto.response_bytes
        head = _Head()
        chunks = app(environ, head)
        if chunks is later.LATER:
            return
        if isinstance(chunks, list):
            proto.response_bytes(head.status, head.headers, b"".join(chunks))
        else:
            proto.response_iter(head.status, head.headers, _Body(chunks))

    return answer


def run(app: WSGIApplication, listener: socket.socket, threads: int) -> int:
    """Serve on this socket until SIGTERM or SIGINT; 0."""
    from granian._granian import SocketHolder
    from granian.constants import HTTPModes, Loops, RuntimeModes, SSLProtocols, TaskImpl
    from granian.log import LogLevels
    from granian.server import mp

    holder: Any = SocketHolder
    server: Any = mp
    server._wsgi_call_wrap = lambda app, *_: answering(app)
    server.MPServer._spawn_wsgi_worker(
        worker_id=1,
        process_name=None,
        callback_loader=lambda: app,
        sock=((None, holder(listener.fileno(), False, BACKLOG)), None),
        ipc=None,
        loop_impl=Loops.asyncio,
        log_enabled=True,
        log_level=LogLevels.warning,
        log_config=None,
        env_files=(),
        runtime_mode=RuntimeModes.mt,
        runtime_threads=1,
        runtime_blocking_threads=512,
        blocking_threads=threads,
        blocking_threads_idle_timeout=30,
        backpressure=BACKLOG,
        task_impl=TaskImpl.asyncio,
        http_mode=HTTPModes.http1,
        http1_settings=None,
        http2_settings=None,
        websockets=False,
        static_path=None,
        log_access_fmt=None,
        ssl_ctx=(False, None, None, None, str(SSLProtocols.tls13), None, [], False),
        scope_opts={"url_path_prefix": None},
        metrics=(None, None),
    )
    return 0
