"""Stories and offers as the composer sees them."""

from __future__ import annotations

import uuid

from flask_babel import force_locale
from flask_babel import gettext as _

from app.integrations.text import html_to_text
from app.library import material
from app.library.errors import UnknownStory
from app.library.material import Material
from app.people import audiences
from app.referrals import offers
from app.referrals.errors import OfferClosed, UnknownOffer
from app.referrals.models import Offer
from app.sharing.composing import ARTICLE, IMAGE, TEXT, Subject

STORY, OFFER = "story", "offer"
_SUMMARY = 300


def story_subject(found: Material) -> Subject:
    """A story. One that leads somewhere becomes an article with a card; a picture alone is
    posted as a picture; words alone as words."""
    return Subject(
        kind=STORY,
        id=found.story_id,
        language=found.language,
        languages=found.languages,
        title=found.title,
        summary=found.summary,
        format=_format(found),
        picture_id=found.picture_id,
        alt=found.alt,
        mention=_mention(found.language) if found.is_commercial else "",
        networks=found.networks,
        topic_ids=found.topic_ids,
        starts=tuple((start.id, start.kind, start.text) for start in found.starts),
        source_text=f"{found.title}\n{found.summary}\n{found.body}",
    )


def _format(found: Material) -> str:
    if found.url or found.body:
        return ARTICLE
    return IMAGE if found.picture_id else TEXT


def _mention(language: str) -> str:
    """The words that French law wants on promotion for a benefit (act 2023-451, rule L2)."""
    with force_locale(language):
        return str(_("Advertisement."))


def offer_subject(offer: Offer) -> Subject:
    """An open offer; its card is the one drawn for it."""
    about = html_to_text(offer.description_html).replace("\n", " ").strip()
    line = " · ".join(part for part in (offer.contract, offer.location) if part)
    summary = line or about
    return Subject(
        kind=OFFER,
        id=offer.id,
        language=offer.language,
        languages=(offer.language,),
        title=offer.title,
        summary=summary[:_SUMMARY],
        format=ARTICLE,
        alt=offer.title,
        source_text=f"{offer.title}\n{about}",
    )


def shareable(
    person_id: uuid.UUID,
    story_id: uuid.UUID | None,
    offer_id: uuid.UUID | None,
    language: str | None,
    network: str | None = None,
) -> Subject:
    """What this member may share now; what is meant for others does not exist for them. Raises
    `UnknownStory`, `StoryWithdrawn`, `StoryExpired`, `NetworkNotOffered`, `UnknownOffer`,
    `OfferClosed`."""
    if story_id is not None:
        if not audiences.is_meant_for(story_id, person_id):
            raise UnknownStory
        return story_subject(material.shareable(story_id, language, network))
    if offer_id is None:
        raise UnknownOffer
    offer = offers.find_met(offer_id, person_id)
    if offer.status == "closed":
        raise OfferClosed
    return offer_subject(offer)
