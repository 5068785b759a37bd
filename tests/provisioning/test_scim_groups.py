"""Groups: segments whose list a directory writes."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db
from app.people.models import Segment, SegmentPerson
from tests.provisioning.scim_kit import GROUP, PATCH, Directory, connect


@pytest.fixture
def entra(any_app: Flask) -> Directory:
    return connect(any_app)


def _three(entra: Directory) -> tuple[str, str, str]:
    one, two, three = (entra.user()["id"] for _ in range(3))
    return one, two, three


def test_it_makes_a_segment(entra: Directory) -> None:
    one, two, _ = _three(entra)
    group = entra.group("Atelier  Nord", one, two, externalId="G1")
    assert group["displayName"] == "Atelier Nord" and group["externalId"] == "G1"
    assert {m["value"] for m in group["members"]} == {one, two}
    assert all(m["$ref"].endswith(f"/scim/v2/Users/{m['value']}") for m in group["members"])
    segment = db.session.get(Segment, uuid.UUID(group["id"]))
    assert segment and (segment.name, segment.rule, segment.archived_at) == (
        "Atelier Nord", None, None,
    )  # fmt: skip
    listed = db.session.scalars(select(SegmentPerson.person_id)).all()
    assert {str(one_id) for one_id in listed} == {one, two}


def test_it_does_not_read_members_that_nobody_asked_for(entra: Directory) -> None:
    one, _, _ = _three(entra)
    group = entra.group("Atelier", one)
    for path in (
        f"/Groups/{group['id']}?excludedAttributes=members",
        f"/Groups/{group['id']}?attributes=displayName",
    ):
        assert "members" not in entra.ask("GET", path)
    page = entra.ask("GET", "/Groups?excludedAttributes=members")
    assert page["totalResults"] == 1 and "members" not in page["Resources"][0]
    assert "members" in entra.ask("GET", "/Groups")["Resources"][0]


def test_it_removes_only_those_whom_the_operation_names(entra: Directory) -> None:
    one, two, three = _three(entra)
    path = f"/Groups/{entra.group('Atelier', one, two, three)['id']}"
    group_id = path.rsplit("/", 1)[1]
    entra.patch(path, {"op": "Remove", "path": "members", "value": [{"value": two}]}, status=204)
    assert entra.members(group_id) == {one, three}
    entra.patch(path, {"op": "remove", "path": f'members[value eq "{one}"]'}, status=204)
    assert entra.members(group_id) == {three}
    entra.patch(path, {"op": "remove", "path": f'members[value eq "{one}"]'}, status=204)
    entra.patch(path, {"op": "Remove", "path": "members", "value": []}, status=204)
    assert entra.members(group_id) == {three}
    both = f'members[value eq "{one}" or value eq "{three}"]'
    entra.patch(path, {"op": "add", "path": "members", "value": [{"value": one}]}, status=204)
    entra.patch(path, {"op": "remove", "path": both}, status=204)
    assert entra.members(group_id) == set()


def test_it_takes_every_usual_change_of_a_list_and_twice_is_once(entra: Directory) -> None:
    one, two, three = _three(entra)
    group = entra.group("Atelier", one)
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"op": "Add", "path": "members", "value": [{"value": two, "$ref": None}]}, {one, two}),
        ({"op": "add", "path": "members", "value": {"value": three}}, {one, two, three}),
        ({"op": "replace", "path": "members", "value": [{"value": two}]}, {two}),
        ({"op": "add", "value": {"members": [{"value": one}]}}, {one, two}),
        ({"op": "replace", "path": f"{GROUP}:members", "value": [{"VALUE": three}]}, {three}),
        ({"op": "replace", "value": {"id": group["id"], "displayName": "Quai"}}, {three}),
        ({"op": "remove", "path": "members"}, set()),
    ]
    for operation, then in cases:
        for _ in range(2):
            entra.patch(f"/Groups/{group['id']}", operation, status=204)
            assert entra.members(group["id"]) == then, operation
    assert entra.ask("GET", f"/Groups/{group['id']}")["displayName"] == "Quai"


def test_it_leaves_out_who_is_no_user_of_this_connection(any_app: Flask) -> None:
    entra, okta = connect(any_app, "A"), connect(any_app, "B", "okta")
    mine, theirs = entra.user()["id"], okta.user()["id"]
    group = entra.group("Atelier", mine, theirs, str(uuid.uuid4()), "no id at all")
    assert {m["value"] for m in group["members"]} == {mine}


def test_it_changes_nothing_where_one_operation_is_bad(entra: Directory) -> None:
    one, two, _ = _three(entra)
    group = entra.group("Atelier", one)
    good = {"op": "add", "path": "members", "value": [{"value": two}]}
    for bad, word in (
        ({"op": "add", "path": "members", "value": [{"display": "x"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": 7}, "invalidValue"),
        ({"op": "replace", "path": 'members[value sw "a"]', "value": []}, "invalidPath"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "frob", "path": "members"}, "invalidValue"),
        ({"op": "replace", "value": {"id": str(uuid.uuid4())}}, "mutability"),
    ):
        entra.patch_refused(f"/Groups/{group['id']}", good, bad, word=word)
        assert entra.members(group["id"]) == {one}, bad


def test_it_replaces_a_group_as_a_whole(entra: Directory) -> None:
    one, two, _ = _three(entra)
    group = entra.group("Atelier", one, externalId="G1")
    body = {"schemas": [GROUP], "displayName": "Quai", "members": [{"value": two}]}
    changed = entra.ask("PUT", f"/Groups/{group['id']}", body)
    assert (changed["displayName"], changed["externalId"]) == ("Quai", "G1")
    assert {m["value"] for m in changed["members"]} == {two}


def test_it_refuses_two_groups_of_one_name(entra: Directory) -> None:
    entra.group("Atelier", externalId="G1")
    for body in ({"displayName": "ATELIER"}, {"displayName": "Autre", "externalId": "G1"}):
        entra.refused(
            "POST", "/Groups", {"schemas": [GROUP], **body}, status=409, word="uniqueness"
        )
    other = entra.group("Quai")
    entra.patch_refused(
        f"/Groups/{other['id']}", {"op": "replace", "value": {"displayName": "atelier"}},
        status=409, word="uniqueness",
    )  # fmt: skip
    entra.refused("POST", "/Groups", {"schemas": [GROUP]}, status=400, word="invalidValue")


def test_it_puts_a_deleted_group_away(entra: Directory) -> None:
    one, _, _ = _three(entra)
    group = entra.group("Atelier", one)
    entra.ask("DELETE", f"/Groups/{group['id']}", status=204)
    entra.refused("GET", f"/Groups/{group['id']}", status=404)
    assert entra.ask("GET", "/Groups")["totalResults"] == 0
    segment = db.session.get(Segment, uuid.UUID(group["id"]), populate_existing=True)
    assert segment and segment.archived_at is not None
    assert not db.session.scalars(select(SegmentPerson)).all()
    assert entra.group("Atelier", one)["id"] != group["id"]


def test_it_takes_a_deleted_user_off_its_lists(entra: Directory) -> None:
    one, two, _ = _three(entra)
    group = entra.group("Atelier", one, two)
    entra.ask("DELETE", f"/Users/{one}", status=204)
    assert entra.members(group["id"]) == {two}


def test_it_adds_and_removes_a_thousand_members_in_under_two_seconds(entra: Directory) -> None:
    from tests.provisioning.test_scim_lists import fill

    fill(entra, 1000)
    ids = [one["id"] for start in (1, 501) for one in entra.ask(
        "GET", f"/Users?startIndex={start}&count=500&attributes=id")["Resources"]]  # fmt: skip
    group = entra.group("Tous")
    for op in ("Add", "Remove"):
        values = [{"value": one} for one in ids]
        body = {"schemas": [PATCH], "Operations": [{"op": op, "path": "members", "value": values}]}
        began = time.perf_counter()
        entra.ask("PATCH", f"/Groups/{group['id']}", body, 204)
        assert time.perf_counter() - began < 2
        assert len(entra.members(group["id"])) == (1000 if op == "Add" else 0)
