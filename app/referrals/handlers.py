"""What the referral side does when facts arrive."""

from __future__ import annotations

import uuid

from app import outbox
from app.referrals import ats, import_handlers, mails  # noqa: F401  (they declare handlers)


@outbox.on("ats.received", "referrals.apply_ats_event")
def apply_ats_event(ats_event_id: str) -> None:
    """A stored event of a tracking system."""
    ats.apply_event(uuid.UUID(ats_event_id))
