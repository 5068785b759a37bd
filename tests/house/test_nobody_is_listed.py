"""Shows 7, rule W2: no page, export or call lists who did not join, did not share, refused the
charter, or left; and no group under the threshold is told of. Every address of the URL map is
opened as every role of the team, for the whole organisation and for a part of it, and as a member;
the links on the pages are followed. A page that nobody here could open fails the test, unless it
is named with its reason. The administrators' directory is the one exception, and a test says that
it is open to nobody else."""

from __future__ import annotations

import html
import io
import re
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app import outbox
from app.audit import areas
from app.charters import service as charters
from app.people import segments_reach, segments_service
from app.people import service as people
from app.people.models import ROLES, Person
from app.people.queries import person, person_by_email
from app.play import rules, scores
from app.referrals import connections, links
from app.referrals import service as referrals
from app.rewards import service as rewards
from app.web import access
from standin.linkedin import StandIn
from tests.conftest import Caller, House
from tests.house.pdf import pdf_text
from tests.sharing import kit
from tests.sharing.conftest import app, linkedin, standin

__all__ = ["app", "linkedin", "standin"]

STAFF = tuple(role for role in ROLES if role != "member")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BROKEN = "(this page could not be read)"
OF_EACH_KIND = 2
TELLING = ("state", "view", "tab", "kind", "area", "stage", "order")
"""Parts of an address that make another list of the same page."""
#: What administrators alone open, and why it names whom it names.
OF_ADMINISTRATORS = {
    "/studio/people": "the directory: entries, invitations, imports, departures",
    "/studio/scim": "the directory as another system sends it",
    "/studio/requests": "what somebody asks about their data, to be answered by name",
    "/api/v1/people": "the directory, for a program of an administrator",
}
#: Where the sites of the organisation stand as choices, without a figure beside them.
CHOICES = ("/studio/people", "/studio/segments/new")
#: What is not opened, and why.
UNREAD = {
    "static": "files of the product",
    "health.ready": "no page",
    "health.alive": "no page",
}
#: What nothing here leads to, and why nobody could be listed there. They are read where a link
#: leads to them.
NOT_MET = {
    "api_rewards.one": "a redemption of the caller’s own",
    "api_shares.one": "a post of the caller’s own",
    "charters.preview": "a draft of the charter, a text",
    "library_public.card": "a picture of a story",
    "media.file": "a picture",
    "people.join": "one’s own joining",
    "people.me_passkey_new": "one’s own passkey",
    "people.me_recovery_codes": "one’s own codes, shown once",
    "public.card": "a picture of an offer",
    "public.follow": "leads on to an offer",
    "public.offer": "one offer, and who recommends it by their own act",
    "rewards.edit_own": "a reward’s own price in one entity",
    "sharing.linkedin_callback": "the network’s answer about oneself",
    "sharing.state": "the state of one’s own post",
    "sharing.studio_lifting": "a stop that is to be lifted",
    "studio_offers.import_export": "lines of a file of offers",
    "studio_offers.import_show": "the same on a page",
    "studio_stories.topic_show": "the names of a topic",
}


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

    @property
    def limited(self) -> Person:
        """Somebody with every role, for a part of the organisation where none of them is."""
        return self.team["limited"]

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


def _give_a_part(world: World, stays: Person) -> None:
    """Somebody with every role, but for the segment of one present colleague alone."""
    segment_id = segments_service.create_segment("Levage", None, actor_id=None)
    segments_service.add_people(segment_id, [stays.id], actor_id=None)
    limited = world.house.person("Équipe Limitée")
    for role in STAFF:
        segments_reach.give_role(limited.id, role, segment_id, actor_id=None)
    world.team["limited"] = kit.kept(limited.id)
    world.objects["segment_id"] = str(segment_id)


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
    _give_a_part(world, stays)
    world.objects |= {
        "story_id": str(story_id), "reward_id": str(reward_id), "referral_id": str(mine),
        "offer_id": str(house.offer("Charpente")), "version_id": str(rules.versions()[0].id),
        "connection_id": str(connections.default_connection("greenhouse").id),
        "fact": "hire", "place": "referrals", "kind": "member", "board_id": "month",
        "name": "charter.fr.md", "privacy_registers.document name": "works-council",
        "privacy_registers.document_pdf name": "impact-assessment", "person_id": str(stays.id),
    }  # fmt: skip
    return world


# --- the crawl ---------------------------------------------------------------------------


