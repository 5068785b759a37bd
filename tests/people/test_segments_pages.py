"""The pages of segments: counted before they are kept, and silent about small groups."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db, transaction
from app.people import segments
from app.people.models import Person, RoleGrant, Segment
from tests.people.conftest import press
from tests.people.test_segment_rules import rule, said

NEW = "/studio/segments/new"


@pytest.fixture
def admin(add):
    return add("Inès Duval", roles=["admin"], site="Lorient")


@pytest.fixture
def lead(add):
    return add("Yann Prigent", roles=["lead"])


@pytest.fixture
def crowd(add):
    return [
        add(f"Person {n:02}", email=f"p{n}@halvenne.example", site="Brest" if n < 12 else "Laval")
        for n in range(15)
    ]


def condition(n: int, field: str, op: str, value: str) -> dict[str, str]:
    return {f"field-{n}": field, f"op-{n}": op, f"value-{n}": value}


BREST = {"name": "Le Chantier", "match": "all", **condition(0, "site", "is", "Brest")}


def kept(app, name: str = "Le Chantier") -> uuid.UUID:
    with app.app_context():
        return db.session.scalars(select(Segment.id).where(Segment.name == name)).one()


def test_it_counts_before_anything_is_kept(app, crowd, admin, browser):
    client = browser(admin)
    whole = press(client, NEW, "/studio/segments/preview", **BREST)
    assert whole.status_code == 200
    assert "<!doctype html>" in whole.text
    assert 'value="Le Chantier"' in whole.text
    assert "12 people" in whole.text
    assert "Of 16 in the directory" in whole.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(NEW).text)[1]
    part = client.post(
        "/studio/segments/preview", data={"csrf_token": token, **BREST},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert "<!doctype html>" not in part.text
    assert part.text.lstrip().startswith('<div id="preview"')
    assert "12 people" in part.text
    with app.app_context():
        assert db.session.scalars(select(Segment)).all() == []


def test_it_keeps_a_rule_and_shows_it_as_it_was_typed(app, crowd, admin, browser):
    client = browser(admin)
    typed = BREST | {
        "match": "any",
        "value-0": "Brest;  Laval ;Brest",
        **condition(1, "kind", "is_not", "former EMPLOYEE"),
        **condition(2, "hired", "within", "90"),
        **condition(3, "", "is", ""),
    }
    assert press(client, NEW, "/studio/segments", **typed).status_code == 303
    with app.app_context():
        (segment,) = db.session.scalars(select(Segment))
        assert segment.rule == rule(
            said("site", "is", "Brest", "Laval"), said("kind", "is_not", "alumni"),
            {"field": "hired", "op": "within", "days": 90}, match="any",
        )  # fmt: skip
        assert segment.created_by == admin.id
        (entry,) = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "segment.created")
        )
        assert entry.actor_id == admin.id
        assert entry.details == {"kind": "rule"}
    page = client.get(f"/studio/segments/{segment.id}").text
    assert 'value="Brest; Laval"' in page
    assert 'value="Former employee"' in page
    assert "16 people" in page
    assert "Nowhere yet" in page


@pytest.mark.parametrize(
    ("change", "told", "at"),
    [
        ({"name": "  "}, "Give the segment a name", "#name"),
        ({"name": "x" * 121}, "At most 120 characters", "#name"),
        ({"field-0": "", "value-0": ""}, "Give at least one condition", "#value-0"),
        ({"value-0": " ; "}, "Give at least one value", "#value-0"),
        ({"field-0": "shoe size"}, "Choose what the condition is about", "#value-0"),
        (condition(1, "hired", "before", "soon"), "Give a date such as", "#value-1"),
        (condition(1, "entity", "is", str(uuid.uuid4())), "does not exist here", "#value-1"),
    ],
)
def test_it_says_at_the_field_what_is_wrong_and_keeps_what_was_typed(
    app, admin, browser, change, told, at
):
    refused = press(browser(admin), NEW, "/studio/segments", **BREST | change)
    assert refused.status_code == 422
    assert told in refused.text
    assert f'href="{at}"' in refused.text
    with app.app_context():
        assert db.session.scalars(select(Segment)).all() == []


def test_it_refuses_two_segments_of_one_name_until_one_is_archived(app, admin, browser):
    client = browser(admin)
    press(client, NEW, "/studio/segments", **BREST)
    again = press(client, NEW, "/studio/segments", **BREST | {"name": "le chantier"})
    assert "Another segment has this name" in again.text
    path = f"/studio/segments/{kept(app)}"
    assert press(client, path, f"{path}/archive").status_code == 303
    assert "Le Chantier" not in client.get("/studio/segments").text
    assert "Le Chantier" in client.get("/studio/segments?archived=1").text
    other = BREST | {"name": "le chantier"}
    assert press(client, NEW, "/studio/segments", **other).status_code == 303
    press(client, path, f"{path}/restoration")
    assert "Another segment has this name" in client.get("/studio/segments").text
    press(client, path, path, **BREST | {"name": "Autre"})
    assert press(client, path, f"{path}/restoration").status_code == 303
    assert "Autre" in client.get("/studio/segments").text


def test_it_tells_a_lead_no_number_of_a_small_group_and_no_name(app, crowd, admin, lead, browser):
    client = browser(lead)
    counted = press(client, NEW, "/studio/segments/preview", **BREST).text
    assert "12 people" in counted
    assert "Laval" not in re.search(r'<div id="preview".*?</div>', counted, re.DOTALL)[0]
    small = press(client, NEW, "/studio/segments/preview", **BREST | {"value-0": "Laval"}).text
    assert "Fewer than 10 people" in small
    assert "3 people" not in small
    with app.app_context(), transaction() as session:
        session.add(Segment(name="Une liste", rule=None))
        session.add(Segment(name="Laval", rule=rule(said("site", "is", "Laval"))))
    rows = client.get("/studio/segments").text
    assert "Fewer than 10" in rows
    page = client.get(f"/studio/segments/{kept(app, 'Une liste')}").text
    assert "Administrators keep who is on a list" in page
    assert client.get("/studio/people").status_code == 403


def test_it_says_where_a_segment_is_used_before_it_is_changed(app, crowd, admin, browser):
    client = browser(admin)
    press(client, NEW, "/studio/segments", **BREST)
    path = f"/studio/segments/{kept(app)}"
    assert "This segment is in use" not in client.get(path).text
    with app.app_context(), transaction() as session:
        session.add(RoleGrant(person_id=crowd[0].id, role="recruiter", segment_id=kept(app)))
    page = client.get(path).text
    assert "This segment is in use" in page
    assert "Limits the role Recruiter of 1 person" in page


def listed(app, name: str) -> set[str]:
    with app.app_context():
        found = segments.people_in([kept(app, name)])
        return {*db.session.scalars(select(Person.name).where(found))}


def test_it_keeps_a_list_by_search_by_addresses_and_from_the_directory(app, crowd, admin, browser):
    client = browser(admin)
    made = press(client, "/studio/segments", "/studio/segments", kind="list", name="Relais")
    path = made.headers["Location"]
    assert "Nobody yet" in client.get(path).text
    found = client.get(f"{path}?q=person 03").text
    assert str(crowd[3].id) in found
    press(client, path, f"{path}/people", person_id=[str(crowd[3].id), "none"])
    assert listed(app, "Relais") == {"Person 03"}
    pasted = (
        "Person <P4@halvenne.example>; p5@halvenne.example,\nwho@else.example p3@halvenne.example"
    )
    told = press(client, path, f"{path}/people", addresses=pasted)
    assert told.status_code == 303
    page = client.get(path).text
    assert "2 people added" in page
    assert "1 address belongs to nobody in the directory: who@else.example" in page
    press(
        client, "/studio/people", "/studio/people/listed",
        segment_id=str(kept(app, "Relais")), person_id=[str(crowd[6].id)],
    )  # fmt: skip
    assert listed(app, "Relais") == {"Person 03", "Person 04", "Person 05", "Person 06"}
    press(client, path, f"{path}/people/{crowd[4].id}/removal")
    assert listed(app, "Relais") == {"Person 03", "Person 05", "Person 06"}
    narrowed = client.get(f"/studio/people?segment={kept(app, 'Relais')}").text
    assert narrowed.count("data-row") == 3
    none = press(client, path, f"{path}/people", addresses="nobody here")
    assert none.status_code == 422
    with app.app_context():
        kinds = {*db.session.scalars(select(AuditEntry.action))}
        assert {"segment.people_added", "segment.person_removed"} <= kinds
        for entry in db.session.scalars(select(AuditEntry)):
            assert "@" not in str(entry.details)


def test_it_lets_nobody_be_put_into_a_rule(app, crowd, admin, browser):
    client = browser(admin)
    press(client, NEW, "/studio/segments", **BREST)
    path = f"/studio/segments/{kept(app)}"
    refused = press(client, path, f"{path}/people", addresses="p14@halvenne.example")
    assert refused.status_code == 409
    unknown = f"/studio/segments/{uuid.uuid4()}"
    assert client.get(unknown).status_code == 404
    assert press(client, NEW, f"{unknown}/archive").status_code == 404
    assert press(client, NEW, "/studio/people/listed", segment_id="x").status_code == 404


def test_it_pages_and_searches_by_name(app, admin, browser):
    with app.app_context(), transaction() as session:
        for n in range(53):
            session.add(Segment(name=f"Équipe {n:02}", rule=rule(said("site", "is", str(n)))))
    client = browser(admin)
    first = client.get("/studio/segments").text
    assert first.count("data-row") == 50
    onward = re.search(r'href="(/studio/segments\?after=[^"]+)" rel="next"', first)[1]
    assert client.get(onward.replace("&amp;", "&")).text.count("data-row") == 3
    assert client.get("/studio/segments?q=équipe 5").text.count("data-row") == 3
    assert "No segment found" in client.get("/studio/segments?q=zzz").text
    assert client.get("/studio/segments?after=zzz").status_code == 422
