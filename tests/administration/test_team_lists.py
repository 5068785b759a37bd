"""The team's other lists: saved views of the directory, approvals, the audit trail and the rules."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.people import saved_views
from app.people.models import Person
from app.people.views.studio import LIST
from app.play import rules
from tests.conftest import House


@pytest.fixture
def ines(house: House) -> Person:
    return house.person("Inès Tavarès", "admin", language="en")


@pytest.fixture
def admin(house: House, ines: Person) -> FlaskClient:
    return house.browser(ines)


def text(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("place", "path", "query"),
    [
        ("people", "/studio/people", "site=Lorient"),
        ("people", "/studio/people", "departed=1"),
        ("approvals", "/studio/approvals", "view=over"),
        ("audit", "/studio/audit", "area=points"),
        ("rules", "/studio/rules", "state=past"),
        ("people-imports", "/studio/people/imports", "state=done"),
    ],
)
def test_a_view_is_kept_and_opens_the_list(
    admin: FlaskClient, place: str, path: str, query: str
) -> None:
    assert f'action="/studio/views/{place}"' in text(admin, f"{path}?{query}")
    sent = {"name": "Mine", "query": f"{query}&after=x&evil=1", "default": "1"}
    assert admin.post(f"/studio/views/{place}", data=sent).location == f"{path}?{query}"
    assert admin.get(path).location == f"{path}?{query}"
    assert "Mine" in text(admin, f"{path}?all=1")


@pytest.mark.parametrize(
    "path",
    ["/studio/people?departed=1", "/studio/audit?area=points", "/studio/rules?state=past",
     "/studio/approvals?view=over", "/studio/people/imports?state=done", "/studio/imports?state=done",
     "/studio/rewards?state=low"],
)  # fmt: skip
def test_no_link_of_a_list_falls_back_on_the_usual_view(admin: FlaskClient, path: str) -> None:
    """A filter that is taken away is another address than the bare one, which opens the view."""
    page = text(admin, path)
    bare = path.partition("?")[0]
    chips = [part.partition('"')[0] for part in page.split('<a class="chip')[1:]]
    assert len(chips) >= 2
    assert f'<a class="chip" href="{bare}"' not in page


def test_the_directory_keeps_no_name_that_was_looked_for(admin: FlaskClient, ines: Person) -> None:
    assert saved_views.cleaned(LIST, "q=Maëlle&site=Lorient") == "site=Lorient"
    sent = {"name": "Her", "query": "q=Ma%C3%ABlle"}
    assert admin.post("/studio/views/people", data=sent).status_code == 422
    assert saved_views.views_of(LIST, ines.id) == []


def test_the_rules_are_narrowed_to_one_state(house: House, admin: FlaskClient) -> None:
    for amount in (10, 20):
        rules.start_version("interview", name_fr="Entretien", name_en="Interview", amount=amount)
    page = text(admin, "/studio/rules?state=past")
    assert "10 points" in page
    assert "<del>10 points" not in page
    page = text(admin, "/studio/rules?state=in+force")
    assert "In force" in page
    assert page.count("<tr data-row>") == 6
    assert "No rule has a version in this state." in text(admin, "/studio/rules?state=coming")
    assert text(admin, "/studio/rules?state=nonsense").count("<tr data-row>") == 6
