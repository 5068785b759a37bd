"""Connecting LinkedIn as a member does it: our page, the stand-in's page, and back."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import outbox
from app.db import db
from app.people.models import Person
from app.sharing import disclosures, grants
from app.sharing.models import Grant
from standin.linkedin import StandIn
from tests.conftest import House
from tests.sharing.kit import accept

PAGE = "/sharing/linkedin"
CALLBACK = f"{PAGE}/callback"
MAELLE, GAEL = "mQ2xS7kLp9", "gT5rW8vBn3"


def newcomer(house: House, name: str = "Maëlle Kerjan", *roles: str, **more: Any) -> Person:
    """Somebody who joined and agreed to the charter, but has not connected anything."""
    disclosures.ensure_defaults()
    person = house.person(name, *roles, **{"language": "en"} | more)
    accept(person.id)
    outbox.drain()
    db.session.refresh(person)
    db.session.expunge(person)  # a view that talks to the network gives its session back
    return person


def ask(client: FlaskClient, **fields: str) -> TestResponse:
    """Press the button of our own page, the box ticked."""
    return client.post(f"{PAGE}/grants", data={"consent": grants.CONSENT_VERSION} | fields)


def go(client: FlaskClient, **fields: str) -> str:
    """On the way: LinkedIn's address."""
    answer = ask(client, **fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def state_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def agree(standin: StandIn, address: str, member: str = MAELLE, decision: str = "allow") -> str:
    """Answer there; the path that leads back."""
    back = urlsplit(standin.authorize(address, member=member, decision=decision))
    assert back.path == CALLBACK
    return f"{back.path}?{back.query}"


def code_in(path: str) -> str:
    return parse_qs(urlsplit(path).query)["code"][0]


def connect(
    client: FlaskClient, standin: StandIn, member: str = MAELLE, **fields: str
) -> TestResponse:
    """The whole way."""
    return client.get(agree(standin, go(client, **fields), member))


def all_grants() -> list[tuple[uuid.UUID, str]]:
    """Whose grant is for which profile."""
    db.session.rollback()
    rows = db.session.execute(select(Grant.person_id, Grant.subject))
    return [(row.person_id, row.subject) for row in rows]