@dataclass
class Crawl:
    """What one reader could open, by address; `opened` are the endpoints that answered."""

    world: World
    follows: Callable[[str], bool] = lambda _path: True
    pages: dict[str, str] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    _seen: Counter[tuple[str, tuple[str, ...]]] = field(default_factory=Counter)

    def read(self, client: FlaskClient, start: Iterable[str]) -> Crawl:
        """Open what there is to start with and what it links to: each kind of page some times,
        lists to their last page."""
        waiting, known = deque(start), set()
        while waiting:
            path = waiting.popleft()
            if path in known or not self._is_wanted(path):
                continue
            known.add(path)
            answer = client.get(path)
            self._take(path, answer)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                waiting.extend(_links(self.pages[path]))
        return self

    def call(self, caller: Caller, start: Iterable[str]) -> Crawl:
        """The same for a program: lists two at a time, to their end."""
        for path in start:
            after: str | None = ""
            while after is not None:
                query = f"?limit=2{f'&after={after}' if after else ''}"
                answer = caller.call("GET", path.removeprefix("/api/v1") + query)
                self._take(path + query, answer)
                told = answer.json if answer.status_code == 200 else None
                after = told.get("next") if isinstance(told, dict) else None
        return self

    def _is_wanted(self, path: str) -> bool:
        endpoint = _endpoint(self.world, path)
        if endpoint is None or endpoint in UNREAD or not self.follows(path):
            return False
        query = parse_qsl(urlsplit(path).query)
        if any(name == "after" for name, _ in query):
            return True
        kind = endpoint, tuple(sorted(f"{n}={v}"[:30] for n, v in query if n in TELLING))
        self._seen[kind] += 1
        return self._seen[kind] <= OF_EACH_KIND

    def _take(self, path: str, answer: TestResponse) -> None:
        if answer.status_code >= 500:
            self.pages[path] = BROKEN
        if answer.status_code == 200:
            self.opened.add(_endpoint(self.world, path) or "")
            self.pages[path] = _text(answer)


def _endpoint(world: World, path: str) -> str | None:
    try:
        found = world.house.app.url_map.bind("localhost").match(urlsplit(path).path)
    except HTTPException:
        return None
    return str(found[0])


def _text(answer: TestResponse) -> str:
    """What an answer says: of a page, a table, a workbook, a printed page."""
    if answer.mimetype.startswith(("image", "font")):
        return ""
    if answer.mimetype == "application/pdf":
        return pdf_text(answer.data)
    if answer.mimetype.endswith("sheet"):
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
        return str([book.get_sheet_by_name(name).to_python() for name in book.sheet_names])
    return html.unescape(answer.get_data(as_text=True))


def _addresses(world: World, *, api: bool) -> list[str]:
    """Every GET of the URL map, with the objects of its address."""
    found = []
    for rule in world.house.app.url_map.iter_rules():
        declared = access.rule_of(rule.endpoint)
        if declared is None or "GET" not in (rule.methods or ()) or declared.who == "signed":
            continue
        if (declared.who == "api") == api and rule.endpoint not in UNREAD:
            path = rule.rule
            for name in rule.arguments:
                value = world.objects.get(f"{rule.endpoint} {name}", world.objects.get(name, ""))
                path = re.sub(rf"<(?:[^:<>]+:)?{name}>", value, path)
            if "<" not in path and "//" not in path:
                found.append(path)
    return sorted(found)


_HREF = re.compile(r'(?:href|hx-get|action)="(/[^"#]*)"')


def _links(page: str) -> list[str]:
    return _HREF.findall(page)


def _wrong(who: str, planted: list[Planted], pages: dict[str, str], small: str) -> list[str]:
    """Pages that name somebody of these, speak of their small group, or are broken."""
    found = []
    for path, text in pages.items():
        low = text.lower()
        if text == BROKEN:
            found.append(f"{who} {path}: {BROKEN}")
        for one in planted:
            marks = [mark for mark in one.marks if mark.lower() in low]
            if marks:
                found.append(f"{who} {path}: {one.why} ({', '.join(marks)})")
        if small and small.lower() in low and urlsplit(path).path not in CHOICES:
            found.append(f"{who} {path}: a group of {len(planted)}")
    return found


# --- what it shows -----------------------------------------------------------------------


def _is_of_the_directory(path: str) -> bool:
    return path.startswith(tuple(OF_ADMINISTRATORS))


