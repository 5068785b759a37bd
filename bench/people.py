"""What the directory costs with two hundred thousand people: as a ratio of the same page with two
thousand.

Two installations on each database, of one organisation with forty sites, twenty-four departments,
their trades, four contracts and twenty years of hiring; only the number of people differs. The
same pages are asked by an administrator and by a member: a search for the beginning of a name, a
narrowed list, an entry, the count of a rule before it is kept, the first page of a member. What is
promised shows as many people on both sides, so that the pages are alike; two rows are for
information: a list that two people fill in the small place, and a rule over days of hiring, which
is counted in the directory and not by its counters. Filling a place goes past the services, then
`upkeep.entered` does what it does for an import.

What counts is processor time for each answer, of this process and of the database's, of the whole
WSGI application (without the check of CSRF tokens, on both sides). The sides take turns every few
requests, three rounds, medians. Run alone: `python -m bench.people`.
"""

from __future__ import annotations

import datetime as dt
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask
from sqlalchemy import insert
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app import clock, create_app, migrating
from app.db import db, new_id, transaction
from app.people import tallies, upkeep
from app.people.models import Person
from bench._databases import databases, settle
from bench._table import Row, compare, show
from bench.pages import TURN, Ask, _processes, _times
from tests.conftest import START, House, serving, settings_for

PEOPLE = (2_000, 200_000)
BATCH = 5_000
SITES = [f"Site {n:02}" for n in range(40)]
DEPARTMENTS = [f"Direction {n:02}" for n in range(24)]
CONTRACTS = ("CDI", "CDI", "CDI", "CDI", "CDI", "CDI", "CDI", "CDD", "Alternance", "Stage")
_GIVEN = ("Maë", "An", "So", "Ya", "Lu", "Ti", "Jo", "Éli", "Cla", "Nad", "Ro", "Vi", "Émi", "Os")
_ENDS = ("lle", "ne", "fiane", "nn", "cas", "ago", "sé", "se", "ra", "ia", "bin", "ctor", "le")
_FAMILY = ("Ker", "Le ", "Bel", "Du", "Mar", "Pri", "Ros", "Gui", "Bou", "Char", "Fer", "Tan")
_ROOTS = ("jan", "goff", "khir", "val", "tin", "gent", "signac", "vic", "cher", "pentier", "rand")


@dataclass(frozen=True, slots=True)
class Place:
    """A filled installation, the cookies of its readers, and somebody in its middle."""

    app: Flask
    cookies: dict[str, str]
    somebody: uuid.UUID


# --- filling -----------------------------------------------------------------------------


def _somebody(n: int, chance: random.Random) -> dict[str, Any]:
    name = f"{chance.choice(_GIVEN)}{chance.choice(_ENDS)} {chance.choice(_FAMILY)}"
    team = chance.randrange(len(DEPARTMENTS))
    site = chance.randrange(len(SITES))
    return {
        "id": new_id(), "kind": "employee", "name": f"{name}{chance.choice(_ROOTS)}",
        "email": f"p{n}@halvenne.example", "employee_id": f"{n:07}", "department":
        DEPARTMENTS[team], "site": SITES[site], "language": "en" if site % 9 == 0 else "fr",
        "function": f"Métier {team * 2 + chance.randrange(2)}",
        "contract": chance.choice(CONTRACTS), "job_title": "Compagnon",
        "hired_on": START.date() - dt.timedelta(days=chance.randrange(20 * 365)),
        "entity_id": None, "departed_at": None, "created_at": START,
    }  # fmt: skip


def _fill(app: Flask, people: int) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
    """An administrator, a member, and somebody of the directory, by their ids."""
    house, chance, middle = House(app), random.Random(5), uuid.UUID(int=0)
    admin = house.person("Inès Duval", "admin", joined=False)
    member = house.person("Maëlle Kerjan", site=SITES[1], department=DEPARTMENTS[1])
    for first in range(0, people, BATCH):
        numbers = range(first, min(first + BATCH, people))
        rows = [_somebody(n, chance) for n in numbers]
        with transaction() as session:
            session.connection().execute(insert(Person.__table__), rows)  # type: ignore[arg-type]
            upkeep.entered(SimpleNamespace(**row) for row in rows)
        middle = middle if first > people // 2 else rows[len(rows) // 2]["id"]
    tallies.fold_cells()
    settle(db.engine)
    return admin.id, member.id, middle


