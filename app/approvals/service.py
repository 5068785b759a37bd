"""The two-person rule: where money, grants of points or roles move, one asks and another decides.

An act is submitted with all it needs to happen. It waits until a second person approves it: never
the one who asked, never the one who profits. Then it happens by the feature's own service, in the
transaction of the decision, so that there is one effect or none however many decide at once. The
same decision again changes nothing. A team in which nobody could be the second person is not
locked out: there the act happens at once, and the audit trail says `alone`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.approvals.errors import AskerLost, Decided, NoSuchRequest, NotTheSecond
from app.approvals.kinds import Kind, Payload, able, all_kinds, kind_of, may_ask
from app.approvals.models import APPROVED, DECLINED, EXPIRED, WITHDRAWN, ApprovalRequest
from app.db import transaction

KEPT_OPEN: Final = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of an act: it waits as `request_id`, or is done (None) with a `result`."""

    request_id: uuid.UUID | None = None
    result: object = None

    @property
    def waits(self) -> bool:
        return self.request_id is not None


DONE: Final = Submitted()


def submit(
    kind_code: str,
    payload: Payload,
    *,
    actor_id: uuid.UUID,
    subject_id: uuid.UUID | None = None,
    once: str = "",
) -> Submitted:
    """Have an act wait for a second person, or do it at once where nobody could be that.

    The feature checked before that the act is possible and that a second person is asked for.
    What waits already is not asked twice: the answer names the request that is there. Acts that
    are the same under another payload say so with `once`: what was approved under it is done.
    Raises what the act itself raises when it happens at once.
    """
    kind = kind_of(kind_code)
    key = _key(kind, {"once": once} if once else payload)
    with transaction() as session:
        if once and _was_approved(session, key):
            return DONE
        if not seconds(kind, actor_id, subject_id):
            result = kind.apply(payload, actor_id)
            audit.record("approval.alone", "approval_kind", kind.code, actor_id=actor_id)
            return Submitted(result=result)
        return Submitted(_waiting(session, kind, key, payload, actor_id, subject_id))


def seconds(
    kind: Kind, requested_by: uuid.UUID, subject_id: uuid.UUID | None
) -> frozenset[uuid.UUID]:
    """Who may be the second person."""
    return able(kind) - {requested_by} - ({subject_id} if subject_id else set())


