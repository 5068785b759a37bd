"""Where an import stands."""

from __future__ import annotations

from typing import Final

MAPPING: Final = "mapping"
CHECKING: Final = "checking"
CHECKED: Final = "checked"
RUNNING: Final = "running"
DONE: Final = "done"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"
UNDOING: Final = "undoing"
UNDONE: Final = "undone"
DEPARTING: Final = "departing"

ALL: Final = (
    MAPPING, CHECKING, CHECKED, RUNNING, DONE, CANCELLED, FAILED, UNDOING, UNDONE, DEPARTING,
)  # fmt: skip
AT_WORK: Final = (CHECKING, RUNNING, UNDOING, DEPARTING)
"""Somebody carries it, or should."""
OPEN: Final = (MAPPING, CHECKING, CHECKED)
"""Nothing is written yet; it may be given up."""
