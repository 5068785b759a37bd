"""Who carried which story elsewhere, when, and how. What goes through LinkedIn's interface
really goes there: to the stand-in beside the demo, by the product's own publisher. Where no
stand-in is known, the same people open LinkedIn's own window instead; nothing is ever sent to
another address.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from sqlalchemy import select

from app import clock, crypto
from app.charters import queries as charters
from app.db import db
from app.demo import charter, telling, visits
from app.demo.data import DemoPerson
from app.demo.days import LIVED, Act, Calendar
from app.demo.people import demo_person, id_of, members
from app.demo.phrases import OWN_WORDS
from app.demo.stories import STORIES, DemoStory
from app.sharing import disclosures, grants, publisher, reach, service
from app.sharing.models import Share
from app.sharing.service import Wish
from app.web import current_settings

DAILY_CAP = 100  # the demo is for trying; an organisation begins with 3
API, WINDOW = "linkedin", "linkedin-dialog"
RENEWED = 12  # days before today: those who are named connected again
_SEED = "carrying"
_RENEW_BEFORE = dt.timedelta(days=10)
# How many of the house take a story on, for a story that is neither loved nor passed over.
_USUAL = 0.085
_TASTES = (0.3, 0.6, 1.0, 1.0, 1.4, 2.2)
_WAYS = (
    (WINDOW, 5), ("whatsapp", 4), ("copy", 3), ("email", 2), ("facebook", 2), ("x", 1),
    ("bluesky", 1), ("qr", 1), ("mastodon", 1), ("telegram", 1),
)  # fmt: skip
_KEEN = {
    "maelle": 3.0, "aminata": 4.0, "theo": 3.0, "yann.lescop": 4.0, "solenn.tanguy": 4.0,
    "pauline": 3.0, "clemence": 3.0, "sofiane": 3.0, "lea.faugeras": 3.0, "owen.hartley": 3.0,
}  # fmt: skip


class Network(Protocol):
    """The LinkedIn beside a demo, known to be invented."""

    def set_clock(self, now: dt.datetime) -> None:
        """What it shows beside a post follows the demo's time."""

    def add_members(self, members: Iterable[dict[str, str]]) -> None:
        """Who the demo's people are there: `sub` and `name`."""


@dataclass(frozen=True, slots=True)
class Carried:
    """Somebody takes a story on, so many days before today."""

    key: str
    story: DemoStory
    way: str
    days_ago: int
    hour: int
    minute: int


def acts(calendar: Calendar, network: Network | None) -> Iterator[Act]:
    """The programme's limits on the first day, then everybody's posts and their visitors."""
    yield Act(calendar.at(LIVED, 8, 2), _begin)
    plan = [told if network else _by_window(told) for told in planned()]
    plan = [told for told in plan if _at(calendar, told) <= calendar.present]
    for told in plan:
        at = _at(calendar, told)
        if told.way == API:
            yield Act(at, partial(_publish, told, network), alone=True)
        else:
            yield Act(at, partial(_open, told))
    yield from _afterwards(calendar, plan, network)
    for day in range(LIVED, -1, -1):
        since, until = calendar.evening(day + 1), calendar.evening(day)
        yield Act(until, partial(visits.of_day, since, until))
    for demo in connected():
        if demo.is_named:
            yield Act(calendar.at(RENEWED, 18, 20), partial(connect, demo, anew=True))


def _at(calendar: Calendar, told: Carried) -> dt.datetime:
    return calendar.moment(told.days_ago, told.hour, told.minute)


def _begin() -> None:
    disclosures.ensure_defaults()
    service.set_daily_cap(DAILY_CAP)


# --- who, what, when ---------------------------------------------------------------------


def connected() -> list[DemoPerson]:
    """Who lets us write for them at LinkedIn."""
    return [demo for demo in members() if _is_connected(demo)]


def _is_connected(demo: DemoPerson) -> bool:
    if demo.is_named:
        return demo.key != charter.NOT_YET
    return random.Random(f"connected {demo.key}").random() < 0.5  # nosec B311


def planned() -> list[Carried]:
    """Everything that was carried, the same at each start."""
    found: list[Carried] = []
    for story in STORIES:
        if story.status != "draft" and not story.visible_in_days:
            found += _of_story(story)
    return found


