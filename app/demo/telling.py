"""The demo's sharing: the charter, the stories, who carried them elsewhere, the grants.

What went through LinkedIn's interface before today is not invented: the demo's past shares are
those that need no interface, with visits recorded by the real classifier. The grants hold
invented tokens, stored without a call; a local stand-in takes them, and nothing else may see them.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import random
import uuid
from collections.abc import Callable
from functools import partial

from flask import current_app
from sqlalchemy import select

from app import clock, crypto
from app.charters import queries as charters
from app.charters import service as charter_service
from app.config import Settings
from app.db import db
from app.demo.data import CLICKS, ORGANISATION, PEOPLE, DemoPerson
from app.demo.drawings import draw
from app.demo.stories import STORIES, DemoStory, DemoText
from app.library import service as library
from app.library.models import Story, StoryText
from app.media import service as media
from app.people.models import Person
from app.referrals import clicks, visitors
from app.sharing import disclosures, grants, service
from app.sharing.models import Share
from app.sharing.service import Wish

Act = tuple[float, int, Callable[[], object]]

# One person has not gone this way yet, so that the first time can be seen.
UNCONNECTED = "edouard"
DAILY_CAP = 100  # the demo is for trying; an organisation begins with 3
_NAMES = {person.key: person.name for person in PEOPLE}


def begin(at: dt.datetime) -> None:
    """What an organisation has before its first share."""
    charter_service.ensure_default(at)
    disclosures.ensure_defaults()
    service.set_daily_cap(DAILY_CAP)


def agree(demo: DemoPerson, person: Person) -> None:
    """They read the charter and agree, in their language."""
    current = charters.current()
    if demo.key != UNCONNECTED and current is not None:
        charter_service.accept(person.id, current.id, demo.language)


def acts(members: dict[str, uuid.UUID]) -> list[Act]:
    """Stories appear on their day; those who liked one carried it on a day later."""
    found: list[Act] = []
    for number, story in enumerate(STORIES):
        found.append((story.days_ago, 8, partial(_tell, story, members["ines"])))
        for key, network, visits in story.shared_by:
            carry = partial(_carry, story, members[key], network, visits, number)
            found.append((max(story.days_ago - 1, 0), 12, carry))
    return found


def _story_id(demo: DemoStory) -> uuid.UUID | None:
    return db.session.scalar(
        select(Story.id)
        .join(StoryText, StoryText.story_id == Story.id)
        .where(StoryText.title == demo.fr.title)
        .limit(1)
    )


def _tell(demo: DemoStory, curator_id: uuid.UUID) -> None:
    if _story_id(demo) is not None:
        return
    fields: dict[str, object] = {
        "kind": demo.kind, "language": "fr", "url": demo.url, "topics": list(demo.topics),
        "is_commercial": demo.is_commercial, **_words(demo.fr),
    }  # fmt: skip
    if demo.en is not None:
        fields["translations"] = {"en": _words(demo.en)}
    if demo.expires_in_days is not None:
        fields["expires_at"] = clock.now() + dt.timedelta(days=demo.expires_in_days)
    if demo.drawing is not None:
        name, seed = demo.drawing
        picture = media.add(draw(name, ORGANISATION["brand"], seed), actor_id=curator_id)
        fields["picture_id"] = picture.id
    story_id = library.create_story(fields, curator_id).id
    if demo.status == "published":
        library.publish_story(story_id, curator_id)


def _words(text: DemoText) -> dict[str, object]:
    return {
        "title": text.title, "summary": text.summary, "body": text.body, "alt": text.alt,
        "captions": [{"kind": kind, "text": words} for kind, words in text.captions],
    }  # fmt: skip


def _carry(demo: DemoStory, person_id: uuid.UUID, network: str, visits: int, seed: int) -> None:
    """Somebody opens a network's own window, and people come by the link."""
    story_id = _story_id(demo)
    if story_id is None or _has_carried(person_id, story_id):
        return
    words = demo.fr.captions[-1][1] if demo.fr.captions else demo.fr.title
    wish = Wish(story_id=story_id, network=network, words=words, language="fr")
    share = service.press(person_id, wish)
    _visit(share, visits, seed)


def _has_carried(person_id: uuid.UUID, story_id: uuid.UUID) -> bool:
    same = select(Share.id).where(Share.person_id == person_id, Share.story_id == story_id)
    return db.session.execute(same.limit(1)).first() is not None


def _visit(share: Share, visits: int, seed: int) -> None:
    chance = random.Random(seed)  # nosec B311
    settings: Settings = current_app.extensions["portevoix"]
    secret, began = visitors.secret_of_day(settings), clock.now()
    share_id, link_id = share.id, share.link_id or share.id
    for number in range(visits + 2):
        clock.freeze(began + dt.timedelta(minutes=7 + 11 * number))
        browser = CLICKS[-1][0] if number >= visits else CLICKS[chance.randrange(3)][0]
        address = str(ipaddress.IPv4Address(0xC6336400 + chance.randrange(256)))
        hit = clicks.Hit("GET", {"user-agent": browser}, address)
        key = clicks.visitor_key(secret, hit, link_id)
        clicks.record(link_id, clicks.classify(hit), key, share_id=share_id)
    clock.freeze(began)


# --- grants ------------------------------------------------------------------------------


def _token(key: str) -> str:
    digest = hmac.new(crypto.stable_key("demo-grant"), key.encode(), hashlib.sha256).digest()
    return "AQX" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def member_id(key: str) -> str:
    """Who a demo person is at LinkedIn."""
    return f"demo-{key}"


def connect(members: dict[str, uuid.UUID]) -> None:
    """Everybody but one lets us write for them on the LinkedIn of the demo."""
    for key, person_id in members.items():
        if key != UNCONNECTED and grants.grant_of(person_id) is None:
            grants.store_invented(person_id, member_id(key), _NAMES[key], _token(key))


def stands_for(person_id: uuid.UUID) -> dict[str, object]:
    """What `demo --json` says of a person's sharing."""
    grant = grants.grant_of(person_id)
    said = []
    if grant is not None:
        expires = grant.expires_at.isoformat().replace("+00:00", "Z")
        said = [{"network": grant.network, "state": grant.state, "expires_at": expires}]
    return {"charter_accepted": charters.has_accepted_current(person_id), "grants": said}
