"""Roles that reach a part of the organisation: what lies outside does not exist for them."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db, transaction
from app.people import queries, segments_reach
from app.people.models import RoleGrant, Segment
from app.people.segments_reach import is_within
from app.web import access
from tests.people.conftest import press
from tests.people.test_segment_rules import rule, said
from tests.people.test_studio_people import ENTRY


@pytest.fixture
def admin(add):
    return add("Inès Duval", roles=["admin"])


@pytest.fixture
def brest(app) -> uuid.UUID:
    with app.app_context(), transaction() as session:
        segment = Segment(name="Brest", rule=rule(said("site", "is", "Brest")))
        session.add(segment)
        session.flush()
        return segment.id


@pytest.fixture
def limited(app, add, brest, admin):
    """An administrator of Brest alone."""
    person = add("Yann Prigent", site="Brest")
    with app.app_context():
        segments_reach.give_role(person.id, "admin", brest, actor_id=admin.id)
    return person


def masked(text: str, *ids: object) -> str:
    for each in ids:
        text = text.replace(str(each), "ID")
    return re.sub(r'(csrf_token" value="|X-CSRFToken": ")[^"]+', "", text)


def test_it_counts_a_limited_role_only_where_the_page_knows_reach(app, add, limited, browser):
    client = browser(limited)
    with app.app_context():
        opened = {
            rule.endpoint
            for rule in app.url_map.iter_rules()
            if not rule.arguments and "GET" in (rule.methods or ())
            and (declared := access.rule_of(rule.endpoint)) is not None
            and declared.who == "role" and "admin" in declared.roles and not declared.within
        }  # fmt: skip
    assert len(opened) > 15
    with app.test_request_context():
        paths = {app.url_map.bind("localhost").build(endpoint) for endpoint in opened}
    assert {client.get(path).status_code for path in paths} == {403}
    assert client.get("/studio/people").status_code == 200


def test_it_lists_and_finds_only_those_within(add, limited, browser):
    add("Anne Brestoise", site="Brest")
    add("Anne Lorientaise", email="al@halvenne.example", site="Lorient")
    client = browser(limited)
    for path in ("/studio/people", "/studio/people?q=anne", "/studio/people?kind=employee"):
        page = client.get(path).text
        assert "Anne Brestoise" in page
        assert "Lorientaise" not in page
    assert "Nobody found" in client.get("/studio/people?site=Lorient").text


def test_it_answers_for_somebody_outside_as_for_nobody(add, limited, browser):
    outside, unknown = add("Théo Rossignac", site="Lorient"), uuid.uuid4()
    client = browser(limited)
    acts = ("", "/invitations", "/departure", "/return", "/identities/removal")
    pages = [client.get(f"/studio/people/{who}") for who in (outside.id, unknown)]
    assert [page.status_code for page in pages] == [404, 404]
    assert len({masked(page.text, outside.id, unknown) for page in pages}) == 1
    for act in acts:
        told = [
            press(client, "/me", f"/studio/people/{who}{act}", **ENTRY)
            for who in (outside.id, unknown)
        ]
        assert [answer.status_code for answer in told] == [404, 404], act
        assert len({masked(answer.text, outside.id, unknown) for answer in told}) == 1
    assert press(client, "/me", "/studio/people", **ENTRY).status_code == 403


def test_it_acts_on_those_within_but_on_nobody_with_a_role(app, add, limited, browser):
    inside = add("Théo Rossignac", email=ENTRY["email"], site="Brest")
    boss = add("Sofiane Belkhir", site="Brest", roles=["admin"])
    client = browser(limited)
    path = f"/studio/people/{inside.id}"
    page = client.get(path)
    assert page.status_code == 200
    assert "/roles" not in page.text
    stays = press(client, path, path, **ENTRY | {"site": "Brest", "job_title": "Couvreur"})
    assert stays.headers["Location"] == path
    moved = press(client, path, path, **ENTRY | {"site": "Lorient"})
    assert moved.headers["Location"] == "/studio/people"
    assert client.get(path).status_code == 404
    with app.app_context():
        assert queries.person(inside.id).site == "Lorient"
    theirs = f"/studio/people/{boss.id}"
    assert client.get(theirs).status_code == 200
    for act in ("", "/invitations", "/departure", "/identities/removal"):
        taken = press(client, "/me", f"{theirs}{act}", **ENTRY | {"email": "me@x.example"})
        assert taken.status_code == 403, act
    mine = f"/studio/people/{limited.id}"
    for act in ("/roles", "/grants"):
        assert press(client, mine, f"{mine}{act}", roles=["admin"]).status_code == 403
    with app.app_context():
        assert queries.person(boss.id).email == "sofiane@halvenne.example"


def test_it_gives_and_takes_a_role_for_a_segment(app, add, admin, brest, browser):
    person, client = add("Théo Rossignac"), browser(admin)
    path = f"/studio/people/{person.id}"
    for _ in range(2):
        given = press(client, path, f"{path}/grants", role="recruiter", segment_id=str(brest))
        assert given.status_code == 303
    page = client.get(path).text
    assert f'<a href="/studio/segments/{brest}">Brest</a>' in page
    assert "by Inès Duval" in page
    with app.app_context():
        (grant,) = db.session.scalars(select(RoleGrant).where(RoleGrant.person_id == person.id))
        assert (grant.role, grant.segment_id, grant.granted_by) == ("recruiter", brest, admin.id)
    ticked = press(client, path, f"{path}/roles", roles=["curator"])
    assert ticked.status_code == 303
    with app.app_context():
        assert queries.person(person.id).roles == {"curator", "recruiter"}
    taken = press(client, path, f"{path}/grants/{grant.id}/removal")
    assert taken.status_code == 303
    assert press(client, path, f"{path}/grants/{grant.id}/removal").status_code == 404
    for role, segment in (("member", brest), ("boss", brest), ("hr", uuid.uuid4()), ("hr", "x")):
        refused = press(client, path, f"{path}/grants", role=role, segment_id=str(segment))
        assert refused.status_code == 422
    with app.app_context():
        assert queries.person(person.id).roles == {"curator"}
        told = db.session.scalars(
            select(AuditEntry).where(AuditEntry.target_id == str(person.id))
        ).all()
        assert ("role.given", {"role": "recruiter", "segment": str(brest)}) in [
            (entry.action, entry.details) for entry in told
        ]


def test_it_needs_an_administrator_of_everything(app, add, admin, limited, browser):
    client = browser(admin)
    path = f"/studio/people/{admin.id}"
    refused = press(client, path, f"{path}/roles", roles=["hr"])
    assert refused.status_code == 409


def test_it_follows_whoever_moves(app, add, brest, limited):
    with app.app_context():
        assert is_within(limited.id, frozenset({brest}))
        assert not is_within(limited.id, frozenset())
        assert is_within(limited.id, None)
