"""Users, as Entra ID and Okta make, change and end them; on both databases."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.people import service as people
from app.people.models import Person
from app.provisioning.scim.models import ScimUser
from app.settings.models import Entity
from tests.conftest import House
from tests.provisioning.scim_kit import CORE, ENTERPRISE, PATCH, Directory, connect, person


@pytest.fixture
def entra(any_app: Flask) -> Directory:
    return connect(any_app)


def _people() -> int:
    return db.session.scalar(select(func.count()).select_from(Person)) or 0


# --- making ------------------------------------------------------------------------------


def test_it_makes_an_entry_of_the_directory_and_nothing_more(entra: Directory) -> None:
    user = entra.user(
        userName="Ana@Halvenne.example",
        title="Cheffe d’équipe",
        preferredLanguage="en-GB",
        **{ENTERPRISE: {"employeeNumber": "00123", "department": "Atelier", "division": "Métal"}},
    )
    entry = person(user)
    assert (entry.name, entry.email, entry.language) == (
        "Ana Le Goff",
        "ana@halvenne.example",
        "en",
    )
    assert (entry.job_title, entry.employee_id) == ("Cheffe d’équipe", "00123")
    assert (entry.department, entry.function, entry.site) == ("Atelier", "Métal", None)
    assert entry.membership is None and not entry.role_grants and entry.departed_at is None
    assert user["userName"] == "Ana@Halvenne.example" and user["active"] is True
    assert user["meta"]["resourceType"] == "User"
    assert user["meta"]["location"].endswith(f"/scim/v2/Users/{user['id']}")
    assert "roles" not in user


def test_it_answers_a_creation_with_its_place(entra: Directory) -> None:
    response = entra.call("POST", "/Users", {"schemas": [CORE], "userName": "bo@halvenne.example"})
    assert response.status_code == 201 and response.json
    assert response.headers["Location"] == response.json["meta"]["location"]
    assert person(response.json).email == "bo@halvenne.example"


def test_it_takes_somebody_without_any_address(entra: Directory) -> None:
    user = entra.user(userName="shop-floor-17", emails=None, name=None)
    assert person(user).email.endswith("@none.invalid") and "emails" not in user
    assert person(user).name == "shop-floor-17"


def test_it_finds_the_name_where_it_is_said(entra: Directory) -> None:
    both = {"givenName": "Ana", "familyName": "Le Goff", "formatted": "Dr Goff"}
    for said, name in (
        ({"name": both}, "Ana Le Goff"),
        ({"name": {"formatted": "Ana  Le Goff"}, "displayName": "A."}, "Ana Le Goff"),
        ({"name": {}, "displayName": "Ana L."}, "Ana L."),
        ({"name": {"familyName": "Le Goff"}}, "Le Goff"),
    ):
        assert person(entra.user(**said)).name == name


def test_it_keeps_nothing_that_it_need_not_know(entra: Directory) -> None:
    user = entra.user(
        password="un secret de trop",
        phoneNumbers=[{"type": "mobile", "value": "+33 6 12 34 56 78"}],
        addresses=[{"type": "home", "locality": "Lorient"}],
        photos=[{"value": "https://halvenne.example/ana.png"}],
        userName="ana@halvenne.example",
        emails=[{"type": "home", "value": "ana@maison.example"}, {"type": "work", "value": "ana@halvenne.example"}],
        **{"urn:ietf:params:scim:schemas:extension:custom:2.0:User": {"birthDate": "1990-01-01"}},
    )  # fmt: skip
    entra.patch(f"/Users/{user['id']}", {"op": "replace", "path": "password", "value": "encore"})
    entra.patch(
        f"/Users/{user['id']}",
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+33612345678"},
        {"op": "Add", "path": 'emails[type eq "home"].value', "value": "ana@ailleurs.example"},
    )
    row = db.session.scalars(select(ScimUser)).one()
    kept = str(row.said)
    for word in (
        "secret",
        "encore",
        "6 12",
        "3361",
        "Lorient",
        "ana.png",
        "maison",
        "ailleurs",
        "1990",
    ):
        assert word not in kept
    assert user["emails"] == [{"type": "work", "value": "ana@halvenne.example"}]


NO_ENTRY: list[dict[str, Any]] = [
    {},
    {"userName": ""},
    {"userName": "   "},
    {"userName": "x" * 301},
    {"userName": "a", "externalId": "x" * 301},
    {"userName": "a", "active": "perhaps"},
    {"userName": "a", "emails": [{"type": "work", "value": "no address"}]},
    {"userName": "a", "emails": "a@halvenne.example"},
    {"userName": "nul\0"},
    {"userName": "\ud800"},
    {"userName": "a", ENTERPRISE: {"employeeNumber": "9" * 81}},
    {"userName": "a", "title": "t" * 201},
]


def test_it_refuses_what_cannot_be_an_entry(entra: Directory) -> None:
    before = _people()
    for body in NO_ENTRY:
        entra.refused("POST", "/Users", {"schemas": [CORE]} | body, status=400, word="invalidValue")
    assert _people() == before


# --- whom it means -----------------------------------------------------------------------


def test_it_refuses_the_same_name_or_external_id_twice(entra: Directory) -> None:
    first = entra.user(userName="ana@halvenne.example", externalId="X1")
    for twin in (
        {"userName": "ANA@halvenne.example", "externalId": "X2"},
        {"userName": "other@halvenne.example", "externalId": "X1"},
    ):
        entra.refused("POST", "/Users", {"schemas": [CORE], **twin}, status=409, word="uniqueness")
    second = entra.user()
    entra.patch_refused(
        f"/Users/{second['id']}",
        {"op": "Replace", "path": "userName", "value": first["userName"]},
        status=409, word="uniqueness",
    )  # fmt: skip
    assert entra.user(externalId="x1")["externalId"] == "x1"  # compared exactly


def test_it_keeps_the_entry_that_an_import_made(any_house: House) -> None:
    entra = connect(any_house.app)
    known = any_house.person(
        "Ana Legoff",
        email="ana@halvenne.example",
        joined=False,
        site="Lorient",
        job_title="Soudeuse",
    )
    user = entra.user(userName="ana@halvenne.example")
    assert user["id"] == str(known.id)
    entry = person(user)
    assert (entry.name, entry.site, entry.job_title) == ("Ana Le Goff", "Lorient", "Soudeuse")
    entra.patch(f"/Users/{user['id']}", {"op": "replace", "path": "displayName", "value": "A."})
    assert person(user).job_title == "Soudeuse"  # never said, never touched


def test_it_does_not_take_an_address_from_somebody_with_another_number(any_house: House) -> None:
    entra = connect(any_house.app)
    any_house.person("Ana", email="ana@halvenne.example", joined=False, employee_id="1")
    body = {
        "schemas": [CORE, ENTERPRISE], "userName": "ana@halvenne.example",
        ENTERPRISE: {"employeeNumber": "2"},
    }  # fmt: skip
    entra.refused("POST", "/Users", body, status=409, word="uniqueness")


def test_it_gives_the_address_of_somebody_who_left_to_a_newcomer(any_house: House) -> None:
    entra = connect(any_house.app)
    gone = any_house.person("Ana Kerjan", email="ana@halvenne.example")
    people.depart(gone.id)
    user = entra.user(userName="ana@halvenne.example")
    assert user["id"] != str(gone.id)
    row = db.session.scalars(select(ScimUser)).one()
    assert row.former_id == gone.id
    found = db.session.get(Person, gone.id, populate_existing=True)
    assert found and found.email == f"{gone.id}@departed.invalid" and found.departed_at


def test_it_knows_somebody_by_their_number_when_they_come_back(any_house: House) -> None:
    entra = connect(any_house.app)
    gone = any_house.person("Ana", email="old@halvenne.example", joined=False, employee_id="007")
    people.depart(gone.id)
    user = entra.user(userName="new@halvenne.example", **{ENTERPRISE: {"employeeNumber": "007"}})
    assert user["id"] == str(gone.id) and user["active"] is True
    assert (person(user).departed_at, person(user).email) == (None, "new@halvenne.example")


# --- PATCH, as the two providers write it ----------------------------------------------------

WORK = 'emails[type eq "work"].value'
CHANGES: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("okta: no path", [{"op": "replace", "value": {"active": False}}], {"active": False}),
    ("entra: capital op", [{"op": "Replace", "path": "active", "value": False}], {"active": False}),
    ("entra: boolean as text", [{"op": "Replace", "path": "active", "value": "False"}], {"active": False}),
    ("no path, boolean as text", [{"op": "Replace", "value": {"active": "false"}}], {"active": False}),
    ("simple path", [{"op": "replace", "path": "title", "value": "Soudeuse"}], {"title": "Soudeuse"}),
    ("dotted path", [{"op": "replace", "path": "name.familyName", "value": "Kerjan"}], {"name.familyName": "Kerjan"}),
    ("filtered path", [{"op": "Replace", "path": WORK, "value": "b@halvenne.example"}], {WORK: "b@halvenne.example"}),
    ("urn path", [{"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Quai"}], {"department": "Quai"}),
    ("attribute names in any case", [{"op": "replace", "path": "NAME.FAMILYNAME", "value": "K"}], {"name.familyName": "K"}),
    ("keys that are paths", [{"op": "Replace", "value": {
        "name.familyName": "Kerjan", "displayName": "AK", WORK: "b@halvenne.example",
        f"{ENTERPRISE}:department": "Quai"}}],
     {"name.familyName": "Kerjan", "displayName": "AK", WORK: "b@halvenne.example", "department": "Quai"}),
    ("whole extension", [{"op": "add", "path": ENTERPRISE, "value": {"division": "Mer"}}], {"division": "Mer"}),
    ("extension inside a value", [{"op": "add", "value": {ENTERPRISE: {"division": "Mer"}}}], {"division": "Mer"}),
    ("manager as text", [{"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "M9"}], {"manager": "M9"}),
    ("manager as object", [{"op": "Add", "path": f"{ENTERPRISE}:manager",
        "value": {"value": "M9", "$ref": "../M9"}}], {"manager": "M9"}),
    ("manager as array", [{"op": "Add", "path": f"{ENTERPRISE}:manager", "value": [{"value": "M9"}]}], {"manager": "M9"}),
    ("manager as a key", [{"op": "Add", "value": {f"{ENTERPRISE}:manager": "M9"}}], {"manager": "M9"}),
    ("manager.value", [{"op": "Add", "path": f"{ENTERPRISE}:manager.value", "value": "M9"}], {"manager": "M9"}),
    ("unknown attribute", [{"op": "add", "path": "costume", "value": "x"}], {}),
    ("unknown filtered", [{"op": "Add", "path": 'roles[primary eq "True"].value', "value": "x"}], {}),
    ("remove what is not there", [{"op": "remove", "path": "title"}], {"title": None}),
    ("remove an unmatched entry", [{"op": "remove", "path": 'emails[type eq "home"]'}], {}),
    ("null on add", [{"op": "add", "path": "title", "value": None}], {"title": None}),
    ("own id and meta beside", [{"op": "replace",
        "value": {"id": "OWN", "meta": {"x": 1}, "title": "T", "groups": []}}], {"title": "T"}),
    ("external id", [{"op": "Replace", "path": "externalId", "value": "E9"}], {"externalId": "E9"}),
    ("several at once", [{"op": "add", "path": "title", "value": "T"}, {"op": "remove", "path": "title"},
                         {"op": "replace", "path": "title", "value": "U"}], {"title": "U"}),
]  # fmt: skip


def _read(user: dict[str, Any], path: str) -> Any:
    if path == WORK:
        return next((e["value"] for e in user.get("emails", []) if e.get("type") == "work"), None)
    if path == "manager":
        return user[ENTERPRISE]["manager"]["value"]
    if path in ("department", "division"):
        return user[ENTERPRISE][path]
    found: Any = user
    for part in path.split("."):
        found = found.get(part) if found else None
    return found


def test_it_understands_every_usual_change_and_twice_is_once(entra: Directory) -> None:
    for why, operations, then in CHANGES:
        user = entra.user()
        own = [_with_own_id(one, user["id"]) for one in operations]
        for _ in range(2):
            changed = entra.patch(f"/Users/{user['id']}", *own)
            said = {path: _read(changed, path) for path in then}
            assert said == then, why
            assert changed["userName"] == user["userName"], why
            assert entra.ask("GET", f"/Users/{user['id']}") == changed, why
        entra.ask("DELETE", f"/Users/{user['id']}", status=204)  # its address is free again


def _with_own_id(one: dict[str, Any], own: str) -> dict[str, Any]:
    value = one.get("value")
    if isinstance(value, dict) and value.get("id") == "OWN":
        return one | {"value": value | {"id": own}}
    return one


def test_it_creates_the_entry_that_a_filter_describes(entra: Directory) -> None:
    user = entra.user(userName="plain", emails=None)
    changed = entra.patch(
        f"/Users/{user['id']}", {"op": "Add", "path": WORK, "value": "plain@halvenne.example"}
    )
    assert changed["emails"] == [{"type": "work", "value": "plain@halvenne.example"}]
    assert person(user).email == "plain@halvenne.example"


def test_it_clears_the_other_primary_address(entra: Directory) -> None:
    user = entra.user()
    changed = entra.patch(
        f"/Users/{user['id']}",
        {"op": "add", "path": "emails", "value": [{"value": "b@halvenne.example", "primary": True, "type": "work"}]},
    )  # fmt: skip
    assert [e["value"] for e in changed["emails"] if e.get("primary")] == ["b@halvenne.example"]
    assert person(user).email == "b@halvenne.example"


REFUSED: list[tuple[str, Any, str]] = [
    ("no operation", [], "invalidValue"),
    ("no object", ["x"], "invalidSyntax"),
    ("another op", [{"op": "frob", "path": "title", "value": "x"}], "invalidValue"),
    ("nothing to remove from", [{"op": "remove"}], "noTarget"),
    ("another id", [{"op": "replace", "value": {"id": str(uuid.uuid4())}}], "mutability"),
    ("a required one away", [{"op": "remove", "path": "userName"}], "mutability"),
    ("a broken path", [{"op": "replace", "path": "emails[type eq", "value": "x"}], "invalidPath"),
    ("no boolean", [{"op": "replace", "path": "active", "value": "perhaps"}], "invalidValue"),
    ("two primaries", [{"op": "replace", "path": "emails", "value": [
        {"value": "a@halvenne.example", "primary": True}, {"value": "b@halvenne.example", "primary": True}]}], "invalidValue"),
    ("the first is good, the second not", [{"op": "replace", "path": "title", "value": "Never"},
        {"op": "replace", "path": "active", "value": "perhaps"}], "invalidValue"),
]  # fmt: skip


def test_it_refuses_a_change_as_a_whole(entra: Directory) -> None:
    for why, operations, word in REFUSED:
        user = entra.user()
        entra.patch_refused(f"/Users/{user['id']}", *operations, word=word)
        assert entra.ask("GET", f"/Users/{user['id']}") == user, why


# --- managers, entities -----------------------------------------------------------------------


def test_it_finds_the_manager_by_id_or_external_id_even_if_they_come_later(
    entra: Directory,
) -> None:
    early = entra.user(**{ENTERPRISE: {"manager": {"value": "BOSS"}}})
    assert person(early).manager_id is None
    boss = entra.user(externalId="BOSS")
    assert str(person(early).manager_id) == boss["id"]
    late = entra.user(**{ENTERPRISE: {"manager": boss["id"]}})
    assert str(person(late).manager_id) == boss["id"]
    entra.patch(f"/Users/{late['id']}", {"op": "Remove", "path": f"{ENTERPRISE}:manager"})
    assert person(late).manager_id is None
    entra.patch(
        f"/Users/{boss['id']}", {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "BOSS"}
    )
    assert person(boss).manager_id is None  # nobody reports to themselves


def test_it_finds_the_entity_by_its_name(entra: Directory) -> None:
    with transaction() as session:
        session.add(Entity(code="MER", name="Halvenne Mer"))
    user = entra.user(**{ENTERPRISE: {"organization": "HALVENNE MER"}})
    assert person(user).entity_id is not None
    user = entra.user(**{ENTERPRISE: {"organization": "Somewhere else"}})
    assert person(user).entity_id is None


# --- PUT ------------------------------------------------------------------------------------


def test_it_takes_oktas_whole_object_without_suspending_anybody(entra: Directory) -> None:
    user = entra.user(title="Soudeuse", displayName="Ana")
    body = {k: v for k, v in user.items() if k not in ("active", "title", "meta", "externalId")}
    body["name"] = {"givenName": "Ana", "familyName": "Kerjan"}
    changed = entra.ask("PUT", f"/Users/{user['id']}", body)
    assert changed["active"] is True and changed["externalId"] == user["externalId"]
    assert "title" not in changed and person(user).job_title is None
    assert person(user).name == "Ana Kerjan" and person(user).departed_at is None
    gone = entra.ask("PUT", f"/Users/{user['id']}", body | {"active": False})
    assert gone["active"] is False and person(user).departed_at is not None
    entra.refused("PUT", f"/Users/{uuid.uuid4()}", body, status=404)
    entra.refused(
        "PUT", f"/Users/{user['id']}", {"schemas": [CORE]}, status=400, word="invalidValue"
    )


def test_it_dates_a_change_and_only_a_change(entra: Directory) -> None:
    user = entra.user()
    clock.travel(dt.timedelta(minutes=5))
    same = entra.patch(
        f"/Users/{user['id']}", {"op": "replace", "path": "name.givenName", "value": "Ana"}
    )
    assert same["meta"]["lastModified"] == user["meta"]["lastModified"]
    other = entra.patch(
        f"/Users/{user['id']}", {"op": "replace", "path": "name.givenName", "value": "Anna"}
    )
    assert other["meta"]["lastModified"] > user["meta"]["lastModified"]
    assert other["meta"]["created"] == user["meta"]["created"]


# --- leaving, coming back ------------------------------------------------------------------------


def test_it_ends_every_access_within_the_request_and_gives_the_same_person_back(
    any_house: House,
) -> None:
    entra = connect(any_house.app)
    user = entra.user(userName="ana@halvenne.example")
    people.join(uuid.UUID(user["id"]))
    outbox.drain()
    browser = any_house.browser(person(user))
    assert browser.get("/me").status_code == 200
    entra.patch(f"/Users/{user['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert browser.get("/me").status_code in (302, 303)
    assert entra.ask("GET", f"/Users/{user['id']}")["active"] is False
    assert entra.found('userName eq "ana@halvenne.example"') == [user["id"]]
    before = _people()
    back = entra.patch(f"/Users/{user['id']}", {"op": "Replace", "path": "active", "value": True})
    assert back["active"] is True and back["id"] == user["id"] and _people() == before
    assert person(user).departed_at is None and not person(user).is_member


def test_it_says_that_somebody_whom_an_administrator_ended_is_not_active(
    entra: Directory,
) -> None:
    user = entra.user()
    people.depart(uuid.UUID(user["id"]))
    assert entra.ask("GET", f"/Users/{user['id']}")["active"] is False
    changed = entra.patch(f"/Users/{user['id']}", {"op": "add", "path": "title", "value": "T"})
    assert changed["active"] is False and person(user).departed_at is not None


def test_it_makes_somebody_who_is_not_active(entra: Directory) -> None:
    user = entra.user(active=False)
    assert user["active"] is False and person(user).departed_at is not None


def test_it_never_ends_the_last_administrator(any_house: House) -> None:
    entra = connect(any_house.app)
    any_house.person("Admin", "admin", email="admin@halvenne.example", joined=False)
    user = entra.user(userName="admin@halvenne.example")
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}
    entra.refused("PATCH", f"/Users/{user['id']}", body, status=403)
    entra.refused("DELETE", f"/Users/{user['id']}", status=403)
    assert person(user).departed_at is None
    assert entra.ask("GET", f"/Users/{user['id']}")["active"] is True


def test_it_forgets_a_deleted_user_and_proposes_who_comes_back(entra: Directory) -> None:
    user = entra.user(userName="ana@halvenne.example", externalId="A1")
    entra.ask("DELETE", f"/Users/{user['id']}", status=204)
    assert person(user).departed_at is not None
    row = db.session.scalars(select(ScimUser)).one()
    assert (row.said, row.user_key, row.email, row.external_id) == ({}, None, None, "A1")
    for method in ("GET", "DELETE"):
        entra.refused(method, f"/Users/{user['id']}", status=404)
    assert entra.found('userName eq "ana@halvenne.example"') == []
    again = entra.user(userName="ana@halvenne.example", externalId="A1")
    assert again["id"] != user["id"] and again["active"] is True
    living = db.session.scalars(select(ScimUser).where(ScimUser.deleted_at.is_(None))).one()
    assert str(living.former_id) == user["id"]


def test_it_writes_down_what_it_did_without_a_name(entra: Directory) -> None:
    user = entra.user(userName="marker@halvenne.example")
    entra.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})
    entra.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": True}})
    entra.ask("DELETE", f"/Users/{user['id']}", status=204)
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.target_id == user["id"])).all()
    actions = [one.action for one in entries]
    for action in ("scim.created", "scim.departed", "scim.returned", "scim.deleted"):
        assert action in actions
    assert all("marker" not in str(one.details) for one in entries)


def test_it_stays_the_same_user_when_two_entries_are_joined(any_house: House) -> None:
    entra = connect(any_house.app)
    user = entra.user()
    group = entra.group("Atelier", user["id"])
    other = any_house.person("Ana Avant", joined=False)
    with transaction():
        outbox.record("person.linked", entry_id=user["id"], person_id=str(other.id))
    outbox.drain()
    assert entra.ask("GET", f"/Users/{user['id']}")["id"] == user["id"]
    entra.patch(f"/Users/{user['id']}", {"op": "replace", "path": "title", "value": "Retour"})
    found = db.session.get(Person, other.id, populate_existing=True)
    assert found and found.job_title == "Retour"
    assert entra.members(group["id"]) == {user["id"]}
