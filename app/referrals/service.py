"""What happens to a referral: applications, events, stages by hand.

Every change is an event added to the referral, then the whole is folded again (`stages`).
The fact `referral.changed` tells the rest of the house; `app.play` compares what is due
with what was given, so hearing it twice or late changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput, Sentence
from app.referrals import attribution, clicks, links, reach, stages
from app.referrals.errors import CannotFollow, OfferClosed, UnknownOffer, UnknownReferral
from app.referrals.models import (
    CLOSURE_REASONS,
    STAGES,
    VISIBILITIES,
    Candidate,
    Offer,
    Referral,
    ReferralEvent,
)  # fmt: skip
from app.referrals.notice import NOTICE_VERSIONS
from app.referrals.reach import Within
from app.settings import organisation

MAX_NAME = 100
MAX_MESSAGE = 2_000
_NOT_IN_ADDRESS = r"@\s\x00-\x1f\x7f<>\"',;"
_ADDRESS = re.compile(
    rf"[^{_NOT_IN_ADDRESS}]{{1,64}}@[^{_NOT_IN_ADDRESS}]{{1,180}}\.[^{_NOT_IN_ADDRESS}.]{{2,}}"
)
_PHONE = re.compile(r"[+0-9 ().\-/]{6,40}")
_PROFILE = re.compile(r"https?://[^\s\x00-\x1f\x7f\"'<>]{3,280}", re.IGNORECASE)
_NO_SCHEME = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}(?:[:/?#].*)?")
"""A name with a dot, as people type addresses: linkedin.com/in/lea."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
STEP_FOR = dt.timedelta(hours=2)
STILL_ON_ITS_WAY = dt.timedelta(minutes=10)
"""A form that comes again this soon was pressed again for want of an answer: its mail is on its
way already."""


@dataclass(frozen=True, slots=True)
class Application:
    """The first step of applying, as typed. `code` and `click_id` come from hidden fields."""

    first_name: str
    last_name: str
    email: str
    visibility: str = "ends"
    notice_version: str = ""
    code: str | None = None
    click_id: str | None = None
    language: str = "fr"


def check_name(errors: dict[str, Sentence], field: str, typed: str) -> None:
    """A first or a last name: 1 to 100 printable characters."""
    value = typed.strip()
    if not value:
        errors[field] = _l("Please fill this in.")
    elif len(value) > MAX_NAME:
        errors[field] = _l("%(max)d characters at most.", max=MAX_NAME)
    elif any(ord(c) < 32 for c in value):
        errors[field] = _l("This holds characters that cannot be printed.")


def check_phone(errors: dict[str, Sentence], typed: str) -> None:
    """A phone number, or nothing."""
    if typed and not _PHONE.fullmatch(typed):
        errors["phone"] = _l("Give a number such as +33 6 12 34 56 78.")


def check_application(form: Application) -> dict[str, Sentence]:
    """What is wrong with a form, field by field; empty when nothing is."""
    errors: dict[str, Sentence] = {}
    check_name(errors, "first_name", form.first_name)
    check_name(errors, "last_name", form.last_name)
    if len(form.email) > 254 or not _ADDRESS.fullmatch(form.email.strip()):
        errors["email"] = _l("Give an address such as name@example.org.")
    if form.visibility not in VISIBILITIES:
        errors["visibility"] = _l("Choose what the person who recommended you may see.")
    if form.notice_version not in NOTICE_VERSIONS:
        errors["notice_version"] = _l("Please read how your information is used, then confirm.")
    return errors


def _link_of(
    form: Application, offer_id: uuid.UUID, errors: dict[str, Sentence]
) -> links.Target | None:
    if not form.code:
        return None
    target = links.find(form.code)
    if target is None or target.offer_id != offer_id:
        errors["code"] = _l("This recommendation code is not known here. You may apply without it.")
        return None
    if not target.alive:
        errors["code"] = _l(
            "This recommendation link is no longer in use. You may apply without it."
        )
        return None
    return target


def apply(offer_id: uuid.UUID, form: Application) -> uuid.UUID:
    """Receive an application; the id of its referral.

    The same person for the same offer again changes nothing but adds the new code's claim,
    and after ten minutes sends the private address again: whether somebody applied before is
    never shown.
    Raises `UnknownOffer`, `OfferClosed`, `InvalidInput` by field.
    """
    try:
        return _apply(offer_id, form)
    except IntegrityError:  # the same form twice at once: the other copy made the rows
        return _apply(offer_id, form)


def _apply(offer_id: uuid.UUID, form: Application) -> uuid.UUID:
    with transaction() as session:
        offer = session.get(Offer, offer_id)
        if offer is None or offer.status == "draft":
            raise UnknownOffer
        errors = check_application(form)
        target = _link_of(form, offer_id, errors)
        if errors:
            raise InvalidInput(_l("Something in the form needs another look."), errors)
        if offer.status == "closed":
            raise OfferClosed
        candidate = _candidate(form)
        referral = session.scalars(
            select(Referral).where(
                Referral.candidate_id == candidate.id, Referral.offer_id == offer_id
            )
        ).one_or_none()
        if referral is None:
            referral = _new_referral(offer, candidate, form, target)
            outbox.record("referral.received", referral_id=str(referral.id))
        elif referral.received_at <= clock.now() - STILL_ON_ITS_WAY:
            outbox.record("candidate.asked_again", referral_id=str(referral.id))
        if target is not None:
            at = clock.now()
            attribution.claim(referral, target.person_id, "form-code", at, code=form.code)
        _changed(referral)
        return referral.id


