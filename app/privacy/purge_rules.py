"""What goes when its time is over, table by table and in folders: the whole list on one page.

A rule finds rows by an instant, so that tonight's and next month's can be shown before they go
(features F129). What a row's class says of its time stands in `app.retention`; a test fails on a
table whose class names a time and that no rule mentions.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, delete, exists, inspect, or_, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import clock, personal_data, retention, rights
from app.api.models import IdempotencyKey
from app.approvals.models import ApprovalRequest
from app.audit.models import AuditEntry
from app.charters.models import ACCEPTED, WITHDRAWN, CharterAcceptance
from app.errors import Sentence
from app.mail import folder
from app.outbox.models import DONE, OutboxDelivery, OutboxEvent
from app.people.joining_models import ConsentRecord, EmailCode, InvitationRound, JoinRequest
from app.people.models import Consent, Login, Membership, ParkedForm, Person
from app.people.proof_models import SignInStep
from app.personal_data import CANDIDATE, PERSON
from app.play.models import Score, ScoreStep
from app.privacy.models import Correction, DataRequest
from app.provisioning.imports.models import ImportedPerson, PeopleImport, PeopleImportLine
from app.referrals.models import (
    AtsEvent,
    Candidate,
    CandidateCode,
    Click,
    ClickHour,
    OfferImport,
    OfferImportLine,
    Referral,
    SpoolFile,
)
from app.retention import Retention
from app.rights.models import CopyLink, Erasure
from app.sharing.models import IdeaMail, NetworkQuota

VISITOR_KEY_KEPT: Final = dt.timedelta(hours=48)
DEPARTED_KEPT: Final = dt.timedelta(days=730)
"""After somebody left the organisation (people-sync, section 5: 24 months)."""
SCORES_KEPT: Final = dt.timedelta(days=731)
UNASKED_KEPT: Final = dt.timedelta(days=1)
"""A request to join whose author went no further than typing it."""

Key = Any
Moment = InstrumentedAttribute[dt.datetime] | InstrumentedAttribute[dt.datetime | None]
Forget = Callable[[Session, Sequence[Key]], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`overdue` finds the keys of rows whose time is over at an instant; `forget` deals with
    some of them, in a transaction. `also` are models whose rows go with them."""

    key: str
    title: Sentence
    model: type[Any]
    overdue: Callable[[dt.datetime], Select[Any]]
    forget: Forget
    also: tuple[type[Any], ...] = ()


@dataclass(frozen=True, slots=True)
class FileRule:
    """The same for files. `overdue` finds those whose time is over at an instant, so many at
    most; `forget` deletes some."""

    key: str
    title: Sentence
    overdue: Callable[[dt.datetime, int], list[Path]]
    forget: Callable[[Sequence[Path]], None]


def _kept(kind: Retention) -> dt.timedelta:
    if kind.after is None:
        raise ValueError(f"{kind.code} names no time")
    return kind.after


def _keys(model: type[Any]) -> list[InstrumentedAttribute[Any]]:
    return [getattr(model, column.key) for column in inspect(model).primary_key]


def _deleting(model: type[Any]) -> Forget:
    columns = _keys(model)

    def forget(session: Session, keys: Sequence[Key]) -> None:
        one = columns[0].in_([key[0] for key in keys])
        session.execute(
            delete(model).where(one if len(columns) == 1 else tuple_(*columns).in_(keys))
        )

    return forget


def _older(
    key: str,
    title: Sentence,
    at: InstrumentedAttribute[Any],
    kept: dt.timedelta,
    also: tuple[type[Any], ...] = (),
) -> Rule:
    """Rows are deleted once their column `at` is as old as `kept`."""
    model: type[Any] = at.parent.class_
    return Rule(
        key, title, model,
        lambda instant: select(*_keys(model)).where(at <= instant - kept).order_by(at),
        _deleting(model), also,
    )  # fmt: skip


_NOW: Final = dt.timedelta(0)


# --- with a way of their own -------------------------------------------------------------


def _facts(instant: dt.datetime) -> Select[Any]:
    unfinished = exists().where(
        OutboxDelivery.event_id == OutboxEvent.id, OutboxDelivery.state != DONE
    )
    limit = instant - _kept(retention.EVENT)
    told = OutboxEvent.hearers.is_(None)
    return select(OutboxEvent.id).where(OutboxEvent.created_at < limit, told, ~unfinished)