def _waiting(
    session: Session,
    kind: Kind,
    key: str,
    payload: Payload,
    actor_id: uuid.UUID,
    subject_id: uuid.UUID | None,
) -> uuid.UUID:
    now = clock.now()
    known = _open_of(session, key)
    if known is not None and known.expires_at > now:
        return known.id
    if known is not None:
        _settle(session, known, EXPIRED, None)
    row = ApprovalRequest(
        kind=kind.code, key=key, payload=payload, subject_id=subject_id, requested_by=actor_id,
        requested_at=now, expires_at=now + KEPT_OPEN,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # somebody else asked for the same at the same moment
        other = _open_of(session, key)
        if other is None:
            raise
        return other.id
    audit.record("approval.asked", "approval", row.id, actor_id=actor_id, kind=kind.code)
    return row.id


def _key(kind: Kind, payload: Payload) -> str:
    said = json.dumps([kind.code, payload], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _was_approved(session: Session, key: str) -> bool:
    done = exists().where(ApprovalRequest.key == key, ApprovalRequest.outcome == APPROVED)
    return bool(session.scalar(select(done)))


def _open_of(session: Session, key: str) -> ApprovalRequest | None:
    return session.scalar(
        select(ApprovalRequest).where(ApprovalRequest.key == key, ApprovalRequest.outcome.is_(None))
    )


# ---- Deciding


def approve(request_id: uuid.UUID, by: uuid.UUID) -> bool:
    """Let it happen, now; False when that was approved already.

    Raises `NoSuchRequest`, `NotTheSecond`, `Decided` (another end), `AskerLost`, and what the act
    raises where it cannot be done any more: then it waits on.
    """
    with transaction() as session:
        row = _for_decision(session, request_id, by)
        if _is_settled(row, APPROVED):
            return False
        kind = kind_of(row.kind)
        if row.requested_by not in may_ask(kind):
            raise AskerLost
        _settle(session, row, APPROVED, by)
        kind.apply(dict(row.payload), row.requested_by)
        audit.record(
            "approval.approved", "approval", row.id, actor_id=by, kind=row.kind,
            asked_by=str(row.requested_by),
        )  # fmt: skip
    return True


def decline(request_id: uuid.UUID, by: uuid.UUID) -> bool:
    """It shall not happen; False when that was declined already. Raises `NoSuchRequest`,
    `NotTheSecond`, `Decided`."""
    with transaction() as session:
        row = _for_decision(session, request_id, by)
        if _is_settled(row, DECLINED):
            return False
        _settle(session, row, DECLINED, by)
        audit.record(
            "approval.declined", "approval", row.id, actor_id=by, kind=row.kind,
            asked_by=str(row.requested_by),
        )  # fmt: skip
    return True


def withdraw(request_id: uuid.UUID, by: uuid.UUID) -> bool:
    """Whoever asked takes it back; False when they had. Raises `NoSuchRequest`, `Decided`."""
    with transaction() as session:
        row = _locked(session, request_id)
        if row.requested_by != by:
            raise NoSuchRequest
        if _is_settled(row, WITHDRAWN):
            return False
        _settle(session, row, WITHDRAWN, by)
        audit.record("approval.withdrawn", "approval", row.id, actor_id=by, kind=row.kind)
    return True


def _locked(session: Session, request_id: uuid.UUID) -> ApprovalRequest:
    row = session.get(ApprovalRequest, request_id, with_for_update=True, populate_existing=True)
    if row is None or row.kind not in {kind.code for kind in all_kinds()}:
        raise NoSuchRequest
    return row


def _for_decision(session: Session, request_id: uuid.UUID, by: uuid.UUID) -> ApprovalRequest:
    """The request, locked. For whoever has no part in it, it does not exist."""
    row = _locked(session, request_id)
    if by not in seconds(kind_of(row.kind), row.requested_by, row.subject_id):
        if by == row.requested_by or by in able(kind_of(row.kind)):
            raise NotTheSecond
        raise NoSuchRequest
    return row


def _is_settled(row: ApprovalRequest, as_asked: str) -> bool:
    """Whether it came to this end before. Raises `Decided` for another end."""
    outcome = row.outcome or (EXPIRED if row.expires_at <= clock.now() else None)
    if outcome not in (None, as_asked):
        raise Decided(outcome)
    return outcome is not None


def _settle(session: Session, row: ApprovalRequest, outcome: str, by: uuid.UUID | None) -> None:
    row.outcome, row.decided_by, row.decided_at = outcome, by, clock.now()
    session.flush()
    if outcome != WITHDRAWN:
        outbox.record("approval.decided", request_id=str(row.id))


def expire() -> int:
    """What waited for two weeks waits no longer; how many."""
    with transaction() as session:
        late = session.scalars(
            select(ApprovalRequest)
            .where(ApprovalRequest.outcome.is_(None), ApprovalRequest.expires_at <= clock.now())
            .order_by(ApprovalRequest.id)
            .limit(500)
            .with_for_update()
        ).all()
        for row in late:
            _settle(session, row, EXPIRED, None)
            audit.record("approval.expired", "approval", row.id, kind=row.kind)
    return len(late)


def lapse(person_id: uuid.UUID) -> None:
    """The person who asked, or would profit, is no longer here: nothing waits for them."""
    theirs = (ApprovalRequest.subject_id == person_id) | (ApprovalRequest.requested_by == person_id)
    with transaction() as session:
        waiting = session.scalars(
            select(ApprovalRequest)
            .where(theirs, ApprovalRequest.outcome.is_(None))
            .order_by(ApprovalRequest.id)
            .with_for_update()
        ).all()
        for row in waiting:
            _settle(session, row, WITHDRAWN, None)
            audit.record("approval.withdrawn", "approval", row.id, kind=row.kind)


def forget(session: Session, person_id: uuid.UUID) -> None:
    """For an erasure: nothing waits any more that would be for this person, or that they asked
    for, and nothing tells any more what was to be done for them. The rows stay, by number, until
    their year is over."""
    for_them = ApprovalRequest.subject_id == person_id
    session.execute(
        update(ApprovalRequest)
        .where(for_them | (ApprovalRequest.requested_by == person_id))
        .where(ApprovalRequest.outcome.is_(None))
        .values(outcome=WITHDRAWN, decided_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ApprovalRequest)
        .where(for_them)
        .values(payload={})
        .execution_options(synchronize_session=False)
    )


# ---- Trying


def rehearse(act: Callable[[], object]) -> None:
    """Do an act and undo it, so that what is impossible is told to who asks, at the form, and not
    to who decides. Raises what the act raises."""
    with transaction() as session:
        session.flush()
        attempt = session.begin_nested()
        try:
            act()
            session.flush()
        finally:
            attempt.rollback()
            session.expire_all()
