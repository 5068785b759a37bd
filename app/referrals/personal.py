"""What is kept about candidates, and about members as those who recommend or recruit."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import clock, personal_data, rights
from app.audit.models import AuditEntry
from app.crypto import CannotDecrypt
from app.db import db, gather
from app.people.models import Person
from app.personal_data import CANDIDATE, PERSON, Names, Row, Subject, deletes, holds, plain, rows
from app.referrals import links
from app.referrals.models import (
    AtsEvent,
    Candidate,
    CandidateCode,
    Claim,
    ClickCount,
    Offer,
    OfferImport,
    OfferLink,
    Recommendation,
    Referral,
    ReferralEvent,
)
from app.referrals.public_queries import OPENED

RECRUITMENT = _l("recruitment, at your request")
REFERRING = _l("to tell who brought an application, and what it is worth")
_NUMBER_STAYS = _l(
    "That an application came through a link stays, by number: the points it gave must add up."
)


# --- candidates --------------------------------------------------------------------------


def _marks(session: Session, candidate_id: uuid.UUID) -> tuple[str, ...] | None:
    found = session.get(Candidate, candidate_id, with_for_update=True, populate_existing=True)
    if found is None or found.erased_at is not None:
        return None
    return tuple(filter(None, (found.email, found.name, found.phone, found.profile_url)))


def applications(session: Session, candidate_id: uuid.UUID) -> list[Referral]:
    """A candidate's applications, the first one first."""
    query = select(Referral).where(Referral.candidate_id == candidate_id)
    return list(session.scalars(query.order_by(Referral.received_at)))


def _ids(session: Session, candidate_id: uuid.UUID) -> list[uuid.UUID]:
    return list(session.scalars(select(Referral.id).where(Referral.candidate_id == candidate_id)))


def _applications(session: Session, candidate_id: uuid.UUID) -> Iterator[Row]:
    for row in applications(session, candidate_id):
        offer = session.get(Offer, row.offer_id) if row.offer_id else None
        yield {
            "offer": offer.title if offer else None, "received_at": plain(row.received_at),
            "stage": row.stage, "closure_reason": row.closure_reason, "message": row.message,
            "next_step": row.next_step, "answer_promised_for": plain(row.promise_due_at),
            "visibility": row.visibility, "notice_version": row.notice_version,
            "recommended_by": _short_name(session, row.referrer_id),
            "application_in_the_tracking_system": row.external_id,
        }  # fmt: skip


def _short_name(session: Session, person_id: uuid.UUID | None) -> str | None:
    found = session.get(Person, person_id) if person_id else None
    return found.short_name if found is not None and found.erased_at is None else None


def _history(session: Session, candidate_id: uuid.UUID) -> Iterator[Row]:
    query = (
        select(ReferralEvent)
        .where(ReferralEvent.referral_id.in_(_ids(session, candidate_id)))
        .order_by(ReferralEvent.occurred_at, ReferralEvent.recorded_at)
    )
    for row in session.scalars(query):
        yield {
            "what": row.kind, "stage": row.stage, "stage_there": row.raw_stage,
            "closure_reason": row.closure_reason, "starts_on": plain(row.starts_on),
            "at": plain(row.occurred_at), "told_by": row.source,
        }  # fmt: skip


def _messages(session: Session, candidate_id: uuid.UUID) -> Iterator[Row]:
    """Raw messages name other people too: their kind and day are told, not their text."""
    query = select(AtsEvent.action, AtsEvent.received_at).where(
        AtsEvent.referral_id.in_(_ids(session, candidate_id))
    )
    for action, at in session.execute(query.order_by(AtsEvent.received_at)):
        yield {"what": action, "at": plain(at)}


