"""The page of the first start."""

from __future__ import annotations

import ipaddress

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError

from app.db import db
from app.errors import Forbidden, InvalidInput
from app.people import service as people
from app.people import sessions
from app.setup import service
from app.web import access, current_settings, redirect_to, render
from app.web.i18n import language

setup = Blueprint("setup", __name__)
FIELDS = ("name", "brand", "about", "admin_name", "email")


def _check_place() -> None:
    if current_settings().setup_from_anywhere:
        return
    try:
        local = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        local = False
    if not local:
        raise Forbidden(_l("The set-up opens only from the machine that runs Portevoix."))


@setup.get("/setup/<ticket>")
@access.signed
def show(ticket: str) -> Response:
    """The form, all of it on one page."""
    _check_place()
    service.check_ticket(current_settings().data_dir, ticket)
    return render("setup/setup.html", ticket=ticket, typed={"brand": "#006b4c"}, errors={})


@setup.post("/setup/<ticket>")
@access.signed
def create(ticket: str) -> Response:
    """Create the organisation and sign its first administrator in."""
    _check_place()
    data_dir = current_settings().data_dir
    service.check_ticket(data_dir, ticket)
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        person_id = service.set_up(
            data_dir, **typed, password=request.form.get("password", ""), language=language()
        )
    except InvalidInput as error:
        return render("setup/setup.html", 422, ticket=ticket, typed=typed, errors=error.errors)
    signed_in = people.start_login(person_id, request.headers.get("User-Agent", ""), "setup")
    sessions.begin(signed_in)
    return redirect_to("/studio")


@setup.errorhandler(service.AlreadySetUp)
def already(error: service.AlreadySetUp) -> Response:
    """The address has done its work: the way on is to sign in."""
    db.session.rollback()
    return render(
        "errors/public.html",
        error.status,
        layout="public",
        code=error.status,
        title=str(error.sentence),
        happened=_("Nothing was changed."),
        action_url="/sign-in",
        action_label=_("Sign in"),
    )


@setup.before_app_request
def not_yet() -> Response | None:
    """Before the set-up nobody can sign in, and the page of the door says so instead."""
    if request.endpoint not in ("people.sign_in", "people.sign_in_submit") or is_set_up():
        return None
    response = render("setup/not_yet.html", 503, layout="public")
    response.headers["Cache-Control"] = "no-store"
    return response


def is_set_up() -> bool:
    """Whether there is an organisation; a database that is away is another page's matter."""
    try:
        return not service.needed()
    except SQLAlchemyError:
        db.session.remove()
        return True
