"""The audit log: append only, written with the act it tells of."""

from __future__ import annotations

import uuid

from app.audit.models import AuditEntry
from app.db import new_id, transaction

__all__ = ["record"]


def record(
    action: str,
    target_kind: str,
    target_id: object,
    *,
    actor_id: uuid.UUID | None = None,
    actor_role: str | None = None,
    id_: uuid.UUID | None = None,
    **details: str | int | bool | None,
) -> None:
    """Note one act in the transaction of the act. `details` are codes, never names. `id_` names
    the entry where an act must be noted, and done, once only."""
    with transaction() as session:
        session.add(
            AuditEntry(
                id=id_ or new_id(),
                action=action,
                target_kind=target_kind,
                target_id=str(target_id),
                actor_id=actor_id,
                actor_role=actor_role,
                details=dict(details),
            )
        )
