"""What the referral side does by the clock: forgetting what its retention says."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update

from app import clock, outbox, retention
from app.db import db, transaction
from app.referrals import ats
from app.referrals.candidates import erase_candidate
from app.referrals.models import Candidate, Click, ClickHour, Referral, SpoolFile

VISITOR_KEY_KEPT = dt.timedelta(hours=48)
LINKS_AT_ONCE = 200
CLICKS_AT_ONCE = 5_000


@outbox.on("periodic.referrals.forget", "referrals.forget", timeout=300)
def forget() -> None:
    """Every hour: raw events after 30 days, candidates three months after the end of their
    recruitment."""
    ats.forget_bodies()
    forget_candidates()


@outbox.on("periodic.referrals.forget", "referrals.forget_keys", outside=True, timeout=300)
def forget_visitor_keys() -> None:
    """Every hour: after 48 hours a click keeps its link, time and verdict only (rule R2). Some at a time, so
    that nobody who writes waits long."""
    limit_at = clock.now() - VISITOR_KEY_KEPT
    some = (
        select(Click.id)
        .where(Click.visitor_key.is_not(None), Click.occurred_at < limit_at)
        .limit(CLICKS_AT_ONCE)
    )
    done = CLICKS_AT_ONCE
    while done == CLICKS_AT_ONCE:
        with transaction() as session:
            changed = session.execute(
                update(Click).where(Click.id.in_(some)).values(visitor_key=None),
                execution_options={"synchronize_session": False},
            )
            done = cast(CursorResult[Any], changed).rowcount


@outbox.on("periodic.house.forget", "referrals.forget_clicks", outside=True, timeout=300)
def forget_clicks() -> None:
    """Every night: openings and their hours 25 months after they happened, and notes about spool
    files that no host speaks of any more.

    The total of a link (`ClickCount`) stays as long as its link: it is a number without a person
    or a day, and a link that was opened a thousand times does not become one that never was.
    """
    limit = (clock.now() - (retention.CLICK.after or dt.timedelta(0))).replace(
        minute=0, second=0, microsecond=0
    )
    while _forget_clicks_of_some(limit):
        continue
    forgotten = clock.now() - (retention.EVENT.after or dt.timedelta(0))
    with transaction() as session:
        session.execute(delete(SpoolFile).where(SpoolFile.read_at < forgotten))


def _forget_clicks_of_some(limit: dt.datetime) -> int:
    """Openings of some links, up to an hour; the hours know which links have any."""
    with transaction() as session:
        links = session.scalars(
            select(ClickHour.link_id).where(ClickHour.hour < limit).distinct().limit(LINKS_AT_ONCE)
        ).all()
        for table, at in ((Click, Click.occurred_at), (ClickHour, ClickHour.hour)):
            session.execute(delete(table).where(table.link_id.in_(links), at < limit))
    return len(links)


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
