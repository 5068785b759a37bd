"""The administrators' pages about connections: made, watched, rotated, removed."""

from __future__ import annotations

import uuid

from flask import Blueprint, Flask, Response, flash, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import crypto
from app.approvals.words import tell_waiting
from app.db import read_id
from app.errors import InvalidInput
from app.people import segments_queries
from app.people.directory import GRANTABLE
from app.people.words import ROLE_NAMES
from app.provisioning.scim import connections, group_roles, queries
from app.provisioning.scim.models import KINDS, ScimConnection
from app.provisioning.scim.users import service_address
from app.web import access, pressing, redirect_to, render

pages = Blueprint("scim_pages", __name__)

PLACE = "/studio/scim"
SHOWN_ONCE = "scim_token"
KIND_NAMES = {"entra": "Microsoft Entra ID", "okta": "Okta", "other": _l("Another directory")}
WHAT = {
    "created": _l("New in the directory"),
    "adopted": _l("Already in the directory, now kept by this connection"),
    "changed": _l("Changed"),
    "departed": _l("Departed"),
    "returned": _l("Returned"),
    "deleted": _l("Deleted by the provider"),
    "group_created": _l("Groups made"),
    "group_changed": _l("Groups changed"),
    "group_deleted": _l("Groups deleted"),
}


def _list(status: int = 200, **context: object) -> Response:
    return render(
        "provisioning/scim.html",
        status,
        layout="page",
        rows=queries.connections(),
        kinds=[(kind, KIND_NAMES[kind]) for kind in KINDS],
        kind_names=KIND_NAMES,
        **context,
    )


@pages.get(PLACE)
@access.role("admin")
def connection_list() -> Response:
    """Every connection, and the form for another."""
    return _list()


@pages.post(PLACE)
@access.role("admin")
def connection_create() -> Response:
    """Make a connection; its token is shown on the next page, once."""
    name, kind = request.form.get("name", ""), request.form.get("kind", "")
    id_ = pressing.id_for(ScimConnection, access.me().person_id)
    if pressing.came_before(ScimConnection, id_):
        return redirect_to(f"{PLACE}/{id_}")
    try:
        made, plain = connections.create(name, kind, actor_id=access.me().person_id, id_=id_)
    except InvalidInput as error:
        errors = {field: str(sentences[0]) for field, sentences in error.errors.items()}
        return _list(422, problem=error.sentence, errors=errors, name=name, kind=kind)
    if plain:
        _show_once(plain)
    return redirect_to(f"{PLACE}/{made}")


def _show_once(plain: str) -> None:
    session[SHOWN_ONCE] = crypto.encrypt(plain, SHOWN_ONCE)


def _shown_once() -> str | None:
    kept = session.pop(SHOWN_ONCE, None)
    return crypto.decrypt(kept, SHOWN_ONCE) if isinstance(kept, str) else None


@pages.get(f"{PLACE}/<uuid:connection_id>")
@access.role("admin")
def connection_page(connection_id: uuid.UUID) -> Response:
    """One connection: its address, its tokens, what happened lately, counted."""
    return _connection(connection_id)


def _connection(connection_id: uuid.UUID, status: int = 200, **context: object) -> Response:
    found = queries.connection(connection_id)
    response = render(
        "provisioning/scim_connection.html",
        status,
        layout="page",
        connection=found,
        kind_names=KIND_NAMES,
        what=WHAT,
        address=service_address(),
        plain=_shown_once(),
        lines=group_roles.lines(connection_id),
        groups=group_roles.groups(connection_id),
        role_names=ROLE_NAMES,
        gifts=[(role, ROLE_NAMES[role]) for role in GRANTABLE],
        segments=segments_queries.choices(),
        **context,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.post(f"{PLACE}/<uuid:connection_id>/tokens")
@access.role("admin")
def connection_token(connection_id: uuid.UUID) -> Response:
    """A new token beside the one in use."""
    _show_once(connections.rotate(connection_id, actor_id=access.me().person_id))
    return redirect_to(f"{PLACE}/{connection_id}")


@pages.post(f"{PLACE}/<uuid:connection_id>/tokens/ending")
@access.role("admin")
def connection_token_ending(connection_id: uuid.UUID) -> Response:
    """The new token has taken over."""
    connections.retire(connection_id, actor_id=access.me().person_id)
    flash(_("Only the newest token works now."), "ok")
    return redirect_to(f"{PLACE}/{connection_id}")


@pages.post(f"{PLACE}/<uuid:connection_id>/roles")
@access.role("admin")
def connection_role(connection_id: uuid.UUID) -> Response:
    """Have a group give a role to everybody in it."""
    form = request.form
    chosen = form.get("segment_id", "")
    segment_id = (read_id(chosen) or uuid.UUID(int=0)) if chosen else None
    try:
        waits = group_roles.submit_line(
            connection_id, read_id(form.get("group_id")), form.get("role", ""), segment_id,
            actor_id=access.me().person_id,
        )  # fmt: skip
    except InvalidInput as error:
        errors = {field: str(sentences[0]) for field, sentences in error.errors.items()}
        return _connection(connection_id, 422, problem=error.sentence, errors=errors, typed=form)
    if waits:
        tell_waiting()
    else:
        flash(_("Everybody in the group has this role from now on."), "ok")
    return redirect_to(f"{PLACE}/{connection_id}#roles")


@pages.post(f"{PLACE}/<uuid:connection_id>/roles/<uuid:line_id>/removal")
@access.role("admin")
def connection_role_removal(connection_id: uuid.UUID, line_id: uuid.UUID) -> Response:
    """The group no longer gives this; who has it from there alone loses it."""
    group_roles.remove_line(connection_id, line_id, actor_id=access.me().person_id)
    flash(_("The line is gone, and what it alone gave."), "ok")
    return redirect_to(f"{PLACE}/{connection_id}#roles")


@pages.post(f"{PLACE}/<uuid:connection_id>/removal")
@access.role("admin")
def connection_removal(connection_id: uuid.UUID) -> Response:
    """Cut the connection; people stay."""
    connections.remove(connection_id, actor_id=access.me().person_id)
    flash(_("The connection is removed. The people it brought stay in the directory."), "ok")
    return redirect_to(PLACE)


def start(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(pages)
