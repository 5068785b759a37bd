"""Calls as HTTP carries them: whose they are, how large, what is answered, in SCIM's words."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

from flask import Blueprint, Flask, Response, g, make_response, request
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from app.crypto import token_hash
from app.db import db
from app.errors import DomainError
from app.provisioning.scim import activity, connections
from app.provisioning.scim.problems import Refused, document, invalid
from app.provisioning.scim.wire import JSONObject
from app.web import access
from app.web.errors import on_http_error

log = logging.getLogger(__name__)

PREFIX = "/scim/v2"
MEDIA_TYPE = "application/scim+json"
MEDIA_TYPES = (MEDIA_TYPE, "application/json")
MOST_BYTES = 1024 * 1024
CALLS = "1500 per minute"
"""Of one token. Entra ID wants at least 25 a second."""


# ---- Answers --------------------------------------------------------------------------------


def answer(body: JSONObject, status: int = 200) -> Response:
    """A document; a new one says where it is."""
    response = make_response(json.dumps(body, ensure_ascii=False, separators=(",", ":")), status)
    response.content_type = MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    location = (body.get("meta") or {}).get("location")
    if location and status in (200, 201):
        response.headers["Location" if status == 201 else "Content-Location"] = location
    return response


def nothing() -> Response:
    """Done, and nothing to say."""
    return Response(status=204)


def refusal(status: int, scim_type: str | None, detail: str) -> Response:
    """An error in SCIM's shape."""
    return answer(document(status, scim_type, detail), status)


# ---- Who calls ------------------------------------------------------------------------------


def caller() -> str:
    """Whose calls are counted together: the token's, or those of an address without one."""
    given = request.headers.get("Authorization")
    return f"scim:{token_hash(given)}" if given else f"scim:{request.remote_addr}"


def recognise() -> None:
    """Find the connection of the call, before anything of it is read. Raises `Unauthorized`,
    `Forbidden`."""
    g.pop("scim_connection", None)  # a context may serve several requests (a test)
    request.max_content_length = MOST_BYTES
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip().startswith(connections.PREFIX):
        found = connections.connection_of(token.strip())
        if found is None:
            raise Refused(401, None, "This token is unknown or has ended.")
        g.scim_connection = found
        return
    who = access.reader()
    if who is None:
        raise Refused(401, None, "A bearer token is needed here.")
    if "scim" not in (who.scopes or ()):
        raise Refused(403, None, "This token does not have the scope scim.")
    if "admin" not in who.roles:  # whose part of the directory it is, SCIM cannot tell
        raise Refused(403, None, "Its owner administers a part of the organisation only.")
    g.scim_connection = connections.default_connection()
    connections.note_use(g.scim_connection)


def connection() -> uuid.UUID:
    """The connection of this call."""
    found: uuid.UUID = g.scim_connection
    return found


# ---- What is sent ---------------------------------------------------------------------------


def body() -> JSONObject:
    """The object that was sent. Raises `Refused`: 413, 415, `invalidSyntax`."""
    if request.mimetype not in MEDIA_TYPES:
        raise Refused(415, None, f"Send {MEDIA_TYPE}.")
    try:
        found = json.loads(request.get_data(cache=False), parse_constant=_no_number)
        _refuse_unstorable(found)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "invalidSyntax", "This is no JSON that can be read.") from error
    if not isinstance(found, dict):
        raise Refused(400, "invalidSyntax", "The message is an object.")
    return found


def _no_number(name: str) -> float:
    raise ValueError(name)


def _refuse_unstorable(value: Any) -> None:
    """Characters that no database keeps."""
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and _has_surrogate(value)):
            raise invalid("A text holds characters that cannot be kept.")
    elif isinstance(value, list):
        for one in value:
            _refuse_unstorable(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(one)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


# ---- What goes wrong ------------------------------------------------------------------------


def _on_refused(error: Refused) -> Response:
    db.session.rollback()
    _count(error.kind)
    return refusal(error.status, error.scim_type, error.detail)


def _count(what: str) -> None:
    """A busy database is no reason for another answer."""
    if g.get("scim_connection") is None:
        return
    try:
        activity.count(g.scim_connection, what)
    except OperationalError:
        log.warning("a refused SCIM call could not be counted")
        db.session.rollback()


def _on_domain_error(error: DomainError) -> Response:
    db.session.rollback()
    _count(str(error.status))
    return refusal(error.status, None, str(error.sentence))


def _on_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    response = refusal(status, None, error.description or error.name)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _on_unstorable(error: DataError) -> Response:
    db.session.remove()
    log.info("unstorable value: %s", type(error.orig).__name__)
    return refusal(400, "invalidValue", "A value cannot be kept.")


def _outside(error: HTTPException) -> Response:
    """An address or a method that no route has; only ours are told in SCIM's words."""
    is_ours = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
    return _on_http_error(error) if is_ours else on_http_error(error)


def listen(blueprint: Blueprint) -> None:
    """Every call of the blueprint is recognised, every error told in SCIM's words."""
    blueprint.before_request(recognise)
    blueprint.register_error_handler(Refused, _on_refused)
    blueprint.register_error_handler(DomainError, _on_domain_error)
    blueprint.register_error_handler(HTTPException, _on_http_error)
    blueprint.register_error_handler(DataError, _on_unstorable)


def start(app: Flask) -> None:
    """What is refused before a route is found."""
    app.register_error_handler(NotFound, _outside)
    app.register_error_handler(MethodNotAllowed, _outside)