def _of_story(story: DemoStory) -> Iterator[Carried]:
    """By those who are named in it, then by the house: most on the first days."""
    chance = random.Random(f"{_SEED} {story.key}")  # nosec B311
    named = {key: way for key, way, _visits in story.shared_by}
    taste = chance.choice(_TASTES)
    for demo in members():
        delay = int(chance.expovariate(0.7))
        drawn, way = chance.random(), _way(chance, demo)
        hour, minute = 8 + chance.randrange(10), chance.randrange(60)
        day = story.days_ago - delay
        wants = demo.key in named or drawn < _USUAL * taste * _keenness(demo)
        if demo.key in named:
            way = API if way == API else named[demo.key]
        if wants and _may(demo, story, day):
            yield Carried(demo.key, story, way, day, hour, minute)


def _keenness(demo: DemoPerson) -> float:
    """Some speak often, most now and then, some never."""
    if demo.key in _KEEN:
        return _KEEN[demo.key]
    return random.Random(f"keen {demo.key}").choice((0.0, 0.2, 0.5, 0.8, 1.2, 2.0))  # nosec B311


def _way(chance: random.Random, demo: DemoPerson) -> str:
    drawn = chance.choices([way for way, _ in _WAYS], [often for _, often in _WAYS])[0]
    return API if chance.random() < 0.62 and _is_connected(demo) else drawn


def _may(demo: DemoPerson, story: DemoStory, day: int) -> bool:
    """They were there and had agreed; the story was, too."""
    if day < 0 or not charter.holds(demo, day):
        return False
    if story.status == "withdrawn" and day <= story.days_ago // 2:
        return False
    age = story.days_ago - day
    if story.expires_in_days is not None and age >= story.expires_in_days - 1:
        return False
    return demo.left is None or day > demo.left


def _by_window(told: Carried) -> Carried:
    return replace(told, way=WINDOW) if told.way == API else told


# --- how ---------------------------------------------------------------------------------


def _wish(told: Carried) -> Wish | None:
    """In their language, in their own words now and then."""
    found = telling.story_id(told.story)
    if found is None:
        return None
    language = demo_person(told.key).language
    words = _words(told, language)
    return Wish(story_id=found, network=told.way, words=words, language=language)


def _words(told: Carried, language: str) -> str:
    text = told.story.en if language == "en" else told.story.fr
    chance = random.Random(f"words {told.key} {told.story.key}")  # nosec B311
    own, given = chance.choice(OWN_WORDS[language]), [words for _kind, words in text.captions]
    if not given or chance.random() < 0.4:
        return own
    taken = chance.choice(given)
    return f"{taken}\n\n{own}" if chance.random() < 0.25 else taken


def _carried_before(told: Carried) -> Share | None:
    story_id = telling.story_id(told.story)
    return db.session.scalars(
        select(Share)
        .where(
            Share.person_id == id_of(told.key),
            Share.story_id == story_id,
            Share.network == told.way,
        )
        .limit(1)
    ).one_or_none()


def _open(told: Carried) -> None:
    """Somebody opens a network's own window, or copies the link."""
    wish = _wish(told)
    if wish is not None:
        service.press(id_of(told.key), wish)


def _publish(told: Carried, network: Network | None) -> None:
    """Through the interface: the press, and then the worker's own work. A press that was killed
    half-way is taken up; what nobody can know is asked of the network, as its author may."""
    wish = _wish(told)
    if wish is None or network is None:
        return
    network.set_clock(clock.now())
    share = _carried_before(told)
    if share is None:
        connect(demo_person(told.key))
        share = service.press(id_of(told.key), wish)
    share_id, person_id = share.id, share.person_id
    publisher.publish_due(threads=1)
    if _status(share_id) != "published":  # an attempt that died with an earlier fill may hold it
        clock.travel(dt.timedelta(seconds=current_settings().share_lease_seconds + 1))
        publisher.publish_due(threads=1)
    if _status(share_id) == "unknown":
        service.check(person_id, share_id)
        publisher.publish_due(threads=1)


def _status(share_id: uuid.UUID) -> str | None:
    return db.session.scalar(select(Share.status).where(Share.id == share_id))


# --- afterwards --------------------------------------------------------------------------


