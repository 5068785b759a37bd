"""Personal links: one for each member, offer and channel."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from flask_babel import lazy_gettext as _l
from sqlalchemy import CursorResult, insert, select, update
from sqlalchemy.exc import IntegrityError

from app import audit, clock
from app.db import after_commit, before_commit, db, transaction
from app.errors import Forbidden, InvalidInput, NotFound
from app.people.models import Person
from app.referrals import reach
from app.referrals.errors import OfferClosed, UnknownOffer
from app.referrals.models import CHANNELS, LinkVersion, Offer, OfferLink, Recommendation

# No letter or figure that is mistaken for another when read aloud or from paper.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz"
CODE_LENGTH = 10  # 54^10 codes: with a million links, one guess in 2·10^11 hits one
MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class Target:
    """Where a code leads, and whether it still does. `location` is an address of ours or, for a
    story, one that a curator's publication approved; only an offer's takes parameters with it.
    `share_id` names the post that the link belongs to, if it was made for one."""

    link_id: uuid.UUID
    person_id: uuid.UUID
    location: str
    alive: bool
    offer_id: uuid.UUID | None = None
    share_id: uuid.UUID | None = None
    expires_at: dt.datetime | None = None

    def url(self, **args: str | None) -> str:
        """The address to go on to."""
        given = {name: value for name, value in args.items() if value and self.offer_id}
        return f"{self.location}?{urlencode(given)}" if given else self.location


Finder = Callable[[str], Target | None]
_finders: list[Finder] = []


def also_leads(finder: Finder) -> None:
    """A feature above that gives codes of its own says here, once, where they lead."""
    if finder not in _finders:
        _finders.append(finder)


def changed() -> None:
    """A code that was given out leads elsewhere or nowhere from this transaction on: processes
    that remember codes forget them all within a second. Called wherever that may be so."""
    before_commit(_raise_version)
    after_commit(_tell)


_changes = itertools.count(1)
_told = 0


def _tell() -> None:
    global _told
    _told = next(_changes)


def told() -> int:
    """How often this very process made such a change: it need not wait to see its own."""
    return _told


def _raise_version() -> None:
    session = db.session()
    raised = session.execute(
        update(LinkVersion).where(LinkVersion.id == 1).values(version=LinkVersion.version + 1)
    )
    if not cast("CursorResult[object]", raised).rowcount:
        session.execute(insert(LinkVersion).values(id=1, version=1))


def new_code() -> str:
    """A fresh code; opaque, because it is written in logs everywhere."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def link_for(person_id: uuid.UUID, offer_id: uuid.UUID, channel: str) -> OfferLink:
    """The member's link to an offer for one channel, made at the first call.

    Raises `InvalidInput` (channel), `UnknownOffer` (also for an offer that is not meant for them,
    unless they have this link already), `OfferClosed`, `Forbidden` (not a member).
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
        if person is None or not person.is_member:
            raise Forbidden(_l("Join the programme first: links belong to its members."))
        link = session.scalars(
            select(OfferLink).where(
                OfferLink.person_id == person_id,
                OfferLink.offer_id == offer_id,
                OfferLink.channel == channel,
                OfferLink.revoked_at.is_(None),
                OfferLink.share_id.is_(None),
            )
        ).one_or_none()
        if link is None:
            reach.must_meet(offer_id, person_id)
        if offer.status == "closed":
            raise OfferClosed
        if link is None:
            link = OfferLink(
                person_id=person_id, offer_id=offer_id, channel=channel, code=new_code()
            )
            session.add(link)
            session.flush()
        return link


def link_for_share(
    person_id: uuid.UUID, offer_id: uuid.UUID, channel: str, share_id: uuid.UUID
) -> OfferLink:
    """The link of one post about an offer, beside the member's other links to it, so that the
    post's visits are its own and an application finds its referrer all the same."""
    with transaction() as session:
        link = OfferLink(
            person_id=person_id, offer_id=offer_id, channel=channel, code=new_code(),
            share_id=share_id,
        )  # fmt: skip
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
            changed()


def recommend(person_id: uuid.UUID, offer_id: uuid.UUID, words: str) -> None:
    """The member's own words on the public page; empty words take them away. Raises
    `InvalidInput` (words), `UnknownOffer` for new words about an offer that is not meant for
    them."""
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
            reach.must_meet(offer_id, person_id)
            row = Recommendation(person_id=person_id, offer_id=offer_id, words=words)
            session.add(row)
        row.words, row.updated_at = words, clock.now()


def find(code: str) -> Target | None:
    """Where a code leads; None for a code we never gave."""
    if len(code) > 16 or not code.isascii() or not code.isalnum():
        return None
    row = db.session.execute(
        select(
            OfferLink.id, OfferLink.person_id, OfferLink.offer_id, OfferLink.share_id,
            OfferLink.revoked_at, OfferLink.expires_at, Offer.slug,
        )
        .join(Offer, Offer.id == OfferLink.offer_id)
        .where(OfferLink.code == code)
    ).one_or_none()  # fmt: skip
    if row is None:
        return next((found for finder in _finders if (found := finder(code))), None)
    alive = row.revoked_at is None and not _is_past(row.expires_at)
    return Target(
        row.id, row.person_id, f"/o/{row.slug}", alive, row.offer_id, row.share_id, row.expires_at
    )


def _is_past(at: dt.datetime | None) -> bool:
    return at is not None and at <= clock.now()
