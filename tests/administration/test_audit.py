"""The audit trail: what the team did, by whom and when; nobody's own choices, nothing that
changes."""

from __future__ import annotations

import ast
import datetime as dt
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import app as product
from app import audit, clock
from app.administration.audit_words import ACTION_NAMES, AREA_NAMES, TARGET_NAMES
from app.audit import queries
from app.audit.areas import AREAS, OWN, SHOWN, area_of
from app.audit.models import AuditEntry
from app.audit.queries import Search
from app.db import db, new_id, transaction
from app.errors import InvalidInput
from app.people import service as people
from app.people.directory import depart
from app.web.cursors import encode_cursor
from tests.conftest import House

CAP = select(AuditEntry).where(AuditEntry.action == "sharing.cap")
FOLDER = Path(product.__file__).parent


@cache
def _noted(place: int) -> set[str]:
    """What the code notes: its acts (0), or the kinds of things that they are about (1)."""
    found = set()
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            is_note = isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record"
            if is_note and isinstance(name := node.args[place], ast.Constant):
                found.add(str(name.value))
    return found


def test_each_act_is_shown_to_auditors_or_belongs_to_a_person() -> None:
    assert len(_noted(0)) > 60
    assert _noted(0) - SHOWN - OWN == set()
    assert not SHOWN & OWN


def test_each_shown_act_has_words() -> None:
    assert set(ACTION_NAMES) == SHOWN
    assert set(AREA_NAMES) == set(AREAS)
    assert _noted(1) - {"person"} <= set(TARGET_NAMES), "a person stands there by name"
    assert area_of("role.given") == "rights"
    assert area_of("member.left") is None


def test_it_shows_acts_with_names_and_filters_them(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin")
    auditor = house.person("Edouard Roux", "auditor")
    maelle = house.person("Maëlle Kerjan")
    people.change_roles(maelle.id, ["curator"], actor_id=admin.id)
    browser = house.browser(auditor)
    page = browser.get("/studio/audit?area=rights&lang=en").get_data(as_text=True)
    assert "Role given" in page
    assert "Maëlle Kerjan" in page
    assert "Pauline Ferré" in page
    audit.record("story.created", "story", new_id(), actor_id=admin.id)
    assert ">un récit</a>" in browser.get("/studio/audit?lang=fr").get_data(as_text=True)
    only = browser.get(f"/studio/audit?actor={admin.id}&lang=en").get_data(as_text=True)
    assert "Role given" in only
    assert "Person added" not in only, "the product itself added them"
    assert "No act fits" in browser.get("/studio/audit?area=exports&lang=en").get_data(as_text=True)


def test_nobodys_own_choices_stand_there(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin")
    leaver = house.person("Zéphirine Quellec")
    people.leave(leaver.id)
    rows = queries.find(Search()).rows
    assert {row.action for row in rows} & {"member.joined", "member.left", "consent.given"} == set()
    depart(leaver.id, actor_id=admin.id)
    browser = house.browser(admin)
    for path in ("/studio/audit", "/studio/audit.csv"):
        assert "Zéphirine" not in browser.get(path).get_data(as_text=True)


def test_the_table_is_the_search_and_taking_it_is_noted(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin")
    people.change_roles(house.person("=Marc Kervella").id, ["hr"], actor_id=admin.id)
    browser = house.browser(admin)
    table = browser.get("/studio/audit.csv?area=rights&lang=en").get_data(as_text=True)
    assert "role.given" in table
    assert "audit.exported" not in table
    assert table.endswith("\r\n\r\nNot for appraisal or sanction.\r\n")
    assert [row.action for row in queries.find(Search(area="exports")).rows] == ["audit.exported"]


@pytest.mark.parametrize("role", ["member", "curator", "recruiter", "hr", "lead", "sponsor"])
def test_only_administrators_and_auditors_read_it(house: House, role: str) -> None:
    roles = [] if role == "member" else [role]
    browser = house.browser(house.person("Théo Le Goff", *roles))
    assert browser.get("/studio/audit").status_code == 403
    assert browser.get("/studio/audit.csv").status_code == 403


def test_pages_follow_each_other_without_a_gap(any_app: Flask) -> None:
    at = clock.now()
    with transaction() as session:
        session.add_all(
            AuditEntry(
                id=new_id(), at=at + dt.timedelta(seconds=number // 3), action="sharing.cap",
                target_kind="sharing", target_id=str(number), details={},
            )
            for number in range(120)
        )  # fmt: skip
    seen, after = [], None
    while True:
        part = queries.find(Search(target_kind="sharing"), after=after)
        seen += [int(row.target_id) for row in part.rows]
        if part.next is None:
            break
        after = part.next
    assert len(seen) == len(set(seen)) == 120
    back = queries.find(Search(target_kind="sharing"), before=part.previous)
    assert [int(row.target_id) for row in back.rows] == seen[50:100]
    newest = encode_cursor(at + dt.timedelta(days=1), new_id())
    emptied = queries.find(Search(target_kind="sharing"), before=newest)
    assert [int(row.target_id) for row in emptied.rows] == seen[:50] and emptied.previous is None
    with pytest.raises(InvalidInput):
        queries.find(Search(), after=encode_cursor("0001-01-01T00:00:00+23:59", new_id()))
    assert [row.target_id for row in queries.each(Search(target_id="7"))] == ["7"]


def test_an_entry_never_changes(any_app: Flask) -> None:
    audit.record("sharing.cap", "sharing", 1, cap=3)
    with pytest.raises(RuntimeError, match="never changes"), transaction() as session:
        session.scalars(CAP).one().action = "sharing.stopped"
    with pytest.raises(DBAPIError, match="never changes"), transaction() as session:
        session.execute(text("update audit_entry set action = 'x'"))
    assert db.session.scalars(CAP).one().details == {"cap": 3}


def test_a_day_of_the_calendar_is_searched_whole(house: House) -> None:
    admin = house.person("Pauline Ferré", "admin")
    clock.freeze(dt.datetime(2026, 11, 21, 22, 59, tzinfo=dt.UTC))  # 23:59 in Paris
    audit.record("sharing.cap", "sharing", 1, actor_id=admin.id)
    clock.freeze(dt.datetime(2026, 11, 21, 23, 1, tzinfo=dt.UTC))  # the 22nd in Paris
    audit.record("sharing.stopped", "sharing", 1, actor_id=admin.id)
    browser = house.browser(admin)
    page = browser.get("/studio/audit?area=settings&since=2026-11-22&until=2026-11-22&lang=en")
    assert '<th scope="row">Sharing stopped' in page.get_data(as_text=True)
    assert '<th scope="row">Daily limit' not in page.get_data(as_text=True)
