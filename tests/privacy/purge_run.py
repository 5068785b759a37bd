"""One purge in a forked process, which may kill itself.

A step is a statement, the moment before a commit or the moment after it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import time
import traceback
from pathlib import Path
from typing import NoReturn

from sqlalchemy import event
from sqlalchemy.engine import Engine

from app import clock, create_app
from app.db import db
from app.privacy import purge
from tests.conftest import settings_for


class Steps:
    """Counts, and dies at one of them; 0 is none."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.count = fatal, 0

    def __call__(self, *_: object) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def carry_out(
    folder: Path, url: str, at: dt.datetime, batch: int, fatal: int, told: Path
) -> NoReturn:
    """In the child: purge, and leave in `told` how many steps there were and how many seconds it
    took. `batch` 0: as in an installation."""
    try:
        told.write_text(json.dumps(_purge(folder, url, at, batch, Steps(fatal))))
    except BaseException:  # noqa: BLE001 - it ends here whatever it was
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _purge(
    folder: Path, url: str, at: dt.datetime, batch: int, steps: Steps
) -> dict[str, float | int]:
    app = create_app(settings_for(folder, **({"DATABASE_URL": url} if url else {})))
    purge.BATCH = batch or purge.BATCH  # type: ignore[misc]
    with app.app_context():
        clock.freeze(at)
        began = time.monotonic()
        event.listen(Engine, "before_cursor_execute", steps)
        event.listen(Engine, "commit", steps)
        event.listen(db.session, "after_commit", steps)
        purge.run()
        return {"steps": steps.count, "seconds": time.monotonic() - began}
