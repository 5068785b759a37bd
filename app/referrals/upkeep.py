"""What the referral side does by the clock: forgetting what its retention says."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update

from app import clock, outbox, retention
from app.db import db, transaction
from app.referrals import ats
from app.referrals.candidates import erase_candidate
from app.referrals.models import Candidate, Click, Referral

VISITOR_KEY_KEPT = dt.timedelta(hours=48)


@outbox.on("periodic.referrals.forget", "referrals.forget", timeout=300)
def forget() -> None:
    """Every hour: visitor keys after 48 hours, raw events after 30 days, candidates three
    months after the end of their recruitment."""
    forget_visitor_keys()
    ats.forget_bodies()
    forget_candidates()


def forget_visitor_keys() -> None:
    """After 48 hours a click keeps its link, time and verdict only (rule R2)."""
    with transaction() as session:
        session.execute(
            update(Click)
            .where(
                Click.visitor_key.is_not(None), Click.occurred_at < clock.now() - VISITOR_KEY_KEPT
            )
            .values(visitor_key=None)
        )


def forget_candidates(limit: int = 200) -> int:
    """Erase candidates whose every application ended longer ago than the retention; how many."""
    after = retention.CANDIDATE.after or dt.timedelta(0)
    limit_at = clock.now() - after
    still_needed = select(Referral.candidate_id).where(
        Referral.candidate_id.is_not(None),
        Referral.ended_at.is_(None) | (Referral.ended_at > limit_at),
    )
    with transaction() as session:
        ids = session.scalars(
            select(Candidate.id)
            .where(Candidate.erased_at.is_(None), Candidate.id.not_in(still_needed))
            .limit(limit)
        ).all()
        for candidate_id in ids:
            theirs = db.session.scalars(
                select(Referral.id).where(Referral.candidate_id == candidate_id)
            ).all()
            erase_candidate(candidate_id, list(theirs))
    return len(ids)