def _candidate(form: Application) -> Candidate:
    session = db.session()
    digest = attribution.address_hash(form.email)
    candidate = session.scalars(
        select(Candidate).where(Candidate.address_hash == digest)
    ).one_or_none()
    if candidate is None:
        candidate = Candidate(
            address_hash=digest,
            email=form.email.strip(),
            first_name=form.first_name.strip(),
            last_name=form.last_name.strip(),
            language=form.language,
        )
        session.add(candidate)
        session.flush()
    return candidate


def _new_referral(
    offer: Offer, candidate: Candidate, form: Application, target: links.Target | None
) -> Referral:
    now = clock.now()
    click = clicks.read_signed(form.click_id)
    referral = Referral(
        offer_id=offer.id,
        candidate_id=candidate.id,
        link_id=target.link_id if target else None,
        click_id=click[0] if click and target and click[1] == target.link_id else None,
        visibility=form.visibility,
        notice_version=form.notice_version,
        stage="received",
        stage_at=now,
        received_at=now,
        promise_due_at=working_days_after(now, promise_days()),
        owner_id=offer.recruiter_id,
    )
    db.session.add(referral)
    db.session.flush()
    return referral


def promise_days() -> int:
    """Within how many working days the organisation answers."""
    org = organisation()
    return org.promise_days if org else 5


def working_days_after(start: dt.datetime, days: int) -> dt.datetime:
    """The same time of day, `days` weekdays later."""
    at = start
    while days:
        at += dt.timedelta(days=1)
        days -= at.weekday() < 5
    return at


def _whole_address(typed: str) -> str:
    """An address of a page; one that was typed without its scheme gets the safe one."""
    return f"https://{typed}" if _NO_SCHEME.fullmatch(typed) else typed


def complete(referral_id: uuid.UUID, *, phone: str, profile_url: str, message: str) -> None:
    """The second step: everything in it is optional. Raises `InvalidInput` by field.

    Whoever knows an address can send its form again, so an application that is older than a
    first step and a second one may take is left as it is, without a word about it.
    """
    phone, profile_url = phone.strip(), _whole_address(profile_url.strip())
    message = _UNPRINTABLE.sub("", message.replace("\r\n", "\n")).strip()
    errors: dict[str, Sentence] = {}
    check_phone(errors, phone)
    if profile_url and not _PROFILE.fullmatch(profile_url):
        errors["profile_url"] = _l("Give an address that starts with https://.")
    if len(message) > MAX_MESSAGE:
        errors["message"] = _l(
            "%(max)d characters at most; you wrote %(n)d.", max=MAX_MESSAGE, n=len(message)
        )
    if errors:
        raise InvalidInput(_l("Something in the form needs another look."), errors)
    with transaction() as session:
        referral = db.session.get(Referral, referral_id, with_for_update=True)
        if referral is None or referral.received_at < clock.now() - 2 * STEP_FOR:
            return
        referral.message = message or referral.message
        candidate = session.get(Candidate, referral.candidate_id) if referral.candidate_id else None
        if candidate is not None and candidate.erased_at is None:
            candidate.phone = phone or candidate.phone
            candidate.profile_url = profile_url or candidate.profile_url


def load(referral_id: uuid.UUID, within: Within = None) -> Referral:
    """One referral that a role keeps, locked for the rest of the transaction. Raises
    `UnknownReferral`."""
    referral = db.session.get(Referral, referral_id, with_for_update=True)
    if referral is None:
        raise UnknownReferral
    reach.must_keep_referral(referral.offer_id, within)
    return referral


def add_event(referral: Referral, event: ReferralEvent) -> bool:
    """Add what happened and fold again; False when this very event was known already.
    Inside a transaction that holds the referral's lock (`load`)."""
    session = db.session()
    known = session.execute(
        select(ReferralEvent.id).where(
            ReferralEvent.referral_id == referral.id,
            ReferralEvent.external_event_id == event.external_event_id,
        )
    ).first()
    if known is not None:
        return False
    event.referral_id = referral.id
    session.add(event)
    session.flush()
    refold(referral)
    return True


def facts_of(referral_id: uuid.UUID) -> list[stages.Fact]:
    """Everything known about one referral, as the fold takes it."""
    rows = db.session.execute(
        select(
            ReferralEvent.kind, ReferralEvent.occurred_at, ReferralEvent.stage,
            ReferralEvent.closure_reason, ReferralEvent.hire_key, ReferralEvent.starts_on,
            ReferralEvent.source,
        ).where(ReferralEvent.referral_id == referral_id)
    ).all()  # fmt: skip
    return [
        stages.Fact(
            r.kind, r.occurred_at, r.stage, r.closure_reason, r.hire_key, r.starts_on,
            by_person=r.source in ("recruiter", "candidate"),
        )
        for r in rows
    ]  # fmt: skip