@contextmanager
def _place(url: str, people: int) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="portevoix-bench-") as made:
        app = create_app(settings_for(Path(made), DATABASE_URL=url))
        with app.app_context():
            migrating.upgrade()
        with contextmanager(serving)(app):
            admin, member, somebody = _fill(app, people)
            cookies = {"admin": _cookie(app, admin), "member": _cookie(app, member)}
        clock.freeze(START)
        yield Place(app, cookies, somebody)
        with app.app_context():
            db.engine.dispose()


def _cookie(app: Flask, person_id: uuid.UUID) -> str:
    browser = House(app).browser(db.session.get_one(Person, person_id))
    browser.get("/", follow_redirects=True)
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None
    return f"portevoix={cookie.value}"


# --- asking ------------------------------------------------------------------------------

PREVIEW = "/studio/segments/preview"
TEAM = {"name": "", "match": "all", "field-0": "site", "op-0": "is", "value-0": "Site 03; Site 07",
        "field-1": "department", "op-1": "is_not", "value-1": "Direction 02",
        "field-2": "contract", "op-2": "is", "value-2": "CDI"}  # fmt: skip
NEW = {"name": "", "match": "all", "field-0": "hired", "op-0": "within", "value-0": "90"}
PAGES: dict[str, tuple[str, str, dict[str, str], bool]] = {
    "People search": ("admin", "/studio/people?q=ker", {}, True),
    "People search, two words": ("admin", "/studio/people?q=ker+p1", {}, True),
    "People of one department": ("admin", "/studio/people?department=Direction+02", {}, True),
    "People of one site and department": (
        "admin", "/studio/people?site=Site+03&department=Direction+02", {}, False,
    ),
    "The directory by name": ("admin", "/studio/people", {}, True),
    "An entry": ("admin", "/studio/people/{somebody}", {}, True),
    "Segment preview": ("admin", PREVIEW, TEAM, True),
    "Segment preview, hired in 90 days": ("admin", PREVIEW, NEW, False),
    "Member's page": ("member", "/me", {}, True),
    "Today": ("member", "/", {}, True),
}  # fmt: skip


def _asking(place: Place, role: str, path: str, form: dict[str, str]) -> Ask:
    """One request to the product, the answer read to its end."""
    headers = {"Cookie": place.cookies[role]} | ({"HX-Request": "true"} if form else {})
    path = path.format(somebody=place.somebody)

    def ask() -> bytes:
        given: dict[str, Any] = {"method": "POST", "data": form} if form else {}
        environ = EnvironBuilder(path, headers=Headers(headers), **given).get_environ()
        told: list[str] = []
        answer = place.app.wsgi_app(
            environ,
            lambda status, _headers, _info=None: told.append(status),  # type: ignore[arg-type]
        )
        body = b"".join(answer)
        answer.close()  # type: ignore[attr-defined]
        assert told == ["200 OK"], (path, told)
        return body

    return ask


def rows() -> Iterator[Row]:
    """One row for each page and database."""
    for name, address in databases():
        yield from _on(name, address)


def _on(database: str, address: Callable[[str], str]) -> Iterator[Row]:
    with ExitStack() as places:
        small, large = (
            places.enter_context(_place(address(f"people_{count}"), count)) for count in PEOPLE
        )
        for name, (role, path, form, is_promised) in PAGES.items():
            sides = {}
            for size, place in (("small", small), ("large", large)):
                ask = _asking(place, role, path, form)
                for _ in range(TURN):
                    ask()
                sides[size] = ask, _processes(place.app)
            times = _times(sides)
            yield compare(
                f"{name} at {PEOPLE[1]:,} people : at {PEOPLE[0]:,}", "ms", times["large"],
                times["small"], most=1.3 if is_promised else None, note=database,
            )  # fmt: skip
    clock.release()


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