def _readers(world: World) -> Iterator[tuple[str, Person]]:
    yield from world.team.items()
    yield "member", _by("maelle@halvenne.example")


def _browsers(world: World) -> Iterator[tuple[str, FlaskClient]]:
    """Of each reader, and of a visitor without an account."""
    for role, reader in _readers(world):
        yield role, world.house.browser(reader)
    yield "visitor", world.house.app.test_client()


def test_no_page_and_no_export_names_them_or_a_small_group(world: World) -> None:
    wrong: list[str] = []
    opened: set[str] = set()
    for role, browser in _browsers(world):
        crawl = Crawl(world).read(browser, _addresses(world, api=False))
        opened |= crawl.opened
        pages = crawl.pages
        if role == "admin":
            pages = {path: text for path, text in pages.items() if not _is_of_the_directory(path)}
        wrong += _wrong(role, world.planted, _without_own_numbers(pages, role), world.small)
    assert wrong == [], "\n".join(wrong)
    closed = sorted(_closed(world, opened, api=False))
    assert not closed, ", ".join(closed)


def _without_own_numbers(pages: dict[str, str], role: str) -> dict[str, str]:
    """The trail leads administrators, and nobody else, from an act to the entry of the directory
    that it is about, by its number; it names nobody."""
    if role != "admin":
        return pages
    return {
        path: UUID.sub("", text) if path.startswith("/studio/audit") else text
        for path, text in pages.items()
    }


def _closed(world: World, opened: set[str], *, api: bool) -> set[str]:
    """Endpoints that nobody here could open, and that are not known to be such."""
    known = {
        rule.endpoint
        for rule in world.house.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not _is_of_the_directory(rule.rule)
        and (declared := access.rule_of(rule.endpoint)) is not None
        and declared.who != "signed"
        and (declared.who == "api") == api
    }
    return known - opened - set(UNREAD) - set(NOT_MET)


def test_what_is_of_administrators_alone_is_open_to_nobody_else(world: World) -> None:
    """So that nothing is excepted above but the directory of those who keep it."""
    for rule in world.house.app.url_map.iter_rules():
        declared = access.rule_of(rule.endpoint)
        if declared is not None and _is_of_the_directory(rule.rule) and declared.who != "signed":
            assert declared.roles == {"admin"}, rule.rule


def test_an_administrator_of_another_part_sees_none_of_them(world: World) -> None:
    """Not even in the directory."""
    browser = world.house.browser(world.limited)
    pages = Crawl(world).read(browser, _addresses(world, api=False)).pages
    assert any(path.startswith("/studio/people/") for path in pages)
    assert _wrong("limited", world.planted, pages, world.small) == []


def test_the_trail_tells_nothing_of_who_takes_part() -> None:
    own = {
        "member.joined", "member.left", "consent.given", "consent.withdrawn", "charter.accepted",
        "charter.declined", "charter.withdrawn", "share.pressed", "grant.stored", "grant.ended",
        "alumni.opened", "address.given", "address.confirmed", "points.settled",
    }  # fmt: skip
    assert areas.SHOWN.isdisjoint(own)


def test_no_call_of_the_api_names_them(world: World) -> None:
    wrong: list[str] = []
    opened: set[str] = set()
    for role, reader in _readers(world):
        crawl = Crawl(world).call(
            world.house.caller(person(reader.id)), _addresses(world, api=True)
        )
        opened |= crawl.opened
        pages = crawl.pages
        if role == "admin":
            pages = {path: text for path, text in pages.items() if not _is_of_the_directory(path)}
        wrong += _wrong(role, world.planted, pages, world.small)
    assert wrong == [], "\n".join(wrong)
    closed = sorted(_closed(world, opened, api=True))
    assert not closed, ", ".join(closed)


def _by(email: str) -> Person:
    found = person_by_email(email)
    assert found is not None
    return found


def test_the_crawl_would_find_them(world: World) -> None:
    """The same look at a member who is present finds them where the team works with names; so an
    empty answer above is no accident."""
    stays = _by("maelle@halvenne.example")
    present = [Planted(stays, "present", ("maelle@halvenne.example", "Kerjan"))]
    browser = world.house.browser(world.team["recruiter"])
    referrals = Crawl(world, lambda path: path.startswith("/studio/referrals"))
    found = _wrong("recruiter", present, referrals.read(browser, ["/studio/referrals"]).pages, "")
    assert any("/studio/referrals" in line for line in found)
    assert any("/studio/referrals.csv" in line for line in found), "and in a table"
