"""What waits, as a page: for those who may decide, those who asked, and nobody else."""

from __future__ import annotations

import re
import uuid

import pytest
from flask.testing import FlaskClient

from app import approvals, outbox
from app.approvals import service
from app.approvals.models import ApprovalRequest
from app.db import db, transaction
from app.people import role_approvals
from app.people import service as people
from app.people.models import Person, RoleGrant, Segment
from app.play import guarded as rules
from app.rewards import guarded
from tests.approvals.test_money import HIRE, voucher
from tests.approvals.test_roles import held, set_rule
from tests.conftest import House
from tests.people.conftest import mails

PLACE = "/studio/approvals"


@pytest.fixture
def team(house: House) -> dict[str, Person]:
    """Two administrators, one of HR, one lead; a role, a voucher and a rule wait."""
    set_rule(money=True)
    found = {
        name: house.person(name, role, language="en", email=f"{name}@halvenne.example")
        for name, role in (("ines", "admin"), ("paul", "admin"), ("anne", "hr"), ("louis", "lead"))
    }
    theo = house.person("Théo Rossignac", joined=False)
    role_approvals.change_roles(theo.id, ["admin"], actor_id=found["ines"].id)
    guarded.create_reward(**voucher(found["ines"]))
    rules.plan(HIRE, starts_at=None, actor_id=found["ines"].id)
    return found


def shown(browser: FlaskClient, query: str = "") -> list[str]:
    page = browser.get(f"{PLACE}{query}").text
    return re.findall(
        r'<li class="list-row" id="request-[\w-]+" data-row>\s*<div>\s*<p><b>(.*?)</b>', page
    )


def test_it_shows_each_role_what_it_decides(house: House, team):
    ines, anne, louis = (house.browser(team[name]) for name in ("ines", "anne", "louis"))
    assert len(shown(ines)) == 3
    assert [text[:8] for text in shown(anne)] == ["“Somebod", "Put “Un "]
    assert [text[:8] for text in shown(louis)] == ["“Somebod"]
    assert shown(anne, "?kind=rewards.money")[0].startswith("Put")
    assert len(shown(louis, "?kind=people.role")) == 1  # not theirs to choose: the filter is left
    assert (shown(anne, "?view=mine"), len(shown(ines, "?view=mine"))) == ([], 3)


def test_it_answers_for_what_is_not_ones_own_as_for_unknown(house: House, team):
    request = next(
        row for row in db.session.scalars(db.select(ApprovalRequest)) if row.kind == "people.role"
    )
    browser = house.browser(team["anne"])
    for act in ("approval", "refusal", "withdrawal"):
        told = [
            browser.post(f"{PLACE}/{each}/{act}").status_code for each in (request.id, uuid.uuid4())
        ]
        assert told == [404, 404], act
    first = house.browser(team["ines"])
    assert first.post(f"{PLACE}/{request.id}/approval").status_code == 403
    assert open_requests() == 3


def open_requests() -> int:
    db.session.expire_all()
    rows = db.session.scalars(db.select(ApprovalRequest))
    return len([row for row in rows if row.outcome is None])


def test_it_decides_and_tells_the_one_who_asked(house: House, team):
    browser = house.browser(team["paul"])
    page = browser.get(f"{PLACE}?kind=people.role").text
    (refusal,) = re.findall(rf'action="({PLACE}/[\w-]+/refusal)"', page)
    assert browser.post(refusal).location == PLACE
    assert "Declined: nothing was changed." in browser.get(PLACE).text
    outbox.drain()
    (mail,) = [each for each in mails(house.app) if "second person" in each["Subject"]]
    assert "ines@" in mail["To"]
    assert mail["Subject"] == "Declined by a second person"
    assert "Give Théo Rossignac the role “Administrator”" in mail.get_body(("plain",)).get_content()
    over = browser.get(f"{PLACE}?view=over").text
    assert "Declined" in over and "paul decided on" in over


def test_it_tells_the_second_person_that_something_waits(house: House, team):
    sentence = "3 acts wait for you as the second person"
    paul, ines = house.browser(team["paul"]), house.browser(team["ines"])
    for place in ("/studio", "/studio/administration"):
        assert sentence in paul.get(place).text
        assert "as the second person" not in ines.get(place).text
    assert "1 act waits for you" in house.browser(team["louis"]).get("/studio/administration").text
    assert f'href="{PLACE}"' in house.browser(team["anne"]).get("/studio/rewards").text


