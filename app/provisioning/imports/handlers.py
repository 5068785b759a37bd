"""What follows when somebody asks something of an import, and by the clock."""

from __future__ import annotations

import uuid

from app import outbox
from app.provisioning.imports import running, service


@outbox.on(running.ASKED, "provisioning.carry-import", outside=True, timeout=7_200)
def carry(import_id: str) -> None:
    """Carry the import on. Heard twice, or again after a crash, it goes on where it stopped."""
    running.carry(uuid.UUID(import_id))


@outbox.on("periodic.people.forget", "provisioning.forget-files", outside=True, timeout=300)
def forget_files() -> None:
    """Files are kept for a day at most."""
    service.forget_files()