def _forget_facts(session: Session, keys: Sequence[Key]) -> None:
    ids = [key[0] for key in keys]
    session.execute(delete(OutboxDelivery).where(OutboxDelivery.event_id.in_(ids)))
    session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(ids)))


def _visitor_keys(instant: dt.datetime) -> Select[Any]:
    limit = instant - VISITOR_KEY_KEPT
    return select(Click.id).where(Click.visitor_key.is_not(None), Click.occurred_at < limit)


def _forget_visitor_keys(session: Session, keys: Sequence[Key]) -> None:
    ids = [key[0] for key in keys]
    session.execute(update(Click).where(Click.id.in_(ids)).values(visitor_key=None))


def _hours(instant: dt.datetime) -> Select[Any]:
    """Up to a full hour: the hours beside them know no more than that."""
    limit = (instant - _kept(retention.CLICK)).replace(minute=0, second=0, microsecond=0)
    return select(*_keys(ClickHour)).where(ClickHour.hour < limit)


def _forget_clicks(session: Session, keys: Sequence[Key]) -> None:
    """An hour of a link with its openings."""
    for link_id, hour, verdict in keys:
        end = hour + dt.timedelta(hours=1)
        session.execute(
            delete(Click).where(
                Click.link_id == link_id,
                Click.occurred_at >= hour,
                Click.occurred_at < end,
                Click.verdict == verdict,
            )
        )
    _deleting(ClickHour)(session, keys)


def _raw_bodies(instant: dt.datetime) -> Select[Any]:
    limit = instant - _kept(retention.RAW_EVENT)
    return select(AtsEvent.id).where(AtsEvent.body.is_not(None), AtsEvent.received_at < limit)


def _forget_raw_bodies(session: Session, keys: Sequence[Key]) -> None:
    ids = [key[0] for key in keys]
    session.execute(update(AtsEvent).where(AtsEvent.id.in_(ids)).values(body=None))


def _candidates(instant: dt.datetime) -> Select[Any]:
    """Whose every application ended longer ago than the retention."""
    limit = instant - _kept(retention.CANDIDATE)
    needed = exists().where(
        Referral.candidate_id == Candidate.id,
        or_(Referral.ended_at.is_(None), Referral.ended_at > limit),
    )
    return select(Candidate.id).where(Candidate.erased_at.is_(None), ~needed)


def _departed(instant: dt.datetime) -> Select[Any]:
    return select(Person.id).where(
        Person.departed_at < instant - DEPARTED_KEPT, Person.erased_at.is_(None)
    )


def _erasing(kind: str) -> Forget:
    def forget(session: Session, keys: Sequence[Key]) -> None:
        for (subject_id,) in keys:
            rights.erase(kind, subject_id, asked_by=rights.TIME)

    return forget


def _left(instant: dt.datetime) -> Select[Any]:
    """Who stopped taking part five years ago and is in the directory still."""
    limit = instant - _kept(retention.MEMBERSHIP)
    return select(Membership.person_id).where(Membership.left_at < limit)


def _forget_membership(session: Session, keys: Sequence[Key]) -> None:
    """What hangs on taking part; the entry of the directory stays."""
    for (person_id,) in keys:
        subject = personal_data.identify(session, PERSON, person_id, asked_by=rights.TIME)
        if subject is None:
            continue
        for holding in reversed(personal_data.holdings(PERSON)):
            if holding.retention is retention.MEMBERSHIP and PERSON in holding.erasures:
                holding.erasures[PERSON](session, subject)
        session.execute(delete(Membership).where(Membership.person_id == person_id))


# The proofs of what somebody answered outlive an erasure, and with it their membership.

_PROOFS: Final[tuple[tuple[InstrumentedAttribute[uuid.UUID], tuple[Moment, ...]], ...]] = (
    (CharterAcceptance.person_id, (CharterAcceptance.accepted_at,)),
    (Consent.person_id, (Consent.granted_at, Consent.withdrawn_at)),
    (ConsentRecord.person_id, (ConsentRecord.answered_at,)),
)
"""Whose a proof is, and when it was given."""


def _proofs_of(whose: InstrumentedAttribute[uuid.UUID]) -> Callable[[dt.datetime], Select[Any]]:
    """Who has such proofs, takes part no more, and for five years neither did nor answered
    anything. Leaving is itself an answer (`consents.TAKING_PART`), so that of whom an erasure
    left no membership the last answer tells when they left."""

    def overdue(instant: dt.datetime) -> Select[Any]:
        limit = instant - _kept(retention.MEMBERSHIP)
        took_part = exists().where(
            Membership.person_id == Person.id,
            or_(Membership.left_at.is_(None), Membership.left_at >= limit),
        )
        answered = [
            exists().where(theirs == Person.id, or_(*(moment >= limit for moment in moments)))
            for theirs, moments in _PROOFS
        ]
        has_some = exists().where(whose == Person.id)
        return select(Person.id).where(~took_part, has_some, *(~each for each in answered))

    return overdue


