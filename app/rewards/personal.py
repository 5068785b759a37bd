"""Rewards: what somebody ordered, and what they hand over."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import clock
from app.personal_data import PERSON, Row, Subject, holds, plain
from app.rewards.models import CANCELLED, RESERVED, Redemption, Reward
from app.rewards.service import put_back


def _ordered(session: Session, person_id: uuid.UUID) -> Iterable[Row]:
    query = (
        select(Redemption, Reward.title, Reward.pay_class)
        .join(Reward, Reward.id == Redemption.reward_id)
        .where(Redemption.person_id == person_id)
        .order_by(Redemption.created_at)
    )
    for row, title, pay_class in session.execute(query):
        yield {
            "title": title, "pay_class": pay_class, "cost": row.cost, "status": row.status,
            "created_at": plain(row.created_at), "settled_at": plain(row.settled_at),
        }  # fmt: skip


def _call_off(session: Session, subject: Subject) -> None:
    """What was ordered and not handed over cannot be handed to nobody: it is on the shelf again.
    The points stay where they are; an erasure writes nothing in the ledger (rule E2)."""
    open_ones = select(Redemption).where(
        Redemption.person_id == subject.id, Redemption.status == RESERVED
    )
    for redemption in session.scalars(open_ones.with_for_update()):
        put_back(session, redemption)
        redemption.status, redemption.settled_at = CANCELLED, clock.now()
    session.execute(
        update(Redemption).where(Redemption.settled_by == subject.id).values(settled_by=None)
    )


def declare() -> None:
    """Say it."""
    holds(
        "rewards.redemptions", Redemption, title=_l("Rewards you ordered"),
        purpose=_l("to hand them over and to declare what the law says"), basis="law",
        source="you", recipients=("you", "hr"), exports={PERSON: _ordered},
        erasures={PERSON: _call_off},
        stays=_l(
            "Rewards that were handed over stay in the accounts, by number and without your name "
            "(duties towards pay and tax, GDPR article 17.3.b)."
        ),
    )  # fmt: skip
