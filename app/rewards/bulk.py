"""What a keeper of the shelf does to several rewards at once, by `app.web.bulk`.

A row outside the keeper's reach is one that is not there. Where the organisation asks for a
second person about money, rewards of payroll wait, each as a request of its own.
"""

from __future__ import annotations

import uuid
from typing import Literal

from app import audit
from app.approvals import Submitted
from app.audit.models import AuditEntry
from app.db import transaction
from app.rewards import guarded, queries, service
from app.rewards.errors import NoSuchReward
from app.web.bulk import WAITS, Act

Within = frozenset[uuid.UUID] | None
Answer = Literal[True, "waits"] | None


def off_sale(actor_id: uuid.UUID, within: Within) -> Act[bool]:
    """Off the shelf; what was redeemed before is still delivered."""

    def act(reward_id: uuid.UUID) -> Answer:
        _check_kept(reward_id, within)
        return True if service.withdraw_reward(reward_id, actor_id=actor_id) else None

    return act


def on_sale(actor_id: uuid.UUID, within: Within) -> Act[bool]:
    """Back on the shelf, as they were."""

    def act(reward_id: uuid.UUID) -> Answer:
        _check_kept(reward_id, within)
        made = guarded.restore_reward(reward_id, actor_id=actor_id)
        return _answer(made) if made.waits or made.result else None

    return act


def stock(more: int, actor_id: uuid.UUID, within: Within, press: uuid.UUID) -> Act[bool]:
    """So many `more` of each, or fewer where that is below zero. What has no limit is left alone;
    so is what this `press` was heard for before."""

    def act(reward_id: uuid.UUID) -> Answer:
        _check_kept(reward_id, within)
        with transaction() as session:
            before = service.locked(session, reward_id).stock
            noted = uuid.uuid5(press, str(reward_id))
            if before is None or session.get(AuditEntry, noted) is not None:
                return None
            audit.record(
                "reward.restocked", "reward", reward_id, actor_id=actor_id, id_=noted, more=more
            )
            made = guarded.change_reward(reward_id, actor_id=actor_id, stock=before + more)
        return _answer(made)

    return act


def deliverer(person_id: uuid.UUID, actor_id: uuid.UUID, within: Within) -> Act[bool]:
    """Somebody else hands them over from now on, what was reserved before included."""

    def act(reward_id: uuid.UUID) -> Answer:
        _check_kept(reward_id, within)
        with transaction() as session:
            if service.locked(session, reward_id).deliverer_id == person_id:
                return None
            made = guarded.change_reward(reward_id, actor_id=actor_id, deliverer_id=person_id)
        return _answer(made)

    return act


def _check_kept(reward_id: uuid.UUID, within: Within) -> None:
    if queries.reward(reward_id, within=within) is None:
        raise NoSuchReward


def _answer(made: Submitted) -> Answer:
    return WAITS if made.waits else True