def refold(referral: Referral) -> None:
    """Bring the referral's columns in line with everything known about it."""
    facts = facts_of(referral.id)
    if referral.notice_version is None and facts:
        # It began in the tracking system: received when its earliest event happened.
        referral.received_at = min(f.occurred_at for f in facts)
    standing = stages.fold(referral.received_at, facts)
    before = referral.stage
    referral.stage, referral.stage_at = standing.stage, standing.stage_at
    referral.closure_reason = standing.closure_reason
    hire = standing.hire
    referral.hire_key = hire.key if hire else None
    referral.hired_at = hire.hired_at if hire else None
    referral.starts_on = hire.starts_on if hire else None
    referral.ended_at = standing.stage_at if standing.stage in stages.ENDS else None
    if standing.stage != before:
        referral.next_step = None  # it told of the stage that is over
        referral.promise_due_at = (
            None if referral.ended_at else working_days_after(clock.now(), promise_days())
        )
        outbox.record(
            "referral.stage_changed",
            referral_id=str(referral.id),
            stage=standing.stage,
            before=before,
            at=standing.stage_at.isoformat(),
        )
    _changed(referral)


def _changed(referral: Referral) -> None:
    referral.version += 1
    outbox.record("referral.changed", referral_id=str(referral.id))


def set_stage(
    referral_id: uuid.UUID,
    stage: str,
    *,
    actor_id: uuid.UUID,
    actor_role: str,
    occurred_at: dt.datetime | None = None,
    external_event_id: str | None = None,
    closure_reason: str | None = None,
    starts_on: dt.date | None = None,
    within: Within = None,
) -> Referral:
    """A stage by the recruiter's hand. The same `external_event_id` again changes nothing.

    Raises `InvalidInput` by field, `UnknownReferral`.
    """
    now = clock.now()
    at = occurred_at or now
    with transaction():
        referral = load(referral_id, within)
        errors = _check_stage(referral, stage, at, now, closure_reason)
        if errors:
            raise InvalidInput(_l("This stage cannot be recorded."), errors)
        event = ReferralEvent(
            kind=_kind_of(stage),
            stage=stage,
            closure_reason=(closure_reason or "not-selected") if stage == "closed" else None,
            hire_key=f"{stages.MANUAL}{at.astimezone(dt.UTC).isoformat()}"
            if stage == "hired"
            else None,
            starts_on=starts_on if stage == "hired" else None,
            occurred_at=at,
            source="recruiter",
            external_event_id=external_event_id or f"hand:{uuid.uuid4()}",
            actor_id=actor_id,
        )
        if add_event(referral, event):
            audit.record(
                "referral.stage", "referral", referral.id,
                actor_id=actor_id, actor_role=actor_role, stage=stage,
            )  # fmt: skip
        return referral


def _kind_of(stage: str) -> str:
    return {"hired": "hired", "trial_passed": "trial_passed", "closed": "closed"}.get(
        stage, "stage"
    )


def _check_stage(
    referral: Referral, stage: str, at: dt.datetime, now: dt.datetime, closure_reason: str | None
) -> dict[str, Sentence]:
    errors: dict[str, Sentence] = {}
    if stage not in STAGES:
        errors["stage"] = _l(
            "There is no such stage. Choose one of: %(stages)s.", stages=", ".join(STAGES)
        )
    if at > now + dt.timedelta(minutes=5):
        errors["occurred_at"] = _l("This lies in the future.")
    if closure_reason and closure_reason not in CLOSURE_REASONS:
        errors["closure_reason"] = _l(
            "Choose one of: %(reasons)s.", reasons=", ".join(CLOSURE_REASONS)
        )
    if stage == "trial_passed" and referral.hire_key is None:
        errors["stage"] = _l("A trial period ends after a hire. Record the hire first.")
    return errors


def assign(
    referral_id: uuid.UUID,
    owner_id: uuid.UUID | None,
    actor_id: uuid.UUID,
    *,
    within: Within = None,
) -> None:
    """Who follows this referral. Raises `UnknownReferral`, `CannotFollow` for somebody who could
    not open it."""
    with transaction():
        referral = load(referral_id, within)
        if owner_id is not None and not reach.may_follow(owner_id, referral.offer_id):
            raise CannotFollow
        referral.owner_id = owner_id
        audit.record("referral.assigned", "referral", referral_id, actor_id=actor_id)


def set_next_step(
    referral_id: uuid.UUID,
    words: str,
    due_at: dt.datetime | None,
    actor_id: uuid.UUID,
    *,
    within: Within = None,
) -> None:
    """What happens next and by when, as the candidate will read it."""
    words = words.strip()
    if len(words) > 200:
        raise InvalidInput(
            _l("Please check the form."), {"next_step": _l("%(max)d characters at most.", max=200)}
        )
    with transaction():
        referral = load(referral_id, within)
        referral.next_step = words or None
        if due_at is not None:
            referral.promise_due_at = due_at
        audit.record("referral.next_step", "referral", referral_id, actor_id=actor_id)
