"""Files that the team takes out: what people did is marked, and never beside their numbers.

Rule W7: exports carry the notice "not for appraisal or sanction", and none mixes activity with
identifiers of human resources.
"""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from flask_babel import force_locale

from app import outbox
from app.rewards import service as rewards
from app.web import sheets
from tests.conftest import House
from tests.rewards.conftest import Shop

ACTIVITY = {"/studio/referrals.csv", "/studio/redemptions.csv", "/studio/audit.csv"}
OTHERS = {
    "/play/entries.csv": "one's own points",
    "/me/data.json": "one's own data",
    "/studio/offers.csv": "offers",
    "/studio/imports/<uuid:import_id>/report.csv": "lines of a feed of offers",
    "/studio/referrals/columns.csv": "what columns mean",
    "/studio/register.csv": "declarations of the code",
    "/studio/people/imports/<uuid:import_id>/refused.csv": "lines of a file that was refused",
    "/studio/people/imports/<uuid:import_id>/refused.xlsx": "the same",
}
NUMBER = "LV-900417"
TABLES = (".csv", ".xlsx", ".ods", ".json")


@pytest.fixture
def lived(house: House) -> House:
    """A member with an employee number who referred somebody, took a reward and waits for one."""
    shop = Shop(house)
    maelle = shop.member(500, employee_id=NUMBER)
    house.referral(maelle)
    reward = shop.reward()
    rewards.fulfil(rewards.redeem(maelle.id, reward.id).id, shop.hr.id)
    rewards.redeem(maelle.id, reward.id)
    outbox.drain()
    return house


def test_it_knows_of_each_file_whether_it_is_about_what_people_do(house: House) -> None:
    """A new download is put into one of the two lists above, by somebody who thought of it."""
    served = {
        rule.rule for rule in house.app.url_map.iter_rules()
        if rule.rule.endswith(TABLES) and rule.rule.startswith(("/studio/", "/play/", "/me/"))
    }  # fmt: skip
    assert served == ACTIVITY | set(OTHERS)


def test_only_the_tables_of_activity_are_made_with_the_notice() -> None:
    said = [
        node.attr
        for path in Path("app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "sheets"
    ]
    assert said.count("activity") == len(ACTIVITY)


@pytest.mark.parametrize("path", sorted(ACTIVITY))
@pytest.mark.parametrize("language", ["fr", "en"])
def test_it_ends_with_the_notice_and_begins_with_the_header(
    lived: House, path: str, language: str
) -> None:
    with lived.app.test_request_context("/"), force_locale(language):
        notice = sheets.notice()
    reader = lived.person("Sofiane Belkhir", "admin", "hr", "recruiter", language=language)
    text = lived.browser(reader).get(f"{path}?state=all&view=all").text
    [header, *lines, empty, last] = csv.reader(
        io.StringIO(text.removeprefix("\ufeff")),
        delimiter=";" if language == "fr" or "redemptions" in path else ",",
    )
    assert (empty, last) == ([], [notice])
    assert lines and {len(line) for line in lines} == {len(header)}
    assert NUMBER not in text


def test_an_empty_table_has_it_too(house: House) -> None:
    hr = house.browser(house.person("Marc Kervella", "hr"))
    header, *rest = hr.get("/studio/redemptions.csv?lang=en").text.splitlines()
    assert rest == ["", "Not for appraisal or sanction."]
    assert header.removeprefix("\ufeff").startswith("Redemption;")


def test_ones_own_and_what_names_no_act_go_without(lived: House) -> None:
    admin = lived.person("Sofiane Belkhir", "admin", "recruiter", language="en")
    browser = lived.browser(admin)
    kept = {path for path in OTHERS if "<" not in path}
    for path in sorted(kept):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "sanction." not in answer.text, path


def test_the_list_for_handing_over_says_so_on_paper(lived: House) -> None:
    hr = lived.browser(lived.person("Marc Kervella", "hr", language="en"))
    page = hr.get("/studio/redemptions/list").text
    assert "Maëlle Kerjan" in page and NUMBER not in page
    assert '<p class="note">Not for appraisal or sanction.</p>' in page
