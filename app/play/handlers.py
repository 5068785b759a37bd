"""What the points side does when facts arrive."""

from __future__ import annotations

import datetime as dt
import uuid

from app import clock, ledger, outbox
from app.play import accounts, awards, scores, share_awards


@outbox.on("referral.changed", "play.reconcile")
def on_referral_changed(referral_id: str) -> None:
    """Compare what is due for a referral with what was given."""
    awards.reconcile(uuid.UUID(referral_id))


@outbox.on("award.due", "play.post_due")
def on_award_due(referral_id: str) -> None:
    """The date of a held part has come."""
    awards.reconcile(uuid.UUID(referral_id))


@outbox.on("share.published", "play.award_share")
def on_share_published(share_id: str) -> None:
    """A post is online: compare what is due for it with what was given."""
    share_awards.reconcile(uuid.UUID(share_id))


@outbox.on("share.withdrawn", "play.undo_share")
def on_share_withdrawn(share_id: str) -> None:
    """A post is gone; within a day of its publication its points go, too."""
    share_awards.reconcile(uuid.UUID(share_id))


@outbox.on("share.visited", "play.award_visit")
def on_share_visited(share_id: str, since: str | None = None, click_id: str | None = None) -> None:
    """People opened a post's own link, the first of them at `since`. (A fact that an earlier
    version recorded names one opening instead: then all are looked at.)"""
    share_awards.visited(uuid.UUID(share_id), dt.datetime.fromisoformat(since) if since else None)


@outbox.on("points.due", "play.post_held")
def on_points_due(person_id: str) -> None:
    """The day of points on hold has come."""
    share_awards.post_due(uuid.UUID(person_id))


@outbox.on("person.joined", "play.open_account")
def on_person_joined(person_id: str) -> None:
    """A new member gets an account, and what they earned before."""
    accounts.open_for(uuid.UUID(person_id))
    awards.credit_waiting(uuid.UUID(person_id))


@outbox.on("periodic.play.post_due", "play.announce_due")
def on_day_passed() -> None:
    """Held parts that fall due, of referrals and of posts."""
    awards.announce_due()
    share_awards.announce_due()


@outbox.on("periodic.ledger.seal", "play.seal_ledger", timeout=300)
def on_seal_time() -> None:
    """Seal the day that is over, and what older days still lacked."""
    ledger.seal_day((clock.now() - dt.timedelta(days=1)).date())


@outbox.on("periodic.play.scores", "play.fold_scores", outside=True)
def on_scores() -> None:
    """Bring the scores of the month up to the ledger; each part in a transaction of its own."""
    scores.fold()
