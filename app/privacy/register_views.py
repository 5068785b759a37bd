"""The register of requests, the register of processing and the documents: for administrators,
and for auditors to read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from app import clock
from app.errors import InvalidInput
from app.privacy import documents, register, requests
from app.privacy.models import KINDS, OUTCOMES, DataRequest
from app.privacy.request_words import KIND_NAMES, OUTCOME_NAMES
from app.web import access, current_settings, pressing, redirect_to, render, sheets
from app.web.pages import local_today

blueprint = Blueprint("privacy_registers", __name__)

PLACE = "/studio/requests"
READS = ("admin", "auditor")


# ---- Requests


def _list(status: int = 200, **typed: object) -> Response:
    is_open = request.args.get("state") != "answered"
    found = requests.listed(
        is_open=is_open, after=request.args.get("after"), before=request.args.get("before")
    )
    return render(
        "privacy/requests.html",
        status,
        lines=found.rows,
        beside=found,
        is_open=is_open,
        kinds=[(kind, KIND_NAMES[kind]) for kind in KINDS],
        kind_names=KIND_NAMES,
        outcomes=[(outcome, OUTCOME_NAMES[outcome]) for outcome in OUTCOMES],
        outcome_names=OUTCOME_NAMES,
        today=local_today(),
        typed=typed.get("typed", {}),
        errors=typed.get("errors", {}),
    )


@blueprint.get(PLACE)
@access.role("admin")
def list_requests() -> Response:
    """What waits, the most urgent first; or what was answered."""
    return _list()


@blueprint.post(PLACE)
@access.role("admin")
def note_request() -> Response:
    """A request that came by letter, by mail or in person."""
    typed = {name: request.form.get(name, "").strip() for name in ("kind", "email", "received_on")}
    id_ = pressing.id_for(DataRequest, access.me().person_id)
    if pressing.came_before(DataRequest, id_):
        return redirect_to(PLACE)
    try:
        subject_kind, subject_id = requests.subject_of(typed["email"])
        requests.open_request(
            typed["kind"], subject_kind, subject_id,
            received_at=_came(typed["received_on"]), actor_id=access.me().person_id, id_=id_,
        )  # fmt: skip
    except InvalidInput as error:
        return _list(422, typed=typed, errors=error.errors)
    flash(_("Noted. The day by which it must be answered stands in the list."), "ok")
    return redirect_to(PLACE)


def _came(day: str) -> dt.datetime | None:
    if not day:
        return None
    try:
        found = dt.date.fromisoformat(day)
    except ValueError as error:
        sentence = _("Give a day.")
        raise InvalidInput(_("Please check the form."), {"received_on": sentence}) from error
    zone = current_settings().timezone
    if found == clock.today(zone):
        return None
    return dt.datetime.combine(found, dt.time(12), tzinfo=zone).astimezone(dt.UTC)


@blueprint.post(f"{PLACE}/<uuid:request_id>/extension")
@access.role("admin")
def extend(request_id: uuid.UUID) -> Response:
    """Two more months, once."""
    requests.extend(request_id, actor_id=access.me().person_id)
    flash(_("Two more months. Tell the person so, and why, within the first month."), "ok")
    return redirect_to(PLACE)


@blueprint.post(f"{PLACE}/<uuid:request_id>/answer")
@access.role("admin")
def answer(request_id: uuid.UUID) -> Response:
    """It was answered."""
    requests.close(request_id, request.form.get("outcome", ""), actor_id=access.me().person_id)
    flash(_("Noted as answered."), "ok")
    return redirect_to(PLACE)


# ---- Processing


@blueprint.get("/studio/register")
@access.role(*READS)
def processing() -> Response:
    """What is kept about whom, why and for how long: the declarations of the code."""
    return render("privacy/register.html", lines=register.lines())


@blueprint.get("/studio/register.csv")
@access.role(*READS)
def processing_table() -> Response:
    """The same as a table."""
    return sheets.download("register", register.header(), _cells(), sheets.delimiter())


def _cells() -> Iterator[list[sheets.Cell]]:
    for line in register.lines():
        yield [
            line.key, line.title, line.purpose, line.basis, line.subjects, line.source,
            line.recipients, line.kept, line.transfers, ", ".join(line.tables),
        ]  # fmt: skip


# ---- Documents


@blueprint.get("/studio/documents/<name>")
@access.role(*READS)
def document(name: str) -> Response:
    """The works-council dossier or the impact assessment, to be read and printed."""
    return render("privacy/document.html", document=documents.document(name))


@blueprint.get("/studio/documents/<name>.pdf")
@access.role(*READS)
def document_pdf(name: str) -> Response:
    """The same on paper."""
    response = Response(documents.as_pdf(documents.document(name)), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
