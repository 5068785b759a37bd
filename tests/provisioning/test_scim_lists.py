"""Lists: filters, pages, what is shown."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from app import clock
from app.db import db, new_id, transaction
from app.people.models import Person
from app.provisioning.scim.models import ScimUser
from tests.provisioning.scim_kit import CORE, ENTERPRISE, Directory, connect


@pytest.fixture
def entra(any_app: Flask) -> Directory:
    return connect(any_app)


def fill(directory: Directory, number: int) -> None:
    """Many users at once, written as the service writes one."""
    now = clock.now()
    entries, users = [], []
    for n in range(number):
        person_id, name = new_id(), f"person-{n:05}@halvenne.example"
        entries.append(
            {
                "id": person_id, "kind": "employee", "name": f"Personne {n}", "email": name,
                "language": "fr", "created_at": now,
            }
        )  # fmt: skip
        users.append(
            {
                "id": new_id(), "connection_id": directory.id, "person_id": person_id,
                "scim_id": person_id, "external_id": f"X{n}", "user_key": name, "email": name,
                "said": {"userName": name, "active": True, "title": f"Métier {n % 7}"},
                "created_at": now, "modified_at": now,
            }
        )  # fmt: skip
    with transaction() as session:
        session.execute(insert(Person), entries)
        session.execute(insert(ScimUser), users)


def test_it_answers_the_test_calls_of_both_providers(entra: Directory) -> None:
    for path in (
        f'/Users?filter=userName eq "{uuid.uuid4()}"',
        "/Users?startIndex=1&count=2",
        "/Groups?count=100",
        '/Groups?filter=displayName eq "nobody"&excludedAttributes=members',
    ):
        page = entra.ask("GET", path)
        assert page["totalResults"] == 0 and page["Resources"] == []
        assert page["startIndex"] == 1 and page["itemsPerPage"] == 0
        assert page["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]


def test_it_finds_by_every_filter_that_providers_send(entra: Directory) -> None:
    ana = entra.user(userName="Ana@Halvenne.example", externalId="Ext1", title="Soudeuse")
    bo = entra.user(userName="bo@halvenne.example", externalId="ext1", displayName='Bo "B"')
    entra.patch(f"/Users/{bo['id']}", {"op": "replace", "value": {"active": False}})
    a, b = ana["id"], bo["id"]
    created = ana["meta"]["created"]
    for where, then in (
        ('userName eq "ana@halvenne.example"', {a}),
        ('USERNAME EQ "ANA@HALVENNE.EXAMPLE"', {a}),
        (f'{CORE}:userName eq "ana@halvenne.example"', {a}),
        ('userName sw "ana"', {a}),
        ('userName co "halvenne"', {a, b}),
        ('userName ew "NE.example"', {a, b}),
        ('userName co "%"', set()),
        ("userName pr", {a, b}),
        ("title pr", {a}),
        ("not (title pr)", {b}),
        ('externalId eq "Ext1"', {a}),
        ('externalId eq "EXT1"', set()),
        (f'id eq "{a}"', {a}),
        ('id eq "nobody"', set()),
        ('emails.value eq "ANA@halvenne.example"', {a}),
        ('emails eq "ana@halvenne.example"', {a}),
        ('emails[type eq "work"].value eq "ana@halvenne.example"', {a}),
        ('emails[type eq "work" and value eq "ana@halvenne.example"]', {a}),
        ('emails[type eq "home" and value eq "ana@halvenne.example"]', set()),
        ('emails[value sw "bo"]', {b}),
        ("active eq true", {a}),
        ('active eq "False"', {b}),
        ('active eq true and userName co "halvenne"', {a}),
        ('userName eq "ana@halvenne.example" and externalId eq "ext1"', set()),
        ('userName eq "ana@halvenne.example" or externalId eq "ext1"', {a, b}),
        ('(userName sw "ana" or userName sw "bo") and active eq false', {b}),
        (f'meta.created ge "{created}"', {a, b}),
        ('meta.lastModified gt "2020-01-01T00:00:00Z"', {a, b}),
        ('meta.lastModified lt "2020-01-01T00:00:00Z"', set()),
        ('title eq "soudeuse"', {a}),
        ('title ne "soudeuse"', {b}),
        (r'displayName eq "Bo \"B\""', {b}),
        (f'{ENTERPRISE}:department eq "x"', set()),
    ):
        assert set(entra.found(where)) == then, where


def test_it_finds_groups(entra: Directory) -> None:
    user = entra.user()
    one = entra.group("Atelier", user["id"], externalId="G1")["id"]
    two = entra.group("Quai")["id"]
    for where, then in (
        ('displayName eq "ATELIER"', {one}),
        ('displayName co "a"', {one, two}),
        ('externalId eq "G1"', {one}),
        (f'members eq "{user["id"]}"', {one}),
        (f'members[value eq "{user["id"]}"]', {one}),
        (f'id eq "{two}" and members.value eq "{user["id"]}"', set()),
        ("displayName pr", {one, two}),
    ):
        assert set(entra.found(where, "Groups")) == then, where


def test_it_refuses_a_filter_that_it_cannot_read(entra: Directory) -> None:
    for where in (
        "userName eq ana", "userName", 'userName xx "a"', 'phoneNumbers.value eq "1"', "((userName pr",
        'active gt true', 'meta.created gt "yesterday"', 'userName eq "a', "x" * 2001,
        'userName eq "a" and', "userName gt 5",
    ):  # fmt: skip
        response = entra.client.get(
            "/scim/v2/Users",
            query_string={"filter": where},
            headers={"Authorization": f"Bearer {entra.token}"},
        )
        assert response.status_code == 400, where
        assert response.json and response.json["scimType"] == "invalidFilter", where


def test_it_tries_an_unusual_filter_on_few_rows_only(entra: Directory) -> None:
    fill(entra, 1001)
    refused = entra.refused("GET", '/Users?filter=title eq "Métier 3"', status=400, word="tooMany")
    assert "userName" in refused["detail"]
    found = entra.ask("GET", '/Users?filter=title eq "Métier 3" and userName sw "person-0001"')
    assert found["totalResults"] == 2
    both = entra.ask(
        "GET", '/Users?filter=title eq "Métier 3" and userName sw "person-000"&count=3'
    )
    assert both["totalResults"] == 14 and both["itemsPerPage"] == 3


def test_it_pages_at_the_edges(entra: Directory) -> None:
    ids = [entra.user()["id"] for _ in range(5)]
    for query, then, start in (
        ("", ids, 1),
        ("startIndex=1&count=2", ids[:2], 1),
        ("startIndex=3&count=2", ids[2:4], 3),
        ("startIndex=5&count=2", ids[4:], 5),
        ("startIndex=0&count=2", ids[:2], 1),
        ("startIndex=-7&count=2", ids[:2], 1),
        ("startIndex=6&count=2", [], 6),
        ("startIndex=99999999999999999999&count=2", [], 2**31),
        ("count=0", [], 1),
        ("count=-3", [], 1),
        ("count=99999999999999999999", ids, 1),
    ):
        page = entra.ask("GET", f"/Users?{query}")
        assert [one["id"] for one in page["Resources"]] == then, query
        assert page["totalResults"] == 5 and page["itemsPerPage"] == len(then), query
        assert page["startIndex"] == start, query
    for query in ("startIndex=x", "count=1.5", "count=one", f"count={'9' * 5000}"):
        entra.refused("GET", f"/Users?{query}", status=400, word="invalidValue")


@pytest.mark.parametrize("text", ["--5", "%2B-5", "1.5", "ten", "%D9%A3", "1" * 40, "+"])
def test_it_refuses_a_page_that_is_no_number(entra: Directory, text: str) -> None:
    for name in ("startIndex", "count"):
        entra.refused("GET", f"/Users?{name}={text}", status=400, word="invalidValue")


def test_it_shows_what_was_asked_for(entra: Directory) -> None:
    user = entra.user(title="Soudeuse", **{ENTERPRISE: {"department": "Atelier"}})
    path = f"/Users/{user['id']}"
    shown = entra.ask("GET", f"{path}?attributes=userName,{ENTERPRISE}:department,roles")
    assert shown.keys() == {"schemas", "id", "userName", ENTERPRISE}
    shown = entra.ask("GET", f"{path}?excludedAttributes=emails,title")
    assert not {"emails", "title"} & shown.keys() and shown["userName"] == user["userName"]
    page = entra.ask("GET", "/Users?attributes=name.givenName")
    assert page["Resources"][0]["name"] == {"givenName": "Ana"}
    entra.refused(
        "GET",
        f"{path}?attributes=userName&excludedAttributes=title",
        status=400,
        word="invalidValue",
    )
    made = entra.ask(
        "POST", "/Users?attributes=userName", {"schemas": [CORE], "userName": "z"}, 201
    )
    assert "meta" not in made and made["userName"] == "z"


def test_it_searches_without_a_filter_in_the_address(entra: Directory) -> None:
    ids = [entra.user(userName=f"u{n}", emails=None)["id"] for n in range(3)]
    group = entra.group("Atelier")["id"]
    body: dict[str, Any] = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    found = entra.ask("POST", "/Users/.search", body | {"filter": 'userName eq "u1"'})
    assert [one["id"] for one in found["Resources"]] == [ids[1]]
    found = entra.ask("POST", "/Groups/.search", body | {"attributes": ["displayName"]})
    assert found["Resources"][0]["displayName"] == "Atelier"
    every = entra.ask("POST", "/.search", body)
    assert [one["id"] for one in every["Resources"]] == [*ids, group]
    assert every["totalResults"] == 4
    part = entra.ask("POST", "/.search", body | {"startIndex": 3, "count": 2})
    assert [one["id"] for one in part["Resources"]] == [ids[2], group]
    found = entra.ask("POST", "/.search", body | {"filter": 'displayName eq "atelier"'})
    assert [one["id"] for one in found["Resources"]] == [group]
    entra.refused(
        "POST", "/.search", body | {"filter": 'nobody eq "x"'}, status=400, word="invalidFilter"
    )


def test_it_lists_five_thousand_users_in_stable_pages(entra: Directory) -> None:
    fill(entra, 5000)
    seen: list[str] = []
    for start in range(1, 5001, 500):
        page = entra.ask("GET", f"/Users?startIndex={start}&count=500")
        seen += [one["id"] for one in page["Resources"]]
        somebody = page["Resources"][0]["id"]
        entra.patch(f"/Users/{somebody}", {"op": "replace", "path": "title", "value": "Autre"})
        entra.user()  # people who come meanwhile stand behind the others
    assert len(seen) == len({*seen}) == 5000


def test_it_asks_the_database_little_however_many_there_are(
    app: Flask, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    okta = connect(app, kind="okta")
    fill(okta, 300)
    okta.ask("GET", "/Users?count=1")
    assert count_queries(lambda: okta.ask("GET", "/Users?count=300")) <= 4
    assert count_queries(lambda: okta.found('userName eq "person-00007@halvenne.example"')) <= 4


def test_it_finds_what_changed_since(entra: Directory) -> None:
    early = entra.user()
    clock.travel(dt.timedelta(hours=1))
    late = entra.user()
    db.session.rollback()
    since = late["meta"]["lastModified"]
    assert entra.found(f'meta.lastModified ge "{since}"') == [late["id"]]
    clock.travel(dt.timedelta(hours=1))
    entra.patch(f"/Users/{early['id']}", {"op": "replace", "path": "title", "value": "T"})
    assert entra.found(f'meta.lastModified gt "{since}"') == [early["id"]]
