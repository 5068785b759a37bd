"""The next version of a rule: typed, rehearsed, planned, withdrawn; and who may."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock
from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.play import rules
from app.play.rules import NoSuchRule, RuleStarted, Terms
from tests.conftest import START, House
from tests.people.test_both_databases import at_once

DAY = dt.timedelta(days=1)
INTERVIEW = Terms("interview", "Entretien", "Interview", 60)


@pytest.fixture
def desk(house: House) -> FlaskClient:
    return house.browser(house.person("Pauline Delmotte", "hr", joined=False, language="en"))


def typed(**fields: Any) -> dict[str, Any]:
    """What the form sends, the rule of interviews from the first of December on."""
    return {
        "fact": "interview", "key": "one-press", "name_fr": "Entretien", "name_en": "Interview",
        "amount": "60", "starts_at": "2026-12-01", "step": "sure",
    } | fields  # fmt: skip


def versions(fact: str = "interview") -> list[tuple[int, int]]:
    """Number and points of each version, the newest first."""
    db.session.rollback()
    return [(r.version, r.points) for r in rules.versions() if r.fact == fact]


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


# ---- From the form to the version


def test_it_is_filled_with_what_holds_today(desk: FlaskClient) -> None:
    page = desk.get("/studio/rules/visit/new").get_data(as_text=True)
    values = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page))
    assert values["held_amount"] == "2"
    assert values["hold_days"] == "7"
    assert values["cap"] == "20"
    assert values["name_en"] == "Counted visit"
    assert values["starts_at"] == "2026-11-18"
    assert re.search(r'<option selected value="day"', page)


def test_it_asks_only_what_the_rule_can_say(desk: FlaskClient) -> None:
    page = desk.get("/studio/rules/interview/new").get_data(as_text=True)
    assert 'name="amount"' in page
    assert not re.search(r'name="(held_amount|hold_days|cap|cap_period)"', page)
    hire = desk.get("/studio/rules/hire/new").get_data(as_text=True)
    assert 'name="held_amount"' in hire
    assert 'name="cap"' not in hire


def test_it_rehearses_first_and_changes_nothing_by_that(desk: FlaskClient) -> None:
    before = versions()
    response = desk.post("/studio/rules", data=typed(step="rehearse"))
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "<del>50</del> <ins>60</ins>" in page
    assert "1 December 2026" in page
    assert versions() == before
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert hidden["amount"] == "60"
    assert hidden["starts_at"] == "2026-12-01"


def test_it_gives_back_what_was_typed_to_change_something(desk: FlaskClient) -> None:
    response = desk.post("/studio/rules", data=typed(step="edit", amount="sixty"))
    assert response.status_code == 200
    assert 'value="sixty"' in response.get_data(as_text=True)
    assert versions() == [(1, 50)]


def test_it_plans_a_version_from_midnight_on_and_once_for_two_presses(desk: FlaskClient) -> None:
    for _press in range(2):
        response = desk.post("/studio/rules", data=typed())
        assert response.status_code == 303
        assert response.headers["Location"] == "/studio/rules#interview"
    assert versions() == [(2, 60), (1, 50)]
    planned = rules.versions()
    at = next(r.starts_at for r in planned if r.fact == "interview" and r.version == 2)
    assert at == dt.datetime(2026, 11, 30, 23, tzinfo=dt.UTC)  # midnight in Paris
    page = desk.get("/studio/rules").get_data(as_text=True)
    assert "Coming" in page
    assert "starts on 1 December 2026" in page


def test_what_was_received_before_keeps_the_old_version(desk: FlaskClient) -> None:
    desk.post("/studio/rules", data=typed())
    assert _points(START + 5 * DAY) == 50
    assert _points(START + 30 * DAY) == 60


def _points(at: dt.datetime) -> int:
    rule = rules.in_force("interview", at)
    assert rule is not None
    return rule.points


def test_it_starts_at_once_on_the_day_of_today(desk: FlaskClient) -> None:
    page = desk.post("/studio/rules", data=typed(step="rehearse", starts_at="2026-11-17"))
    assert "cannot be withdrawn then" in page.get_data(as_text=True)
    desk.post("/studio/rules", data=typed(starts_at="2026-11-17"))
    assert _points(clock.now()) == 60


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"amount": "12,5"}, "amount", "whole number"),
        ({"amount": "-4"}, "amount", "whole number"),
        ({"amount": "9999999"}, "amount", "whole number"),
        ({"amount": "50"}, "amount", "Nothing differs from version 1"),
        ({"name_en": "  "}, "name_en", "at most 120"),
        ({"name_fr": "x" * 121}, "name_fr", "at most 120"),
        ({"starts_at": "2026-11-16"}, "starts_at", "is over"),
        ({"starts_at": "2031-01-01"}, "starts_at", "two years"),
        ({"starts_at": "soon"}, "starts_at", "Give a day"),
        ({"starts_at": ""}, "starts_at", "Give a day"),
    ],
)
@pytest.mark.parametrize("step", ["rehearse", "sure"])
def test_it_says_what_is_wrong_where_it_is_and_keeps_what_was_typed(
    desk: FlaskClient, step: str, fields: dict[str, str], field: str, said: str
) -> None:
    response = desk.post("/studio/rules", data=typed(step=step) | {"amount": "61"} | fields)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    error = re.search(rf'id="{field}-error"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert error and said in error[1]
    assert f'value="{fields.get("amount", "61")}"' in page
    assert versions() == [(1, 50)]


def test_it_reads_numbers_as_people_write_them(desk: FlaskClient) -> None:
    desk.post("/studio/rules", data=typed(amount="1 200"))
    assert versions() == [(2, 1200), (1, 50)]


def test_an_empty_limit_means_none_and_a_wrong_one_is_told(desk: FlaskClient) -> None:
    post = typed(fact="share", cap="", cap_period="day", amount="10")
    assert desk.post("/studio/rules", data=post).status_code == 303
    assert next(r for r in rules.versions() if r.fact == "share").cap is None
    wrong = desk.post("/studio/rules", data=post | {"cap": "0", "key": "other"})
    assert wrong.status_code == 422
    assert 'id="cap-error"' in wrong.get_data(as_text=True)


@pytest.mark.parametrize("fact", ["like", "", "followers", "../x"])
def test_no_page_takes_a_fact_that_is_not_on_the_list(desk: FlaskClient, fact: str) -> None:
    assert desk.post("/studio/rules", data=typed(fact=fact)).status_code == 404
    assert desk.get(f"/studio/rules/{fact or 'x'}/new").status_code == 404


# ---- Until it starts


def test_it_may_be_withdrawn_until_it_starts_and_the_log_keeps_what_it_said(
    desk: FlaskClient,
) -> None:
    desk.post("/studio/rules", data=typed())
    planned = next(r for r in rules.versions() if r.version == 2)
    address = f"/studio/rules/{planned.id}/withdrawal"
    assert address in desk.get("/studio/rules").get_data(as_text=True)
    assert desk.post(address).status_code == 303
    assert versions() == [(1, 50)]
    acts = select(AuditEntry).where(AuditEntry.target_id == str(planned.id)).order_by(AuditEntry.at)
    found = [*db.session.scalars(acts)]
    assert {entry.action for entry in found} == {"rule.started", "rule.withdrawn"}
    said = next(e.details for e in found if e.action == "rule.withdrawn")
    assert (said["fact"], said["amount"], said["version"]) == ("interview", 60, 2)
    again = desk.post(address, follow_redirects=True)
    assert "withdrawn already" in again.get_data(as_text=True)


def test_what_has_started_stays(house: House) -> None:
    actor = house.person("Inès Tavarès", "admin", joined=False)
    rule = rules.plan(INTERVIEW, starts_at=START + DAY, actor_id=actor.id)
    clock.travel(DAY)
    with pytest.raises(RuleStarted):
        rules.withdraw(rule.id, actor_id=actor.id)
    desk = house.browser(house.person("Marc Kervella", "hr", joined=False, language="en"))
    page = desk.post(f"/studio/rules/{rule.id}/withdrawal", follow_redirects=True)
    assert "has started and stays" in page.get_data(as_text=True)
    assert versions() == [(2, 60), (1, 50)]


def test_a_version_that_nobody_knows_is_told(any_app: Flask) -> None:
    from app.db import new_id

    with pytest.raises(NoSuchRule):
        rules.withdraw(new_id(), actor_id=new_id())
    with pytest.raises(NoSuchRule):
        rules.version(new_id())


def test_it_is_planned_once_for_a_key_and_gets_the_next_number(any_house: House) -> None:
    actor = any_house.person("Inès Tavarès", "admin", joined=False).id
    first = rules.plan(INTERVIEW, starts_at=START + DAY, actor_id=actor, key="k")
    again = rules.plan(INTERVIEW, starts_at=START + DAY, actor_id=actor, key="k")
    other = rules.plan(
        INTERVIEW._replace(amount=70), starts_at=START + 2 * DAY, actor_id=actor, key="l"
    )
    assert (first.id, first.version, other.version) == (again.id, 2, 3)


def test_hands_at_the_same_moment_get_versions_of_their_own(any_house: House) -> None:
    actor = any_house.person("Inès Tavarès", "admin", joined=False).id

    points = itertools.count(61)

    def plan() -> None:
        amount = next(points)
        rules.plan(
            INTERVIEW._replace(amount=amount),
            starts_at=START + DAY,
            actor_id=actor,
            key=str(amount),
        )

    def press() -> None:
        rules.plan(
            INTERVIEW._replace(amount=99), starts_at=START + 2 * DAY, actor_id=actor, key="one"
        )

    assert at_once(any_house.app, plan, 4) == ["done"] * 4
    assert [number for number, _points in versions()] == [5, 4, 3, 2, 1]
    assert at_once(any_house.app, press, 4) == ["done"] * 4
    assert versions()[0] == (6, 99)


def test_only_a_hire_a_post_or_a_visit_can_wait(any_house: House) -> None:
    with pytest.raises(InvalidInput) as refused:
        rules.check_plan(INTERVIEW._replace(held_amount=5), None)
    assert [*refused.value.errors] == ["held_amount"]


# ---- Who may


@pytest.mark.parametrize("role", ["hr", "lead", "admin"])
def test_those_who_write_rules_find_the_way(house: House, role: str) -> None:
    client = house.browser(house.person("Théo Rossignac", role, joined=False))
    assert "/studio/rules/hire/new" in client.get("/studio/rules").get_data(as_text=True)
    assert client.get("/studio/rules/hire/new").status_code == 200


def test_an_auditor_reads_and_rehearses_and_changes_nothing(
    house: House, desk: FlaskClient
) -> None:
    desk.post("/studio/rules", data=typed())
    planned = next(r for r in rules.versions() if r.version == 2)
    auditor = house.browser(house.person("Édouard Prigent", "auditor", joined=False))
    page = auditor.get("/studio/rules").get_data(as_text=True)
    assert "/new" not in page
    assert "withdrawal" not in page
    assert auditor.get(f"/studio/rules/{planned.id}/rehearsal").status_code == 200
    for path in ("/studio/rules", f"/studio/rules/{planned.id}/withdrawal"):
        assert auditor.post(path, data=typed(key="x")).status_code == 403
    assert versions() == [(2, 60), (1, 50)]


@pytest.mark.parametrize("role", ["recruiter", "curator", "sponsor"])
def test_it_is_closed_to_other_roles(house: House, role: str) -> None:
    client = house.browser(house.person("Théo Rossignac", role, joined=False))
    assert client.post("/studio/rules", data=typed()).status_code == 403
    assert client.get("/studio/rules/hire/new").status_code == 403
    rule = rules.versions()[0]
    assert client.get(f"/studio/rules/{rule.id}/rehearsal").status_code == 403
    assert client.post(f"/studio/rules/{rule.id}/withdrawal").status_code == 403


@pytest.mark.parametrize("language", ["fr", "en"])
def test_its_pages_show_no_bare_words_of_the_program(desk: FlaskClient, language: str) -> None:
    desk.post("/studio/rules", data=typed())
    for path in ("/studio/rules", "/studio/rules/own-words/new"):
        page = text_of(desk.get(f"{path}?lang={language}").get_data(as_text=True))
        assert not re.search(r"%\(|None|own-words|held_amount|\{\{", page)
