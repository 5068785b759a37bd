"""A directory that calls ours: a token, the shapes of Entra ID and Okta, and what comes back."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db import db
from app.people.models import Person
from app.provisioning.scim import connections

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Directory:
    """One connection and its token."""

    client: FlaskClient
    token: str
    id: uuid.UUID

    def call(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/scim+json"
    ) -> TestResponse:
        return self.client.open(
            f"/scim/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body),
            content_type=None if body is None else kind,
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        response = self.call(method, path, body)
        assert response.status_code == status, response.get_data(as_text=True)
        if status != 204:
            assert response.content_type == "application/scim+json"
        return response.json if status != 204 else None

    def refused(
        self, method: str, path: str, body: Any = None, *, status: int, word: str | None = None
    ) -> Any:
        found = self.ask(method, path, body, status)
        assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert found["status"] == str(status)
        assert found.get("scimType") == word, found
        return found

    def patch(self, path: str, *operations: Any, status: int = 200) -> Any:
        body = {"schemas": [PATCH], "Operations": [*operations]}
        return self.ask("PATCH", path, body, status)

    def patch_refused(self, path: str, *operations: Any, status: int = 400, word: str) -> Any:
        body = {"schemas": [PATCH], "Operations": [*operations]}
        return self.refused("PATCH", path, body, status=status, word=word)

    def user(self, **more: Any) -> Any:
        """A user as Entra ID makes one."""
        name = more.pop("userName", f"ana-{uuid.uuid4().hex[:8]}@halvenne.example")
        body = {
            "schemas": [CORE, ENTERPRISE],
            "externalId": str(uuid.uuid4()),
            "userName": name,
            "active": True,
            "emails": [{"primary": True, "type": "work", "value": name}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Ana Le Goff", "familyName": "Le Goff", "givenName": "Ana"},
            "roles": [],
        }
        body |= more
        return self.ask("POST", "/Users", {k: v for k, v in body.items() if v is not None}, 201)

    def group(self, name: str = "Atelier", *members: str, **more: Any) -> Any:
        body = {
            "schemas": [GROUP],
            "displayName": name,
            "members": [{"value": one} for one in members],
        } | more
        return self.ask("POST", "/Groups", body, 201)

    def found(self, where: str, kind: str = "Users") -> list[str]:
        page = self.client.get(
            f"/scim/v2/{kind}",
            query_string={"filter": where},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert page.status_code == 200, page.json
        return [one["id"] for one in page.json["Resources"]]

    def members(self, group_id: str) -> set[str]:
        group = self.ask("GET", f"/Groups/{group_id}")
        return {one["value"] for one in group.get("members", [])}


def connect(app: Flask, name: str = "Halvenne", kind: str = "entra") -> Directory:
    made, token = connections.create(name, kind, actor_id=None)
    return Directory(app.test_client(), token, made)


def person(user: Any) -> Person:
    """The entry behind a user, as it is in the database now."""
    found = db.session.get(Person, uuid.UUID(user["id"]), populate_existing=True)
    assert found is not None
    return found
