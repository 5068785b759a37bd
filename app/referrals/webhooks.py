"""The door for tracking systems: verify the raw bytes, store, acknowledge.

Order of the checks and their answers: method 405, size 413, content type and encoding 415,
connection 404, signature 401, unreadable 400; then the vendor's own success code. Nothing is
parsed before the signature is good.
"""

from __future__ import annotations

import json

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from app.db import db
from app.integrations.events import BadSignature, UnreadableBody
from app.integrations.registry import CONNECTORS
from app.referrals import ats
from app.referrals.models import Connection
from app.web import access
from app.web.errors import problem

MAX_BODY = 1024 * 1024
webhooks = Blueprint("webhooks", __name__)


@webhooks.post("/webhooks/ats/<public_id>")
@access.signed
def receive(public_id: str) -> Response:
    """One signed event of one connection."""
    request.max_content_length = MAX_BODY
    if (request.content_length or 0) > MAX_BODY:
        return problem(413, "too-large", _("This event is larger than 1 MiB."))
    if request.mimetype != "application/json":
        return problem(415, "unsupported-media-type", _("Events are read as application/json."))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return problem(415, "unsupported-encoding", _("Compressed events are not read."))
    connection = _connection(public_id)
    if connection is None or connection.kind not in CONNECTORS:
        return problem(404, "not-found", _("There is no such connection."))
    return _store(connection, request.get_data(cache=True))


def _connection(public_id: str) -> Connection | None:
    return db.session.scalars(
        select(Connection).where(Connection.public_id == public_id, Connection.deleted_at.is_(None))
    ).one_or_none()


def _store(connection: Connection, raw: bytes) -> Response:
    connector = CONNECTORS[connection.kind]
    headers = {name.lower(): value for name, value in request.headers.items()}
    secrets: list[str] = json.loads(connection.secrets_json)
    try:
        connector.verify(secrets, headers, raw)
        said = connector.parse(raw, ats.event_settings(connection))
    except BadSignature:
        return problem(401, "bad-signature", _("The signature does not fit the body."))
    except UnreadableBody as error:
        return problem(400, "unreadable", _("This event cannot be read: %(why)s.", why=error.code))
    ats.receive(connection, connector.event_id(headers, raw), said, raw)
    return Response(status=connector.success_status)
