"""What follows when somebody confirms an import."""

from __future__ import annotations

import uuid

from app import outbox
from app.db import transaction
from app.referrals import import_run


@outbox.on(import_run.CONFIRMED, "referrals.import-offers", outside=True, timeout=3_600)
def carry_out(import_id: str) -> None:
    """Carry the import out; while another one works on the same connection, look again soon.

    Heard twice, or again after a crash, it goes on where it stopped.
    """
    if not import_run.run(uuid.UUID(import_id)):
        with transaction():
            outbox.record(import_run.CONFIRMED, delay=import_run.LOOK_AGAIN, import_id=import_id)
