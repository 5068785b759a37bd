"""One run of `portevoix up`, from the lock to the last process."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import http.client
import os
import signal
import socket
import sys

from flask import Flask

from app import clock
from app.config import Settings
from app.supervisor import lock, processes, queue_server, web
from app.supervisor.options import Options
from app.supervisor.parts import Part
from app.supervisor.product import Product

STOP_SECONDS = 7.5
QUEUE_STOP_SECONDS = 1.0
# Ctrl-C and a signal of `make` may arrive together: that is one wish, not two.
SAME_WISH_SECONDS = 0.3
QUEUE_QUICK_DEATHS = 3


def say(text: str) -> None:
    """A line on the terminal; nobody reading it is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"portevoix: {text}\n")
        sys.stderr.flush()


def up(settings: Settings, options: Options, product: Product) -> int:
    """Run the product until a signal; the exit status (0 after SIGINT or SIGTERM)."""
    try:
        held = lock.acquire(settings.data_dir)
    except lock.AlreadyRunning as error:
        say(str(error))
        return 1
    processes.hold_signals()
    run = Run(settings, options, product, held)
    try:
        return run.run()
    except (web.CannotListen, queue_server.NoQueueServer) as error:
        say(str(error))
        return 1
    finally:
        run.clean_up()


class Stopped(Exception):
    """A signal asked for the end."""


