"""What each kind of person may use: the one table, and where it is enforced.

Employees may hold any role. Former employees and partners (schools, temps, clients) refer and
pass on public content: they take part as members, hold no role of the team, see no list of
colleagues, and their rewards never go through payroll.

- roles: `Person.roles` and `sessions` give nobody a role beyond `roles`;
- tokens: what a token may do follows from the roles (`tokens.usable_scopes`);
- pages and calls: `start` refuses the endpoints in `closed`;
- rewards: the shelf and `redeem` know the classes in `rewards` (None: all); a reward of another
  class may say that it is open to them all the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from flask import Flask, g, request
from flask_babel import lazy_gettext as _l

from app.errors import Forbidden
from app.web import access

EMPLOYEE, ALUMNI, PARTNER = "employee", "alumni", "partner"


@dataclass(frozen=True, slots=True)
class Limits:
    """`roles`: the most that may be held; None: any. `closed`: endpoints that are refused.
    `rewards`: the classes that may be asked for; None: all."""

    roles: frozenset[str] | None
    closed: frozenset[str]
    rewards: frozenset[str] | None


#: Pages and calls that show colleagues, or that speak for the house from inside.
INSIDE: Final = frozenset(
    {
        "months.show",
        "api_boards.leaderboard",
        "shared_in.propose",
    }
)
_OUTSIDE: Final = Limits(
    roles=frozenset({"member"}),
    closed=INSIDE,
    rewards=frozenset({"gift in kind", "employer donation"}),
)
TABLE: Final[dict[str, Limits]] = {
    EMPLOYEE: Limits(None, frozenset(), None),
    ALUMNI: _OUTSIDE,
    PARTNER: _OUTSIDE,
}


def limits_of(kind: str) -> Limits:
    """What a kind may use; the narrow limits for one that is not in the table."""
    return TABLE.get(kind, _OUTSIDE)


def within(kind: str, roles: Collection[str]) -> frozenset[str]:
    """The roles that somebody of this kind may hold, of those that were given."""
    most = limits_of(kind).roles
    return frozenset(roles) if most is None else frozenset(roles) & most


def may_ask_for(kind: str, pay_class: str) -> bool:
    """Whether a reward of this class is open to this kind of person by itself."""
    classes = limits_of(kind).rewards
    return classes is None or pay_class in classes


def of_reader() -> Limits:
    """What the reader of this request may use, as their kind says."""
    access.reader()
    return limits_of(g.get("reader_kind", EMPLOYEE))


def classes_for_reader() -> frozenset[str] | None:
    """The classes of rewards that are open to the reader; None: all."""
    return of_reader().rewards


def _check() -> None:
    if request.endpoint in INSIDE and request.endpoint in of_reader().closed:
        raise Forbidden(_l("This page is for people who work here."))


def start(app: Flask) -> None:
    """Refuse, after the rule of the route, what the reader's kind may not open."""
    app.before_request(_check)
