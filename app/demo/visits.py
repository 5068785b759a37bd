"""Openings of links: people with the browsers people have, and the programs among them.

Each opening is classified by the rules of the real hit and kept by the real service at its
own time; nothing is counted here.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from app import clock
from app.db import db, new_id
from app.people.models import Person
from app.referrals import clicks, spool, visitors
from app.referrals.models import OfferLink
from app.sharing.models import Share
from app.web import current_settings

_PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "fr-FR,fr;q=0.9"}
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko)"
# (browser, how often)
PEOPLE = (
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_APPLE} Version/18.1 Mobile/15E148 Safari/604.1", 8),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) {_APPLE} Mobile/15E148 [LinkedInApp]/9.30.1", 6),
    (f"Mozilla/5.0 (Linux; Android 15; Pixel 8) {_CHROME} Chrome/141.0.0.0 Mobile Safari/537.36", 7),
    (f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {_CHROME} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36", 3),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Chrome/141.0.0.0 Safari/537.36", 6),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", 3),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", 2),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE} Version/18.0 Safari/605.1.15", 3),
)  # fmt: skip
PROGRAMS = (
    ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", 5),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", 2),
    ("WhatsApp/2.23.20.0", 3),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", 1),
    ("curl/8.5.0", 1),
)
_SENT = ("GET", "GET", "GET", "GET", "HEAD")
_REACH = {"linkedin": 4.0, "linkedin-dialog": 2.6, "facebook": 1.8, "whatsapp": 1.6, "email": 1.4}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


_OLDEST = dt.timedelta(days=21)  # nobody comes later
_ADDRESSES = 0xC6120000  # 198.18.0.0/15, which belongs to nobody


@dataclass(frozen=True, slots=True)
class Link:
    """A link that people may come by: made by somebody, at one moment, for a network."""

    id: uuid.UUID
    share_id: uuid.UUID | None
    made_at: dt.datetime
    owner: str
    way: str


def of_day(since: dt.datetime, until: dt.datetime) -> None:
    """Whoever came between two moments, by whichever link."""
    found: list[clicks.Opening] = []
    for link in _links(since, until):
        found += _openings(link, since, until)
    clicks.store(found)


def by_hand(link_id: uuid.UUID) -> str:
    """Somebody opens a link now, and is about to apply; the signed id of their click."""
    hit = _hit(random.Random(str(clock.now())), is_person=True)  # nosec B311
    key = clicks.visitor_key(visitors.secret_of_day(current_settings()), hit, link_id)
    return clicks.sign(clicks.record(link_id, clicks.classify(hit), key), link_id)


def _links(since: dt.datetime, until: dt.datetime) -> Iterator[Link]:
    """Those that are young enough."""
    session = db.session
    posts = select(Share.link_id, Share.id, Share.created_at, Person.email, Share.network).join(
        Person, Person.id == Share.person_id
    )
    posts = posts.where(
        Share.link_id.is_not(None),
        Share.created_at.between(since - _OLDEST, until),
        Share.status.in_(("intent", "published", "withdrawn")),
    )
    for link_id, share_id, at, owner, network in session.execute(posts.order_by(Share.created_at)):
        if link_id is not None:
            yield Link(link_id, share_id, at, owner, network)
    offers = select(OfferLink.id, OfferLink.created_at, Person.email, OfferLink.channel).join(
        Person, Person.id == OfferLink.person_id
    )
    offers = offers.where(
        OfferLink.share_id.is_(None), OfferLink.created_at.between(since - _OLDEST, until)
    )
    for link_id, at, owner, channel in session.execute(offers.order_by(OfferLink.created_at)):
        yield Link(link_id, None, at, owner, channel)


def _openings(link: Link, since: dt.datetime, until: dt.datetime) -> Iterator[clicks.Opening]:
    """The openings of a link are the same however often they are asked for: most of them in
    the first days, a program for every three people, a colleague now and then."""
    chance = random.Random(f"{link.owner} {link.way} {link.made_at}")  # nosec B311
    people = _popularity(chance, link)
    for number in range(people + (people + chance.randrange(4)) // 3):
        is_person = number < people
        days = chance.expovariate(0.6) if is_person else chance.random() / 4
        at = link.made_at + dt.timedelta(days=days, minutes=3 + chance.randrange(90))
        hit, is_colleague = _hit(chance, is_person), chance.random() < 0.06
        if since < at <= until:
            yield _opening(link, at, hit, is_colleague)


def _popularity(chance: random.Random, link: Link) -> int:
    """How many people come: a few by most links, many by some."""
    if link.share_id is None:
        return chance.randrange(5)
    drawn = chance.paretovariate(1.15) * _REACH.get(link.way, 1.0)
    return min(int(drawn), 42) if chance.random() < 0.85 else 0


def _opening(link: Link, at: dt.datetime, hit: clicks.Hit, is_colleague: bool) -> clicks.Opening:
    verdict = clicks.classify(hit)
    if verdict == "person" and is_colleague:  # signed in here, as the hit would see it
        verdict = "colleague"
    key = clicks.visitor_key(visitors.secret_of_day(current_settings()), hit, link.id)
    share = link.share_id.bytes if link.share_id else spool.NOBODY
    micros = (at - _EPOCH) // dt.timedelta(microseconds=1)
    return clicks.Opening(micros, new_id().bytes, link.id.bytes, share, verdict, key)


def _hit(chance: random.Random, is_person: bool) -> clicks.Hit:
    known = PEOPLE if is_person else PROGRAMS
    browser = chance.choices([name for name, _ in known], [often for _, often in known])[0]
    address = str(ipaddress.IPv4Address(_ADDRESSES + chance.randrange(2**17)))
    headers = {"user-agent": browser, **(_PAGE if is_person else {})}
    return clicks.Hit("GET" if is_person else chance.choice(_SENT), headers, address)
