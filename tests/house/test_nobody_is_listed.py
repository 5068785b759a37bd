"""Shows 7, rule W2: no page, export or call lists who did not join, did not share, refused the
charter, or left; and no group under the threshold is told of. Every address of the URL map is
opened as every role of the team, and the links on the pages are followed. The administrators'
directory is the one exception, and the people themselves on their own pages."""

from __future__ import annotations

import html
import re
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from app import outbox
from app.audit import areas
from app.charters import service as charters
from app.people import service as people
from app.people.models import ROLES, Person
from app.people.queries import person, person_by_email
from app.play import rules, scores
from app.referrals import links
from app.referrals import service as referrals
from app.rewards import service as rewards
from app.web import access
from standin.linkedin import StandIn
from tests.conftest import Caller, House
from tests.sharing import kit
from tests.sharing.conftest import app, linkedin, standin

__all__ = ["app", "linkedin", "standin"]

STAFF = tuple(role for role in ROLES if role != "member")
BROKEN = "(this page could not be read)"
MOST_PAGES = 160
#: What administrators alone open, and where the directory itself is kept: pages and calls about
#: entries, whoever they are of. Nothing there says who takes part (tests/people).
DIRECTORY = ("/studio/people", "/studio/scim", "/studio/segments", "/api/v1/people", "/scim/")
OWN = ("/me",)
#: The trail of what administrators did to entries of the directory, which tells nothing of who
#: takes part (`audit.areas`, and the test below); for anybody else it names no entry.
OF_ADMINISTRATORS = "/studio/audit"
#: Files, and whether the parts of the installation are up.
UNNAMED = ("static", "health.ready", "health.alive")


@dataclass
class Planted:
    """Somebody whom no list may name. `marks` is everything that would give them away."""

    person: Person
    why: str
    marks: tuple[str, ...]


@dataclass
class World:
    """The house with its planted people and the objects of the addresses."""

    house: House
    planted: list[Planted] = field(default_factory=list)
    objects: dict[str, str] = field(default_factory=dict)
    team: dict[str, Person] = field(default_factory=dict)
    small: str = "Zwergenheim"

    def plant(self, why: str, name: str) -> Person:
        given, family = name.lower().split()
        email = f"{given}.{family}@halvenne.example"
        number = f"Q{len(self.planted)}7731"
        entry = {
            "email": email, "employee_id": number, "site": self.small,
            "department": f"Abteilung {self.small}",
        }  # fmt: skip
        if why == "never joined":
            found = kit.kept(self.house.person(name, joined=False, **entry).id)
        else:
            found = kit.member(self.house, name, **entry)
        marks = (*name.split(), email, number, str(found.id), found.id.hex)
        self.planted.append(Planted(found, why, marks))
        return found


def _lives(world: World, member: Person, story_id: uuid.UUID, reward_id: uuid.UUID) -> None:
    """A life in every list that there is: posts, links, referrals, points, a reward, a name."""
    people.give_consent(member.id, "recognition")
    kit.press(member, story_id, "Voilà ce que nous faisons.")
    outbox.drain()
    referral = world.house.referral(member)
    referrals.set_stage(referral, "interview", actor_id=world.team["recruiter"].id,
                        actor_role="recruiter")  # fmt: skip
    outbox.drain()
    rewards.fulfil(rewards.redeem(member.id, reward_id).id, world.team["hr"].id)
    links.link_for(member.id, world.house.offer("Pose"), "link")
    outbox.drain()


@pytest.fixture
def world(house: House, standin: StandIn) -> World:
    world = World(house)
    for role in STAFF:
        world.team[role] = kit.kept(house.person(f"Équipe {role.capitalize()}", role).id)
    story_id = kit.story(house)
    hr = world.team["hr"]
    reward_id = rewards.create_reward(
        title="Livre", description="", cost=5, stock=50, pay_class="gift in kind",
        deliverer_id=hr.id, actor_id=hr.id,
    ).id  # fmt: skip
    world.plant("never joined", "Zwendolin Quarzeck")
    world.plant("did not share", "Ysoline Drumgaard")
    refused = world.plant("refused the charter", "Ulfriede Wankbrecht")
    charters.withdraw(refused.id)
    left = world.plant("left the programme", "Xaverine Plumbroek")
    gone = world.plant("left the organisation", "Ottokarine Vlimmersen")
    stays = kit.member(house, "Maëlle Kerjan", email="maelle@halvenne.example")
    for member in (left, gone, stays):
        _lives(world, member, story_id, reward_id)
    people.leave(left.id)
    people.depart(gone.id)
    outbox.drain()
    scores.fold()
    mine = house.referral(stays)
    world.objects = {
        "story_id": str(story_id), "reward_id": str(reward_id), "referral_id": str(mine),
        "offer_id": str(house.offer("Charpente")), "version_id": str(rules.versions()[0].id),
        "fact": "hire", "place": "referrals", "kind": "member", "board_id": "month",
        "name": "charter.fr.md", "person_id": str(stays.id),
    }  # fmt: skip
    return world


# --- the crawl ---------------------------------------------------------------------------


