"""Personal links: one for each member, offer and channel."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import audit, clock
from app.db import db, transaction
from app.errors import Forbidden, InvalidInput, NotFound
from app.people.models import Person
from app.referrals.errors import OfferClosed, UnknownOffer
from app.referrals.models import CHANNELS, Offer, OfferLink, Recommendation

# No letter or figure that is mistaken for another when read aloud or from paper.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz"
CODE_LENGTH = 10  # 54^10 codes: with a million links, one guess in 2·10^11 hits one
MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class Target:
    """Where a code leads, and whether it still does."""

    link_id: uuid.UUID
    person_id: uuid.UUID
    offer_id: uuid.UUID
    slug: str
    alive: bool


def new_code() -> str:
    """A fresh code; opaque, because it is written in logs everywhere."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def link_for(person_id: uuid.UUID, offer_id: uuid.UUID, channel: str) -> OfferLink:
    """The member's link to an offer for one channel, made at the first call.

    Raises `InvalidInput` (channel), `UnknownOffer`, `OfferClosed`, `Forbidden` (not a member).
    """
    if channel not in CHANNELS:
        raise InvalidInput(
            _l("Please check the form."),
            {"channel": _l("Choose one of: %(channels)s.", channels=", ".join(CHANNELS))},
        )
    try:
        return _link_for(person_id, offer_id, channel)
    except IntegrityError:  # somebody pressed twice: the other press made it
        return _link_for(person_id, offer_id, channel)


def _link_for(person_id: uuid.UUID, offer_id: uuid.UUID, channel: str) -> OfferLink:
    with transaction() as session:
        offer = session.get(Offer, offer_id)
        person = session.get(Person, person_id)
        if offer is None or offer.status == "draft":
            raise UnknownOffer
        if offer.status == "closed":
            raise OfferClosed
        if person is None or not person.is_member:
            raise Forbidden(_l("Join the programme first: links belong to its members."))
        link = session.scalars(
            select(OfferLink).where(
                OfferLink.person_id == person_id,
                OfferLink.offer_id == offer_id,
                OfferLink.channel == channel,
                OfferLink.revoked_at.is_(None),
            )
        ).one_or_none()
        if link is None:
            link = OfferLink(
                person_id=person_id, offer_id=offer_id, channel=channel, code=new_code()
            )
            session.add(link)
            session.flush()
        return link


def revoke(person_id: uuid.UUID, link_id: uuid.UUID) -> None:
    """Withdraw a link: from the next request on it says so instead of leading on."""
    with transaction() as session:
        link = session.get(OfferLink, link_id, with_for_update=True)
        if link is None or link.person_id != person_id:
            raise NotFound(_l("There is no such link."))
        if link.revoked_at is None:
            link.revoked_at = clock.now()
            audit.record("link.revoked", "link", link.id, actor_id=person_id)


def recommend(person_id: uuid.UUID, offer_id: uuid.UUID, words: str) -> None:
    """The member's own words on the public page; empty words take them away."""
    words = words.strip()
    if len(words) > MAX_WORDS:
        raise InvalidInput(
            _l("Please check the form."),
            {
                "words": _l(
                    "%(max)d characters at most; you wrote %(n)d.", max=MAX_WORDS, n=len(words)
                )
            },
        )
    with transaction() as session:
        row = session.scalars(
            select(Recommendation).where(
                Recommendation.person_id == person_id, Recommendation.offer_id == offer_id
            )
        ).one_or_none()
        if not words:
            if row is not None:
                session.delete(row)
            return
        if row is None:
            row = Recommendation(person_id=person_id, offer_id=offer_id, words=words)
            session.add(row)
        row.words, row.updated_at = words, clock.now()


def find(code: str) -> Target | None:
    """Where a code leads; None for a code we never gave."""
    if len(code) > 16 or not code.isascii() or not code.isalnum():
        return None
    row = db.session.execute(
        select(
            OfferLink.id, OfferLink.person_id, OfferLink.offer_id, OfferLink.revoked_at,
            OfferLink.expires_at, Offer.slug,
        )
        .join(Offer, Offer.id == OfferLink.offer_id)
        .where(OfferLink.code == code)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    alive = row.revoked_at is None and not _is_past(row.expires_at)
    return Target(row.id, row.person_id, row.offer_id, row.slug, alive)


def _is_past(at: dt.datetime | None) -> bool:
    return at is not None and at <= clock.now()
