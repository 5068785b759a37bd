"""Every route and method, for every role, on one's own, another's and an unknown object: what is
answered is what stands beside the route, and "another's" is answered like "unknown"."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, g
from werkzeug.routing import Rule as Route

from app import outbox
from app.charters import queries as charter_queries
from app.charters import service as charters
from app.db import db, transaction
from app.people import duties, saved_views
from app.people import service as people
from app.people.models import ROLES, Login, Person, RoleGrant, Segment, SegmentPerson
from app.people.proof_models import Passkey
from app.privacy import corrections
from app.referrals import links
from app.rewards import service as rewards
from app.settings.models import Entity
from app.web import access
from tests.conftest import START, House, masked
from tests.rewards.conftest import Shop
from tests.today.conftest import Morning

UNKNOWN = "0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4"
REFUSED = "Your role does not allow this."


def routes(app: Flask) -> Iterator[tuple[Route, str, access.Rule]]:
    """Each route with each of its methods and its rule."""
    for route in sorted(app.url_map.iter_rules(), key=lambda each: (each.rule, each.endpoint)):
        rule = access.rule_of(route.endpoint)
        assert rule is not None, f"{route.rule} ({route.endpoint}) has no rule"
        for method in sorted((route.methods or set()) - {"OPTIONS", "HEAD"}):
            yield route, method, rule


def address(route: Route, **values: object) -> str:
    """The address of a route; a part that is not given is somebody unknown, or a first choice."""

    def fill(found: re.Match[str]) -> str:
        converter, name = found[2] or "", found[3]
        if name in values:
            return str(values[name])
        choices = re.fullmatch(r"any\((.*)\):", converter)
        if choices:
            return choices[1].split(",")[0].strip(" '\"")
        return "1" if converter.startswith("int") else UNKNOWN

    return re.sub(r"<((\w+(?:\([^)]*\))?:)?(\w+))>", fill, route.rule)


# --- every role on every route -----------------------------------------------------------


@pytest.fixture
def reached(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The product with its doors and without what is behind them: which views were reached."""
    seen: list[str] = []

    def behind(endpoint: str, rule: access.Rule | None) -> Callable[..., str]:
        def view(**_: object) -> str:
            seen.append(endpoint)
            return "behind the door"

        view.__dict__["access"] = rule
        return view

    with house.app.app_context():
        stand = {name: behind(name, access.rule_of(name)) for name in house.app.view_functions}
    monkeypatch.setattr(house.app, "view_functions", stand)
    house.app.config["WTF_CSRF_ENABLED"] = False
    return seen


def may(rule: access.Rule, roles: set[str], limited: set[str], *, by: str) -> bool:
    """What the declaration says, read anew: not by the code that keeps it."""
    if rule.who == "public":
        return True
    if by != ("token" if rule.who == "api" else "session"):
        return False
    return not rule.roles or bool(rule.roles & (roles | (limited if rule.within else set())))


def holder(house: House, role: str | None, segment_id: uuid.UUID | None = None) -> Person:
    """Somebody with exactly one role, or with none."""
    person = house.person(f"Holder {role}", joined=role == "member", site="Lorient")
    if role not in (None, "member"):
        with transaction() as session:
            session.add(RoleGrant(person_id=person.id, role=role, segment_id=segment_id))
    return person


@pytest.mark.parametrize(
    ("role", "is_limited"),
    [
        *((role, False) for role in (None, *ROLES)),
        ("admin", True),
        ("recruiter", True),
        ("curator", True),
        ("hr", True),
    ],
)
def test_it_lets_each_role_through_exactly_the_doors_declared_for_it(
    house: House, reached: list[str], role: str | None, is_limited: bool
) -> None:
    segment_id = None
    if is_limited:
        with transaction() as session:
            segment = Segment(name="Part", rule=None)
            session.add(segment)
            session.flush()
            segment_id = segment.id
    person = holder(house, role, segment_id)
    granted = {role} if role else set()
    roles, limited = (set(), granted) if is_limited else (granted, set())
    scopes = people.scopes_of(person)
    token = people.issue_token(person.id, "test", scopes, by_console=True) if scopes else ""
    browser = house.browser(person)
    program, walked = house.app.test_client(), 0
    for route, method, rule in routes(house.app):
        for by in ("session", "token"):
            if by == "token" and not (token and route.rule.startswith("/api/")):
                continue
            headers = {"Authorization": f"Bearer {token}"} if by == "token" else {}
            reached.clear()
            g.pop("reader", None)
            client = program if by == "token" else browser
            client.open(address(route), method=method, headers=headers)
            walked += 1
            if rule.who == "signed":  # decided by what is signed, whoever asks
                continue
            allowed = may(rule, roles, limited, by=by)
            allowed = allowed and (rule.who != "api" or rule.scope in scopes)
            assert (route.endpoint in reached) is allowed, (method, route.rule, role, by)
    assert walked > 300


