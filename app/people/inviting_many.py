"""Inviting everybody who has no invitation yet: of the whole directory, or of one segment.

Pressed once, gone through in batches. Each batch is one short transaction that writes its
invitations, the place it came to and the fact by which the next one follows, so that a process
that is killed loses nothing and doubles nothing. It can be stopped between two batches.

No figure here tells who takes part (rule W2). What is gone through is known from the directory
and from what was sent alone; whoever takes part, has left or said no is noted as everybody is, and
gets no mail. How many mails that makes is told in full tens, of ten and more.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import DomainError, NotFound
from app.people import audiences, first_day, invitations, thresholds
from app.people.errors import check_form
from app.people.invitations import BATCH, NOBODY
from app.people.joining_models import Invitation, InvitationRefusal, InvitationRound
from app.people.lookup import load_person
from app.people.membership import refusal_hash
from app.people.models import Membership, Person, RoleGrant, Segment
from app.people.segments import people_in
from app.people.text import nowhere
from app.people.transition_models import HeldInvitation

ASKED: Final = "invitations.round"
RUNNING, DONE, STOPPED = "running", "done", "stopped"
STEP: Final = 10
SHOWN: Final = 10
_NO_MAILBOX: Final = "." + nowhere(NOBODY).rpartition(".")[2]

Reach = Collection[uuid.UUID] | None
"""How far a role goes (`access.reach`): None for everywhere, else segments."""


class NoSuchRound(NotFound):
    """No round of that identifier, or not one for this reader."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such round of invitations."))


class NobodyLeft(DomainError):
    """Everybody there has an invitation."""

    code = "nobody-left-to-invite"

    def __init__(self) -> None:
        super().__init__(_l("Everybody there has an invitation already."))


# --- who it is about ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a round is about: a segment, or the whole directory (`segment_id` None).
    `is_limited`: as an administrator of a part reaches it, who acts on nobody with a role."""

    segment_id: uuid.UUID | None
    is_limited: bool = False


def scope(text: str, within: Reach) -> Scope:
    """The scope a form names; "" is the whole directory, which a limited role does not have.
    Raises `InvalidInput` on `segment`, alike for what is unknown and what is out of reach."""
    if not text and within is not None:
        raise check_form({"segment": _l("Choose one of the segments.")})
    found = audiences.chosen([text], field="segment", within=within) if text else [None]
    return Scope(found[0], within is not None)


def _without(of: Scope) -> list[ColumnElement[bool]]:
    """Whoever may be invited and was not: told by the directory and by what was sent alone."""
    conditions = [
        Person.departed_at.is_(None),
        Person.erased_at.is_(None),
        Person.suspended_at.is_(None),
        ~Person.email.endswith(_NO_MAILBOX),
        ~exists().where(Invitation.person_id == Person.id),
        ~exists().where(HeldInvitation.person_id == Person.id),
    ]
    if of.is_limited:
        conditions.append(~exists().where(RoleGrant.person_id == Person.id))
    if of.segment_id is not None:
        conditions.append(people_in([of.segment_id]))
    return conditions


def _waiting(of: Scope) -> int:
    return db.session.scalar(select(func.count(Person.id)).where(*_without(of))) or 0


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Before a round: how many entries it would go through, and how many mails that makes at
    least, in full tens; None for fewer than `least`."""

    entries: int
    mails: int | None
    least: int


def foresee(of: Scope) -> Foreseen:
    """What a round would do now. Three statements, and one for the segment."""
    never = ~exists().where(Membership.person_id == Person.id)
    mails = db.session.scalar(select(func.count(Person.id)).where(*_without(of), never)) or 0
    mails -= _refused_of(select(Person.email).where(*_without(of), never))
    least = thresholds.joining()
    return Foreseen(_waiting(of), mails - mails % STEP if mails >= least else None, least)


def _refused_of(addresses: Select[str]) -> int:
    """How many of some addresses said no: only their fingerprints are kept."""
    refused = {*db.session.scalars(select(InvitationRefusal.address_hash))}
    if not refused:
        return 0
    rows = db.session.scalars(addresses.execution_options(yield_per=5_000))
    return sum(refusal_hash(address) in refused for address in rows)


# --- asking for it -----------------------------------------------------------------------


def begin(of: Scope, *, actor_id: uuid.UUID) -> uuid.UUID:
    """Have everybody of a scope invited; the round. Pressed twice, it is the one under way.
    Raises `NobodyLeft`, `NoSuchPerson`."""
    with transaction() as session:
        load_person(session, actor_id)  # the same hand presses once at a time
        if (running := session.scalar(_running(of))) is not None:
            return running
        total = _waiting(of)
        if not total:
            raise NobodyLeft
        row = InvitationRound(
            segment_id=of.segment_id, is_limited=of.is_limited, started_by=actor_id,
            state=RUNNING, total=total, place=NOBODY,
        )  # fmt: skip
        session.add(row)
        session.flush()
        segment = str(of.segment_id) if of.segment_id else None
        audit.record(
            "invitations.begun", "invitation_round", row.id, actor_id=actor_id, segment=segment
        )
        _ask(row)
    return row.id


def _running(of: Scope) -> Select[uuid.UUID]:
    return select(InvitationRound.id).where(
        InvitationRound.state == RUNNING,
        InvitationRound.segment_id == of.segment_id
        if of.segment_id
        else InvitationRound.segment_id.is_(None),
        InvitationRound.is_limited == of.is_limited,
    )


