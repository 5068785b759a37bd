"""The directory, and the connections to tracking systems."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from flask_smorest import Blueprint

from app import clock, personal_data, rights
from app.api import schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page, part_of
from app.people import queries, role_approvals
from app.people import service as people
from app.people.models import Person
from app.people.text import is_nowhere
from app.personal_data import PERSON
from app.referrals import connections
from app.web import access

blueprint = Blueprint("api_people", __name__, description="People and connections")


def _email(person: Person | queries.PersonRow) -> str | None:
    """The address; None of somebody who has none."""
    return None if is_nowhere(person.email) else person.email


def _person(person: Person) -> Json:
    """Granted roles only: no list ever tells who joined and who did not (rule W2). A role that
    waits for a second person is not among them."""
    return {
        "id": person.id, "kind": person.kind, "name": person.name, "email": _email(person),
        "employee_id": person.employee_id, "language": person.language,
        "roles": sorted(person.roles - {"member"}), "departed_at": person.departed_at,
        "roles_waiting": role_approvals.roles_waiting([person.id]).get(person.id, []),
    }  # fmt: skip


@blueprint.get("/people")
@access.api("read", "admin")
@blueprint.arguments(schemas.Paging, location="query")
@blueprint.response(200, schemas.page_of(schemas.PersonOut))
def people_list(query: dict[str, str]) -> Json:
    """The directory, for administrators. It says who may come, never who takes part how much."""
    limit = int(query["limit"])
    found = queries.people_page(after=query.get("after"), limit=limit)
    waiting = role_approvals.roles_waiting([row.id for row in found.items])
    items = [
        asdict(row) | {"email": _email(row), "roles_waiting": waiting.get(row.id, [])}
        for row in found.items
    ]
    return page(items, found.next, limit)


@blueprint.post("/people")
@idempotent
@access.api("people:write", "admin")
@blueprint.arguments(schemas.PersonIn)
@blueprint.response(201, schemas.PersonOut)
def add_person(fields: Json) -> Json:
    """A directory entry. `member` comes only from joining; asking for it is refused. Roles that a
    second person decides about are told in `roles_waiting`."""
    roles = fields.pop("roles")
    person, _waits = role_approvals.add_person(
        people.Profile(**fields),  # type: ignore[arg-type]
        roles if isinstance(roles, list) else [],
        actor_id=access.me().person_id,
    )
    return _person(person)


@blueprint.post("/people/<person_id>/departure")
@idempotent
@access.api("people:write", "admin")
@blueprint.response(201, schemas.PersonOut)
def departure(person_id: str) -> Json:
    """The person left the company: sessions, tokens and rights end at once."""
    people.depart(as_id(person_id), actor_id=access.me().person_id)
    return _person(queries.person(as_id(person_id)))


@blueprint.post("/people/<person_id>/erasure")
@idempotent
@access.api("people:write", "admin")
@blueprint.response(201, schemas.ErasureOut)
def erasure(person_id: str) -> Json:
    """Erase a person everywhere, at once and for good; `stays` says what a duty of the law keeps,
    without a name. The person leaves first, where they had not."""
    found = queries.person(as_id(person_id))
    rights.erase(PERSON, found.id, asked_by=rights.API, actor_id=access.me().person_id)
    stays = [str(h.stays) for h in personal_data.holdings(PERSON) if h.stays]
    return {"id": as_id(person_id), "erased_at": clock.now(), "stays": stays}


@blueprint.get("/connections")
@access.api("read", "recruiter", "admin")
@blueprint.arguments(schemas.Paging, location="query")
@blueprint.response(200, schemas.page_of(schemas.ConnectionOut))
def connections_list(query: Json) -> Json:
    """Tracking systems we hear from. Secrets are never shown."""
    return part_of(connections.list_connections(), lambda row: row.id, query, _connection)


def _connection(row: connections.ConnectionRow) -> Json:
    return {
        "id": row.id, "kind": row.kind, "name": row.name, "api_url": row.api_url,
        "settings": row.settings, "created_at": row.created_at,
        "webhook_url": connections.webhook_url(row),
    }  # fmt: skip


@blueprint.post("/connections")
@idempotent
@access.api("connections:write", "recruiter", "admin")
@blueprint.arguments(schemas.ConnectionIn)
@blueprint.response(201, schemas.ConnectionOut)
def add_connection(fields: Json) -> Json:
    """A new connection; give the answered `webhook_url` to the tracking system."""
    made = connections.create_connection(
        **fields,  # type: ignore[arg-type]
        actor_id=access.me().person_id,
    )
    return _connection(connections.get_connection(made.id))


@blueprint.get("/connections/<connection_id>")
@access.api("read", "recruiter", "admin")
@blueprint.response(200, schemas.ConnectionOut)
def connection(connection_id: str) -> Json:
    """One connection."""
    return _connection(connections.get_connection(as_id(connection_id)))


@blueprint.delete("/connections/<connection_id>")
@access.api("connections:write", "recruiter", "admin")
@blueprint.response(204)
def delete_connection(connection_id: str) -> Response | None:
    """Stop hearing from a system. What it told stays."""
    connections.delete_connection(as_id(connection_id), actor_id=access.me().person_id)
    return None
