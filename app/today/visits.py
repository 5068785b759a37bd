"""When this reader was here before, so that "new since your last visit" is true.

The visit is noted in the reader's own signed cookie and nowhere else: nobody can ask the
product who opens it, and how often. What other devices say is the use that their logins keep
for the list of devices.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import session

from app import clock

KEY: Final = "visit"
PAUSE: Final = dt.timedelta(minutes=30)
"""After so long without a look at Today, the next look is another visit."""
NOTED_EVERY: Final = dt.timedelta(minutes=5)


def before_this() -> dt.datetime | None:
    """The end of the visit before this one in this browser; None where there was none. Notes
    this look in the cookie, at most every few minutes."""
    now = clock.now()
    since, seen = _known()
    if seen is not None and now - seen >= PAUSE:
        since = seen
    if seen is None or now - seen >= NOTED_EVERY:
        session[KEY] = [_written(since), _written(now)]
    return since


def _known() -> tuple[dt.datetime | None, dt.datetime | None]:
    kept = session.get(KEY)
    if not isinstance(kept, list) or len(kept) != 2:
        return None, None
    return _read(kept[0]), _read(kept[1])


def _written(at: dt.datetime | None) -> int:
    return int(at.timestamp()) if at else 0


def _read(kept: object) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(kept, dt.UTC) if isinstance(kept, int) and kept else None
