"""The mails of a referral, to the candidate and, as far as the candidate allows, to the member.

Every letter is made from what is true when it is sent: an erased person, a member who left
and a stage that is no longer the current one get none. A fact holds no name; an outbox that
tries again sends the same letter again, with a fresh private address.
"""

from __future__ import annotations

import datetime as dt
import uuid

from flask_babel import force_locale
from sqlalchemy import func, select

from app import clock, mail, outbox
from app.db import db
from app.outbox.models import OutboxEvent
from app.people.models import Person
from app.personal_data import CANDIDATE
from app.referrals import candidates, letters, service, stages
from app.referrals.letters import About, Letter
from app.referrals.models import Candidate, Offer, Referral
from app.rights import copy_links
from app.settings import organisation

MEMBER_PAGE = "/referrals"
AGAIN_LIMIT = 5
AGAIN_WITHIN = dt.timedelta(hours=1)


def _organisation() -> str:
    org = organisation()
    return org.name if org else ""


def _offer_title(referral: Referral) -> str:
    offer = db.session.get(Offer, referral.offer_id) if referral.offer_id else None
    return offer.title if offer else _organisation()


def _reachable(referral_id: str) -> tuple[Referral, Candidate] | None:
    """The referral and its candidate, while there is somebody to write to."""
    db.session.rollback()  # what another worker has committed meanwhile counts
    referral = db.session.get(Referral, uuid.UUID(referral_id))
    if referral is None or referral.candidate_id is None:
        return None
    candidate = db.session.get(Candidate, referral.candidate_id)
    if candidate is None or candidate.erased_at is not None or not candidate.email:
        return None
    return referral, candidate


def _about(referral: Referral, candidate: Candidate) -> About:
    owner = db.session.get(Person, referral.owner_id) if referral.owner_id else None
    present = owner is not None and owner.departed_at is None
    return About(
        greeted=letters.plain_name(candidate.first_name),
        offer_title=_offer_title(referral),
        organisation=_organisation(),
        page=mail.url(f"/c/{candidates.private_token(referral.id)}?lang={candidate.language}"),
        promise_due_at=referral.promise_due_at,
        next_step=referral.next_step or "",
        follower=owner.name if owner is not None and present else "",
        is_running=referral.stage not in stages.ENDS,
    )


def _send(to: str, language: str, letter: Letter) -> None:
    """No display name: the address was typed by a stranger, its name was too."""
    mail.send(to, "", "referral", language, letter=letter)


# --- to the candidate --------------------------------------------------------------------


@outbox.on("referral.received", "mail.candidate-received", outside=True)
def candidate_received(referral_id: str) -> None:
    """It arrived, and this is your page."""
    found = _reachable(referral_id)
    if found is None:
        return
    referral, candidate = found
    with force_locale(candidate.language):
        letter = letters.received(_about(referral, candidate), service.promise_days())
    _send(candidate.email or "", candidate.language, letter)


@outbox.on("candidate.asked_again", "mail.candidate-again", outside=True)
def candidate_again(referral_id: str) -> None:
    """The private address once more. Anybody may ask for it, so a mailbox gets a few an hour."""
    found = _reachable(referral_id)
    if found is None or _asked_often(referral_id):
        return
    referral, candidate = found
    with force_locale(candidate.language):
        letter = letters.asked_again(_about(referral, candidate))
    _send(candidate.email or "", candidate.language, letter)


def _asked_often(referral_id: str) -> bool:
    asked = db.session.scalar(
        select(func.count())
        .select_from(OutboxEvent)
        .where(
            OutboxEvent.kind == "candidate.asked_again",
            OutboxEvent.created_at > clock.now() - AGAIN_WITHIN,
            OutboxEvent.payload["referral_id"].as_string() == referral_id,
        )
    )
    return (asked or 0) > AGAIN_LIMIT


@outbox.on("referral.stage_changed", "mail.candidate-stage", outside=True)
def candidate_stage(referral_id: str, stage: str, before: str, at: str) -> None:
    """Each stage, while it is the current one."""
    found = _reachable(referral_id)
    if found is None:
        return
    referral, candidate = found
    if referral.stage != stage:
        return
    with force_locale(candidate.language):
        letter = letters.stage_changed(_about(referral, candidate), stage, referral.closure_reason)
    _send(candidate.email or "", candidate.language, letter)


@outbox.on("candidate.code_asked", "mail.candidate-code", outside=True)
def candidate_code(referral_id: str) -> None:
    """A fresh code; a mail that is tried again brings a new one, and only the last is good."""
    found = _reachable(referral_id)
    if found is None:
        return
    referral, candidate = found
    figures = candidates.make_code(referral.id)
    with force_locale(candidate.language):
        letter = letters.code(_about(referral, candidate), figures)
    _send(candidate.email or "", candidate.language, letter)


@outbox.on("candidate.copy_asked", "mail.candidate-copy", outside=True)
def candidate_copy(referral_id: str) -> None:
    """A fresh link to the copy of their data; a mail that is tried again brings a new one."""
    found = _reachable(referral_id)
    if found is None:
        return
    referral, candidate = found
    key = copy_links.make(CANDIDATE, candidate.id)
    with force_locale(candidate.language):
        link = mail.url(f"/c/data/{key}?lang={candidate.language}")
        letter = letters.copy_link(_about(referral, candidate), link)
    _send(candidate.email or "", candidate.language, letter)


# --- to the member -----------------------------------------------------------------------


def _member(referral: Referral | None) -> Person | None:
    if referral is None or referral.referrer_id is None:
        return None
    person = db.session.get(Person, referral.referrer_id)
    return person if person is not None and person.is_member else None


@outbox.on("referral.received", "mail.referrer-received", outside=True)
def referrer_received(referral_id: str) -> None:
    """Your link brought somebody, where the candidate lets it be known."""
    db.session.rollback()
    referral = db.session.get(Referral, uuid.UUID(referral_id))
    person = _member(referral)
    if referral is None or person is None:
        return
    if stages.visible_stage("received", referral.visibility) is None:
        return
    with force_locale(person.language):
        letter = letters.referrer_received(
            _offer_title(referral), referral.visibility, mail.url(MEMBER_PAGE), _organisation()
        )
    _send(person.email, person.language, letter)


@outbox.on("referral.stage_changed", "mail.referrer-stage", outside=True)
def referrer_stage(referral_id: str, stage: str, before: str, at: str) -> None:
    """A stage the member may see, where it is news to them."""
    db.session.rollback()
    referral = db.session.get(Referral, uuid.UUID(referral_id))
    person = _member(referral)
    if referral is None or person is None or referral.stage != stage:
        return
    seen = stages.visible_stage(stage, referral.visibility)
    if seen is None or seen == stages.visible_stage(before, referral.visibility):
        return
    with force_locale(person.language):
        letter = letters.referrer_stage(
            _offer_title(referral),
            seen,
            referral.closure_reason == "withdrawn",
            mail.url(MEMBER_PAGE),
            _organisation(),
        )
    _send(person.email, person.language, letter)
