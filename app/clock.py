"""The one clock of the product.

Everything that asks for the time asks here (a lint rule forbids the others), so that the
demo can live through ninety days in a minute and a test can travel. The offset is kept in
the data folder: every process and the console of one installation share it.
"""

from __future__ import annotations

import datetime as _dt
import time as _time
from pathlib import Path

UTC = _dt.UTC

_OFFSET_FILE = "clock_offset"
_offset = _dt.timedelta(0)
_frozen: _dt.datetime | None = None


def now() -> _dt.datetime:
    """The product's present, an aware instant in UTC."""
    if _frozen is not None:
        return _frozen
    return _dt.datetime.now(UTC) + _offset


def today(zone: _dt.tzinfo = UTC) -> _dt.date:
    """The product's date as it is read on a wall in `zone`."""
    return now().astimezone(zone).date()


def timestamp() -> float:
    """Seconds since the epoch by the product's clock."""
    return now().timestamp()


def monotonic() -> float:
    """Seconds of a clock that never goes back; for waits and deadlines, never for dates."""
    return _time.monotonic()


def sleep(seconds: float) -> None:
    """Wait for `seconds` of real time."""
    _time.sleep(seconds)


def start(data_dir: Path, starts_at: _dt.datetime | None) -> None:
    """Adopt the offset of this installation; the first start with `starts_at` stores it."""
    global _offset
    file = data_dir / _OFFSET_FILE
    if file.exists():
        _offset = _dt.timedelta(seconds=float(file.read_text()))
    elif starts_at is not None:
        _offset = starts_at - _dt.datetime.now(UTC)
        file.write_text(str(_offset.total_seconds()))
    else:
        _offset = _dt.timedelta(0)


def freeze(at: _dt.datetime) -> None:
    """Hold the clock at one instant (demo and tests)."""
    global _frozen
    _frozen = at.astimezone(UTC)


def travel(by: _dt.timedelta) -> None:
    """Move the clock of this process; a frozen clock stays frozen at the new instant."""
    global _frozen, _offset
    if _frozen is not None:
        _frozen += by
    else:
        _offset += by


def release() -> None:
    """Let a frozen clock run again at the installation's own offset."""
    global _frozen
    _frozen = None