def test_it_lets_no_role_further_than_the_scope_of_its_token(
    house: House, reached: list[str]
) -> None:
    admin = house.person("Inès Duval", *sorted({*ROLES} - {"member"}))
    program, walked = house.app.test_client(), 0
    tokens = {
        scope: people.issue_token(admin.id, scope, [scope], by_console=True)
        for scope in access.SCOPES
    }
    for route, method, rule in routes(house.app):
        if rule.who != "api":
            continue
        for scope, token in tokens.items():
            reached.clear()
            headers = {"Authorization": f"Bearer {token}"}
            program.open(address(route), method=method, headers=headers)
            assert (route.endpoint in reached) is (rule.scope == scope), (route.rule, scope)
            walked += 1
    assert walked > 300


def test_it_refuses_a_route_that_was_added_without_a_rule(house: House) -> None:
    app = house.app
    app.view_functions["forgotten"] = lambda: "open"
    forgotten = Route("/forgotten", endpoint="forgotten", methods=["GET"])
    app.url_map.add(forgotten)
    with pytest.raises(AssertionError, match="has no rule"):
        list(routes(app))
    admin = house.person("Inès Duval", "admin")
    assert house.browser(admin).get("/forgotten").status_code == 403


def test_it_gives_each_route_of_a_role_an_area_on_the_page_of_duties(app: Flask) -> None:
    without = [
        route.rule for route, _ in duties.routes_with_roles() if not duties.area_of(route.rule)
    ]
    assert without == []


def test_it_shows_who_does_what_to_everybody_who_is_signed_in(house: House) -> None:
    person = house.person("Théo Rossignac", joined=False, language="en")
    page = house.browser(person).get("/who-does-what").text
    told = re.search(r"<th scope=\"row\">Job offers</th>(.*?)</tr>", page, re.DOTALL)
    assert told is not None
    assert "Recruiter" in told[1]
    assert "Auditor" not in told[1]
    assert "The directory and its roles" in page


# --- another's, and unknown --------------------------------------------------------------

OWNED = {
    "answer_id", "link_id", "login_id", "passkey_id", "redemption_id", "referral_id", "request_id",
    "share_id", "token_id", "view_id",
}  # fmt: skip
"""Parts of an address that name what belongs to one person."""
SHARED = {
    "board_id", "code", "connection_id", "filename", "kind", "name", "offer_id", "person_id",
    "place", "purpose", "reward_id", "story_id", "version_id",
}  # fmt: skip
"""Parts that name what everybody may know of who may come here at all."""
TEAM_ROLES = set(ROLES) - {"member"}


def is_personal(rule: access.Rule) -> bool:
    """A route on which one only ever meets what is one's own."""
    if rule.who == "role":
        return rule.roles == {"member"} or rule.roles >= TEAM_ROLES - {"auditor", "sponsor"}
    return rule.who == "signed-in" or (rule.who == "api" and not rule.roles & TEAM_ROLES)


