"""What the organisation asks at its own door: from whom a second factor, and since when.

A person with one of the team's roles is asked for a second factor at a sign-in, and has some
days of grace to set it up; then the team's pages wait for it, and the member's stay open.
Whoever comes from the identity provider is not asked: there it is the provider's to ask.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit, clock
from app.db import db, transaction
from app.people.errors import check_form
from app.people.models import Login, Person, RoleGrant
from app.people.proof_models import SecondFactor, SignInPolicy

ELSEWHERE = frozenset({"oidc"})
"""Ways to sign in at which somebody else asks for the second factor."""
LONGEST_GRACE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether the team's roles need a second factor, after how many calendar days."""

    is_required: bool
    grace_days: int


def is_staff(roles: Collection[str]) -> bool:
    """Every role but `member` belongs to the team."""
    return bool({*roles} - {"member"})


def policy() -> Policy:
    """What holds now: required after 14 days, unless somebody decided otherwise."""
    row = db.session.get(SignInPolicy, 1)
    return Policy(True, 14) if row is None else Policy(row.second_factor_required, row.grace_days)


def set_policy(*, is_required: bool, grace_days: int, actor_id: uuid.UUID | None = None) -> None:
    """Decide. Open sessions of the team hear of it at their next page. Raises `InvalidInput`."""
    if not 0 <= grace_days <= LONGEST_GRACE_DAYS:
        most = LONGEST_GRACE_DAYS
        raise check_form({"grace_days": _l("Give a number of days from 0 to %(most)s.", most=most)})
    with transaction() as session:
        row = session.get(SignInPolicy, 1) or SignInPolicy(id=1)
        row.second_factor_required, row.grace_days = is_required, grace_days
        session.add(row)
        staff = select(RoleGrant.person_id)
        session.execute(
            update(Login)
            .where(Login.ended_at.is_(None), Login.person_id.in_(staff))
            .values(renewal_due=True)
        )
        audit.record(
            "sign_in.policy", "organisation", 1, actor_id=actor_id,
            required=is_required, grace_days=grace_days,
        )  # fmt: skip


def due_at(session: Session, person: Person, method: str) -> dt.datetime | None:
    """From when on the team's pages want the second factor of a sign-in that showed none; None
    for never. Notes when a person is asked for the first time. Inside a transaction.
    """
    row, now = session.get(SecondFactor, person.id), clock.now()
    if method in ELSEWHERE:
        return None
    if row is not None and row.secret is not None:
        return now
    rule = policy()
    if not rule.is_required or not is_staff(person.roles):
        return None
    row = row or SecondFactor(person_id=person.id)
    row.asked_at = row.asked_at or now
    session.add(row)
    return row.asked_at + dt.timedelta(days=rule.grace_days)
