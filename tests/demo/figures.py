"""What a demo amounts to, in figures that do not depend on identifiers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from app.db import db
from app.people.models import Membership, Person
from app.play import accounts
from app.referrals.models import Click, Offer, Referral
from app.rewards.models import Redemption
from app.sharing.models import Share


def _counted(*columns: Any) -> dict[tuple[Any, ...], int]:
    rows: Iterable[Any] = db.session.execute(
        select(*columns, func.count()).group_by(*columns)
    ).all()
    return {tuple(row[:-1]): row[-1] for row in rows}


def shares() -> dict[tuple[Any, ...], int]:
    """By network and status."""
    return _counted(Share.network, Share.status)


def stages() -> dict[str, int]:
    """Referrals by stage."""
    return {key[0]: count for key, count in _counted(Referral.stage).items()}


def points() -> dict[str, tuple[int, int, int]]:
    """Everybody's points: to spend, on the way, for their standing."""
    people = db.session.execute(select(Person.id, Person.email)).all()
    found = {email: accounts.balance_of(person_id) for person_id, email in people}
    return {email: (b.available, b.pending, b.status_points) for email, b in found.items()}


def everything() -> dict[str, Any]:
    """All of it."""
    return {
        "shares": shares(),
        "stages": _counted(Referral.stage, Referral.closure_reason, Referral.visibility),
        "points": points(),
        "clicks": _counted(Click.verdict),
        "offers": _counted(Offer.source, Offer.status),
        "redemptions": _counted(Redemption.status),
        "members": _counted(Membership.left_at.is_(None)),
    }