class Run:
    """What one supervisor knows."""

    def __init__(self, settings: Settings, options: Options, product: Product, held: int) -> None:
        self.settings = settings
        self.options = options
        self.product = product
        self.held = held
        self.parts: list[Part] = []
        self.queue: Part | None = None
        self.greeter = 0
        self.runtime = ""
        self.stopping = False
        self._queue_deaths = 0

    # Starting

    def run(self) -> int:
        """Start everything, watch it, stop it."""
        try:
            self._start()
            self._watch()
        except Stopped:
            self._stop()
        except BaseException:
            self._kill()
            raise
        return 0

    def _start(self) -> None:
        self._forget_last_run()
        listener = web.bind(self.settings.host, self.settings.port)
        if self.settings.redis_url is None:
            self._start_queue_server()
        app = self._import()
        self._heed()
        self._prepare(app)
        web.listen(listener)
        self._start_parts(app, listener)
        self.greeter = processes.fork("pv-welcome", lambda: self._welcome(app))
        self._note()

    def _forget_last_run(self) -> None:
        last = lock.read(self.settings.data_dir)
        if last is not None:
            queue_server.remove_runtime_folder(last.runtime)

    def _start_queue_server(self) -> None:
        folder = queue_server.runtime_folder()
        self.runtime = str(folder)
        path = queue_server.socket_in(folder)
        self.settings = dataclasses.replace(self.settings, redis_url=f"unix://{path}")
        work = queue_server.become(path, self.settings.data_dir, self.held)
        self.queue = Part("queue server", "pv-queue", work)
        self.queue.start()
        self._note()

    def _import(self) -> Flask:
        """The one import. What was made is frozen out of the collector's sight, so that the parts
        go on sharing that memory."""
        app = self.product.create(self.settings)
        gc.freeze()
        return app

    def _prepare(self, app: Flask) -> None:
        """Bring the database to this version, in a process of its own."""

        def work() -> int:
            self.product.prepare(app)
            return 0

        pid = processes.fork("pv-prepare", work)
        while not processes.has_ended(pid):
            try:
                self._heed(wait=0.5)
            except Stopped:
                processes.end_session(pid)
                processes.take_leave(pid)
                raise
        status = processes.take_leave(pid)
        if status:
            say(f"preparing the database failed ({processes.describe(status)})")
            raise SystemExit(1)

    def _heed(self, wait: float = 0.0) -> None:
        """Stop here if a signal has asked for it."""
        if processes.next_signal(wait) in processes.STOPPING:
            raise Stopped

    def _start_parts(self, app: Flask, listener: socket.socket) -> None:
        """From the ground up; they are stopped in the opposite order."""
        settings, options = self.settings, self.options
        url = settings.redis_url or ""

        def serve() -> int:
            return web.serve(app, listener, options, self.product.ingest)

        def work() -> int:
            from app.jobs import worker

            return worker.run(app, url)

        def keep_time() -> int:
            from app.jobs import scheduler

            holder = scheduler.installation_holder(settings)
            return scheduler.run(app, settings, url, self.product.schedule(), holder)

        self.parts = [Part(c.name, c.title, c.work) for c in self.product.companions]
        self.parts.append(Part("web", "pv-web", serve))
        for number in range(1, options.job_workers + 1):
            self.parts.append(Part(f"worker {number}", "pv-worker", work))
        self.parts.append(Part("scheduler", "pv-scheduler", keep_time))
        for part in self.parts:
            part.start()

    def _welcome(self, app: Flask) -> int:
        """Wait for the web, then tell the terminal where it is and who may come in."""
        while not _answers(self.settings):
            clock.sleep(0.05)
        sys.stdout.write(f"Portevoix is at {self.settings.base_url} (Ctrl-C stops it)\n")
        sys.stdout.flush()
        text = self.product.welcome(app) if self.product.welcome else ""
        if text:
            sys.stdout.write(text.rstrip("\n") + "\n")
        return 0

    def _note(self) -> None:
        everything = [part for part in (self.queue, *self.parts) if part and part.is_running]
        state = lock.State(
            pid=os.getpid(),
            address=self.settings.base_url,
            redis_url=self.settings.redis_url or "",
            runtime=self.runtime,
            parts={part.name: part.pid for part in everything},
            addresses=dict(self.product.addresses),
        )
        lock.write(self.settings.data_dir, state)

    # Watching

    def _all(self) -> list[Part]:
        """In the order of starting."""
        return [*([self.queue] if self.queue else []), *self.parts]

    def _watch(self) -> None:
        while True:
            self._heed(wait=self._seconds_to_next_start())
            self._bury()
            self._start_again()

    def _seconds_to_next_start(self) -> float:
        waits = [part.due - clock.monotonic() for part in self._all() if not part.is_running]
        return max(min([1.0, *waits]), 0.0)

    def _bury(self) -> None:
        while (pid := processes.next_ended()) is not None:
            part = next((part for part in self._all() if part.pid == pid), None)
            if part is None:
                self._bury_other(pid)
                continue
            how = part.bury()
            say(f"{part.name} {how}; starting it again in {part.pause:g} s")
            if part is self.queue:
                self._look_after_queue()

    def _bury_other(self, pid: int) -> None:
        if pid == self.greeter:
            processes.end_session(pid)
            self.greeter = 0
            status = processes.take_leave(pid)
            if status and not self.stopping:
                say("the welcome failed; the product runs on")
        else:
            processes.take_leave(pid)

    def _look_after_queue(self) -> None:
        """A server that dies again and again cannot read its files: let it start empty."""
        if self.queue is None:
            return
        lived = clock.monotonic() - self.queue.born
        self._queue_deaths = self._queue_deaths + 1 if lived < queue_server.READY_SECONDS else 0
        if self._queue_deaths >= QUEUE_QUICK_DEATHS:
            self._queue_deaths = 0
            aside = queue_server.put_aside(self.settings.data_dir)
            if aside:
                say(f"the queue server starts empty; its files are in {aside}")

    def _start_again(self) -> None:
        started = False
        for part in self._all():
            if not part.is_running and part.due <= clock.monotonic():
                part.start()
                started = True
        if started:
            self._note()

    # Stopping

    def _stop(self) -> None:
        """SIGTERM in reverse order, patience, then SIGKILL; a second signal ends it at once."""
        began = clock.monotonic()
        self.stopping = True
        if self.greeter:
            processes.send(self.greeter, signal.SIGTERM)
        for part in reversed(self.parts):
            if part.is_running:
                processes.send(part.pid, signal.SIGTERM)
        patient = self._wait(self.parts, began + STOP_SECONDS, began)
        self._kill_those(self.parts)
        if self.queue and self.queue.is_running:
            processes.send(self.queue.pid, signal.SIGTERM)
            if patient:
                self._wait([self.queue], clock.monotonic() + QUEUE_STOP_SECONDS, began)
        self._kill()

    def _wait(self, parts: list[Part], deadline: float, began: float) -> bool:
        """Wait until they have ended; False when a second signal made an end of patience."""
        while any(part.is_running for part in parts) and clock.monotonic() < deadline:
            number = processes.next_signal(0.1)
            if number in processes.STOPPING and clock.monotonic() - began > SAME_WISH_SECONDS:
                return False
            while (pid := processes.next_ended()) is not None:
                part = next((part for part in self._all() if part.pid == pid), None)
                if part is not None:
                    part.bury()
                else:
                    self._bury_other(pid)
        return True

    def _kill_those(self, parts: list[Part]) -> None:
        for part in parts:
            if part.is_running:
                part.bury()

    def _kill(self) -> None:
        """What is left of everything."""
        self._kill_those(self._all())
        if self.greeter:
            processes.end_session(self.greeter)
            processes.take_leave(self.greeter)
            self.greeter = 0

    def clean_up(self) -> None:
        """Leave nothing behind but data."""
        if self.runtime:
            queue_server.remove_runtime_folder(self.runtime)
        lock.remove(self.settings.data_dir)
        os.close(self.held)


def _answers(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # nosec B104
    connection = http.client.HTTPConnection(host, settings.port, timeout=2.0)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
