"""The LinkedIn beside a demo: a server of its own, which the product knows by two addresses.

Only the console knows that it is a stand-in. It keeps its port from one start to the next, so
that the posts it shows keep their addresses. Variables that the operator has set win.
"""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.config import DEFAULT_LINKEDIN_VERSION

if TYPE_CHECKING:
    from app.config import Settings
    from app.supervisor import Companion
    from standin.linkedin import Remote

NAME = "linkedin"
ADDRESSES = ("PORTEVOIX_LINKEDIN_AUTH_URL", "PORTEVOIX_LINKEDIN_API_URL")
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Beside:
    """The stand-in of one run."""

    address: str
    companion: Companion


def is_named(environ: Mapping[str, str]) -> bool:
    """Whether the operator said where LinkedIn is."""
    return any(environ.get(name) for name in ADDRESSES)


def beside(data_dir: Path) -> Beside | None:
    """Point this process and those it starts at a stand-in; None where an address is set."""
    if is_named(os.environ):
        return None
    from app.supervisor import Companion

    found = address(data_dir)
    for name in ADDRESSES:
        os.environ[name] = found
    client_id, client_secret = _application()
    os.environ.setdefault("PORTEVOIX_LINKEDIN_CLIENT_ID", client_id)
    os.environ.setdefault("PORTEVOIX_LINKEDIN_CLIENT_SECRET", client_secret)
    version = os.environ.get("PORTEVOIX_LINKEDIN_VERSION")

    def work() -> int:
        from standin.linkedin import serve

        versions = [version or DEFAULT_LINKEDIN_VERSION]
        folder = data_dir / "standin"
        serve(int(found.rsplit(":", 1)[1]), folder, lenient=True, also_versions=versions)
        return 0

    return Beside(found, Companion("linkedin stand-in", "pv-standin", work))


def _application() -> tuple[str, str]:
    """The developer application of the mode: the two have different scopes."""
    from standin import linkedin

    if os.environ.get("PORTEVOIX_LINKEDIN_MODE") == "community_management":
        return linkedin.CMA_CLIENT_ID, linkedin.CMA_CLIENT_SECRET
    return linkedin.CLIENT_ID, linkedin.CLIENT_SECRET


@contextmanager
def at_work(settings: Settings) -> Iterator[Remote | None]:
    """The stand-in of this data folder while the demo is filled: the one that answers there, or
    one of this process. None where LinkedIn is said to be elsewhere: then nothing is sent."""
    found = known_address(settings.data_dir)
    if found is None or settings.linkedin_api_url.rstrip("/") != found:
        yield None
        return
    with ExitStack() as stack:
        yield _answering(found) or _started(found, settings, stack)


def _answering(address: str) -> Remote | None:
    from standin.linkedin import Remote

    remote = Remote(address)
    try:
        remote.knobs()
    except (OSError, RuntimeError, ValueError, http.client.HTTPException):
        return None
    return remote


def _started(address: str, settings: Settings, stack: ExitStack) -> Remote | None:
    from standin.linkedin import StandIn

    port = int(address.rsplit(":", 1)[1])
    with suppress(OSError):  # somebody else has the port: the demo does without
        mine = stack.enter_context(StandIn(settings.data_dir / "standin", port, lenient=True))
        mine.set(also_versions=[settings.linkedin_version])
        return mine
    return None


def introduce(address: str, people: Iterable[tuple[str, str]]) -> None:
    """Tell it the names of the demo's people: (member id, name)."""
    from standin.linkedin import Remote

    Remote(address).add_members([{"sub": sub, "name": name} for sub, name in people])


def address(data_dir: Path) -> str:
    """Where the stand-in of a data folder listens: the same place every time, while it is free
    or its own."""
    file = data_dir / "standin" / "port"
    port = _kept(file)
    if port is None or not _is_free(port):
        port = _free_port()
        file.parent.mkdir(mode=0o750, exist_ok=True)
        file.write_text(str(port))
    return f"http://{_HOST}:{port}"


def known_address(data_dir: Path) -> str | None:
    """The address of the last run, without looking whether it is free."""
    port = _kept(data_dir / "standin" / "port")
    return None if port is None else f"http://{_HOST}:{port}"


def _kept(file: Path) -> int | None:
    try:
        text = file.read_text()
    except OSError:
        return None
    return int(text) if text.isascii() and text.isdigit() else None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    return port