def test_it_takes_what_somebody_with_a_role_for_a_part_asks(house: House, team):
    limited = house.person("Marc Olive", language="en")
    with transaction() as session:
        session.add(segment := Segment(name="Lorient", rule=None))
        session.flush()
        session.add(RoleGrant(person_id=limited.id, role="hr", segment_id=segment.id))
    made = guarded.create_reward(**voucher(limited, title="Un bon de Lorient"))
    browser = house.browser(limited)
    assert len(shown(browser, "?view=mine")) == len(shown(browser)) == 1
    assert browser.post(f"{PLACE}/{made.request_id}/approval").status_code == 403
    assert service.approve(made.request_id, team["anne"].id)


def test_it_pages_what_is_over(house: House, team):
    for number in range(52):
        made = guarded.create_reward(**voucher(team["ines"], title=f"Bon {number}"))
        service.withdraw(made.request_id, team["ines"].id)
    browser = house.browser(team["anne"])
    page = browser.get(f"{PLACE}?view=over").text
    (after,) = re.findall(r'href="(/studio/approvals\?[^"]*after=[^"]+)" rel="next"', page)
    assert len(shown(browser, "?view=over")) == 50
    rest = shown(browser, after.replace("&amp;", "&").removeprefix(PLACE))
    assert [text[:12] for text in rest] == ["Put “Bon 1” ", "Put “Bon 0” "]


# --- where it begins ---------------------------------------------------------------------


def test_it_says_on_the_persons_page_that_a_role_waits(house: House, team):
    browser, clara = house.browser(team["ines"]), house.person("Clara Petit", joined=False)
    place = f"/studio/people/{clara.id}"
    typed = {"roles": ["admin", "curator"]}
    page = browser.post(f"{place}/roles", data=typed, follow_redirects=True).text
    assert "Not given yet: Administrator. It waits for a second person" in page
    assert "Waits for a second person" in page
    assert held(clara) == {("curator", None)}


def test_it_adds_somebody_whose_role_waits(house: House, team):
    browser = house.browser(team["ines"])
    typed = {
        "kind": "employee", "name": "Nadia Ferrand", "email": "nadia@halvenne.example",
        "language": "fr", "roles": ["admin"],
    }  # fmt: skip
    page = browser.post("/studio/people", data=typed, follow_redirects=True).text
    assert "Nadia Ferrand is in the directory." in page and "Not given yet" in page


def test_it_has_two_people_ask_less_often(house: House, team):
    browser = house.browser(team["ines"])
    typed = {"approve_roles": "off", "points_above": "0", "points": "1"}
    place = "/studio/organisation/two-people"
    page = browser.post(place, data=typed, follow_redirects=True).text
    assert "This rule would ask less often than now." in page
    assert approvals.policy() == approvals.Policy(money=True)
    request = next(
        row
        for row in db.session.scalars(db.select(ApprovalRequest))
        if row.kind == "approvals.policy"
    )
    assert service.approve(request.id, team["paul"].id)
    db.session.expire_all()
    assert approvals.policy() == approvals.Policy(roles="off", money=False)
    told = house.browser(team["anne"]).get("/who-does-what").text
    assert "No role waits when it is given." in told


def test_it_gives_a_rule_back_as_it_was_typed_where_it_is_none(house: House, team):
    browser = house.browser(team["ines"])
    typed = {"approve_roles": "all", "points_above": "many"}
    answer = browser.post("/studio/organisation/two-people", data=typed)
    assert answer.status_code == 422
    assert "Give a whole number of points" in answer.text
    assert re.search(r'<option value="all" selected', answer.text)
    assert approvals.policy() == approvals.Policy(money=True)


def test_it_asks_two_about_a_group_of_the_provider(house: House, team):
    from app.people import provider_groups

    ines = team["ines"]
    assert provider_groups.submit_mapping("/direction", "admin", None, actor_id=ines.id)
    assert not provider_groups.submit_mapping("/rh", "hr", None, actor_id=ines.id)
    assert [line.value for line in provider_groups.mappings()] == ["/rh"]
    request = next(
        row
        for row in db.session.scalars(db.select(ApprovalRequest))
        if row.kind == "people.mapping"
    )
    assert service.approve(request.id, team["paul"].id)
    assert {line.value for line in provider_groups.mappings()} == {"/rh", "/direction"}


def test_it_does_not_bind_the_set_up_and_the_console(house: House, team):
    made = people.add_person(
        kind="employee", name="Gaël", email="g@halvenne.example", roles=["admin"]
    )
    assert held(made) == {("admin", None)}
    assert open_requests() == 3
