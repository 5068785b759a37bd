"""One place where errors meet their reader: a page for people, problem+json for programs."""

from __future__ import annotations

import logging
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.db import db
from app.errors import DomainError, InvalidInput, Unauthorized
from app.web.access import way_back
from app.web.pages import redirect_to

log = logging.getLogger(__name__)

TYPE_BASE = "https://portevoix.org/problems/"
RETRY_SECONDS = 5


def wants_json() -> bool:
    """Programs call the API and the webhooks."""
    return request.path.startswith(("/api/", "/webhooks/", "/scim/"))


def problem(
    status: int, code: str, title: str, errors: dict[str, list[str]] | None = None, detail: str = ""
) -> Response:
    """RFC 9457. `type` is stable and ends in `code`; `title` is in the caller's language."""
    body: dict[str, object] = {"type": TYPE_BASE + code, "title": title, "status": status}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    response = make_response(jsonify(body), status)
    response.content_type = "application/problem+json"
    return response


def _page(status: int, title: str, text: str) -> Response:
    """An error page that needs no database, so it can also tell that the database is away."""
    from app.web.access import rule_of

    rule = rule_of(request.endpoint)
    g.reader = g.get("reader")
    public = rule is None or rule.who in ("public", "signed") or g.reader is None
    template = "errors/public.html" if public else "errors/error.html"
    layout = "layout/public.html" if public else "layout/page.html"
    if request.headers.get("HX-Request") == "true":
        layout = "layout/bare.html"
    return make_response(
        render_template(template, layout=layout, code=status, title=title, happened=text), status
    )


def on_domain_error(error: DomainError) -> Response:
    """What the rules of the product refuse."""
    db.session.rollback()
    if wants_json():
        errors = None
        if isinstance(error, InvalidInput):
            errors = {k: [str(s) for s in v] for k, v in error.errors.items()}
        return problem(error.status, error.code, str(error.sentence), errors)
    if isinstance(error, Unauthorized) and request.method in ("GET", "HEAD", "POST"):
        target = way_back() if request.method == "GET" else ""
        return redirect_to(f"/sign-in?next={quote(target)}" if target else "/sign-in")
    return _page(error.status, str(error.sentence), "")


def _http_titles() -> dict[int, tuple[str, str]]:
    return {
        400: (_("This request cannot be read"), _("Nothing was changed. Please go back and try again.")),
        403: (_("This is not yours to open"), _("If you think it should be, ask your administrator.")),
        404: (_("There is no such page"), _("The address may be old or mistyped.")),
        405: (_("This address does not do that"), _("Nothing was changed.")),
        410: (_("This was withdrawn"), _("It existed, and its owner took it back.")),
        413: (_("This is too large"), _("Nothing was kept. Documents may weigh up to 25 MB.")),
        415: (_("This kind of content is not read here"), _("Nothing was changed.")),
        422: (_("Something in the form needs another look"), _("Nothing was changed.")),
        429: (_("A little slower, please"), _("Wait a minute, then try again.")),
    }  # fmt: skip


def on_http_error(error: HTTPException) -> Response:
    """What Flask and its extensions refuse."""
    status = error.code or 500
    if error.response is not None and status < 400:
        return make_response(error.response)
    title, text = _http_titles().get(status, (HTTPStatus(status).phrase, ""))
    if wants_json():
        data = getattr(error, "data", None) or {}
        messages = data.get("messages") if isinstance(data, dict) else None
        code = HTTPStatus(status).phrase.lower().replace(" ", "-")
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            code = "invalid-input"
        response = problem(status, code, title, _flatten(messages), "")
    else:
        response = _page(status, title, text)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _flatten(messages: object) -> dict[str, list[str]] | None:
    """webargs answers {location: {field: [sentence]}}; the caller wants {field: [sentence]}."""
    if not isinstance(messages, dict):
        return None
    fields: dict[str, list[str]] = {}
    for by_field in messages.values():
        if isinstance(by_field, dict):
            for field, sentences in by_field.items():
                fields[str(field)] = [str(s) for s in _sentences(sentences)]
    return fields or None


def _sentences(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [s for inner in value.values() for s in _sentences(inner)]
    return [value]


def on_csrf_error(error: CSRFError) -> Response:
    """The form is older than the session: what was typed is still in the browser."""
    title = _("This form has waited too long")
    return _page(400, title, _("Go back, reload the page, and send it again. Nothing was changed."))


def on_database_error(error: Exception) -> Response:
    """The database is away or busy for long: nothing was changed, come back in a moment."""
    log.warning("database unavailable: %s", type(error).__name__)
    db.session.remove()
    g.reader = None
    title = _("We cannot reach our records for a moment")
    text = _("Nothing was changed. What you typed is still in your browser: please try again.")
    response = (
        problem(503, "unavailable", title, None, text) if wants_json() else _page(503, title, text)
    )
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def on_unstorable(error: DataError) -> Response:
    """A value that no database column takes, such as a text with a NUL character."""
    log.info("unstorable value: %s", type(error.orig).__name__)
    db.session.remove()
    title = _("Something you sent holds characters that cannot be kept")
    text = _("Nothing was changed. Please take them out and send it again.")
    return (
        problem(422, "invalid-input", title, None, text)
        if wants_json()
        else _page(422, title, text)
    )


def on_driver_error(error: DBAPIError) -> Response:
    """Only a lost connection is a pause; anything else is our mistake and must be seen."""
    if error.connection_invalidated or isinstance(error, OperationalError):
        return on_database_error(error)
    raise error


def start(app: Flask) -> None:
    """Register the readers' side of every error."""
    app.register_error_handler(DomainError, on_domain_error)
    app.register_error_handler(CSRFError, on_csrf_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(DataError, on_unstorable)
    app.register_error_handler(DBAPIError, on_driver_error)
    app.register_error_handler(PoolTimeout, on_database_error)
    app.register_error_handler(500, on_internal_error)


def on_internal_error(error: Exception) -> Response:
    """Our mistake: said plainly, without details."""
    db.session.remove()
    title = _("Something broke on our side")
    text = _("It was noted. Nothing you sent was half done; please try again in a moment.")
    return problem(500, "internal", title) if wants_json() else _page(500, title, text)
