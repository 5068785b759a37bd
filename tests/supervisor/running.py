"""A running `up` of the tiny product, seen from outside as an operator sees it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from app import clock
from app.supervisor import lock, processes, queue_server

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(holds: Callable[[], object], what: str, seconds: float = 15.0) -> float:
    """Wait until `holds()` is true; after how many seconds it was."""
    began = clock.monotonic()
    while not holds():
        assert clock.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        clock.sleep(0.02)
    return clock.monotonic() - began


def is_alive(pid: int) -> bool:
    """Running, not merely waiting to be collected."""
    return processes.session_of(pid) is not None


def children_of(pid: int) -> list[int]:
    """Living processes that were started by `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


class Running:
    """One `up`, its data folder and its port."""

    def __init__(self, folder: Path, port: int | None = None, **env: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.output = folder.with_name(f"{folder.name}.log")
        self.log = self.output.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.tiny"],
            cwd=ROOT,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("PORTEVOIX_")},
                "PORT": str(self.port),
                "PORTEVOIX_DATA_DIR": str(folder),
                "PORTEVOIX_RELAY_RESEND_SECONDS": "1",
                **env,
            },
        )

    def wait_until_up(self) -> float:
        """Until the web answers; the seconds it took."""
        return eventually(self.answers, f"the web answers\n{self.said()}", 30)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def state(self) -> lock.State:
        found = lock.read(self.folder)
        assert found is not None, self.said()
        return found

    def part(self, name: str) -> int:
        """The pid of a part."""
        return self.state().parts[name]

    def everything(self) -> list[int]:
        """Every process of this run."""
        found = [self.process.pid]
        for pid in found:
            found.extend(children_of(pid))
        return found

    def get(self, path: str = "/healthz", seconds: float = 5.0) -> str:
        """What a page says."""
        return self._ask("GET", path, None, seconds)

    def record(self, number: int, seconds: float = 0.0, kind: str = "tiny.fact") -> None:
        """Let a request record a fact."""
        form = f"number={number}&seconds={seconds}&kind={kind}"
        assert self._ask("POST", "/facts", form, 20) == "recorded"

    def _ask(self, method: str, path: str, body: str | None, seconds: float) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            return text
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return bool(self.get(seconds=2.0))
        except (OSError, http.client.HTTPException):
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(15)
        finally:
            self.log.close()

    def end(self) -> None:
        """Whatever the test did, nothing stays."""
        for pid in reversed(self.everything()):
            processes.send(pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()
        last = lock.read(self.folder)
        if last is not None:
            queue_server.remove_runtime_folder(last.runtime)