def _is_exempt(path: str) -> bool:
    return path.startswith(DIRECTORY) or path == OWN[0] or path.startswith(f"{OWN[0]}/")


def _addresses(world: World, *, api: bool) -> Iterator[str]:
    """Every GET of the URL map whose objects are known."""
    for rule in world.house.app.url_map.iter_rules():
        declared = access.rule_of(rule.endpoint)
        if declared is None or "GET" not in (rule.methods or ()) or rule.endpoint in UNNAMED:
            continue
        if (declared.who == "api") != api or declared.who == "signed":
            continue
        known = {name: world.objects.get(name) for name in rule.arguments}
        if any(value is None for value in known.values()):
            continue
        path = rule.rule
        for name, value in known.items():
            path = re.sub(rf"<(?:[^:<>]+:)?{name}>", str(value), path)
        if not _is_exempt(path):
            yield path


_HREF = re.compile(r'(?:href|hx-get|src)="(/[^"#]*)"')


def _links(page: str) -> Iterator[str]:
    for found in _HREF.findall(page):
        path = html.unescape(found)
        place = urlsplit(path).path
        skipped = place.startswith(("/static", "/media", "/r/", "/theme", "/sign"))
        if not skipped and not _is_exempt(place):
            yield path


def _crawl(browser: FlaskClient, start: Iterator[str]) -> dict[str, str]:
    """Every page that opens, by address: those to start with, and what they link to."""
    waiting, seen, found = deque(sorted(start)), set(), {}
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.popleft()
        if path in seen:
            continue
        seen.add(path)
        answer = browser.get(path)
        if answer.status_code >= 500:
            found[path] = BROKEN
        if answer.status_code != 200 or answer.mimetype.startswith(("image", "font")):
            continue
        found[path] = answer.get_data(as_text=True)
        if answer.mimetype == "text/html":
            waiting.extend(each for each in _links(found[path]) if each not in seen)
    return found


def _crawl_api(caller: Caller, paths: Iterator[str]) -> dict[str, str]:
    found = {}
    for path in sorted(paths):
        short = path.removeprefix("/api/v1")
        answer = caller.call("GET", short)
        assert answer.status_code < 500, path
        if answer.status_code == 200:
            found[path] = answer.get_data(as_text=True)
    return found


def _named(planted: list[Planted], pages: dict[str, str]) -> list[str]:
    found = []
    for path, text in pages.items():
        if text == BROKEN:
            found.append(f"{path}: {BROKEN}")
        for who in planted:
            marks = [mark for mark in who.marks if mark.lower() in html.unescape(text).lower()]
            if marks:
                found.append(f"{path}: {who.why} ({', '.join(marks)})")
    return found


# --- what it shows -----------------------------------------------------------------------


def test_no_page_or_export_of_the_team_names_them_or_a_small_group(world: World) -> None:
    wrong: list[str] = []
    for role in STAFF:
        pages = _crawl(world.house.browser(world.team[role]), _addresses(world, api=False))
        assert len(pages) > 15, (role, sorted(pages))
        if role == "admin":
            pages = {p: text for p, text in pages.items() if not p.startswith(OF_ADMINISTRATORS)}
        wrong += [f"{role} {line}" for line in _named(world.planted, pages)]
        wrong += [
            f"{role} {path}: a group of {len(world.planted)}"
            for path, text in pages.items()
            if world.small.lower() in text.lower()
        ]
    assert wrong == [], "\n".join(wrong)


def test_the_trail_tells_nothing_of_who_takes_part() -> None:
    own = {
        "member.joined", "member.left", "consent.given", "consent.withdrawn", "charter.accepted",
        "charter.declined", "charter.withdrawn", "share.pressed", "grant.stored", "grant.ended",
        "alumni.opened", "address.given", "address.confirmed", "points.settled",
    }  # fmt: skip
    assert areas.SHOWN.isdisjoint(own)


def test_no_call_of_the_api_names_them(world: World) -> None:
    wrong: list[str] = []
    for role in STAFF:
        found = _crawl_api(
            world.house.caller(person(world.team[role].id)), _addresses(world, api=True)
        )
        assert len(found) >= 5, (role, sorted(found))
        wrong += [f"{role} {line}" for line in _named(world.planted, found)]
    assert wrong == [], "\n".join(wrong)


def test_no_colleagues_page_names_them(world: World) -> None:
    """A member sees at most what those who chose to be named have chosen."""
    browser = world.house.browser(_by("maelle@halvenne.example"))
    pages = _crawl(browser, _addresses(world, api=False))
    assert len(pages) > 20
    assert _named(world.planted, pages) == []


def _by(email: str) -> Person:
    found = person_by_email(email)
    assert found is not None
    return found


def test_the_crawl_would_find_them(world: World) -> None:
    """The same look at a member who is present finds them where the team works with names; so an
    empty answer above is no accident."""
    stays = _by("maelle@halvenne.example")
    present = [Planted(stays, "present", ("maelle@halvenne.example", "Kerjan"))]
    pages = _crawl(world.house.browser(world.team["recruiter"]), _addresses(world, api=False))
    assert any("/studio/referrals" in line for line in _named(present, pages))