@pytest.fixture
def hers(house: House) -> tuple[Person, dict[str, object]]:
    """Somebody who has one of everything that belongs to one person, by its part of an address."""
    shop, morning = Shop(house), Morning(house)
    maelle = shop.member(500, "Maëlle Kerjan", "recruiter")
    reward = shop.reward()
    offer = house.offer()
    charters.ensure_default(START)
    current = charter_queries.current()
    assert current is not None
    charters.accept(maelle.id, current.id, "fr")
    board = saved_views.team_list("offers", frozenset({"recruiter"}))
    people.issue_token(maelle.id, "hers", ["read"], by_console=True)
    login = people.start_login(maelle.id, "", "password")
    with transaction() as session:
        key = Passkey(
            person_id=maelle.id, name="Clé", credential_id="c", public_key="k", sign_count=0,
            transports=[],
        )  # fmt: skip
        session.add(key)
    from app.people.queries import tokens_of

    link = links.link_for(maelle.id, offer, "link")
    owned = {
        "answer_id": _answer(maelle),
        "link_id": link.id,
        "login_id": login.login_id,
        "passkey_id": key.id,
        "redemption_id": rewards.redeem(maelle.id, reward.id).id,
        "referral_id": house.referral(maelle, offer),
        "request_id": corrections.ask(maelle.id, "site", "Quimper"),
        "share_id": morning.post(morning.story(), maelle, link_id=link.id),
        "token_id": tokens_of(maelle.id)[0].id,
        "view_id": saved_views.keep(board, maelle.id, "Brest", "location=Brest").id,
    }
    outbox.drain()
    assert db.session.get(Login, login.login_id) is not None
    return maelle, owned


def _answer(person: Person) -> Any:
    from app.charters.models import CharterAcceptance

    return db.session.scalars(
        db.select(CharterAcceptance.id).where(CharterAcceptance.person_id == person.id)
    ).first()


def personal_routes(app: Flask) -> list[tuple[Route, str, access.Rule]]:
    return [
        (route, method, rule)
        for route, method, rule in routes(app)
        if route.arguments and is_personal(rule)
    ]


def test_it_knows_of_each_part_of_an_address_whose_it_is(app: Flask) -> None:
    parts = {name for route, _, _ in personal_routes(app) for name in route.arguments}
    assert parts - OWNED - SHARED == set()
    assert parts >= OWNED


