"""How long a second start takes until everything answers, as a part of the five seconds that
are promised.

The whole product by its own console, on a data folder of its own with the demo in it: database,
queue server, web, workers, scheduler, stand-in. Run alone: `python -m bench.start`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench._table import ROUNDS, Row, compare, show

PROMISED_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
STOP_SECONDS = 15.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(data: Path) -> tuple[float, float]:
    """Seconds from the command to ready, and from the request to stop to the end."""
    port = _free_port()
    env = os.environ | {"PORTEVOIX_DATA_DIR": str(data), "PORT": str(port)}
    console = Path(sys.executable).with_name("portevoix")
    began = time.perf_counter()
    running = subprocess.Popen(
        [console, "up", "--demo"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _is_ready(port):
            if time.perf_counter() - began > PATIENCE_SECONDS or running.poll() is not None:
                raise RuntimeError("the product did not become ready")
            time.sleep(0.02)
        ready = time.perf_counter() - began
    finally:
        asked = time.perf_counter()
        running.send_signal(signal.SIGTERM)
        running.wait(STOP_SECONDS)
    return ready, time.perf_counter() - asked


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def rows() -> Iterator[Row]:
    """First start, second starts, stops."""
    data = Path(tempfile.mkdtemp(prefix="portevoix-bench-"))
    try:
        first, _ = _start(data)
        times = [_start(data) for _ in range(ROUNDS)]
    finally:
        shutil.rmtree(data, ignore_errors=True)
    promised = [PROMISED_SECONDS] * ROUNDS
    yield Row("first start, demo included", "s", first, 60.0, first / 60.0)
    yield compare(
        "second start to ready : five seconds", "s", [t[0] for t in times], promised, most=1
    )
    yield compare("stop : ten seconds", "s", [t[1] for t in times], [10.0] * ROUNDS, most=1)


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
