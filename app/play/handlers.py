"""What the points side does when facts arrive."""

from __future__ import annotations

import datetime as dt
import uuid

from app import clock, ledger, outbox
from app.play import accounts, awards


@outbox.on("referral.changed", "play.reconcile")
def on_referral_changed(referral_id: str) -> None:
    """Compare what is due for a referral with what was given."""
    awards.reconcile(uuid.UUID(referral_id))


@outbox.on("award.due", "play.post_due")
def on_award_due(referral_id: str) -> None:
    """The date of a held part has come."""
    awards.reconcile(uuid.UUID(referral_id))


@outbox.on("person.joined", "play.open_account")
def on_person_joined(person_id: str) -> None:
    """A new member gets an account, and what they earned before."""
    accounts.open_for(uuid.UUID(person_id))
    awards.credit_waiting(uuid.UUID(person_id))


@outbox.on("periodic.play.post_due", "play.announce_due")
def on_day_passed() -> None:
    """Held parts that fall due, and the seal of the days that are over."""
    awards.announce_due()


@outbox.on("periodic.ledger.seal", "play.seal_ledger", timeout=300)
def on_seal_time() -> None:
    """Seal the day that is over, and what older days still lacked."""
    ledger.seal_day((clock.now() - dt.timedelta(days=1)).date())
