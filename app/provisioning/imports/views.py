"""The administrators' pages of imports: choose a file, its columns, look, confirm, watch, undo."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import audit
from app.db import transaction
from app.errors import InvalidInput
from app.people import saved_views
from app.provisioning.imports import queries, reports, service, spool, states, words
from app.provisioning.imports.queries import ImportRow
from app.web import access, redirect_to, render
from app.web.limits import limiter

blueprint = Blueprint("people_imports", __name__)
staff = access.role("admin")
LIST: Final = saved_views.declare(
    "people-imports", "/studio/people/imports", ("state", "q"), ("admin",), _l("Imports of people")
)

_FORM_BYTES: Final = 1024 * 1024
_FORM: Final = "people_imports.create"


@blueprint.url_value_preprocessor
def _room_for_a_file(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """This one form may hold more than others, from somebody who may send it. Said before
    anything looks into the form."""
    if endpoint != _FORM or request.method != "POST":
        return
    reader = access.reader()
    if reader is not None and "admin" in reader.roles:
        request.max_content_length = spool.MOST_BYTES + _FORM_BYTES


def _me() -> uuid.UUID:
    return access.me().person_id


def _by_field(error: InvalidInput) -> dict[str, str]:
    return {name: " ".join(str(s) for s in said) for name, said in error.errors.items()}


def _go_to(import_id: uuid.UUID) -> Response:
    return redirect_to(url_for("people_imports.show", import_id=import_id))


@blueprint.get("/studio/people/imports")
@staff
@saved_views.opens_on(LIST)
def history() -> Response:
    """The imports, the newest first, narrowed by what the address says."""
    args, state = request.args, request.args.get("state", "")
    asked = queries.ImportFilter(
        state=state if state in queries.STATES else "",
        q=args.get("q", "")[:100].replace("\x00", ""),
    )
    return render(
        "provisioning/imports.html",
        beside=queries.list_imports(asked, after=args.get("after"), before=args.get("before")),
        asked=asked,
        states=_state_names(),
    )


def _state_names() -> dict[str, str]:
    """What the list can be narrowed to, in the order of `queries.STATES`."""
    return {
        "open": _("Waits for you"),
        "working": _("Under way"),
        "done": _("Done"),
        "failed": _("Not imported"),
        "over": _("Undone or stopped"),
    }


def _file_form(errors: Mapping[str, str] | None = None) -> Response:
    return render(
        "provisioning/import_new.html",
        422 if errors else 200,
        errors=errors or {},
        max_bytes=spool.MOST_BYTES,
    )


@blueprint.get("/studio/people/imports/new")
@staff
def new() -> Response:
    """Choose a file."""
    return _file_form()


@blueprint.post("/studio/people/imports")
@limiter.limit("30/minute")
@staff
def create() -> Response:
    """Keep the file and show its columns."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return _file_form({"file": _("Choose a file.")})
    try:
        import_id = service.start_import(upload.stream, upload.filename, _me())  # type: ignore[arg-type]
    except InvalidInput as error:
        return _file_form(_by_field(error))
    return _go_to(import_id)


@blueprint.get("/studio/people/imports/<uuid:import_id>")
@staff
def show(import_id: uuid.UUID) -> Response:
    """One import, in the state it is in."""
    row = queries.get_import(import_id)
    if row.state == states.MAPPING:
        return _columns(row)
    if row.is_at_work:
        return _page(row, "running", stopped=queries.has_stopped(row))
    return _looked_at(row) if row.state == states.CHECKED else _report(row)


def _page(row: ImportRow, part: str, status: int = 200, **more: Any) -> Response:
    return render(
        "provisioning/import.html", status, row=row, part=part, fields=words.FIELDS, **more
    )


def _columns(
    row: ImportRow,
    mapping: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    is_full: bool | None = None,
) -> Response:
    return _page(
        row,
        "columns",
        422 if errors else 200,
        columns=queries.columns_page(row, mapping),
        is_full=row.is_full if is_full is None else is_full,
        errors={f"column-{name}": said for name, said in (errors or {}).items()},
    )


def _after() -> int:
    return min(max(request.args.get("after", 0, type=int), 0), 1_000_000)


def _shown(lines: list[queries.LineRow]) -> dict[str, Any]:
    """A page of lines and the position to go on from."""
    part = lines[: queries.LINES]
    more = len(lines) > queries.LINES
    return {"lines": part, "next_after": part[-1].position if more else None}