def _openings(session: Session, candidate_id: uuid.UUID) -> Iterator[Row]:
    ids = [str(id_) for id_ in _ids(session, candidate_id)]
    query = select(AuditEntry.at, AuditEntry.actor_role).where(
        AuditEntry.target_kind == "referral", AuditEntry.target_id.in_(ids),
        AuditEntry.action == OPENED,
    )  # fmt: skip
    for at, role in session.execute(query.order_by(AuditEntry.at)):
        yield {"at": plain(at), "role": role}


def _empty_candidate(session: Session, subject: Subject) -> None:
    found = session.get_one(Candidate, subject.id)
    found.email = found.first_name = found.last_name = None
    found.phone = found.profile_url = found.address_hash = None
    found.erased_at = clock.now()


def _empty_applications(session: Session, subject: Subject) -> None:
    ids = _ids(session, subject.id)
    for row in session.scalars(select(Referral).where(Referral.id.in_(ids)).with_for_update()):
        row.message = row.next_step = row.external_candidate_id = None
    session.execute(delete(CandidateCode).where(CandidateCode.referral_id.in_(ids)))


def _nothing_first(session: Session, subject: Subject) -> None:
    """Whoever asks for the erasure closes the applications before (`candidates.erase`)."""


# --- raw messages and files that name somebody --------------------------------------------


def _empty_bodies(session: Session, subject: Subject) -> None:
    """Messages of tracking systems that name the subject lose their text; one that is still to
    be applied keeps it until then, one that only waits for a human goes with a candidate."""
    keeps = ("pending",) if subject.kind == CANDIDATE else ("pending", "unmatched")
    if subject.kind == CANDIDATE:
        theirs = AtsEvent.referral_id.in_(_ids(session, subject.id))
        session.execute(update(AtsEvent).where(theirs).values(body=None))
    if subject.asked_by == rights.TIME:
        return  # bodies are kept for thirty days, applications for three months
    query = select(AtsEvent).where(AtsEvent.body.is_not(None), AtsEvent.state.not_in(keeps))
    names = Names([subject])
    for row in session.scalars(query.execution_options(yield_per=200)):
        if _is_about(row, names):
            row.body = None


def _is_about(row: AtsEvent, names: Names) -> bool:
    try:
        return row.body is not None and names.are_in(row.body)
    except CannotDecrypt:
        return False


def _empty_files(session: Session, subject: Subject) -> None:
    """A file of offers that names the subject is forgotten; its report stays."""
    session.execute(
        update(OfferImport).where(OfferImport.started_by == subject.id).values(started_by=None)
    )
    gather(_search_files, subject)


def _search_files(subjects: list[Subject]) -> None:
    names = Names(subjects)
    query = select(OfferImport).where(OfferImport.file.is_not(None))
    for row in db.session.scalars(query.execution_options(yield_per=5)):
        if names.are_in((row.file or b"").decode("utf-8", errors="replace")):
            row.file = None


# --- members -----------------------------------------------------------------------------


