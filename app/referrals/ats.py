"""Events of tracking systems: received at the door, applied by a worker.

At the door the raw bytes are verified, read strictly, stored and acknowledged; nothing else
happens in the request. The worker finds the referral an event speaks of, in the settled
order: the application known already; our code in a field; our code inside the source text;
the credited employee by number, then by address; the same person for the same offer; else a
human queue. What the system said is kept beside what we decided.

An event that finds nothing waits: when a later one ties its application to a referral, all
that was heard about that application is applied again.
"""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import audit, clock, outbox, rights
from app.db import db, transaction
from app.integrations.events import AtsEvent as Said
from app.integrations.events import EventSettings
from app.integrations.registry import CONNECTORS
from app.people.models import Person
from app.personal_data import CANDIDATE
from app.referrals import attribution, stages
from app.referrals.models import (
    AtsEvent,
    Candidate,
    Connection,
    Offer,
    OfferLink,
    Referral,
    ReferralEvent,
)  # fmt: skip
from app.referrals.service import add_event, load, working_days_after

# Where the customer mapped nothing, the usual words of recruiters, French and English.
_STAGE_WORDS = (
    ("offer", ("offre", "offer", "proposition", "contrat", "contract")),
    ("interview", ("entretien", "interview", "rencontre", "visite", "onsite", "assessment", "test")),
    ("screened", ("screen", "tri", "présélection", "preselection", "étude", "review", "qualif", "phone")),
    ("received", ("reçu", "received", "candidature", "application", "applied", "new", "nouveau")),
)  # fmt: skip
_SETTLED = ("applied", "ignored")


def mapped_stage(connection: Connection, raw: str | None) -> str | None:
    """Our stage for a system's own name: the customer's mapping, then the usual words."""
    if not raw:
        return None
    mapping = connection.settings.get("stages")
    if isinstance(mapping, dict) and mapping.get(raw) in stages.PIPELINE:
        return str(mapping[raw])
    low = raw.casefold()
    return next((s for s, words in _STAGE_WORDS if any(w in low for w in words)), None)


def event_settings(connection: Connection) -> EventSettings:
    """What the administrator said about this connection's own words."""
    given = connection.settings

    def words(name: str) -> tuple[str, ...]:
        value = given.get(name)
        return tuple(str(v) for v in value) if isinstance(value, list) else ()

    return EventSettings(
        code_fields=words("code_fields"),
        withdrawal_reasons=words("withdrawal_reasons"),
        rejection_reasons=words("rejection_reasons"),
    )


def receive(connection: Connection, event_id: str, said: Said, raw: bytes) -> bool:
    """Store an event that was verified; False when it was here before. One transaction."""
    try:
        return _receive(connection.id, event_id, said, raw)
    except IntegrityError:
        return False  # the same delivery twice at once: the other copy is stored


def _receive(connection_id: uuid.UUID, event_id: str, said: Said, raw: bytes) -> bool:
    with transaction() as session:
        known = session.execute(
            select(AtsEvent.id).where(
                AtsEvent.connection_id == connection_id, AtsEvent.event_id == event_id
            )
        ).first()
        if known is not None:
            return False
        row = AtsEvent(
            connection_id=connection_id,
            event_id=event_id,
            action=said.action[:60],
            kind=said.kind,
            application_id=said.application_id,
            body_hash=hashlib.sha256(raw).hexdigest(),
            body=raw.decode(),
        )
        session.add(row)
        session.flush()
        outbox.record("ats.received", ats_event_id=str(row.id))
    return True


def apply_event(ats_event_id: uuid.UUID) -> None:
    """Apply one stored event. Safe to repeat; inside the delivery's transaction."""
    with transaction() as session:
        # One event of a connection at a time: what one of them ties, the next one must see.
        connection = _lock_connection(ats_event_id)
        row = session.get(AtsEvent, ats_event_id, with_for_update=True)
        if connection is None or row is None or row.body is None or row.state in _SETTLED:
            return
        connection.heard_at = clock.now()
        said = CONNECTORS[connection.kind].parse(row.body.encode(), event_settings(connection))
        row.state, row.note, row.referral_id = _apply(connection, row, said)