def _afterwards(calendar: Calendar, plan: list[Carried], network: Network | None) -> Iterator[Act]:
    """Authors type in what LinkedIn showed them; some take a post down; some plan the next."""
    chance = random.Random("afterwards")  # nosec B311
    posts = [told for told in plan if told.way in (API, WINDOW)]
    taken_back = 0
    for told in posts:
        drawn, impressions = chance.random(), int(120 * chance.paretovariate(1.3))
        day = max(told.days_ago - 4, 0)
        if drawn < 0.22 and told.days_ago > 4 and _is_here(told.key, day):
            yield Act(calendar.at(day, 19, 5), partial(_declare, told, impressions))
        elif drawn > 0.96 and told.way == API and told.days_ago > 6 and taken_back < 3:
            taken_back += 1
            day = told.days_ago - 2
            if _is_here(told.key, day):
                yield Act(calendar.at(day, 18, 45), partial(_take_down, told))
    if network is not None:
        yield from _plans(calendar)


def _is_here(key: str, day: int) -> bool:
    left = demo_person(key).left
    return left is None or day > left


def _declare(told: Carried, impressions: int) -> None:
    share = _carried_before(told)
    if share is None or share.status not in ("published", "intent"):
        return
    figures = {
        "impressions": impressions, "reactions": impressions // 21,
        "comments": impressions // 140, "reshares": impressions // 260,
    }  # fmt: skip
    reach.declare(share.person_id, share.id, {name: str(n) for name, n in figures.items()})


def _take_down(told: Carried) -> None:
    share = _carried_before(told)
    if share is not None and share.status == "published":
        service.withdraw(share.person_id, share.id)


# (who, how old the story may be at most, planned for so many days from now, at this hour)
_PLANNED = (
    ("aminata", 9, 1, 8), ("maelle", 6, 2, 12), ("theo", 14, 3, 17), ("pauline", 9, 4, 9),
    ("solenn.tanguy", 14, 1, 18), ("yann.lescop", 14, 5, 8), (charter.TAKEN_BACK[0], 30, 2, 8),
)  # fmt: skip


def _plans(calendar: Calendar) -> Iterator[Act]:
    for place, (key, oldest, ahead, hour) in enumerate(_PLANNED):
        day = charter.TAKEN_BACK[1] + 1 if key == charter.TAKEN_BACK[0] else 0
        if charter.holds(demo_person(key), day):
            when = calendar.moment(-ahead, hour, 30)
            yield Act(calendar.at(day, 7, 30 + place), partial(_plan, key, oldest, when))


def _plan(key: str, oldest: int, when: dt.datetime) -> None:
    """The newest story they have not carried yet, for a moment to come."""
    demo = demo_person(key)
    connect(demo)
    for story in sorted(STORIES, key=lambda story: story.days_ago):
        found = telling.story_id(story)
        is_open = story.status == "published" and not story.visible_in_days
        if not is_open or story.expires_in_days is not None or found is None:
            continue
        if story.days_ago > oldest or _has_carried(key, found):
            continue
        words, language = _words(Carried(key, story, API, 0, 0, 0), demo.language), demo.language
        wish = Wish(story_id=found, network=API, words=words, language=language, publish_at=when)
        service.press(id_of(key), wish)
        return


def _has_carried(key: str, story_id: uuid.UUID) -> bool:
    same = select(Share.id).where(Share.person_id == id_of(key), Share.story_id == story_id)
    return db.session.execute(same.limit(1)).first() is not None


# --- grants ------------------------------------------------------------------------------


def member_id(key: str) -> str:
    """Who a demo person is at LinkedIn."""
    return f"demo-{key.replace('.', '-')}"


def _token(key: str) -> str:
    digest = hmac.new(crypto.stable_key("demo-grant"), key.encode(), hashlib.sha256).digest()
    return "AQX" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def connect(demo: DemoPerson, anew: bool = False) -> None:
    """They let us write for them; an invented token, stored without a call. Again when the last
    one ends soon."""
    person_id = id_of(demo.key)
    grant = grants.grant_of(person_id)
    if anew or not grants.is_usable(grant, clock.now() + _RENEW_BEFORE):
        grants.store_invented(person_id, member_id(demo.key), demo.name, _token(demo.key))


def stands_for(person_id: uuid.UUID) -> dict[str, object]:
    """What `demo --json` says of a person's sharing."""
    grant = grants.grant_of(person_id)
    said = []
    if grant is not None:
        expires = grant.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        said = [{"network": grant.network, "state": grant.state, "expires_at": expires}]
    return {"charter_accepted": charters.has_accepted_current(person_id), "grants": said}
