"""What only an administrator can mend: told once a day, however many posts meet it."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from sqlalchemy import select

from app import audit, clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction

# 'version': LinkedIn no longer answers our version of its interface; 'permission': it does not
# let our application post; 'scope': it refuses what we ask members for; 'client': it does not
# know our identifier, our secret or our address.
CODES = ("version", "permission", "scope", "client")
AGAIN_AFTER = dt.timedelta(days=1)
ACTION, TARGET = "sharing.trouble", "sharing"


class Trouble(NamedTuple):
    """When something was last in the way."""

    code: str
    at: dt.datetime


def note(code: str) -> bool:
    """Tell the administrators; False when they were told of this within a day."""
    with transaction():
        if any(found.code == code for found in recent(AGAIN_AFTER)):
            return False
        audit.record(ACTION, TARGET, code)
        outbox.record("sharing.trouble", code=code)
    return True


def recent(within: dt.timedelta) -> list[Trouble]:
    """What was in the way lately, the newest first, each kind once."""
    rows = db.session.execute(
        select(AuditEntry.target_id, AuditEntry.at)
        .where(
            AuditEntry.target_kind == TARGET,
            AuditEntry.target_id.in_(CODES),
            AuditEntry.action == ACTION,
            AuditEntry.at > clock.now() - within,
        )
        .order_by(AuditEntry.at.desc())
    ).all()
    newest: dict[str, Trouble] = {}
    for row in rows:
        newest.setdefault(row.target_id, Trouble(row.target_id, row.at))
    return list(newest.values())
