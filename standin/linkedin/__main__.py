"""`python -m standin.linkedin`: prints its address on one line, then serves until it is ended."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from standin.linkedin import members, start
from standin.linkedin.clock import parse
from standin.linkedin.server import Server


def main(words: list[str] | None = None) -> int:
    """Runs the stand-in; 0 after SIGINT or SIGTERM."""
    given = _arguments().parse_args(words)
    server = start.build(
        given.port,
        given.data,
        lenient=given.lenient,
        now=given.now,
        also_versions=given.also_version,
    )
    if given.client_id:
        start.register(
            server, given.client_id, given.client_secret, given.redirect, given.client_name
        )
    if given.members:
        with server.world.store.transaction():
            members.add(server.world.store, json.loads(given.members.read_text("utf-8")))
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    _serve(server, ended, given.parent)
    return 0


def _serve(server: Server, ended: threading.Event, parent: int | None) -> None:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    sys.stdout.write(server.world.address + "\n")
    sys.stdout.flush()
    while not ended.wait(0.5):
        if parent is not None and os.getppid() != parent:
            break
    server.stop()
    thread.join()
    server.world.store.close()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m standin.linkedin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="folder of its state; in memory when left out")
    parser.add_argument("--lenient", action="store_true", help="accept tokens it never issued")
    parser.add_argument("--now", type=parse, help="RFC 3339 instant at which its clock starts")
    parser.add_argument("--also-version", action="append", default=[], help="YYYYMM, kept alive")
    parser.add_argument("--client-id", help="registers an application with all scopes")
    parser.add_argument("--client-secret", default="")
    parser.add_argument("--client-name", help="what the consent page calls it")
    parser.add_argument("--redirect", action="append", default=[], help="a redirect URI of it")
    parser.add_argument("--members", type=Path, help="JSON list of members to add")
    parser.add_argument("--parent", type=int, help="ends when this parent process is gone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
