"""`/me`: the caller, their points and the reason of each."""

from __future__ import annotations

import uuid

from flask_smorest import Blueprint

from app import clock
from app.api import schemas
from app.api.resources.common import Json, page
from app.db import db
from app.people import queries as people
from app.people.models import Person
from app.play import accounts, statement
from app.sharing import grants
from app.web import access
from app.web.i18n import language

blueprint = Blueprint("api_me", __name__, description="The caller")


@blueprint.get("/me")
@access.api("read")
@blueprint.response(200, schemas.Me)
def me() -> Json:
    """The person this token belongs to."""
    person = db.session.get_one(Person, access.me().person_id)
    return {
        "id": person.id, "name": person.name, "email": person.email, "kind": person.kind,
        "language": person.language, "member": person.is_member, "roles": sorted(person.roles),
        "consents": [_consent(c) for c in people.choices_of(person.id)], "grants": _grants(person.id),
    }  # fmt: skip


def _grants(person_id: uuid.UUID) -> list[Json]:
    grant = grants.grant_of(person_id)
    if grant is None:
        return []
    state = grant.state if grant.expires_at > clock.now() else "expired"
    return [{"network": grant.network, "state": state, "expires_at": grant.expires_at}]


def _consent(choice: people.Choice) -> Json:
    return {
        "purpose": choice.purpose.code, "text_version": choice.purpose.version,
        "granted_at": choice.granted_at, "withdrawn_at": choice.withdrawn_at,
    }  # fmt: skip


@blueprint.get("/me/balance")
@access.api("read")
@blueprint.response(200, schemas.Balance)
def balance() -> object:
    """Points to spend, points on the way, and the path so far, which never falls by spending."""
    return accounts.balance_of(access.me().person_id)


@blueprint.get("/me/entries")
@access.api("read")
@blueprint.arguments(schemas.Paging, location="query")
@blueprint.response(200, schemas.page_of(schemas.Entry))
def entries(query: Json) -> Json:
    """Every line of points, newest first, with its rule and its reason in words."""
    limit = int(str(query["limit"]))
    after = query.get("after")
    lines, next_cursor = statement.lines(
        access.me().person_id,
        language=language(),
        after=str(after) if after else None,
        limit=limit,
    )
    return page([_entry(line) for line in lines], next_cursor, limit)


def _entry(line: statement.Line) -> Json:
    rule = line.rule
    return {
        "id": line.id, "amount": line.amount, "state": line.state, "code": line.code,
        "reference": line.reference, "reason": line.reason or line.title,
        "rule": {"name": rule.name(language()), "version": rule.version} if rule else None,
        "effective_at": line.due_at if line.state == "pending" and line.due_at else line.effective_at,
        "due_at": line.due_at,
    }  # fmt: skip