def _lock_connection(ats_event_id: uuid.UUID) -> Connection | None:
    return db.session.scalars(
        select(Connection)
        .where(
            Connection.id
            == select(AtsEvent.connection_id).where(AtsEvent.id == ats_event_id).scalar_subquery()
        )
        .with_for_update()
    ).one_or_none()


Outcome = tuple[str, str | None, uuid.UUID | None]


def _apply(connection: Connection, row: AtsEvent, said: Said) -> Outcome:
    if said.kind in ("ping", "ignored"):
        return "ignored", said.kind, None
    if said.kind in ("job_closed", "job_opened"):
        return _apply_to_offer(connection, said)
    if said.kind == "candidate_erased":
        return _erase(connection, said)
    if said.kind == "candidate_merged":
        return _merge(connection, said)
    if said.application_id is None:
        return "ignored", "no-application", None
    referral, note = find_referral(connection, said)
    if referral is None:
        return "unmatched" if said.kind == "hired" else "waiting", note, None
    newly_tied = _tie(connection, referral, said)
    _claim_credit(referral, said)
    add_event(referral, _as_event(connection, row, said))
    if newly_tied:
        _apply_what_waited(connection, said.application_id, row.id)
    return "applied", note, referral.id


def _apply_to_offer(connection: Connection, said: Said) -> Outcome:
    from app.referrals import offers

    for offer in db.session.scalars(
        select(Offer).where(
            Offer.source == connection.kind,
            Offer.external_id.in_(said.job_post_ids)
            if said.job_post_ids
            else Offer.external_job_id.in_(said.job_ids),
        )
    ):
        if said.kind == "job_closed" and offer.status == "open":
            offers.close_offer(offer.id, actor_id=None, reason="source")
        elif said.kind == "job_opened" and offer.closed_reason == "source":
            offers.reopen_offer(offer.id, actor_id=None)
    return "applied", said.kind, None


def _of_candidate(connection: Connection, external_id: str | None) -> list[Referral]:
    if external_id is None:
        return []
    return list(
        db.session.scalars(
            select(Referral).where(
                Referral.connection_id == connection.id,
                Referral.external_candidate_id == external_id,
            )
        )
    )


def _erase(connection: Connection, said: Said) -> Outcome:
    for referral in _of_candidate(connection, said.candidate_id):
        if referral.candidate_id is not None:
            rights.erase(CANDIDATE, referral.candidate_id, asked_by=rights.API)
    return "applied", "erased", None


def _merge(connection: Connection, said: Said) -> Outcome:
    for referral in _of_candidate(connection, said.candidate_id):
        load(referral.id).external_candidate_id = said.merged_into
    return "applied", "merged", None


def find_referral(connection: Connection, said: Said) -> tuple[Referral | None, str]:
    """The referral an event speaks of, and how it was found. Makes one where a hire or an
    application carries our code or credits somebody we know, without the candidate's name."""
    by_id = _by_application(connection, said.application_id)
    if by_id is not None:
        return load(by_id), "application-id"
    offer = _offer_of(connection, said)
    link = _link_of(said)
    person_hashes = [attribution.address_hash(e) for e in said.candidate_emails]
    found = _same_person(person_hashes, offer.id if offer else link.offer_id if link else None)
    if found is not None:
        return load(found), "same-person"
    if link is not None:
        only = _only_open_one(link)
        if only is not None and (offer is None or offer.id == link.offer_id):
            return load(only), "code-only-application"
    referrer = link.person_id if link else _credited(said)
    if referrer is None or said.kind not in ("hired", "application", "stage"):
        return None, "nobody-known"
    return _make(connection, said, offer, link), "made-from-credit"


