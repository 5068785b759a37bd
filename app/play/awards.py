"""Awards: what is due for a referral, compared with what was given.

Nothing here reacts to "a hire arrived". Whenever a referral changed, all that is due for it
is computed anew from its folded standing, and the difference is posted, held, settled or
undone. So facts may come twice, late or shuffled: once all are known, balances are those of
an orderly delivery, and at most one award is live for a hire.

Written rules. Points for a stage that was skipped are due when a later one is reached. A
stage that is taken back keeps its points; an undone hire gives its points back. The held
part falls due `hold_days` after the contract's start, or when the trial period is passed;
a closure before that date cancels it. Stages the referrer may not see are credited when the
referral ends. The same candidate sent again by the same member gives `application` points
once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from app import clock, ledger, outbox
from app.db import db, transaction
from app.people.models import Person
from app.play import accounts
from app.play.models import Award
from app.play.rules import Rule, in_force
from app.referrals import queries
from app.referrals.queries import Due

NOW, HELD = "now", "held"
WAITING, POSTED, ON_HOLD, UNDONE = "waiting", "posted", "held", "undone"
BATCH = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One amount that is due: at once (`due_on` None) or on hold until a date."""

    fact: str
    part: str
    hire_key: str
    rule: Rule
    amount: int
    due_on: dt.date | None = None
    hidden: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.fact, self.part, self.hire_key


def due_parts(referral_id: uuid.UUID, due: Due) -> list[Part]:
    """Everything a referral is worth by the rules in force when it was received. `hidden`
    parts are earned but wait for the end, because the referrer may not see the stage."""
    if due.referrer_id is None:
        return []
    standing = due.standing
    ended = standing.ended_ever
    parts: list[Part] = []
    rule = in_force("application", due.received_at)
    if rule is not None and _first_by_member(referral_id, due):
        hidden = due.visibility == "none" and not ended
        parts.append(Part("application", NOW, "", rule, rule.amount, hidden=hidden))
    rule = in_force("interview", due.received_at)
    if rule is not None and "interview" in standing.reached:
        hidden = due.visibility != "all" and not ended
        parts.append(Part("interview", NOW, "", rule, rule.amount, hidden=hidden))
    return [p for p in parts + _hire_parts(due) if p.amount > 0]


def _first_by_member(referral_id: uuid.UUID, due: Due) -> bool:
    if due.candidate_id is None or due.referrer_id is None:
        return True
    theirs = queries.referral_of_candidate_by(due.candidate_id, due.referrer_id)
    return not theirs or theirs[0][0] == referral_id


def _hire_parts(due: Due) -> list[Part]:
    standing = due.standing
    rule, hire = in_force("hire", due.received_at), standing.hire
    if rule is None or hire is None:
        return []
    parts = [Part("hire", NOW, hire.key, rule, rule.amount)]
    falls_due = (hire.starts_on or hire.hired_at.date()) + dt.timedelta(days=rule.hold_days)
    if standing.closed_at is None or standing.closed_at.date() >= falls_due:
        released = standing.trial_passed or falls_due <= clock.now().date()
        parts.append(
            Part("hire", HELD, hire.key, rule, rule.held_amount, None if released else falls_due)
        )
    return parts


def reconcile(referral_id: uuid.UUID) -> None:
    """Bring what was given for a referral in line with what is due. Any number of times."""
    with transaction():
        due = queries.due(referral_id)
        if due is None:
            return
        wanted = {p.key: p for p in due_parts(referral_id, due)}
        live = _live(referral_id)
        for key, award in live.items():
            part = wanted.get(key)
            if part is None or part.amount != award.amount or award.person_id != due.referrer_id:
                _undo(award)
            else:
                _settle(award, part)
        for key, part in wanted.items():
            given = live.get(key)
            if (given is None or given.state == UNDONE) and not part.hidden and due.referrer_id:
                _give(referral_id, due.referrer_id, part)