def _forget_proofs(whose: InstrumentedAttribute[uuid.UUID]) -> Forget:
    """All of a person's at once, or none. Whoever answers locks the person first: who came back
    since the keys were read is waited for, and keeps theirs."""
    overdue = _proofs_of(whose)

    def forget(session: Session, keys: Sequence[Key]) -> None:
        theirs = Person.id.in_([key[0] for key in keys])
        session.execute(select(Person.id).where(theirs).order_by(Person.id).with_for_update())
        found = session.scalars(overdue(clock.now()).where(theirs)).all()
        session.execute(delete(whose.class_).where(whose.in_(found)))

    return forget


def _forget_charter_answers(session: Session, keys: Sequence[Key]) -> None:
    """With what the audit log says of them, if its own year is over and it was not forgotten yet: a
    chain that only the log knows of would count as cut off (`charters.proofs`)."""
    _forget_proofs(CharterAcceptance.person_id)(session, keys)
    session.execute(
        delete(AuditEntry).where(
            AuditEntry.actor_id.in_([key[0] for key in keys]),
            AuditEntry.action.in_([f"charter.{kind}" for kind in (ACCEPTED, WITHDRAWN)]),
            AuditEntry.at <= clock.now() - _kept(retention.SECURITY_LOG),
        )
    )


def _months(model: type[Any]) -> Callable[[dt.datetime], Select[Any]]:
    return lambda instant: select(*_keys(model)).where(
        model.period < f"{instant - SCORES_KEPT:%Y-%m}"
    )


def _import_ends(instant: dt.datetime) -> Select[Any]:
    limit = instant - _kept(retention.EVENT)
    return select(OfferImport.id).where(OfferImport.created_at < limit)


def _forget_imports(session: Session, keys: Sequence[Key]) -> None:
    ids = [key[0] for key in keys]
    session.execute(delete(OfferImportLine).where(OfferImportLine.import_id.in_(ids)))
    session.execute(delete(OfferImport).where(OfferImport.id.in_(ids)))


def _quotas(instant: dt.datetime) -> Select[Any]:
    last = (instant - _kept(retention.EVENT)).date()
    return select(*_keys(NetworkQuota)).where(NetworkQuota.day < last)


def _people_imports(instant: dt.datetime) -> Select[Any]:
    """But those that somebody in the directory came by: these tell whom a full file speaks of."""
    brought = exists().where(ImportedPerson.import_id == PeopleImport.id)
    limit = instant - _kept(retention.SECURITY_LOG)
    return select(PeopleImport.id).where(PeopleImport.created_at < limit, ~brought)


def _join_requests(instant: dt.datetime) -> Select[Any]:
    """Those that nobody went on with, and those that an administrator left without an answer."""
    unasked = JoinRequest.asked_at.is_(None) & (JoinRequest.created_at <= instant - UNASKED_KEPT)
    asked = JoinRequest.asked_at <= instant - _kept(retention.CONTACT_ENTRY)
    return select(JoinRequest.id).where(or_(unasked, asked))


def _lines(instant: dt.datetime) -> Select[Any]:
    limit = instant - _kept(retention.IMPORT_REPORT)
    of_old = select(PeopleImport.id).where(PeopleImport.created_at < limit)
    return select(*_keys(PeopleImportLine)).where(PeopleImportLine.import_id.in_(of_old))


