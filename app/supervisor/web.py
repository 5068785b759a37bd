"""The web server: one listening socket, and workers forked from a process that has imported
everything.

granian's own main process would import the stack again in each worker it starts anew and
give each worker a socket of its own, which keeps answering when the main process is killed.
So a small prefork of ours starts granian's single worker on the socket that it inherits: a
worker that dies is replaced at once, waiting connections stay in the one queue meanwhile,
and every worker dies with the main process.

Beside the workers one process brings what they spool into the database. It is started again
when it dies, however often: the workers need it for nothing that they answer. It is stopped
after them, so that it can read their last lines.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable

from flask import Flask

from app import clock
from app.jobs import process
from app.supervisor import granian_worker, processes
from app.supervisor.granian_worker import BACKLOG
from app.supervisor.options import Options
from app.supervisor.parts import Part

STOP_SECONDS = 6.0
LAST_PASS_SECONDS = 1.2
QUICK_SECONDS = 2.0
QUICK_DEATHS = 5


class CannotListen(Exception):
    """The address is taken, or not ours."""


def bind(host: str, port: int) -> socket.socket:
    """Reserve the address without listening yet. Raises `CannotListen`."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise CannotListen(_why(host, port, error)) from error
    return listener


def listen(listener: socket.socket) -> None:
    """Let connections wait from now on. Raises `CannotListen` where another was faster."""
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise CannotListen(_why(host, port, error)) from error
    listener.setblocking(False)


def _why(host: str, port: int, error: OSError) -> str:
    return f"cannot listen on {host}:{port} ({error.strerror}); set HOST or PORT to another"


def serve(
    app: Flask,
    listener: socket.socket,
    options: Options,
    ingest: Callable[[Flask], int] | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT, in this process and its children; the exit status.

    `ingest` is what runs beside the workers, if anything.
    """
    beside = None if ingest is None else Beside(lambda: ingest(app), [listener])
    if options.server == "gunicorn":
        return _serve_gunicorn(app, listener, options, beside)

    def work() -> int:
        return granian_worker.run(app, listener, options.threads)

    return Prefork(options.web_workers, work, beside).run()


class Beside:
    """The one process beside the workers. It closes `listeners`, so that it does not keep the
    address open."""

    def __init__(self, work: Callable[[], int], listeners: list[socket.socket]) -> None:
        self.listeners = listeners
        self._work = work
        self._part = Part("ingester", "pv-ingester", self._alone, own_session=False)

    def _alone(self) -> int:
        for listener in self.listeners:
            listener.close()
        return self._work()

    @property
    def pid(self) -> int:
        """0 while it waits for its next start."""
        return self._part.pid

    def keep(self) -> None:
        """Start it when it is due: at first, and again after a pause that grows."""
        part = self._part
        if part.is_running and processes.has_ended(part.pid):
            how = part.bury()
            sys.stderr.write(f"portevoix: {part.name} {how}; starting it again\n")
        if not part.is_running and part.due <= clock.monotonic():
            part.start()

    def stop(self) -> None:
        """A last pass; what takes too long is cut, the next start goes on with it."""
        if not self._part.is_running:
            return
        processes.send(self.pid, signal.SIGTERM)
        deadline = clock.monotonic() + LAST_PASS_SECONDS
        while not processes.has_ended(self.pid) and clock.monotonic() < deadline:
            clock.sleep(0.02)
        if not processes.has_ended(self.pid):
            processes.send(self.pid, signal.SIGKILL)
        self._part.bury()


class Prefork:
    """A few equal workers, replaced when they die, and perhaps one process beside them."""

    def __init__(self, count: int, work: Callable[[], int], beside: Beside | None = None) -> None:
        self.count = count
        self.work = work
        self.beside = beside
        self._born: dict[int, float] = {}
        self._quick_deaths = 0

    def run(self) -> int:
        """Until a signal asks to stop (0), or workers die as soon as they start (1)."""
        processes.hold_signals()
        gc.freeze()  # what all share is never walked again for garbage, nor copied for it
        for _ in range(self.count):
            self._start()
        while True:
            self._look_beside()
            waits = self.beside is not None and not self.beside.pid
            number = processes.next_signal(0.2 if waits else 1.0)
            if number in processes.STOPPING:
                return self._stop()
            self._bury()
            if self._quick_deaths >= QUICK_DEATHS:
                self._stop()
                return 1
            while len(self._born) < self.count:
                self._start()

    def _start(self) -> None:
        pid = processes.fork("pv-web-worker", self.work, own_session=False)
        self._born[pid] = clock.monotonic()

    def _look_beside(self) -> None:
        if self.beside is not None:
            self.beside.keep()

    def _bury(self) -> None:
        while (pid := processes.next_ended()) is not None:
            if self.beside is not None and pid == self.beside.pid:
                self.beside.keep()
                continue
            status = processes.take_leave(pid)
            lived = clock.monotonic() - self._born.pop(pid, 0.0)
            self._quick_deaths = self._quick_deaths + 1 if lived < QUICK_SECONDS else 0
            sys.stderr.write(
                f"portevoix: web worker {pid} {processes.describe(status)}, replaced\n"
            )

    def _stop(self) -> int:
        """Requests under way are answered; what takes too long is cut."""
        for worker in self._born:
            processes.send(worker, signal.SIGTERM)
        deadline = clock.monotonic() + STOP_SECONDS
        while self._born and clock.monotonic() < deadline:
            processes.next_signal(0.2)
            for worker in [pid for pid in self._born if processes.has_ended(pid)]:
                processes.take_leave(worker)
                self._born.pop(worker)
        for worker in self._born:
            processes.send(worker, signal.SIGKILL)
            processes.take_leave(worker)
        if self.beside is not None:
            self.beside.stop()
        return 0


def _serve_gunicorn(
    app: Flask, listener: socket.socket, options: Options, beside: Beside | None
) -> int:
    """The fallback: gunicorn's threads on the same socket."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.arbiter import Arbiter

    main = os.getpid()

    def born(arbiter: object, worker: object) -> None:
        process.die_with(main)
        process.entitle("pv-web-worker")

    settings = {
        "bind": f"fd://{os.dup(listener.fileno())}",
        "workers": options.web_workers,
        "worker_class": "gthread",
        "threads": options.threads,
        "preload_app": True,
        "control_socket_disable": True,
        "graceful_timeout": int(STOP_SECONDS),
        "loglevel": "warning",
        "post_fork": born,
    }

    class Fallback(BaseApplication):
        def load_config(self) -> None:
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return app

        def run(self) -> None:
            Watch(self).run()

    class Watch(Arbiter):
        """gunicorn's main process, which looks after its workers once a second, and here after
        what runs beside them."""

        def manage_workers(self) -> None:
            super().manage_workers()
            if beside is not None:
                beside.listeners = [listener, *(each.sock for each in self.LISTENERS)]
                beside.keep()

        def stop(self, graceful: bool = True) -> None:
            super().stop(graceful)
            if beside is not None:
                beside.stop()

    Fallback().run()
    return 0