def _by_application(connection: Connection, application_id: str | None) -> uuid.UUID | None:
    return db.session.scalar(
        select(Referral.id).where(
            Referral.connection_id == connection.id, Referral.external_id == application_id
        )
    )


def _offer_of(connection: Connection, said: Said) -> Offer | None:
    """Webhooks name jobs, feeds name posts; one job may have several posts: the open one."""
    if not said.job_ids and not said.job_post_ids:
        return None
    return db.session.scalars(
        select(Offer)
        .where(
            Offer.source == connection.kind,
            Offer.external_id.in_(said.job_post_ids) | Offer.external_job_id.in_(said.job_ids),
        )
        .order_by(
            Offer.external_id.in_(said.job_post_ids).desc(),
            (Offer.connection_id == connection.id).desc(),
            (Offer.status == "open").desc(),
            Offer.created_at,
        )
        .limit(1)
    ).one_or_none()


def _link_of(said: Said) -> OfferLink | None:
    """The first of the codes found in the event that is one of ours."""
    for found in said.codes:
        for code in (found.value, found.value.removeprefix("pvx_")):
            link = db.session.scalars(select(OfferLink).where(OfferLink.code == code)).one_or_none()
            if link is not None:
                return link
    return None


def _credited(said: Said) -> uuid.UUID | None:
    credited = said.credited
    if credited is None:
        return None
    if credited.employee_id:
        found = db.session.scalar(
            select(Person.id).where(Person.employee_id == credited.employee_id)
        )
        if found is not None:
            return found
    if credited.email:
        return db.session.scalar(
            select(Person.id).where(Person.email == attribution.normalised(credited.email))
        )
    return None


def _same_person(hashes: list[str], offer_id: uuid.UUID | None) -> uuid.UUID | None:
    """An application here by the same mailbox for the same offer, not yet tied elsewhere."""
    if not hashes or offer_id is None:
        return None
    return db.session.scalar(
        select(Referral.id)
        .join(Candidate, Candidate.id == Referral.candidate_id)
        .where(
            Candidate.address_hash.in_(hashes),
            Referral.offer_id == offer_id,
            Referral.external_id.is_(None),
        )
        .limit(1)
    )


def _only_open_one(link: OfferLink) -> uuid.UUID | None:
    """Our code came back with an address we do not know. Where exactly one application by
    this link waits to be tied, it is that one: people use another mailbox over there."""
    ids = db.session.scalars(
        select(Referral.id)
        .where(Referral.link_id == link.id, Referral.external_id.is_(None))
        .limit(2)
    ).all()
    return ids[0] if len(ids) == 1 else None


def _make(
    connection: Connection, said: Said, offer: Offer | None, link: OfferLink | None
) -> Referral:
    """A referral that began over there: no name, and the offer empty when it is unknown."""
    at = said.occurred_at or clock.now()
    session = db.session()
    referral = Referral(
        offer_id=offer.id if offer else link.offer_id if link else None,
        link_id=link.id if link else None,
        visibility="ends",
        stage="received",
        stage_at=at,
        received_at=min(at, clock.now()),
        promise_due_at=working_days_after(clock.now(), 5),
        owner_id=offer.recruiter_id if offer else None,
    )
    session.add(referral)
    session.flush()
    outbox.record("referral.changed", referral_id=str(referral.id))
    return referral


def _tie(connection: Connection, referral: Referral, said: Said) -> bool:
    """Remember the application over there; True when it was not known before."""
    if said.candidate_id is not None:
        referral.external_candidate_id = said.candidate_id
    if referral.external_id == said.application_id:
        return False
    referral.connection_id, referral.external_id = connection.id, said.application_id
    db.session.flush()
    return True