def _looked_at(row: ImportRow) -> Response:
    """What a run would do."""
    refused = queries.refused(row, _after(), queries.LINES + 1)
    return _page(row, "checked", samples=queries.samples(row), **_shown(refused))


def _report(row: ImportRow, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    """What became of the file: refused lines, people missing, what could not be undone."""
    lists = {"absent": queries.absent, "kept": queries.not_undone}
    view = request.args.get("show", "")
    found = lists.get(view, queries.refused)(row, _after(), queries.LINES + 1)
    view = view if view in lists else "refused"
    return _page(row, "report", status, view=view, errors=errors or {}, **_shown(found))


def _chosen() -> dict[str, str]:
    """The columns of the form: `column-email=Courriel`."""
    return {name: request.form.get(f"column-{name}", "") for name in words.FIELDS}


@blueprint.post("/studio/people/imports/<uuid:import_id>/checks")
@staff
def check(import_id: uuid.UUID) -> Response:
    """Take the columns as chosen, and count what a run would do."""
    mapping, is_full = _chosen(), request.form.get("full") == "1"
    try:
        service.check(import_id, mapping, is_full=is_full, actor_id=_me())
    except InvalidInput as error:
        return _columns(queries.get_import(import_id), mapping, _by_field(error), is_full)
    return _go_to(import_id)


@blueprint.post("/studio/people/imports/<uuid:import_id>/columns")
@staff
def choose_again(import_id: uuid.UUID) -> Response:
    """Back to the columns."""
    service.choose_again(import_id)
    return _go_to(import_id)


@blueprint.post("/studio/people/imports/<uuid:import_id>/confirmation")
@staff
def confirm(import_id: uuid.UUID) -> Response:
    """Let it be carried out."""
    service.confirm(import_id, _me())
    return _go_to(import_id)


@blueprint.post("/studio/people/imports/<uuid:import_id>/cancellation")
@staff
def cancel(import_id: uuid.UUID) -> Response:
    """Stop here, and delete the file."""
    service.cancel(import_id, _me())
    flash(_("The import has stopped, and the file is deleted."), "ok")
    return _go_to(import_id)


@blueprint.post("/studio/people/imports/<uuid:import_id>/resumption")
@staff
def resume(import_id: uuid.UUID) -> Response:
    """Ask the workers to go on with an interrupted import."""
    service.resume(import_id, _me())
    return _go_to(import_id)


@blueprint.post("/studio/people/imports/<uuid:import_id>/undoing")
@staff
def undo(import_id: uuid.UUID) -> Response:
    """Take back what was written."""
    service.undo(import_id, _me())
    return _go_to(import_id)


@blueprint.post("/studio/people/imports/<uuid:import_id>/departures")
@staff
def departures(import_id: uuid.UUID) -> Response:
    """End the access of people who are missing from a full file: those ticked, or all."""
    everybody = request.form.get("who") == "all"
    ticked = request.form.getlist("line", type=uuid.UUID)
    is_sure = request.form.get("sure") == "1"
    try:
        if not everybody and not ticked:
            said = _("Tick the people who have left.")
            raise InvalidInput(said, {"line": said})
        n = service.confirm_departures(
            import_id, None if everybody else ticked, is_sure=is_sure, actor_id=_me()
        )
    except InvalidInput as error:
        return _report(queries.get_import(import_id), 422, _by_field(error))
    said = ngettext("%(num)s departure is under way.", "%(num)s departures are under way.", n)
    flash(said, "ok")
    return _go_to(import_id)


def _taken(import_id: uuid.UUID) -> ImportRow:
    """The import whose refused lines leave as a file. What was typed about people is in them, so
    it is noted who took them."""
    row = queries.get_import(import_id)
    with transaction():
        audit.record("people.refused_exported", "people_import", row.id, actor_id=_me())
    return row


@blueprint.get("/studio/people/imports/<uuid:import_id>/refused.csv")
@staff
def refused_csv(import_id: uuid.UUID) -> Response:
    """The refused lines as a table of text."""
    return reports.as_csv(_taken(import_id))


@blueprint.get("/studio/people/imports/<uuid:import_id>/refused.xlsx")
@staff
def refused_xlsx(import_id: uuid.UUID) -> Response:
    """The refused lines as a workbook."""
    return reports.as_workbook(_taken(import_id))
