"""Who brought a person: claims, and one written rule that decides between them.

Rule version 1, in order: a claim stands only for a member or a directory entry who is not
the candidate; the earliest claim wins; the code of the submitted form is the earliest there
can be for an application made here. A later claim is kept and loses with `earlier-claim`.
A person may overrule with a named decision.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select

from app import clock, crypto
from app.db import db, transaction
from app.people.models import Person
from app.referrals.models import Candidate, Claim, Decision, Referral

RULE = "1"

# Strength orders claims of the same instant; the names are public (API `attribution`).
KINDS = (
    "form-code", "code-field", "source-text", "credited-employee-id", "credited-address",
    "declared-contact", "human",
)  # fmt: skip


def normalised(email: str) -> str:
    """The address as we compare it: trimmed, lower case. Tags and dots are kept, because two
    addresses are merged by hand only."""
    return email.strip().casefold()


def address_hash(email: str) -> str:
    """Keyed hash that recognises the same mailbox again."""
    return crypto.fingerprint(normalised(email), "candidate-address")


def claim(
    referral: Referral,
    person_id: uuid.UUID,
    kind: str,
    claimed_at: dt.datetime,
    **evidence: str | None,
) -> None:
    """Add a clue, once per person and kind, then decide again. Inside a transaction."""
    with transaction() as session:
        known = session.scalars(
            select(Claim).where(
                Claim.referral_id == referral.id, Claim.person_id == person_id, Claim.kind == kind
            )
        ).one_or_none()
        if known is not None and known.claimed_at <= claimed_at:
            return
        if known is not None:  # heard late: what counts is when it happened
            known.claimed_at = claimed_at
            decide(referral)
            return
        session.add(
            Claim(
                referral_id=referral.id,
                person_id=person_id,
                kind=kind,
                claimed_at=claimed_at,
                evidence={k: v for k, v in evidence.items() if v is not None},
            )
        )
        session.flush()
        decide(referral)


def decide(referral: Referral) -> None:
    """Apply the rule to all claims of a referral and keep the decision when it changes."""
    session = db.session()
    claims = list(session.scalars(select(Claim).where(Claim.referral_id == referral.id)))
    own_hash = _candidate_hash(referral.candidate_id)
    winner = _winner(claims, own_hash)
    for each in claims:
        each.outcome, each.reason = _outcome(each, winner, own_hash)
    last = session.scalars(
        select(Decision)
        .where(Decision.referral_id == referral.id)
        .order_by(Decision.decided_at.desc(), Decision.id.desc())
        .limit(1)
    ).one_or_none()
    winner_id = winner.id if winner else None
    if last is None or last.claim_id != winner_id:
        session.add(
            Decision(
                referral_id=referral.id,
                claim_id=winner_id,
                rule_version=RULE,
                reason=_reason(claims, winner),
                decided_at=clock.now(),
            )
        )
    referral.referrer_id = winner.person_id if winner else None


def _candidate_hash(candidate_id: uuid.UUID | None) -> str | None:
    candidate = db.session.get(Candidate, candidate_id) if candidate_id else None
    return candidate.address_hash if candidate else None


def _is_self(claimed: Claim, own_hash: str | None) -> bool:
    person = db.session.get(Person, claimed.person_id)
    return own_hash is not None and person is not None and address_hash(person.email) == own_hash


def _winner(claims: list[Claim], own_hash: str | None) -> Claim | None:
    standing = [c for c in claims if not _is_self(c, own_hash)]
    human = [c for c in standing if c.kind == "human"]
    if human:
        return max(human, key=lambda c: c.claimed_at)
    return min(
        standing,
        key=lambda c: (c.kind != "form-code", c.claimed_at, KINDS.index(c.kind)),
        default=None,
    )


def _outcome(each: Claim, winner: Claim | None, own_hash: str | None) -> tuple[str, str | None]:
    if winner is not None and each.id == winner.id:
        return "won", None
    if _is_self(each, own_hash):
        return "lost", "self-referral"
    if winner is not None and each.person_id == winner.person_id:
        return "confirmed", "same-person"
    return "lost", "decided-by-a-person" if winner and winner.kind == "human" else "earlier-claim"


def _reason(claims: list[Claim], winner: Claim | None) -> str:
    if winner is None:
        return "self-referral" if claims else "no-claim"
    people = {c.person_id for c in claims}
    return "only-claim" if len(people) == 1 else f"first-{winner.kind}"[:40]
