"""Who does what: read from the rules beside the routes, so that it cannot say anything else.

Routes are gathered in areas by where their addresses begin. Of each area and role it is told
whether the role reads there, acts there, and whether that holds for all of it or for some.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask import current_app
from flask_babel import lazy_gettext as _l
from werkzeug.routing import Rule as Route

from app.errors import Sentence
from app.people.models import ROLES
from app.web import access

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TEAM: Final = tuple(role for role in ROLES if role != "member")

# The longest beginning that fits names the area. A test fails on a route that has none.
AREAS: Final[tuple[tuple[str, Sentence], ...]] = (
    ("/studio", _l("The team’s week")),
    ("/studio/administration", _l("The organisation at a glance")),
    ("/studio/activation", _l("Notice to staff and council")),
    ("/studio/approvals", _l("Deciding as a second person")),
    ("/studio/audit", _l("The audit log")),
    ("/studio/charter", _l("The charter")),
    ("/studio/connections", _l("Connections to recruitment tools")),
    ("/studio/documents", _l("Register of processing, requests and documents")),
    ("/studio/entities", _l("Entities of the organisation")),
    ("/studio/events", _l("Messages of recruitment tools")),
    ("/studio/imports", _l("Imports of offers")),
    ("/studio/joining", _l("How many have joined")),
    ("/studio/link-previews", _l("Stories")),
    ("/studio/offers", _l("Job offers")),
    ("/studio/organisation", _l("The organisation’s settings")),
    ("/studio/people", _l("The directory and its roles")),
    ("/studio/people/imports", _l("Imports of people")),
    ("/studio/people/invitations", _l("Invitations")),
    ("/studio/people/provider", _l("The identity provider")),
    ("/studio/people/sign-in", _l("How people sign in")),
    ("/studio/points", _l("Points by hand")),
    ("/studio/redemptions", _l("Rewards to deliver")),
    ("/studio/referrals", _l("Applications")),
    ("/studio/register", _l("Register of processing, requests and documents")),
    ("/studio/requests", _l("Register of processing, requests and documents")),
    ("/studio/retention", _l("What is kept, and how long")),
    ("/studio/rewards", _l("The shelf of rewards")),
    ("/studio/rules", _l("Rules of points")),
    ("/studio/scim", _l("Directory by SCIM")),
    ("/studio/segments", _l("Segments")),
    ("/studio/sharing", _l("Sharing and its stop switch")),
    ("/studio/stories", _l("Stories")),
    ("/studio/topics", _l("Topics")),
    ("/studio/views", _l("One’s own saved views")),
)
MEMBERS: Final[tuple[tuple[str, Sentence], ...]] = (
    ("/charter", _l("Accepting the charter")),
    ("/library", _l("Reading stories")),
    ("/links", _l("One’s own links")),
    ("/me", _l("One’s own choices")),
    ("/offers", _l("Open offers")),
    ("/play", _l("One’s own points and rewards")),
    ("/proposals", _l("Proposing a story")),
    ("/referrals", _l("One’s own referrals")),
    ("/shares", _l("One’s own posts")),
    ("/sharing", _l("One’s own connection to a network")),
    ("/welcome", _l("The first day")),
)


@dataclass(frozen=True, slots=True)
class Duty:
    """What a role may do in an area: 'all', 'some' or 'none' of what is read and of the acts."""

    reads: str
    acts: str

    @property
    def any(self) -> bool:
        return self.reads != "none" or self.acts != "none"


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the product; `duties` by role, only roles that have any."""

    name: str
    duties: dict[str, Duty]


def area_of(path: str) -> Sentence | None:
    """The area of an address of the team or of members; None where none is declared."""
    found = [
        (prefix, name)
        for prefix, name in (*AREAS, *MEMBERS)
        if path == prefix or path.startswith((f"{prefix}/", f"{prefix}."))
    ]
    if not found or (path.startswith("/studio/") and found == [AREAS[0]]):
        return None
    return max(found, key=lambda each: len(each[0]))[1]


def routes_with_roles() -> list[tuple[Route, access.Rule]]:
    """Every page's route that asks for a role, with its rule."""
    found = ((route, access.rule_of(route.endpoint)) for route in current_app.url_map.iter_rules())
    return [(route, rule) for route, rule in found if rule is not None and rule.who == "role"]


def team_areas() -> list[Area]:
    """What each role of the team may do, area by area, by name."""
    gathered: dict[str, list[tuple[Route, access.Rule]]] = {}
    for route, rule in routes_with_roles():
        name = area_of(route.rule)
        if name is not None and rule.roles != {"member"}:
            gathered.setdefault(str(name), []).append((route, rule))
    return [_area(name, routes) for name, routes in sorted(gathered.items())]


def member_areas() -> list[str]:
    """What whoever takes part may do, by name."""
    names = {
        str(area_of(route.rule)) for route, rule in routes_with_roles() if rule.roles == {"member"}
    }
    return sorted(names)


def _area(name: str, routes: list[tuple[Route, access.Rule]]) -> Area:
    reads = [rule for route, rule in routes if (route.methods or set()) <= READING]
    acts = [rule for route, rule in routes if (route.methods or set()) - READING]
    duties = {role: Duty(_part(role, reads), _part(role, acts)) for role in TEAM}
    return Area(name, {role: duty for role, duty in duties.items() if duty.any})


def _part(role: str, rules: Iterable[access.Rule]) -> str:
    answers = {role in rule.roles for rule in rules}
    if answers == {True}:
        return "all"
    return "some" if True in answers else "none"


def knows_reach() -> list[str]:
    """The areas in which a role given for a segment counts, by name."""
    found = {str(area_of(route.rule)) for route, rule in routes_with_roles() if rule.within}
    return sorted(found)