def _ask(row: InvitationRound) -> None:
    outbox.record(ASKED, round_id=str(row.id), after=str(row.place))


def stop(round_id: uuid.UUID, *, actor_id: uuid.UUID, within: Reach = None) -> bool:
    """Nobody more is invited by this round; False when it was over. Raises `NoSuchRound`."""
    with transaction() as session:
        row = _locked(session, round_id, within)
        if row.state != RUNNING:
            return False
        row.state, row.finished_at = STOPPED, clock.now()
        audit.record("invitations.stopped", "invitation_round", round_id, actor_id=actor_id)
    return True


def resume(round_id: uuid.UUID, *, actor_id: uuid.UUID, within: Reach = None) -> bool:
    """Go on with a round that nobody carries any more; False otherwise. Raises `NoSuchRound`."""
    with transaction() as session:
        row = _locked(session, round_id, within)
        if row.state != RUNNING or _is_carried(round_id):
            return False
        audit.record("invitations.resumed", "invitation_round", round_id, actor_id=actor_id)
        _ask(row)
    return True


def _locked(session: Session, round_id: uuid.UUID, within: Reach) -> InvitationRound:
    row = session.get(InvitationRound, round_id, with_for_update=True, populate_existing=True)
    if row is None or (within is not None and row.segment_id not in within):
        raise NoSuchRound
    return row


# --- doing it ----------------------------------------------------------------------------


@outbox.on(ASKED, "people.invite_many", timeout=300)
def on_round(round_id: str, after: str) -> None:
    """One batch, from the place where the round is; heard again, it finds another place."""
    session = db.session()
    row = session.get(
        InvitationRound, uuid.UUID(round_id), with_for_update=True, populate_existing=True
    )
    if row is None or row.state != RUNNING or str(row.place) != after:
        return
    ids = _next(session, row)
    _invite(session, ids, row)
    row.done += len(ids)
    if len(ids) < BATCH:
        row.state, row.finished_at = DONE, clock.now()
    else:
        row.place = ids[-1]
        _ask(row)


def _scope_of(row: InvitationRound) -> Scope:
    return Scope(row.segment_id, row.is_limited)


def _next(session: Session, row: InvitationRound) -> Sequence[uuid.UUID]:
    """The next entries, locked. Whoever came in since the press is not meant by it."""
    return session.scalars(
        select(Person.id)
        .where(
            *_without(_scope_of(row)), Person.id > row.place, Person.created_at <= row.started_at
        )
        .order_by(Person.id)
        .limit(BATCH)
        .with_for_update(of=Person)
    ).all()


def _invite(session: Session, ids: Sequence[uuid.UUID], row: InvitationRound) -> None:
    """Looked at once more now that they are locked: somebody else may have been quicker."""
    people = session.scalars(
        select(Person)
        .where(Person.id.in_(ids), *_without(_scope_of(row)))
        .order_by(Person.id)
        .execution_options(populate_existing=True)
    ).all()
    hashes = {person.id: refusal_hash(person.email) for person in people}
    said_no = {
        *session.scalars(
            select(InvitationRefusal.address_hash).where(
                InvitationRefusal.address_hash.in_(hashes.values())
            )
        )
    }
    for person in people:
        is_new = person.membership is None and hashes[person.id] not in said_no
        if first_day.is_ahead(person) and not is_new:
            continue
        if not first_day.holds(session, person, row.started_by):
            invitations.send(session, person, None, row.started_by, by_mail=is_new)


# --- where it stands ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Round:
    """A round as a page shows it. `segment` None: the whole directory."""

    id: uuid.UUID
    segment: str | None
    state: str
    total: int
    done: int
    started_at: dt.datetime
    starter: str | None
    finished_at: dt.datetime | None

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING


def _rows(within: Reach) -> Any:
    it = InvitationRound
    query = (
        select(
            it.id, Segment.name, it.state, it.total, it.done, it.started_at, Person.name,
            it.finished_at,
        )
        .outerjoin(Segment, Segment.id == it.segment_id)
        .outerjoin(Person, Person.id == it.started_by)
    )  # fmt: skip
    return query if within is None else query.where(it.segment_id.in_([*within]))


def rounds(within: Reach = None) -> list[Round]:
    """The last rounds within a reader's reach, the newest first."""
    query = _rows(within).order_by(InvitationRound.started_at.desc(), InvitationRound.id.desc())
    return [Round(*row) for row in db.session.execute(query.limit(SHOWN))]


def under_way() -> Round | None:
    """The newest round that is not over."""
    query = _rows(None).where(InvitationRound.state == RUNNING)
    row = db.session.execute(query.order_by(InvitationRound.id.desc()).limit(1)).one_or_none()
    return Round(*row) if row else None


def one(round_id: uuid.UUID, within: Reach = None) -> Round:
    """One round as it stands now. Raises `NoSuchRound`."""
    row = db.session.execute(_rows(within).where(InvitationRound.id == round_id)).one_or_none()
    if row is None:
        raise NoSuchRound
    return Round(*row)


def is_left_lying(found: Round) -> bool:
    """Whether a round that is not over is carried by nobody any more."""
    return found.is_running and not _is_carried(found.id)


def _is_carried(round_id: uuid.UUID) -> bool:
    return outbox.is_under_way(ASKED, {"round_id": str(round_id)})
