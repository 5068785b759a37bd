"""What is done to several offers or referrals at once, by `app.web.bulk`.

What can be taken back is taken back the same way, and only where nobody changed it since.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.db import transaction
from app.referrals import offers, service
from app.referrals.reach import Within
from app.web import bulk
from app.web.bulk import each


@dataclass(frozen=True, slots=True)
class Before:
    """What an act replaced, so that it can be put back."""

    owner_id: uuid.UUID | None = None
    next_step: str | None = None
    due_at: dt.datetime | None = None


Outcome = bulk.Outcome[Before]
# An act on one row: what it replaced, or None when there was nothing to do.
Act = Callable[[uuid.UUID], Before | None]


def to_stage(stage: str, record: Callable[[uuid.UUID], object], within: Within = None) -> Act:
    """Record a stage; a referral that stands there already is left alone."""

    def act(referral_id: uuid.UUID) -> Before | None:
        with transaction():
            if service.load(referral_id, within).stage == stage:
                return None
            record(referral_id)
        return Before()

    return act


def to_owner(owner_id: uuid.UUID | None, actor_id: uuid.UUID, within: Within = None) -> Act:
    """Entrust to one recruiter, or to nobody."""

    def act(referral_id: uuid.UUID) -> Before | None:
        with transaction():
            referral = service.load(referral_id, within)
            if referral.owner_id == owner_id:
                return None
            before = Before(owner_id=referral.owner_id)
            service.assign(referral_id, owner_id, actor_id)
        return before

    return act


def to_next_step(
    words: str, due_at: dt.datetime | None, actor_id: uuid.UUID, within: Within = None
) -> Act:
    """The same next step for each, as its candidate reads it."""

    def act(referral_id: uuid.UUID) -> Before | None:
        with transaction():
            referral = service.load(referral_id, within)
            before = Before(next_step=referral.next_step, due_at=referral.promise_due_at)
            service.set_next_step(referral_id, words, due_at, actor_id)
            same = (referral.next_step, referral.promise_due_at) == (
                before.next_step,
                before.due_at,
            )
        return None if same else before

    return act


def to_status(change: Callable[[uuid.UUID], object], wanted: str, within: Within = None) -> Act:
    """Open or close an offer; one that is so already is left alone."""

    def act(offer_id: uuid.UUID) -> Before | None:
        with transaction():
            if offers.load(offer_id, within).status == wanted:
                return None
            change(offer_id)
        return Before()

    return act


def to_keeper(segment_id: uuid.UUID | None, actor_id: uuid.UUID) -> Act:
    """Hand an offer to one segment, or back to the whole organisation."""

    def act(offer_id: uuid.UUID) -> Before | None:
        return Before() if offers.hand_over(offer_id, segment_id, actor_id) else None

    return act


def owners_back(
    before: Sequence[tuple[uuid.UUID, uuid.UUID | None]],
    given: uuid.UUID | None,
    actor_id: uuid.UUID,
    within: Within = None,
) -> list[Outcome]:
    """Put back who followed each, where it is still with whom it was `given` to."""
    owners = dict(before)

    def act(referral_id: uuid.UUID) -> Before | None:
        with transaction():
            if service.load(referral_id, within).owner_id != given:
                return None
            service.assign(referral_id, owners[referral_id], actor_id)
        return Before()

    return each(owners, act)


def next_steps_back(
    before: Sequence[tuple[uuid.UUID, str, dt.datetime | None]],
    given: str,
    actor_id: uuid.UUID,
    within: Within = None,
) -> list[Outcome]:
    """Put back what each said, where it still says what was `given`."""
    steps = {referral_id: (words, due_at) for referral_id, words, due_at in before}

    def act(referral_id: uuid.UUID) -> Before | None:
        words, due_at = steps[referral_id]
        with transaction():
            referral = service.load(referral_id, within)
            if (referral.next_step or "") != given.strip():
                return None
            service.set_next_step(referral_id, words, due_at, actor_id)
            referral.promise_due_at = due_at
        return Before()

    return each(steps, act)