def _live(referral_id: uuid.UUID) -> dict[tuple[str, str, str], Award]:
    rows = db.session.scalars(
        select(Award)
        .where(Award.referral_id == referral_id, Award.state != UNDONE)
        .with_for_update()
    )
    return {(a.fact, a.part, a.hire_key): a for a in rows}


def _settle(award: Award, part: Part) -> None:
    """A live award meets its present terms: released, or moved to another date."""
    if award.state == ON_HOLD and part.due_on is None and award.transfer_id:
        ledger.post(award.transfer_id, reference=f"{_reference(award)}-post")
        award.state, award.due_on = POSTED, None
    elif award.state == ON_HOLD and part.due_on != award.due_on:
        _undo(award)  # the contract starts on another day: a new hold tells the new date
    elif award.state == WAITING:
        award.due_on = part.due_on


def _undo(award: Award) -> None:
    if award.state == POSTED and award.transfer_id:
        ledger.reverse(award.transfer_id, reference=f"{_reference(award)}-undo", reason="undone")
    elif award.state == ON_HOLD and award.transfer_id:
        ledger.void(award.transfer_id, reference=f"{_reference(award)}-void", reason="undone")
    award.state = UNDONE


def _give(referral_id: uuid.UUID, person_id: uuid.UUID, part: Part) -> None:
    award = Award(
        referral_id=referral_id,
        person_id=person_id,
        fact=part.fact,
        part=part.part,
        hire_key=part.hire_key,
        attempt=_next_attempt(referral_id, part),
        amount=part.amount,
        rule_version_id=part.rule.id,
        state=WAITING,
        due_on=part.due_on,
    )
    db.session.add(award)
    db.session.flush()
    _credit(award)


def _next_attempt(referral_id: uuid.UUID, part: Part) -> int:
    last = db.session.scalar(
        select(func.max(Award.attempt)).where(
            Award.referral_id == referral_id,
            Award.fact == part.fact,
            Award.part == part.part,
            Award.hire_key == part.hire_key,
        )
    )
    return (last or 0) + 1


def _reference(award: Award) -> str:
    """Names the award for ever: `hire-now-<id>`."""
    return f"{award.fact}-{award.part}-{award.id}"


def _credit(award: Award) -> None:
    """Put an award on the member's account; a person who has not joined keeps it waiting."""
    person = db.session.get(Person, award.person_id) if award.person_id else None
    if person is None or not person.is_member:
        return
    account = accounts.open_for(person.id)
    if award.due_on is None:
        made = ledger.transfer(
            code="award", reference=_reference(award), account_id=account, amount=award.amount,
            rule_version=str(award.rule_version_id), subject=str(award.referral_id),
        )  # fmt: skip
        award.transfer_id, award.state = made.id, POSTED
    else:
        made = ledger.hold(
            code="award", reference=_reference(award), account_id=account, amount=award.amount,
            due_at=dt.datetime.combine(award.due_on, dt.time(), dt.UTC),
            rule_version=str(award.rule_version_id), subject=str(award.referral_id),
        )  # fmt: skip
        award.transfer_id, award.state = made.id, ON_HOLD


def credit_waiting(person_id: uuid.UUID) -> None:
    """Somebody joined: what was earned before now reaches their account."""
    with transaction() as session:
        ids = session.scalars(
            select(Award.referral_id)
            .where(Award.person_id == person_id, Award.state == WAITING)
            .distinct()
        ).all()
        for referral_id in ids:
            reconcile(referral_id)
            for award in _live(referral_id).values():
                if award.state == WAITING:
                    _credit(award)


def announce_due() -> int:
    """Every day: referrals whose held part falls due today get a fact each, so that one that
    fails does not keep the others waiting; how many."""
    with transaction() as session:
        ids = session.scalars(
            select(Award.referral_id)
            .where(Award.state == ON_HOLD, Award.due_on <= clock.now().date())
            .distinct()
            .limit(5_000)
        ).all()
        for referral_id in ids:
            outbox.record("award.due", referral_id=str(referral_id))
    return len(ids)
