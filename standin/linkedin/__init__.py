"""A LinkedIn of one's own: a loopback server that behaves as the reference says, oddities too.

`with StandIn() as standin:` runs one for a test; `python -m standin.linkedin` runs one beside a
demo; `Remote(address)` turns the switches of one that is running. The product knows nothing of it
but its address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from standin.linkedin.registry import CLIENT_ID, CLIENT_SECRET, CMA_CLIENT_ID, CMA_CLIENT_SECRET
from standin.linkedin.remote import Remote, StandIn
from standin.linkedin.start import build

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CMA_CLIENT_ID",
    "CMA_CLIENT_SECRET",
    "Remote",
    "StandIn",
    "serve",
]


def serve(
    port: int = 0,
    data_dir: Path | None = None,
    *,
    lenient: bool = False,
    now: dt.datetime | None = None,
    also_versions: Iterable[str] = (),
) -> None:
    """Serves in the calling thread until it is interrupted.

    `now` starts its clock there; `also_versions` (YYYYMM) stay alive past their year.
    """
    server = build(port, data_dir, lenient=lenient, now=now, also_versions=also_versions)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.stopping.set()
        server.server_close()
        server.world.store.close()
