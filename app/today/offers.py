"""One open offer that fits its reader, and why. The same reader sees the same offer; another
one is a link away, and nothing is stored about who looked at which."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import Integer, bindparam, exists, select

from app import clock
from app.library.follows import FollowedTopic
from app.people.audiences import mine
from app.people.models import Person
from app.prepared import Reading
from app.referrals import offer_queries
from app.referrals.models import Offer, OfferLink
from app.referrals.reach import shown_to
from app.today.readers import Member, bare

WINDOW: Final = 200
"""The newest open offers that are meant for the reader, among which Today chooses."""
SHOWN: Final = 12
"""How many one may leaf through; after them comes the whole list."""


@dataclass(frozen=True, slots=True)
class OfferLine:
    """An open offer as its card shows it."""

    id: uuid.UUID
    title: str
    location: str
    department: str
    contract: str
    language: str
    opened_at: dt.datetime | None
    company: str | None


@dataclass(frozen=True, slots=True)
class Fitting:
    """The offer, why it is shown, and the place of the next one (None: there is no more).
    `place` counts from 1."""

    offer: OfferLine
    reason: str
    place: int
    next_place: int | None


def fitting(reader: Member, topics: Sequence[FollowedTopic], place: int = 1) -> Fitting | None:
    """The offer that fits best, or the one at a later `place`. `topics` are those
    the reader follows. None where no offer is open that they carry no link to."""
    ranked = sorted(
        _open(reader), key=lambda offer: _order(offer, reader, topics), reverse=True
    )[:SHOWN]  # fmt: skip
    if not ranked:
        return None
    at = min(max(place, 1), len(ranked))
    offer = ranked[at - 1]
    return Fitting(offer, reason(offer, reader, topics), at, at + 1 if at < len(ranked) else None)


_CARRIED: Final = exists().where(
    OfferLink.person_id == bindparam("person_id", type_=Person.id.type),
    OfferLink.offer_id == Offer.id,
    OfferLink.revoked_at.is_(None),
    OfferLink.share_id.is_(None),
)
_OPEN: Final = Reading(
    select(
        Offer.id, Offer.title, Offer.location, Offer.department, Offer.contract,
        Offer.language, Offer.opened_at, offer_queries.COMPANY,
    )
    .where(
        Offer.status == "open",
        Offer.opened_at.is_not(None),
        ~_CARRIED,
        shown_to(
            bindparam("person_id", type_=Person.id.type),
            bindparam("segments", type_=Person.id.type, expanding=True),
        ),
    )
    .order_by(Offer.opened_at.desc(), Offer.id.desc())
    .limit(bindparam("most", type_=Integer, literal_execute=True))
)  # fmt: skip


def _open(reader: Member) -> list[OfferLine]:
    values = {"person_id": reader.id, "segments": [*mine(reader.id)], "most": WINDOW}
    return [OfferLine(*row) for row in _OPEN.all(values)]


def _is_team(offer: OfferLine, reader: Member) -> bool:
    return bool(reader.department) and bare(offer.department) == bare(reader.department)


def _is_site(offer: OfferLine, reader: Member) -> bool:
    """Every word of the site's name stands in the offer's place: 'Lorient (56)' is Lorient."""
    return _says(offer.location, reader.site)


def _topic(offer: OfferLine, topics: Sequence[FollowedTopic]) -> str:
    """One that the offer names in either language, by its name for the reader."""
    text = f"{offer.title} {offer.department}"
    return next((t.name for t in topics if any(_says(text, name) for name in t.names)), "")


def _says(text: str, name: str) -> bool:
    words = set(bare(name).split())
    return bool(words) and words <= set(bare(text).split())


def _order(
    offer: OfferLine, reader: Member, topics: Sequence[FollowedTopic]
) -> tuple[int, dt.datetime, int]:
    """Heavier first; among equals the newer one."""
    weight = (
        3 * _is_team(offer, reader)
        + 3 * _is_site(offer, reader)
        + 2 * bool(_topic(offer, topics))
        + (offer.language == reader.language)
    )
    return weight, offer.opened_at or clock.now(), offer.id.int


def reason(offer: OfferLine, reader: Member, topics: Sequence[FollowedTopic]) -> str:
    """Why this offer is shown, as a sentence that is true of it."""
    team, site = _is_team(offer, reader), _is_site(offer, reader)
    if team and site:
        return str(_("In your team and at your site, %(site)s", site=reader.site))
    if team:
        return str(_("In your team, %(team)s", team=reader.department))
    if site:
        return str(_("At your site, %(site)s", site=reader.site))
    if topic := _topic(offer, topics):
        return str(_("Close to a topic you follow, %(topic)s", topic=topic))
    return str(_("An open offer that you carry no link to yet"))
