"""Forgetting what the API and its callers left behind."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete

from app import clock, outbox, retention
from app.api.models import IdempotencyKey
from app.audit.models import AuditEntry
from app.db import transaction
from app.people.models import Login
from app.retention import Retention


def _before(kept: Retention) -> dt.datetime:
    return clock.now() - (kept.after or dt.timedelta(0))


@outbox.on("periodic.house.forget", "api.forget", timeout=300)
def forget() -> None:
    """Kept answers after two days, sessions after six months, audit entries after a year."""
    with transaction() as session:
        session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.created_at < _before(retention.IDEMPOTENCY))
        )
        session.execute(delete(Login).where(Login.seen_at < _before(retention.SESSION)))
        session.execute(delete(AuditEntry).where(AuditEntry.at < _before(retention.SECURITY_LOG)))
