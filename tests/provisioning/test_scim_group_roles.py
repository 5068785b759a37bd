"""What groups of a directory give, what they take back, and what they never touch."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app import outbox
from app.approvals import service as approvals
from app.approvals.models import ApprovalRequest
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput, NotFound
from app.people import role_approvals, segments_service
from app.people import service as people
from app.people.models import Person, RoleGrant, Segment
from app.provisioning.scim import connections, group_roles
from tests.conftest import House
from tests.provisioning.scim_kit import Directory, connect


@pytest.fixture
def entra(any_app: Flask) -> Directory:
    return connect(any_app)


@pytest.fixture
def admin(any_app: Flask) -> Person:
    return _admin("ines@halvenne.example")


def _admin(email: str) -> Person:
    return people.add_person(kind="employee", name="Inès Duval", email=email, roles=["admin"])


def _roles(user_id: str) -> set[tuple[str, uuid.UUID | None, str | None]]:
    db.session.expire_all()
    rows = db.session.execute(
        select(RoleGrant.role, RoleGrant.segment_id, RoleGrant.source).where(
            RoleGrant.person_id == uuid.UUID(user_id)
        )
    )
    return {tuple(row) for row in rows}


def _gives(entra: Directory, admin: Person, group: str, role: str = "curator", **more) -> bool:
    return group_roles.submit_line(
        entra.id, uuid.UUID(group), role, more.get("segment_id"), actor_id=admin.id
    )


def _put_in(entra: Directory, group: str, user: str) -> None:
    entra.patch(
        f"/Groups/{group}",
        {"op": "Add", "path": "members", "value": [{"value": user}]}, status=204,
    )  # fmt: skip


def _take_out(entra: Directory, group: str, user: str) -> None:
    entra.patch(
        f"/Groups/{group}",
        {"op": "Remove", "path": "members", "value": [{"value": user}]}, status=204,
    )  # fmt: skip


def test_it_gives_a_role_with_the_group_and_takes_it_back(entra, admin):
    ana, ben = entra.user()["id"], entra.user()["id"]
    group = entra.group("Rédaction", ana)["id"]
    assert not _gives(entra, admin, group)
    assert _roles(ana) == {("curator", None, "scim")}
    _put_in(entra, group, ben)
    assert _roles(ben) == {("curator", None, "scim")}
    _take_out(entra, group, ana)
    assert (_roles(ana), _roles(ben)) == (set(), {("curator", None, "scim")})
    entra.ask("PUT", f"/Groups/{group}", {"schemas": [], "displayName": "Rédaction"})
    assert _roles(ben) == set()
    noted = db.session.scalars(
        select(AuditEntry.details).where(AuditEntry.action.in_(["role.given", "role.taken"]))
    ).all()
    assert [one for one in noted if one.get("source") == "scim"].__len__() == 4


def test_it_gives_a_role_within_a_segment(entra, admin):
    with transaction() as session:
        session.add(segment := Segment(name="Lorient", rule=None))
        session.flush()
        segment_id = segment.id
    ana = entra.user()["id"]
    group = entra.group("RH Lorient", ana)["id"]
    _gives(entra, admin, group, "recruiter", segment_id=segment_id)
    assert _roles(ana) == {("recruiter", segment_id, "scim")}


def test_it_leaves_what_a_human_gave(entra, admin):
    ana = entra.user()["id"]
    people.change_roles(uuid.UUID(ana), ["curator"], actor_id=admin.id)
    group = entra.group("Rédaction", ana)["id"]
    _gives(entra, admin, group)
    assert _roles(ana) == {("curator", None, None)}
    _take_out(entra, group, ana)
    assert _roles(ana) == {("curator", None, None)}


def test_it_keeps_what_another_group_gives_still(entra, admin):
    ana = entra.user()["id"]
    one, two = entra.group("Un", ana)["id"], entra.group("Deux", ana)["id"]
    for group in (one, two):
        _gives(entra, admin, group)
    _take_out(entra, one, ana)
    assert _roles(ana) == {("curator", None, "scim")}
    entra.ask("DELETE", f"/Groups/{two}", status=204)
    assert _roles(ana) == set()


def test_it_takes_back_what_a_removed_line_alone_gave(entra, admin):
    ana = entra.user()["id"]
    group = entra.group("Rédaction", ana)["id"]
    _gives(entra, admin, group)
    _gives(entra, admin, group, "lead")
    (line,) = [one for one in group_roles.lines(entra.id) if one.role == "lead"]
    with pytest.raises(NotFound):
        group_roles.remove_line(uuid.uuid4(), line.id, actor_id=admin.id)
    group_roles.remove_line(entra.id, line.id, actor_id=admin.id)
    assert _roles(ana) == {("curator", None, "scim")}
    connections.remove(entra.id, actor_id=admin.id)
    assert _roles(ana) == set()


def test_it_gives_nothing_to_who_was_put_on_the_list_by_hand(entra, admin):
    ana = entra.user()["id"]
    group = entra.group("Rédaction")["id"]
    _gives(entra, admin, group)
    segments_service.add_people(uuid.UUID(group), [uuid.UUID(ana)], actor_id=admin.id)
    _put_in(entra, group, entra.user()["id"])
    assert _roles(ana) == set()
    _put_in(entra, group, ana)
    assert _roles(ana) == {("curator", None, "scim")}


def test_it_gives_it_back_to_who_returns(entra, admin):
    ana = entra.user()["id"]
    group = entra.group("Rédaction", ana)["id"]
    _gives(entra, admin, group)
    entra.patch(f"/Users/{ana}", {"op": "Replace", "path": "active", "value": False})
    assert _roles(ana) == set()
    entra.patch(f"/Users/{ana}", {"op": "Replace", "path": "active", "value": True})
    outbox.drain()
    assert _roles(ana) == {("curator", None, "scim")}


def test_it_keeps_the_last_administrator(entra, admin):
    ana = entra.user()["id"]
    group = entra.group("Direction", ana)["id"]
    assert not _gives(entra, admin, group, "admin")  # nobody else could decide
    people.change_roles(admin.id, [], actor_id=uuid.UUID(ana))
    _take_out(entra, group, ana)
    assert _roles(ana) == {("admin", None, "scim")}


def test_it_gives_a_guarded_role_only_by_a_line_that_two_approved(entra, admin):
    second = _admin("paul@halvenne.example")
    ana = entra.user()["id"]
    group = entra.group("Direction", ana)["id"]
    assert _gives(entra, admin, group, "admin")
    _put_in(entra, group, entra.user()["id"])
    assert _roles(ana) == set() and group_roles.lines(entra.id) == []
    request = db.session.scalars(select(ApprovalRequest)).one()
    assert approvals.approve(request.id, second.id)
    assert _roles(ana) == {("admin", None, "scim")}
    assert [one.role for one in group_roles.lines(entra.id)] == ["admin"]


def test_it_approves_nothing_for_a_group_that_is_gone(entra, admin):
    second = _admin("paul@halvenne.example")
    group = entra.group("Direction")["id"]
    _gives(entra, admin, group, "admin")
    entra.ask("DELETE", f"/Groups/{group}", status=204)
    request = db.session.scalars(select(ApprovalRequest)).one()
    with pytest.raises(InvalidInput):
        approvals.approve(request.id, second.id)


def test_it_refuses_lines_that_make_no_sense(entra, admin):
    group = entra.group("Rédaction")["id"]
    _gives(entra, admin, group)
    for role, wanted, segment in (
        ("curator", uuid.UUID(group), None),
        ("member", uuid.UUID(group), None),
        ("curator", uuid.uuid4(), None),
        ("lead", uuid.UUID(group), uuid.uuid4()),
    ):
        with pytest.raises(InvalidInput):
            group_roles.submit_line(entra.id, wanted, role, segment, actor_id=admin.id)
    assert role_approvals.roles_waiting([admin.id]) == {}


def test_an_administrator_maps_and_unmaps_a_group(house: House):
    entra, admin = connect(house.app), house.person("Inès Duval", "admin", language="en")
    ana = entra.user()["id"]
    group = entra.group("Rédaction", ana)["id"]
    browser, place = house.browser(admin), f"/studio/scim/{entra.id}"
    wrong = browser.post(f"{place}/roles", data={"group_id": group, "role": "member"})
    assert wrong.status_code == 422 and "Choose one of the roles." in wrong.text
    typed = {"group_id": group, "role": "curator", "segment_id": ""}
    page = browser.post(f"{place}/roles", data=typed, follow_redirects=True).text
    assert "Everybody in the group has this role from now on." in page
    assert _roles(ana) == {("curator", None, "scim")}
    (line,) = group_roles.lines(entra.id)
    page = browser.post(f"{place}/roles/{line.id}/removal", follow_redirects=True).text
    assert "No group gives a role." in page
    assert _roles(ana) == set()
