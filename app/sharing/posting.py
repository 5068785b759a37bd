"""From a share to the parcel that is sent: link, card, picture."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select

from app import clock
from app.config import Settings
from app.db import db
from app.integrations.linkedin import little
from app.integrations.linkedin.outcomes import NotSent, Outcome, Unknown
from app.integrations.linkedin.posts import Article, post_body
from app.integrations.text import JsonObject
from app.library.models import Story, StoryTopic
from app.media.service import jpeg_for_network
from app.people import audiences
from app.people.segments import segments_of
from app.referrals.models import Offer, OfferLink
from app.referrals.offer_pages import card_of
from app.sharing.composing import ARTICLE, IMAGE
from app.sharing.models import Share

Upload = Callable[[bytes], str]

_TEXT_CODES = frozenset({"FIELD_LENGTH_TOO_LONG", "INVALID_VALUE_BLANK_FIELD"})
_PICTURE_CODES = frozenset({"MEDIA_ASSET_PROCESSING_FAILED"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything of one post but the name of its picture, which the upload brings."""

    owner: str
    text: str
    format: str
    source: str
    title: str
    summary: str
    alt: str
    picture: bytes | None

    def body(self, upload: Upload) -> JsonObject:
        """The request's body; `upload` brings the picture there and returns its name."""
        image = upload(self.picture) if self.picture else None
        commentary = little.write(self.text)
        if self.format == ARTICLE:
            card = Article(self.source, self.title, self.summary or None, image)
            return post_body(self.owner, commentary, article=card)
        if self.format == IMAGE and image is not None:
            return post_body(self.owner, commentary, image=(image, self.alt))
        return post_body(self.owner, commentary)


def parcel(share: Share, subject: str, settings: Settings) -> Parcel:
    """What is sent for a share: what was stored at the press."""
    return Parcel(
        owner=f"urn:li:person:{subject}",
        text=share.post_text,
        format=share.format,
        source=link_url(share, settings),
        title=share.title,
        summary=share.summary,
        alt=share.alt,
        picture=_picture(share, settings),
    )


def code_of(share: Share) -> str:
    """The code of the share's own link."""
    if share.code is not None:
        return share.code
    return db.session.scalars(select(OfferLink.code).where(OfferLink.id == share.link_id)).one()


def link_url(share: Share, settings: Settings) -> str:
    """The member's own short address for this post."""
    return f"{settings.base_url}/r/{code_of(share)}"


def _picture(share: Share, settings: Settings) -> bytes | None:
    if share.picture_id is not None:
        return jpeg_for_network(share.picture_id)
    if share.offer_id is not None:
        return card_of(db.session.get_one(Offer, share.offer_id))
    return None


def before_the_post(outcome: Outcome) -> Outcome:
    """Trouble with the picture is never an unknown post: nothing was posted."""
    return NotSent("unreachable", retry=True) if isinstance(outcome, Unknown) else outcome


def reason_of(code: str | None) -> str:
    """Our reason for one of the network's codes."""
    if code in _TEXT_CODES:
        return "text"
    return "picture" if code in _PICTURE_CODES else "refused"


def topics_of(share: Share) -> frozenset[uuid.UUID]:
    """What the share's story is about."""
    if share.story_id is None:
        return frozenset()
    rows = db.session.scalars(
        select(StoryTopic.topic_id).where(StoryTopic.story_id == share.story_id)
    )
    return frozenset(rows)


def why_gone(share: Share) -> str | None:
    """Why a planned post may not go any more, as a reason; None when it may (rule L3)."""
    if share.offer_id is not None:
        status = db.session.scalar(select(Offer.status).where(Offer.id == share.offer_id))
        return None if status == "open" else "offer-closed"
    row = db.session.execute(
        select(Story.status, Story.expires_at).where(Story.id == share.story_id)
    ).one_or_none()
    if row is None or row.status != "published":
        return "story-withdrawn"
    if row.expires_at is not None and row.expires_at <= clock.now():
        return "story-expired"
    return None


def outside(shares: Sequence[Share]) -> set[uuid.UUID]:
    """Those of some shares whose story or offer is meant for others than their author by now:
    whom it is meant for changed, or where its author stands."""
    subjects = {share.id: share.story_id or share.offer_id for share in shares}
    meant = audiences.assigned({one for one in subjects.values() if one}, audiences.SEEN)
    found = set()
    for share in shares:
        subject = subjects[share.id]
        audience = {key for key, _name in meant.get(subject, ())} if subject else set()
        if audience and audience.isdisjoint(segments_of(share.person_id)):
            found.add(share.id)
    return found


def is_loopback(url: str) -> bool:
    """Whether an address is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
