"""One place where errors meet their reader: a page for people, problem+json for programs."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.db import db
from app.errors import DomainError, InvalidInput, Unauthorized
from app.web import access, mishaps, parked
from app.web.access import way_back
from app.web.mishaps import Mishap
from app.web.pages import is_htmx, redirect_to

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


def _again(page: str) -> Response:
    """The page of a form once more. An address that differs in its fragment alone loads
    nothing, so a script is told to load the page that it is on."""
    here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if is_htmx() and here == urlsplit(page).path:
        return Response(status=204, headers={"HX-Refresh": "true"})
    return redirect_to(page)


def _page(status: int, said: Mishap, reference: str = "") -> Response:
    """An error page that needs no database, so it can also tell that the database is away."""
    rule = access.rule_of(request.endpoint)
    g.reader = g.get("reader")
    public = rule is None or rule.who in ("public", "signed") or g.reader is None
    template = "errors/public.html" if public else "errors/error.html"
    layout = "layout/public.html" if public else "layout/page.html"
    if request.headers.get("HX-Request") == "true":
        layout = "layout/bare.html"
    address, label = said.action or _way_on(rule)
    page = render_template(
        template,
        layout=layout,
        code=status,
        title=said.title,
        happened=said.happened,
        kept=said.kept,
        todo=said.todo,
        action_url=address,
        action_label=label,
        reference=reference,
    )
    return make_response(page, status)


def _way_on(rule: access.Rule | None) -> tuple[str, str]:
    """The one useful thing to do: for visitors the page they came by says it better."""
    if rule is not None and rule.who in ("public", "signed"):
        return "", ""
    return "/", _("Back to the first page")


def on_domain_error(error: DomainError) -> Response:
    """What the rules of the product refuse."""
    db.session.rollback()
    if wants_json():
        errors = None
        if isinstance(error, InvalidInput):
            errors = {k: [str(s) for s in v] for k, v in error.errors.items()}
        return problem(error.status, error.code, str(error.sentence), errors)
    if isinstance(error, Unauthorized) and request.method in ("GET", "HEAD", "POST"):
        return _to_the_door(error.door)
    return _page(error.status, mishaps.refused(error.status, str(error.sentence)))


def _to_the_door(door: str) -> Response:
    """Sign in first, then go on where one was: what was typed waits there."""
    if request.method != "POST":
        target = way_back() if request.method == "GET" else ""
    else:
        typed = parked.typed()
        if typed is not None and typed.is_too_long:
            return _too_long_to_keep()
        target = typed.page if typed is not None and _is_kept(typed) else ""
    return redirect_to(f"{door}?next={quote(target)}" if target else door)


def _is_kept(typed: parked.Typed) -> bool:
    try:
        parked.keep(typed)
    except SQLAlchemyError:
        log.exception("a form could not be kept")
        db.session.rollback()
        return False
    return True


def _too_long_to_keep() -> Response:
    """More than is kept for anybody: it is still where it was typed."""
    said = Mishap(
        _("Your session has ended"),
        _("Nothing was sent, and this is too long for us to keep while you sign in."),
        kept=_("Your words are still in your browser."),
        todo=_("Go back one page and copy them. Then sign in, and put them in again."),
        action=("/sign-in", _("Sign in")),
    )
    return _page(401, said)


def on_http_error(error: HTTPException) -> Response:
    """What Flask and its extensions refuse."""
    status = error.code or 500
    if error.response is not None and status < 400:
        return make_response(error.response)
    said = mishaps.words(status)
    if wants_json():
        data = getattr(error, "data", None) or {}
        messages = data.get("messages") if isinstance(data, dict) else None
        code = HTTPStatus(status).phrase.lower().replace(" ", "-")
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            code = "invalid-input"
        response = problem(status, code, said.title, _flatten(messages), "")
    else:
        response = _page(status, said)
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
    """The form is older than the session. If it was one of ours it is kept, and waits on its
    page for another press."""
    try:
        reader, typed = access.reader(), parked.typed()
    except DBAPIError as away:
        return on_driver_error(away)
    if typed is not None and not typed.is_too_long and _is_kept(typed):
        return _again(typed.page) if reader else redirect_to(f"/sign-in?next={quote(typed.page)}")
    said = Mishap(
        _("This form has waited too long"),
        _("Nothing was changed."),
        kept=_("What you typed is still in your browser."),
        todo=_("Go back, reload the page, and send it again."),
    )
    return _page(400, said)


def on_database_error(error: Exception) -> Response:
    """The database is away or busy for long: nothing was changed, come back in a moment."""
    log.warning("database unavailable: %s", type(error).__name__)
    db.session.remove()
    g.reader = None
    said = mishaps.away()
    response = (
        problem(503, "unavailable", said.title, None, said.happened)
        if wants_json()
        else _page(503, said)
    )
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def on_unstorable(error: DataError) -> Response:
    """A value that no database column takes, such as a text with a NUL character."""
    log.info("unstorable value: %s", type(error.orig).__name__)
    db.session.remove()
    said = Mishap(
        _("Something you sent holds characters that cannot be kept"),
        _("Nothing was changed."),
        todo=_("Go back, take them out, and send it again."),
    )
    if wants_json():
        return problem(422, "invalid-input", said.title, None, said.happened)
    return _page(422, said)


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
    """Our mistake: said plainly, with a number that stands beside its details in the log."""
    reference = secrets.token_hex(4).upper()
    log.error("internal error %s in %s", reference, request.endpoint)
    db.session.remove()
    said = mishaps.internal()
    if wants_json():
        return problem(500, "internal", said.title, None, reference)
    try:
        return _page(500, said, reference)
    except Exception:  # the page of the house may be what is broken
        log.exception("the page for internal error %s could not be drawn", reference)
        return Response(f"{said.title}. {reference}\n", 500, content_type="text/plain")
