"""Referrals and their stages."""

from __future__ import annotations

import datetime as dt
import uuid

from flask_smorest import Blueprint

from app import audit
from app.api import schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page
from app.referrals import queries, reach, service
from app.referrals.errors import ContactEntryDisabled, UnknownReferral
from app.referrals.queries import ClaimLine, Detail, ReferralFilter, ReferralRow
from app.referrals.reach import Within
from app.web import access
from app.web.access import Reader

blueprint = Blueprint("api_referrals", __name__, description="Referrals")


def _person(person_id: object, name: str | None) -> Json | None:
    """None for somebody who left, whom no call names (rule W2)."""
    return {"id": person_id, "name": name} if person_id and name else None


def _attribution(row: ReferralRow, known: Detail, reader: Reader, *, own: bool) -> Json:
    """The claims and which one won. A referrer reads who else claims as "somebody else"."""
    return {
        "claims": [
            {
                "person": _claimant(claim, reader, own=own), "kind": claim.kind,
                "claimed_at": claim.claimed_at, "outcome": claim.outcome, "reason": claim.reason,
            }
            for claim in known.claims
        ],
        "winner": _person(row.referrer_id, row.referrer_name),
        "decision": known.decision,
    }  # fmt: skip


def _claimant(claim: ClaimLine, reader: Reader, *, own: bool) -> Json | None:
    if own and claim.person_id != reader.person_id:
        return None
    return _person(claim.person_id, claim.person_name)


def _referral(row: ReferralRow, known: Detail, reader: Reader, *, own: bool) -> Json:
    return {
        "id": row.id, "offer_id": row.offer_id, "offer_title": row.offer_title,
        "candidate_name": row.candidate_name, "visibility": row.visibility, "stage": row.stage,
        "stage_at": row.stage_at, "closure_reason": row.closure_reason,
        "received_at": row.received_at, "hired_at": row.hired_at, "starts_on": row.starts_on,
        "external_id": row.external_id, "channel": row.channel,
        "referrer": _person(row.referrer_id, row.referrer_name),
        "history": known.history,
        "attribution": _attribution(row, known, reader, own=own),
    }  # fmt: skip


def _reach() -> Within:
    """How far the reader may read referrals of others: nowhere for who is no staff."""
    return access.reach(*reach.READERS)


def _is_nowhere(within: Within) -> bool:
    return within is not None and not within


def _acting_as(reader: Reader, *roles: str) -> str:
    """The first of these roles that the reader holds, for a segment or everywhere."""
    return next(role for role in roles if role in reader.roles or role in reader.reach)


@blueprint.get("/referrals")
@access.api("read")
@blueprint.arguments(schemas.ReferralQuery, location="query")
@blueprint.response(200, schemas.page_of(schemas.ReferralOut))
def referrals_list(query: dict[str, str]) -> Json:
    """Referrals, newest first: all for recruiters, or those to offers that their segments keep;
    their own for members, as far as each candidate allows."""
    reader, within = access.me(), _reach()
    own = _is_nowhere(within)
    limit = int(query["limit"])
    offer_id = query.get("offer_id")
    found = queries.referrals(
        ReferralFilter(
            referrer_id=reader.person_id if own else None,
            stage=query.get("stage"),
            offer_id=as_id(offer_id) if offer_id else None,
            external_id=query.get("external_id"),
            within=None if own else within,
        ),
        after=query.get("after"),
        limit=limit,
    )
    known = queries.details(found.rows, for_referrer=own)
    shown = [_referral(row, known[row.id], reader, own=own) for row in found.rows]
    return page(shown, found.next, limit)


@blueprint.post("/referrals")
@access.api("referrals:write")
@blueprint.arguments(schemas.ContactIn)
@blueprint.response(201, schemas.ReferralOut)
def enter_contact(_fields: Json) -> Json:
    """Entering a contact for somebody is off: they type their own data after your link."""
    raise ContactEntryDisabled


@blueprint.get("/referrals/<referral_id>")
@access.api("read")
@blueprint.response(200, schemas.ReferralOut)
def one(referral_id: str) -> Json:
    """One referral. Opening a candidate's file as staff is noted and shown to the candidate."""
    return _one(as_id(referral_id), access.me())


def _one(key: uuid.UUID, reader: Reader) -> Json:
    within = _reach()
    row = None if _is_nowhere(within) else queries.referral(key, within=within)
    own = row is None and within is not None
    if own:
        row = queries.referral(key, referrer_id=reader.person_id)
    if row is None:
        raise UnknownReferral
    shown = _referral(row, queries.detail(row, for_referrer=own), reader, own=own)
    if not own:
        role = _acting_as(reader, "recruiter", "hr", "admin")
        audit.record("referral.opened", "referral", key, actor_id=reader.person_id, actor_role=role)
    return shown


@blueprint.post("/referrals/<referral_id>/stages")
@idempotent
@access.api("referrals:write", *reach.WHO, within=True)
@blueprint.arguments(schemas.StageIn)
@blueprint.response(201, schemas.ReferralOut)
def add_stage(fields: Json, referral_id: str) -> Json:
    """A stage by the recruiter's hand; the same `external_event_id` again changes nothing."""
    reader = access.me()
    at, starts_on = fields.get("occurred_at"), fields.get("starts_on")
    service.set_stage(
        as_id(referral_id),
        str(fields["stage"]),
        actor_id=reader.person_id,
        actor_role=_acting_as(reader, *reach.WHO),
        occurred_at=at if isinstance(at, dt.datetime) else None,
        external_event_id=_text(fields.get("external_event_id"), "api:"),
        closure_reason=_text(fields.get("closure_reason")),
        starts_on=starts_on if isinstance(starts_on, dt.date) else None,
        within=reach.mine(),
    )
    row = queries.referral(as_id(referral_id))
    if row is None:
        raise UnknownReferral
    return _referral(row, queries.detail(row, for_referrer=False), reader, own=False)


def _text(value: object, prefix: str = "") -> str | None:
    return f"{prefix}{value}" if value else None