def _links(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    opened = (
        select(ClickCount.link_id, ClickCount.count)
        .where(ClickCount.verdict == "person")
        .subquery()
    )
    query: Any = (
        select(OfferLink, Offer.title, opened.c.count)
        .join(Offer, Offer.id == OfferLink.offer_id)
        .outerjoin(opened, opened.c.link_id == OfferLink.id)
        .where(OfferLink.person_id == person_id)
        .order_by(OfferLink.created_at)
    )
    for row, title, count in session.execute(query):
        yield {
            "offer": title, "code": row.code, "channel": row.channel, "openings": count or 0,
            "created_at": plain(row.created_at), "revoked_at": plain(row.revoked_at),
        }  # fmt: skip


def _brought(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    """Without the candidates: they are somebody else."""
    query = (
        select(Claim.kind, Claim.claimed_at, Claim.outcome, Offer.title)
        .join(Referral, Referral.id == Claim.referral_id)
        .outerjoin(Offer, Offer.id == Referral.offer_id)
        .where(Claim.person_id == person_id)
        .order_by(Claim.claimed_at)
    )
    for kind, at, outcome, title in session.execute(query):
        yield {"offer": title, "kind": kind, "claimed_at": plain(at), "outcome": outcome}


def _followed(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    query = select(Offer.title, Offer.status, Offer.created_at).where(
        Offer.recruiter_id == person_id
    )
    for title, status, at in session.execute(query.order_by(Offer.created_at)):
        yield {"offer": title, "status": status, "created_at": plain(at)}


def _end_links(session: Session, subject: Subject) -> None:
    """Links lead nowhere from now on; their openings stay as figures of the offer."""
    session.execute(
        update(OfferLink)
        .where(OfferLink.person_id == subject.id, OfferLink.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    links.changed()


def _let_go(session: Session, subject: Subject) -> None:
    """Offers and applications they were in charge of wait for somebody else."""
    for column in (Offer.recruiter_id, Referral.owner_id):
        session.execute(
            update(column.class_).where(column == subject.id).values({column.key: None})
        )


# --- declarations ------------------------------------------------------------------------


def _about_candidates(
    key: str, *tables: type[Any], title: Any, source: str = "you", **more: Any
) -> None:
    holds(
        f"referrals.{key}", *tables, title=title, purpose=RECRUITMENT, basis="application",
        source=source, recipients=("recruiters", "referrer"), **more,
    )  # fmt: skip


def declare() -> None:
    """Say all of it."""
    personal_data.identified_by(CANDIDATE, _marks, _nothing_first)
    _about_candidates(
        "candidate", Candidate, title=_l("Who you are"),
        exports={CANDIDATE: rows(Candidate, Candidate.id, hides=("address_hash", "erased_at"))},
        erasures={CANDIDATE: _empty_candidate},
    )  # fmt: skip
    _about_candidates(
        "applications", Referral, CandidateCode, title=_l("Your applications"),
        exports={CANDIDATE: _applications, PERSON: _brought},
        erasures={CANDIDATE: _empty_applications, PERSON: _let_go}, stays=_NUMBER_STAYS,
    )  # fmt: skip
    _about_candidates(
        "history", ReferralEvent, Claim, title=_l("The path of your applications"),
        source="recruiters", exports={CANDIDATE: _history},
    )  # fmt: skip
    _about_candidates(
        "openings", AuditEntry, title=_l("When your file was opened"), source="use",
        exports={CANDIDATE: _openings},
        stays=_l("The journal keeps that a file was opened, without whose it was, for a year."),
    )  # fmt: skip
    _about_candidates(
        "messages", AtsEvent, title=_l("Messages of the tracking system"), source="recruiters",
        exports={CANDIDATE: _messages}, erasures={CANDIDATE: _empty_bodies, PERSON: _empty_bodies},
    )  # fmt: skip
    _declare_members()


def _declare_members() -> None:
    holds(
        "referrals.links", OfferLink, ClickCount, title=_l("Your links to offers"),
        purpose=REFERRING, basis="contract", source="you", recipients=("you", "public"),
        exports={PERSON: _links}, erasures={PERSON: _end_links},
        stays=_l("How often an offer’s links were opened stays, as a figure."),
    )  # fmt: skip
    holds(
        "referrals.words", Recommendation, title=_l("Why you recommend an offer"),
        purpose=_l("to be read by whoever opens your link"), basis="contract", source="you",
        recipients=("public",),
        exports={PERSON: rows(Recommendation, Recommendation.person_id, hides=("id",))},
        erasures={PERSON: deletes(Recommendation, Recommendation.person_id)},
    )  # fmt: skip
    holds(
        "referrals.followed", Offer, OfferImport, title=_l("Offers you are in charge of"),
        purpose=_l("to tell candidates who follows them"), basis="interest", source="colleagues",
        recipients=("recruiters", "public"), exports={PERSON: _followed},
        erasures={PERSON: _empty_files, CANDIDATE: _empty_files},
    )  # fmt: skip
