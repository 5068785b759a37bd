"""Which offers a member meets, and which ones a limited role keeps.

*Meeting* is about members: an offer may say the segments it is meant for, and an entity may keep
its offers to its own people; what an offer says itself outweighs its entity. Whoever is outside
does not come across it in Offers, on Today, in a search or through the API, and can make no new
link to it. A candidate is never asked for either: the public page, links that were given out, and
what came through them stay as they are, for the member who gave the link as well.

*Keeping* is about the team: a role that was given for a segment acts on the offers which that
segment keeps, and on the referrals to them. Everything else does not exist for it: it is answered
like something unknown. A referral without an offer, an event without a referral and the
connections belong to the roles of the whole organisation.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.db import db
from app.people import audiences, segments
from app.people.audiences import KEPT
from app.people.models import Person
from app.people.queries import Holder, holders
from app.referrals.errors import UnknownOffer, UnknownReferral
from app.referrals.models import Offer, Referral
from app.settings.models import Entity
from app.web import access

Within = Collection[uuid.UUID] | None
"""How far a role goes: None for everywhere, else the segments it was given for."""

RECRUITER: Final = "recruiter"
WHO: Final = (RECRUITER, "admin")
"""Whose offers and referrals they are."""
READERS: Final = (*WHO, "hr")
"""Who reads the referrals of the organisation, besides their referrers."""


# --- members -----------------------------------------------------------------------------


def shown_to(
    person_id: Any, segment_ids: Collection[uuid.UUID] | BindParameter[Any]
) -> ColumnElement[bool]:
    """A condition over `Offer`: somebody who is in these segments meets it."""
    home = select(Person.entity_id).where(Person.id == person_id).scalar_subquery()
    closed = select(Entity.id).where(Entity.keeps_offers, Entity.id.is_distinct_from(home))
    return and_(
        audiences.meant_for(Offer.id, segment_ids),
        or_(Offer.entity_id.is_(None), Offer.entity_id.not_in(closed), audiences.said(Offer.id)),
    )


def met_by(person_id: uuid.UUID) -> ColumnElement[bool]:
    """The same for one reader, whose segments are read once a request."""
    return shown_to(person_id, audiences.mine(person_id))


def must_meet(offer_id: uuid.UUID, person_id: uuid.UUID) -> None:
    """An offer that is not meant for somebody does not exist for them, as their segments are at
    this moment. Raises `UnknownOffer`."""
    meets = shown_to(person_id, segments.segments_of(person_id))
    if db.session.scalar(select(Offer.id).where(Offer.id == offer_id, meets)) is None:
        raise UnknownOffer


# --- the team ----------------------------------------------------------------------------


def mine() -> Within:
    """How far the reader goes as a recruiter or an administrator."""
    return access.reach(*WHO)


def kept_offers(within: Within) -> ColumnElement[bool]:
    """A condition over `Offer`: kept within a role's reach."""
    return audiences.kept_within(Offer.id, within)


def kept_referrals(within: Within) -> ColumnElement[bool]:
    """A condition over `Referral`: to an offer that is kept within a role's reach."""
    return audiences.kept_within(Referral.offer_id, within)


def is_kept(offer_id: uuid.UUID | None, within: Within) -> bool:
    """Whether an offer is within a role's reach; no offer at all is only everywhere."""
    if within is None:
        return True
    if offer_id is None:
        return False
    query = select(Offer.id).where(Offer.id == offer_id, kept_offers(within))
    return db.session.scalar(query) is not None


def must_keep(offer_id: uuid.UUID, within: Within) -> None:
    """Raises `UnknownOffer` for an offer outside a role's reach."""
    if not is_kept(offer_id, within):
        raise UnknownOffer


def must_keep_referral(offer_id: uuid.UUID | None, within: Within) -> None:
    """Raises `UnknownReferral` for a referral to an offer outside a role's reach."""
    if not is_kept(offer_id, within):
        raise UnknownReferral


def keep_as(session: Session, offer_id: uuid.UUID, connection_id: uuid.UUID) -> None:
    """What a connection brings is kept by the segments that keep the connection."""
    if kept := segments_of(connection_id, KEPT):
        audiences.assign(session, offer_id, KEPT, [segment_id for segment_id, _name in kept])


def segments_of(subject_id: uuid.UUID, purpose: str) -> list[tuple[uuid.UUID, str]]:
    """The segments of one offer or connection by name, for one purpose."""
    return audiences.assigned([subject_id], purpose).get(subject_id, [])


# --- who may follow a referral -----------------------------------------------------------


def recruiters(within: Within = None) -> list[Holder]:
    """Who recruits, by name: for a limited role those of the whole organisation, and those who
    share a segment with it."""
    found = holders(RECRUITER)
    if within is None:
        return found
    return [each for each in found if each.within is None or each.within & {*within}]


def recruiters_of(offer_id: uuid.UUID | None) -> list[Holder]:
    """Who may be entrusted with a referral to this offer: everybody else could not open it."""
    found = holders(RECRUITER)
    if all(each.within is None for each in found):
        return found
    kept = set()
    if offer_id is not None:
        kept = {segment_id for segment_id, _name in segments_of(offer_id, KEPT)}
    return [each for each in found if each.within is None or each.within & kept]


def may_follow(person_id: uuid.UUID, offer_id: uuid.UUID | None) -> bool:
    """Whether somebody recruits, and reaches this offer."""
    return any(each.id == person_id for each in recruiters_of(offer_id))
