"""Who may call, what HTTP says, and that two connections never meet."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock, create_app
from app.db import transaction
from app.errors import InvalidInput
from app.people import service as people
from app.people.models import Person, RoleGrant, Segment
from app.provisioning.scim import answers, connections, queries
from tests.conftest import House, serving, settings_for
from tests.provisioning.scim_kit import CORE, PATCH, Directory, connect, person


@pytest.fixture
def entra(app: Flask) -> Directory:
    return connect(app)


def _get(app: Flask, token: str | None, path: str = "/Users", scheme: str = "Bearer") -> Any:
    headers = {"Authorization": f"{scheme} {token}"} if token is not None else {}
    return app.test_client().get(f"/scim/v2{path}", headers=headers)


# --- tokens ----------------------------------------------------------------------------------


def test_it_lets_nobody_in_without_a_token_of_its_own(house: House, entra: Directory) -> None:
    admin = house.person("Admin", "admin")
    narrow = people.issue_token(admin.id, "api", ["people:write"])
    for token, status in (
        (None, 401), ("", 401), ("pvs_wrong", 401), ("pvx_" + "a" * 43, 401), (narrow, 403),
        (entra.token + "x", 401),
    ):  # fmt: skip
        for path in ("/Users", "/Groups", f"/Users/{uuid.uuid4()}", "/Schemas"):
            response = _get(house.app, token, path)
            assert response.status_code == status, (token, path)
            assert response.json["status"] == str(status)
            if status == 401:
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert _get(house.app, entra.token, scheme="Basic").status_code == 401
    assert _get(house.app, entra.token, scheme="bearer").status_code == 200
    browser = house.browser(admin)  # a session is no token
    assert browser.get("/scim/v2/Users").status_code == 401


def test_it_lets_a_token_of_the_product_in_with_the_scope(house: House) -> None:
    admin = house.person("Admin", "admin")
    house.person("Another", "admin")
    token = people.issue_token(admin.id, "scim", ["scim"], by_console=True)
    mine = Directory(house.app.test_client(), token, uuid.uuid4())
    user = mine.user()
    assert person(user).name == "Ana Le Goff"
    rows = queries.connections()
    assert [(row.is_default, row.users) for row in rows] == [(True, 1)] and rows[0].used_at
    people.change_roles(admin.id, [])
    assert mine.call("GET", "/Users").status_code == 403


def test_it_lets_nobody_in_who_administers_a_part_only(house: House) -> None:
    admin = house.person("Admin", "admin")
    house.person("Another", "admin")
    made_before = people.issue_token(admin.id, "scim", ["scim"], by_console=True)
    with transaction() as session:
        part = Segment(name="Grenoble")
        session.add(part)
        session.flush()
        session.execute(
            update(RoleGrant)
            .where(RoleGrant.person_id == admin.id, RoleGrant.role == "admin")
            .values(segment_id=part.id)
        )
    for path in ("/Users", "/Groups", "/Schemas"):
        assert _get(house.app, made_before, path).status_code == 403, path
    with pytest.raises(InvalidInput):
        people.issue_token(admin.id, "scim", ["scim"], by_console=True)
    assert people.issue_token(admin.id, "api", ["people:write"])


def test_it_knows_two_tokens_while_one_replaces_the_other(app: Flask, entra: Directory) -> None:
    first = entra.token
    second = connections.rotate(entra.id, actor_id=None)
    assert [_get(app, t).status_code for t in (first, second)] == [200, 200]
    clock.travel(dt.timedelta(seconds=1))
    third = connections.rotate(entra.id, actor_id=None)
    assert [_get(app, t).status_code for t in (first, second, third)] == [401, 200, 200]
    connections.retire(entra.id, actor_id=None)
    assert [_get(app, t).status_code for t in (second, third)] == [401, 200]
    connections.remove(entra.id, actor_id=None)
    assert _get(app, third).status_code == 401


def test_it_cuts_a_connection_and_keeps_its_people_and_lists(entra: Directory) -> None:
    user = entra.user()
    group = entra.group("Atelier", user["id"])
    connections.remove(entra.id, actor_id=None)
    from app.db import db
    from app.people.models import Segment, SegmentPerson

    assert person(user).departed_at is None
    assert db.session.get(Segment, uuid.UUID(group["id"]))
    assert db.session.get(SegmentPerson, (uuid.UUID(group["id"]), uuid.UUID(user["id"])))


# --- isolation -------------------------------------------------------------------------------


def test_it_keeps_two_connections_apart(any_app: Flask) -> None:
    a, b = connect(any_app, "A"), connect(any_app, "B", "okta")
    mine = a.user(
        userName="jdoe", externalId="1", emails=[{"type": "work", "value": "j@a.example"}]
    )
    theirs = b.user(
        userName="JDoe", externalId="1", emails=[{"type": "work", "value": "j@b.example"}]
    )
    assert mine["id"] != theirs["id"]
    assert a.found('userName eq "jdoe"') == [mine["id"]]
    assert b.found('userName eq "jdoe"') == [theirs["id"]]
    group = a.group("Atelier", mine["id"])
    b.group("Atelier", theirs["id"])
    change = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}
    for path in (f"/Users/{mine['id']}", f"/Groups/{group['id']}"):
        nobody = f"{path.rsplit('/', 1)[0]}/{uuid.uuid4()}"
        whole = {"userName": "x", "displayName": "x"}
        for method, body in (
            ("GET", None), ("DELETE", None), ("PATCH", change), ("PUT", whole),
        ):  # fmt: skip
            other = b.refused(method, path, body, status=404)
            assert other == b.refused(method, nobody, body, status=404)
    b.refused(
        "POST",
        "/Users",
        {"schemas": [CORE], "userName": "j@a.example"},
        status=409,
        word="uniqueness",
    )
    assert person(mine).departed_at is None
    assert b.ask("POST", "/.search", {})["totalResults"] == 2


# --- HTTP ----------------------------------------------------------------------------------------


def test_it_speaks_of_errors_in_scims_words(entra: Directory) -> None:
    for path in (
        "/Nowhere",
        f"/Users/{uuid.uuid4()}",
        "/Users/no-id",
        "/Users/a/b",
        "/Schemas/urn:x",
        "/ResourceTypes/Pet",
    ):
        entra.refused("GET", path, status=404)
    for method, path in (
        ("DELETE", "/Users"), ("PATCH", "/Groups"), ("POST", "/ServiceProviderConfig"),
        ("PUT", "/Schemas"), ("POST", f"/Users/{uuid.uuid4()}"), ("POST", "/ResourceTypes"),
    ):  # fmt: skip
        response = entra.call(method, path, {} if method != "DELETE" else None)
        assert response.status_code == 405 and response.json
        assert response.content_type == "application/scim+json"
        assert "GET" in response.headers["Allow"] and response.json["status"] == "405"
    for method in ("GET", "PATCH"):
        entra.refused(method, "/Me", status=501)
    entra.refused("POST", "/Bulk", {"Operations": []}, status=501)
    entra.refused("GET", "/Schemas?filter=id pr", status=403)


def test_it_takes_json_alone_and_not_much_of_it(entra: Directory) -> None:
    body = {"schemas": [CORE], "userName": "a"}
    for kind in (
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        response = entra.call("POST", "/Users", body, kind=kind)
        assert response.status_code == 415, kind
    for kind in ("application/json", "application/scim+json; charset=utf-8"):
        made = entra.call("POST", "/Users", body | {"userName": kind}, kind=kind)
        assert made.status_code == 201, kind
    large = {"schemas": [CORE], "userName": "b", "nickName": "x" * 1024 * 1024}
    entra.refused("POST", "/Users", large, status=413)
    many = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "T"}] * 1001}
    entra.refused("PATCH", f"/Users/{entra.user()['id']}", many, status=413)


def test_it_refuses_what_is_no_message(entra: Directory) -> None:
    deep = "[" * 100_000
    for raw in ("", "{", "[]", '"x"', "null", '{"userName": NaN}', deep, '{"a":' * 5000, "\xff"):
        response = entra.client.post(
            "/scim/v2/Users",
            data=raw.encode("latin-1"),
            content_type="application/scim+json",
            headers={"Authorization": f"Bearer {entra.token}"},
        )
        assert response.status_code == 400, raw[:20]
        assert response.json and response.json["scimType"] == "invalidSyntax"
    nested: Any = "x"
    for _ in range(500):
        nested = {"value": nested}
    entra.refused(
        "POST", "/Users", {"userName": "a", "title": nested}, status=400, word="invalidValue"
    )
    assert entra.ask("GET", "/Users")["totalResults"] == 0


def test_it_announces_what_it_does(entra: Directory) -> None:
    config = entra.ask("GET", "/ServiceProviderConfig")
    assert config["patch"]["supported"] and config["filter"]["supported"]
    assert not any(config[name]["supported"] for name in ("bulk", "sort", "etag", "changePassword"))
    types = entra.ask("GET", "/ResourceTypes")
    assert {one["name"] for one in types["Resources"]} == {"User", "Group"}
    schemas = entra.ask("GET", "/Schemas")
    names = {a["name"] for one in schemas["Resources"] for a in one["attributes"]}
    assert "userName" in names
    assert not names & {"password", "phoneNumbers", "addresses", "photos", "x509Certificates"}
    for one in schemas["Resources"]:
        assert entra.ask("GET", f"/Schemas/{one['id']}")["id"] == one["id"]


@pytest.fixture
def limited(template: Path, tmp_path: Path) -> Iterator[Flask]:
    """The product with its limits, which other tests do without."""
    shutil.copy(template, tmp_path / "portevoix.db")
    yield from serving(create_app(settings_for(tmp_path, ENV="production")))


def test_it_slows_a_token_that_calls_too_often(
    limited: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra, other = connect(limited, "A"), connect(limited, "B")
    monkeypatch.setattr(answers, "CALLS", "5 per day")
    statuses = [entra.call("GET", "/Me").status_code for _ in range(6)]
    assert statuses == [501] * 5 + [429]
    response = entra.call("GET", "/Users")
    assert response.status_code == 429 and response.json and response.json["status"] == "429"
    assert response.content_type == "application/scim+json"
    assert int(response.headers["Retry-After"]) > 0
    assert other.call("GET", "/Users").status_code == 200


def test_it_counts_what_happens_and_names_nobody(entra: Directory) -> None:
    user = entra.user()
    entra.refused("POST", "/Users", {"userName": user["userName"]}, status=409, word="uniqueness")
    entra.refused("GET", f"/Users/{uuid.uuid4()}", status=404)
    found = queries.connection(entra.id)
    assert ("created", 1) in found.done
    assert found.refused == [("404", 1), ("409 uniqueness", 1)]
    assert found.row.used_at == clock.now() and found.tokens[0].used_at == clock.now()


def test_it_leaves_no_word_of_a_call_in_the_log(
    entra: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    user = entra.user(userName="marker@halvenne.example")
    entra.refused(
        "POST", "/Users", {"userName": "MARKER@halvenne.example"}, status=409, word="uniqueness"
    )
    entra.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})
    text = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "sqlalchemy"
    )
    assert "marker" not in text.lower() and entra.token not in text


def test_it_erases_what_it_knows(house: House, entra: Directory) -> None:
    from app import personal_data
    from app.db import db, transaction
    from app.provisioning.scim.models import ScimUser

    user = entra.user(userName="marker@halvenne.example")
    subject = personal_data.Subject("person", uuid.UUID(user["id"]))
    with transaction() as session:
        for holding in personal_data.holdings("person"):
            if holding.key == "scim.user":
                said = [*holding.exports["person"](session, subject.id)]
                holding.erasures["person"](session, subject)
    assert "marker" in json.dumps(said, default=str)
    assert db.session.query(ScimUser).count() == 0
    entra.refused("GET", f"/Users/{user['id']}", status=404)
    assert db.session.get(Person, uuid.UUID(user["id"])) is not None