RULES: Final[tuple[Rule, ...]] = (
    Rule("candidates", _l("Candidates, three months after the end of their recruitment"),
         Candidate, _candidates, _erasing(CANDIDATE)),
    Rule("departed", _l("Directory entries, two years after the departure"),
         Person, _departed, _erasing(PERSON)),
    Rule("memberships", _l("What hangs on taking part, five years after leaving"),
         Membership, _left, _forget_membership),
    Rule("charter-answers", _l("Answers of a person to the charter, five years after they left"),
         CharterAcceptance, _proofs_of(CharterAcceptance.person_id), _forget_charter_answers),
    Rule("choices", _l("Choices of a person, five years after they left"),
         Consent, _proofs_of(Consent.person_id), _forget_proofs(Consent.person_id)),
    Rule("choice-proofs", _l("Proofs of a person’s choices, five years after they left"),
         ConsentRecord, _proofs_of(ConsentRecord.person_id),
         _forget_proofs(ConsentRecord.person_id)),
    Rule("raw-events", _l("Contents of events from tracking systems, after 30 days"),
         AtsEvent, _raw_bodies, _forget_raw_bodies),
    Rule("visitor-keys", _l("Visitor keys of openings, after 48 hours"),
         Click, _visitor_keys, _forget_visitor_keys),
    Rule("openings", _l("Openings of links by the hour, after 25 months"),
         ClickHour, _hours, _forget_clicks, (Click,)),
    Rule("facts", _l("Facts that were dealt with, after 30 days"),
         OutboxEvent, _facts, _forget_facts, (OutboxDelivery,)),
    Rule("offer-imports", _l("Reports of offer imports, after 30 days"),
         OfferImport, _import_ends, _forget_imports, (OfferImportLine,)),
    Rule("people-import-lines", _l("Lines of people imports, after 30 days"),
         PeopleImportLine, _lines, _deleting(PeopleImportLine)),
    Rule("scores", _l("Scores of a month, after two years"), Score, _months(Score), _deleting(Score)),
    Rule("score-steps", _l("Steps of these scores"), ScoreStep, _months(ScoreStep),
         _deleting(ScoreStep)),
    Rule("people-imports", _l("Notes about people imports, after a year"),
         PeopleImport, _people_imports, _deleting(PeopleImport)),
    _older("invitation-rounds", _l("Notes about rounds of invitations, after a year"),
           InvitationRound.started_at, _kept(retention.SECURITY_LOG)),
    _older("audit", _l("Entries of the audit trail, after a year"),
           AuditEntry.at, _kept(retention.SECURITY_LOG)),
    _older("approvals", _l("What waited for a second person, after a year"),
           ApprovalRequest.requested_at, _kept(retention.SECURITY_LOG)),
    _older("sessions", _l("Sign-ins, six months after their last use"),
           Login.seen_at, _kept(retention.SESSION)),
    _older("parked-forms", _l("Forms whose author did not come back"), ParkedForm.expires_at, _NOW),
    _older("sign-in-steps", _l("Sign-ins that were not finished"), SignInStep.expires_at, _NOW),
    _older("email-codes", _l("Codes for signing in by mail"), EmailCode.expires_at, _NOW),
    _older("candidate-codes", _l("Codes for candidates’ pages"), CandidateCode.expires_at, _NOW),
    _older("copy-links", _l("Links to a copy of one’s data"), CopyLink.expires_at, _NOW),
    Rule("join-requests", _l("Requests to join: after a day, or 30 days once an administrator is "
                             "asked"),
         JoinRequest, _join_requests, _deleting(JoinRequest)),
    _older("idea-mails", _l("Notes about mails sent, after six months"),
           IdeaMail.sent_at, _kept(retention.MAIL_LOG)),
    _older("answers", _l("Answers kept for programs that ask twice, after two days"),
           IdempotencyKey.created_at, _kept(retention.IDEMPOTENCY)),
    _older("spool-files", _l("Notes about spool files, after 30 days"),
           SpoolFile.read_at, _kept(retention.EVENT)),
    Rule("quotas", _l("Counts of calls to networks, after 30 days"), NetworkQuota, _quotas,
         _deleting(NetworkQuota)),
    _older("corrections", _l("What corrections asked for, six months after the answer"),
           Correction.answered_at, _kept(retention.CORRECTION)),
    _older("requests", _l("Requests about data, five years after the answer"),
           DataRequest.closed_at, _kept(retention.REQUEST)),
    _older("erasures", _l("The erasure list, after five years"),
           Erasure.erased_at, _kept(retention.ERASURE)),
)  # fmt: skip

FILE_RULES: Final[tuple[FileRule, ...]] = (
    FileRule("mails", _l("Messages in the mail folder, after six months"),
             lambda instant, most: folder.written_before(instant - _kept(retention.MAIL_LOG), most),
             folder.forget),
)  # fmt: skip

WITH_ITS_OWNER: Final[dict[str, str]] = {
    "ledger_note": "an account's notes are erased with whose it is (`play.account`)",
}
"""Tables of the class "membership" that neither a rule nor a declaration of that class names, and
what they go with when the rule `memberships` does."""
