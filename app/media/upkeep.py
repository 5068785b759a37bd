"""What pictures need by the clock."""

from __future__ import annotations

from app import outbox
from app.media import service


@outbox.on("periodic.house.forget", "media.sweep", outside=True, timeout=300)
def sweep() -> None:
    """Every night: files that no row knows."""
    service.sweep()