def _claim_credit(referral: Referral, said: Said) -> None:
    """Every clue the event holds becomes a claim; the rule decides between them."""
    at = said.occurred_at or clock.now()
    link = _link_of(said)
    if link is not None:
        found = next(c for c in said.codes if link.code in c.value)
        kind = "source-text" if found.field.endswith("source") else "code-field"
        attribution.claim(referral, link.person_id, kind, at, code=link.code)
    credited = _credited(said)
    if credited is not None and said.credited is not None:
        kind = "credited-employee-id" if said.credited.employee_id else "credited-address"
        attribution.claim(referral, credited, kind, at)


def _as_event(connection: Connection, row: AtsEvent, said: Said) -> ReferralEvent:
    """The vendor's event as something that happened to the referral."""
    event = ReferralEvent(
        kind="stage",
        raw_stage=(said.stage_name or "")[:120] or None,
        occurred_at=said.occurred_at or row.received_at,
        source="ats",
        external_event_id=f"{connection.public_id}:{row.event_id}"[:200],
    )
    if said.kind in ("hired", "unhired"):
        event.kind, event.starts_on = said.kind, said.starts_at
        event.hire_key = _hire_key(connection, said)
    elif said.kind in ("rejected", "withdrawn"):
        event.kind, event.stage = "closed", "closed"
        event.closure_reason = _closure_reason(connection, said)
    elif said.kind == "unrejected":
        event.kind = "reopened"
    else:
        event.stage = (
            "received" if said.kind == "application" else mapped_stage(connection, said.stage_name)
        )
    return event


def _hire_key(connection: Connection, said: Said) -> str | None:
    """The name of the hire an event tells of. An un-hire usually names none (the vendor sends
    no offer with it): it then undoes the hire that is live at its time."""
    if said.kind == "unhired" and (said.offer_id is None or said.resolved_at is None):
        return None
    return stages.hire_key(
        str(connection.id), said.application_id or "", said.offer_id or "", said.resolved_at
    )


def _closure_reason(connection: Connection, said: Said) -> str:
    """The connector tells a withdrawal; our other reasons come by the customer's mapping."""
    closure = said.closure
    words = [w for w in (closure.reason, closure.type_name) if w] if closure else []
    mapping = connection.settings.get("closure_reasons")
    if isinstance(mapping, dict):
        for word in words:
            if mapping.get(word):
                return str(mapping[word])
    return "withdrawn" if said.kind == "withdrawn" else "not-selected"


def _apply_what_waited(connection: Connection, application_id: str, current: uuid.UUID) -> None:
    """What was heard earlier about this application, and found no referral then."""
    waiting = db.session.scalars(
        select(AtsEvent.id).where(
            AtsEvent.connection_id == connection.id,
            AtsEvent.application_id == application_id,
            AtsEvent.state.in_(("waiting", "unmatched")),
            AtsEvent.id != current,
        )
    ).all()
    for ats_event_id in waiting:
        apply_event(ats_event_id)


def match_by_hand(ats_event_id: uuid.UUID, referral_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """A person says which referral an event of the human queue speaks of."""
    with transaction() as session:
        _lock_connection(ats_event_id)
        row = session.get(AtsEvent, ats_event_id, with_for_update=True)
        referral = load(referral_id)
        if row is None or row.state == "applied" or row.application_id is None:
            return
        referral.connection_id, referral.external_id = row.connection_id, row.application_id
        session.flush()
        row.state = "waiting"
        audit.record("ats.matched", "referral", referral_id, actor_id=actor_id)
        outbox.record("ats.received", ats_event_id=str(row.id))


def dismiss(ats_event_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """A person says that an event of the human queue is not a referral."""
    with transaction() as session:
        row = session.get(AtsEvent, ats_event_id, with_for_update=True)
        if row is not None and row.state in ("unmatched", "waiting"):
            row.state, row.note = "ignored", "dismissed"
            audit.record("ats.dismissed", "ats_event", ats_event_id, actor_id=actor_id)