def ask(client: Any, method: str, path: str, token: str | None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    given: dict[str, Any] = {"json": {}} if token and method != "GET" else {}
    answer = client.open(path, method=method, headers=headers, **given)
    return answer.status_code, answer.get_data(as_text=True)


def test_it_answers_for_anothers_as_for_unknown(
    house: House, hers: tuple[Person, dict[str, object]]
) -> None:
    """By somebody who may do the same with their own, in a browser and with a token."""
    _, owned = hers
    anne = house.person("Anne Martin", "recruiter", "curator", language="en")
    browser, walked = house.browser(anne), 0
    token = people.issue_token(anne.id, "test", people.allowed_scopes(anne.roles), by_console=True)
    for route, method, rule in personal_routes(house.app):
        name = next((part for part in route.arguments if part in owned), None)
        if name is None or (rule.who == "api" and name == "referral_id"):
            continue
        told = []
        for value in (owned[name], UNKNOWN):
            browser.get("/who-does-what")  # takes what the answer before left to be told
            path = address(route, **{name: value})
            by = (house.app.test_client(), token) if rule.who == "api" else (browser, None)
            status, body = ask(by[0], method, path, by[1])
            told.append((status, masked(body, value)))
        assert told[0] == told[1], (method, route.rule)
        assert told[0][0] in (404, 400, 403, 422), (method, route.rule, told[0][0])
        walked += 1
    assert walked >= 25


def test_it_opens_ones_own(house: House, hers: tuple[Person, dict[str, object]]) -> None:
    """What the comparison above compares is there: its owner finds it."""
    maelle, owned = hers
    browser, walked = house.browser(maelle), 0
    token = people.issue_token(
        maelle.id, "test", people.allowed_scopes(maelle.roles), by_console=True
    )
    for route, method, rule in personal_routes(house.app):
        name = next((part for part in route.arguments if part in owned), None)
        if name is None or method != "GET":
            continue
        path = address(route, **{name: owned[name]})
        by = (house.app.test_client(), token) if rule.who == "api" else (browser, None)
        assert ask(by[0], method, path, by[1])[0] == 200, path
        walked += 1
    assert walked >= 5


# --- what lies outside the reach of a role -----------------------------------------------


@pytest.fixture
def outside(house: House) -> dict[str, object]:
    """One of everything that segments may keep, kept by none, by its part of an address."""
    morning, shop = Morning(house), Shop(house)
    reward = shop.reward().id
    offer = house.offer()
    return {
        "offer_id": offer,
        "referral_id": house.referral(shop.member(0, "Nolwenn Kerbrat"), offer),
        "story_id": morning.story(),
        "reward_id": reward,
        "redemption_id": rewards.redeem(shop.member(500, "Yann Le Goff").id, reward).id,
    }


def test_it_answers_a_limited_role_for_what_lies_outside_as_for_unknown(
    house: House, outside: dict[str, object]
) -> None:
    """By somebody who holds every role of the team, each for the same segment alone."""
    yann, walked = house.person("Yann Prigent", joined=False, language="en"), 0
    with transaction() as session:
        part = Segment(name="Part", rule=None)
        session.add(part)
        session.flush()
        session.add_all(
            RoleGrant(person_id=yann.id, role=role, segment_id=part.id) for role in TEAM_ROLES
        )
    db.session.expire_all()
    browser = house.browser(yann)
    scopes = people.scopes_of(yann)
    token = people.issue_token(yann.id, "test", scopes, by_console=True)
    for route, method, rule in routes(house.app):
        name = next((part for part in route.arguments if part in outside), None)
        if name is None or not rule.within:
            continue
        told = []
        for value in (outside[name], UNKNOWN):
            browser.get("/who-does-what")  # takes what the answer before left to be told
            path = address(route, **{name: value})
            by = (house.app.test_client(), token) if rule.who == "api" else (browser, None)
            status, body = ask(by[0], method, path, by[1])
            told.append((status, masked(body, value)))
        assert told[0] == told[1], (method, route.rule)
        assert told[0][0] in (404, 422), (method, route.rule, told[0][0])
        walked += 1
    assert walked >= 9


def test_it_opens_to_a_limited_recruiter_what_their_segment_keeps(house: House) -> None:
    """What the comparison above finds unknown is there for who is within reach of it."""
    with transaction() as session:
        part = Segment(name="Part", rule=None)
        session.add(part)
        session.flush()
        part_id = part.id
    offer = house.offer(kept=[str(part_id)])
    referral = house.referral(house.person("Nolwenn Kerbrat"), offer)
    anne = holder(house, "recruiter", part_id)
    browser = house.browser(anne)
    scopes = people.allowed_scopes({"recruiter"})
    token = people.issue_token(anne.id, "test", scopes, by_console=True)
    for path in (f"/studio/offers/{offer}", f"/studio/referrals/{referral}"):
        assert ask(browser, "GET", path, None)[0] == 200, path
    for path in (f"/api/v1/offers/{offer}", f"/api/v1/referrals/{referral}"):
        assert ask(house.app.test_client(), "GET", path, token)[0] == 200, path
    assert ask(browser, "POST", f"/studio/offers/{offer}/closure", None)[0] == 303


def test_it_opens_to_limited_hr_what_its_segment_keeps(house: House) -> None:
    """What the comparison above finds unknown is there for who is within reach of it."""
    shop = Shop(house)
    anne = shop.member(500, "Anne Morvan")
    with transaction() as session:
        part, bois = Segment(name="Part", rule=None), Entity(code="BOI", name="Bois")
        session.add_all([part, bois])
        session.flush()
        session.add(SegmentPerson(segment_id=part.id, person_id=anne.id))
        part_id, bois_id = part.id, bois.id
    kept, other = shop.reward(keepers=[part_id]).id, shop.reward().id
    browser = house.browser(holder(house, "hr", part_id))
    pages = [f"/studio/rewards/{kept}", f"/studio/rewards/{kept}/entities/{bois_id}"]
    assert [ask(browser, "GET", path, None)[0] for path in pages] == [200, 200]
    for act in ("fulfilment", "cancellation"):
        redemption = rewards.redeem(anne.id, other).id
        path = f"/studio/redemptions/{redemption}/{act}"
        assert ask(browser, "POST", path, None)[0] == 303, path
