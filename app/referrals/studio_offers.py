"""The team's pages about offers: list and form, imports, connections.

Views read what was sent, call one use case and show what came of it. A form that cannot be
taken comes back with everything that was typed and a sentence beside each field.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.db import read_id
from app.errors import InvalidInput
from app.people import audiences, saved_views, segments_queries
from app.people.audiences import KEPT, SEEN
from app.referrals import (
    bulk,
    connections,
    fetching,
    import_words,
    imports,
    offer_queries,
    offers,
    reach,
)
from app.referrals.connections import ConnectionRow
from app.referrals.imports import ImportRow
from app.referrals.models import Connection, Offer
from app.referrals.offer_queries import OfferDetail, OfferFilter, OfferRow
from app.referrals.reach import Within
from app.settings import entities
from app.web import access, pressing, redirect_to, render, sheets
from app.web.bulk import chosen, each
from app.web.i18n import language
from app.web.limits import limiter
from app.web.pages import url_with

blueprint = Blueprint("studio_offers", __name__)

PAGE: Final = 50
LINES: Final = 100
_TEXTS: Final = (
    "title", "description", "location", "country_codes", "department", "contract", "remote",
    "language", "salary_min", "salary_max", "salary_currency", "salary_interval", "salary_text",
    "apply_url", "external_id", "entity",
)  # fmt: skip
_SEGMENTS: Final = {"audience": SEEN, "kept": KEPT}

_FILTERS: Final = ("q", "status", "department", "location", "contract", "source", "entity")
WHO: Final = reach.WHO
LIST: Final = saved_views.declare(
    "offers", "/studio/offers", (*_FILTERS, "order"), WHO, _l("Offers"), within=True
)
IMPORTS: Final = saved_views.declare(
    "imports", "/studio/imports", ("state", "source", "q"), WHO, _l("Imports")
)

keepers = access.role(*WHO, within=True)
staff = access.role(*WHO)
"""Imports and connections bring offers for everybody: they are for the whole organisation."""


def _me() -> uuid.UUID:
    return access.me().person_id


def _by_field(error: InvalidInput) -> dict[str, str]:
    """The sentences of an error, one text a field."""
    return {name: " ".join(str(s) for s in said) for name, said in error.errors.items()}


def _csv(rows: Iterator[list[sheets.Cell]], name: str) -> Response:
    """A table whose first row names its columns."""
    return sheets.download(name, [str(cell) for cell in next(rows)], rows, sheets.delimiter())


# --- offers --------------------------------------------------------------------------------


def _filters() -> OfferFilter:
    given = request.args
    status = given.get("status", "")
    return OfferFilter(
        q=given.get("q", ""),
        status=status if status in offers.STATUSES else None,
        department=given.get("department", ""),
        location=given.get("location", ""),
        contract=given.get("contract", ""),
        source=given.get("source", ""),
        entity=given.get("entity", ""),
        within=reach.mine(),
    )


@blueprint.get("/studio/offers")
@keepers
@saved_views.opens_on(LIST)
def offer_list() -> Response:
    """Every offer that the reader's role keeps, narrowed by what the address says."""
    filters, args = _filters(), request.args
    oldest = args.get("order") == "oldest"
    facets = offer_queries.facets(filters.status, within=filters.within)
    return render(
        "referrals/studio_offers.html",
        found=offer_queries.list_offers(
            filters, args.get("after"), PAGE, before=args.get("before"), oldest=oldest
        ),
        filters=filters,
        oldest=oldest,
        narrowed=_narrowed(filters, {each.value: each.label for each in facets.entities}),
        keepers=_may_be_kept_by() if filters.within is None else [],
        is_whole=filters.within is None,
        facets=facets,
        kind_name=connections.kind_name,
        export_url=url_for("studio_offers.offer_export", **_narrowing()),
    )


def _may_be_kept_by() -> list[tuple[uuid.UUID, str]]:
    """The segments that a recruiter of the whole organisation may hand offers to."""
    return segments_queries.choices()


def _narrowed(f: OfferFilter, companies: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each filter in words, and the address without it."""
    found = [
        (_("“%(words)s”", words=f.q.strip()) if f.q.strip() else "", "q"),
        (_status_words().get(f.status or "", ""), "status"),
        (f.department, "department"),
        (f.location, "location"),
        (f.contract, "contract"),
        (_source_words(f.source), "source"),
        (companies.get(f.entity, f.entity), "entity"),
    ]
    return [(words, url_with(**{name: None, "all": "1"})) for words, name in found if words]


def _source_words(source: str) -> str:
    if source == "manual":
        return str(_("Written here"))
    return connections.kind_name(source) if source in connections.KINDS else source


def _status_words() -> dict[str, str]:
    return {"open": _("Open"), "draft": _("Draft"), "closed": _("Closed")}


def _narrowing() -> dict[str, Any]:
    """The filters of the address, for a link that keeps them."""
    return {n: request.args[n] for n in _FILTERS if request.args.get(n)}


def _offer_lines(rows: Iterable[OfferRow]) -> Iterator[list[sheets.Cell]]:
    yield [
        _("Reference"), _("Title"), _("Department"), _("Place"), _("Contract"), _("Remote work"),
        _("Status"), _("Source"), _("Opened on"), _("Closed on"), _("Public page"), _("Company"),
    ]  # fmt: skip
    for row in rows:
        yield [
            row.external_id, row.title, row.department, row.location, row.contract, row.remote,
            row.status, row.source_name, row.opened_at and row.opened_at.date().isoformat(),
            row.closed_at and row.closed_at.date().isoformat(), row.public_url,
            row.company,
        ]  # fmt: skip


@blueprint.get("/studio/offers.csv")
@keepers
def offer_export() -> Response:
    """What the list shows, all of it, as a spreadsheet."""
    return _csv(_offer_lines(offer_queries.every_offer(_filters())), _("offers"))


def _offer_form(
    detail: OfferDetail | None,
    values: Mapping[str, object],
    errors: Mapping[str, str] | None = None,
) -> Response:
    within = reach.mine()
    kept = {name: _segments_of(detail, purpose) for name, purpose in _SEGMENTS.items()}
    rows = audiences.choices(within, [each for rows in kept.values() for each, _name in rows])
    return render(
        "referrals/studio_offer.html",
        422 if errors else 200,
        detail=detail,
        values=values,
        errors=errors or {},
        companies=_companies(detail),
        segments=rows,
        picked={name: _picked(name, rows) for name, rows in kept.items()},
        others={name: _beyond(rows, within) for name, rows in kept.items()},
        is_whole=within is None,
    )


def _segments_of(detail: OfferDetail | None, purpose: str) -> list[tuple[uuid.UUID, str]]:
    return [] if detail is None else reach.segments_of(detail.row.id, purpose)


def _picked(name: str, kept: list[tuple[uuid.UUID, str]]) -> list[str]:
    """The segments that are ticked: as typed in a form that came back, else as they are."""
    if name in request.form:
        return request.form.getlist(name)
    return [str(each) for each, _name in kept]


def _beyond(kept: list[tuple[uuid.UUID, str]], within: Within) -> list[tuple[uuid.UUID, str]]:
    """Segments that this reader's role does not reach."""
    return [] if within is None else [row for row in kept if row[0] not in within]


def _companies(detail: OfferDetail | None) -> list[tuple[str, str]]:
    """The entities one may choose, the one of this offer in any case; none where there is none."""
    chosen = detail.row.entity_id if detail else None
    rows = entities.entities(archived=chosen is not None)
    found = [(r.code, r.name) for r in rows if r.archived_at is None or r.id == chosen]
    return [("", _("The whole organisation")), *found] if found else []


def _typed() -> dict[str, object]:
    """The fields of the form as they were sent; those it does not have stay out."""
    form = request.form
    texts: dict[str, object] = {name: form[name] for name in _TEXTS if name in form}
    return texts | {name: form.getlist(name) for name in _SEGMENTS if name in form}


def _values_of(detail: OfferDetail) -> dict[str, object]:
    row = detail.row
    values: dict[str, object] = {
        name: getattr(row, name) for name in _TEXTS if name in OfferRow.__dataclass_fields__
    }
    values["description"] = offers.as_typed(detail.description_html)
    values["country_codes"] = ", ".join(detail.country_codes)
    values["apply_url"] = detail.apply_url
    values["entity"] = row.entity_id and entities.entity(row.entity_id).code
    return {name: "" if value is None else value for name, value in values.items()}


@blueprint.get("/studio/offers/new")
@keepers
def offer_new() -> Response:
    """An empty form."""
    return _offer_form(None, {"language": language(), "salary_currency": "EUR"})


@blueprint.post("/studio/offers")
@keepers
def offer_create() -> Response:
    """Write a new offer, as a draft or open at once."""
    status = "open" if request.form.get("status") == "open" else "draft"
    made = pressing.id_for(Offer, _me())
    if pressing.came_before(Offer, made):
        return redirect_to(url_for("studio_offers.offer_show", offer_id=made))
    try:
        fields = {**_typed(), "status": status}
        offer = offers.create_offer(fields, _me(), within=reach.mine(), id_=made)
    except InvalidInput as error:
        return _offer_form(None, request.form, _by_field(error))
    flash(_("The offer is open.") if status == "open" else _("The draft is kept."), "success")
    return redirect_to(url_for("studio_offers.offer_show", offer_id=offer.id))


@blueprint.get("/studio/offers/<uuid:offer_id>")
@keepers
def offer_show(offer_id: uuid.UUID) -> Response:
    """One offer, to change, open and close."""
    detail = offer_queries.offer_detail(offer_id, reach.mine())
    return _offer_form(detail, _values_of(detail))


@blueprint.post("/studio/offers/<uuid:offer_id>")
@keepers
def offer_update(offer_id: uuid.UUID) -> Response:
    """Change what the form says."""
    within = reach.mine()
    try:
        offers.update_offer(offer_id, _typed(), _me(), within=within)
    except InvalidInput as error:
        detail = offer_queries.offer_detail(offer_id, within)
        return _offer_form(detail, request.form, _by_field(error))
    flash(_("Your changes are kept."), "success")
    return redirect_to(url_for("studio_offers.offer_show", offer_id=offer_id))


@blueprint.post("/studio/offers/publications")
@keepers
def offers_open() -> Response:
    """Open several offers."""
    return _several(
        bulk.to_status(_opened, "open", reach.mine()),
        _("Offers to open"),
        lambda n: ngettext("One offer opened.", "%(num)d offers opened.", n),
    )


def _opened(offer_id: uuid.UUID) -> object:
    return offers.open_offer(offer_id, _me())


@blueprint.post("/studio/offers/closures")
@keepers
def offers_close() -> Response:
    """Close several offers."""
    return _several(
        bulk.to_status(_closed, "closed", reach.mine()),
        _("Offers to close"),
        lambda n: ngettext("One offer closed.", "%(num)d offers closed.", n),
    )


def _closed(offer_id: uuid.UUID) -> object:
    return offers.close_offer(offer_id, _me())


@blueprint.post("/studio/offers/keepers")
@staff
def offers_hand_over() -> Response:
    """Hand several offers to one segment, whose recruiters keep them from now on; or back."""
    keeper = read_id(request.form.get("keeper"))
    known = dict(_may_be_kept_by())
    if keeper is not None and keeper not in known:
        flash(_("Choose one of the segments."), "stop")
        return redirect_to(_back())
    return _several(
        bulk.to_keeper(keeper, _me()),
        _("Offers kept by %(name)s", name=known[keeper]) if keeper
        else _("Offers kept by the whole organisation"),
        lambda n: ngettext("One offer handed over.", "%(num)d offers handed over.", n),
    )  # fmt: skip


def _several(act: bulk.Act, title: str, done_words: Callable[[int], str]) -> Response:
    """The same for each that was chosen; a page tells of those that were left as they are."""
    back = _back()
    ids = chosen("offer")
    if not ids:
        flash(_("Choose at least one offer first."), "wait")
        return redirect_to(back)
    outcomes = each(ids, act)
    if all(one.code == "done" for one in outcomes):
        flash(done_words(len(outcomes)), "ok")
        return redirect_to(back)
    return render(
        "web/outcomes.html",
        spot="offers",
        title=title,
        outcomes=outcomes,
        named={row.id: (row.title, row.location) for row in offer_queries.named(ids, reach.mine())},
        path=LIST.path,
        list_name=LIST.name,
        unnamed=_("An offer that is not there"),
        undo=None,
        back=back,
    )


def _back() -> str:
    """Back to the list as it was; only ever to that list."""
    target = request.form.get("back", "")
    return target if target.partition("?")[0] == LIST.path else f"{LIST.path}?{saved_views.PLAIN}=1"


@blueprint.post("/studio/offers/<uuid:offer_id>/publication")
@keepers
def offer_open(offer_id: uuid.UUID) -> Response:
    """Publish a draft, or open a closed offer again."""
    offers.open_offer(offer_id, _me(), within=reach.mine())
    flash(_("The offer is open."), "success")
    return redirect_to(url_for("studio_offers.offer_show", offer_id=offer_id))


@blueprint.post("/studio/offers/<uuid:offer_id>/closure")
@keepers
def offer_close(offer_id: uuid.UUID) -> Response:
    """Close it for everybody."""
    offers.close_offer(offer_id, _me(), within=reach.mine())
    flash(_("The offer is closed. Its page says so."), "success")
    return redirect_to(url_for("studio_offers.offer_show", offer_id=offer_id))


# --- imports -------------------------------------------------------------------------------


@blueprint.get("/studio/imports")
@staff
@saved_views.opens_on(IMPORTS)
def import_list() -> Response:
    """The runs, newest first, narrowed by what the address says."""
    args, asked = request.args, _imports_asked()
    known = connections.list_connections()
    return render(
        "referrals/studio_imports.html",
        beside=imports.list_imports(
            asked, after=args.get("after"), before=args.get("before"), limit=PAGE
        ),
        asked=asked,
        states=_import_states(),
        sources=[(str(row.id), row.name) for row in known],
        narrowed=_imports_narrowed(asked, known),
    )


def _imports_asked() -> imports.ImportFilter:
    state = request.args.get("state", "")
    return imports.ImportFilter(
        state=state if state in _import_states() else "",
        connection_id=read_id(request.args.get("source")),
        q=request.args.get("q", "")[:100].replace("\x00", ""),
    )


def _import_states() -> dict[str, str]:
    return {
        "open": _("To confirm"),
        "working": _("Under way"),
        imports.ODD: _("To look at"),
        "done": _("Done"),
        "failed": _("Not imported"),
        "cancelled": _("Given up"),
    }


def _imports_narrowed(f: imports.ImportFilter, known: list[ConnectionRow]) -> list[tuple[str, str]]:
    """Each narrower filter in words, and the address without it."""
    names = {row.id: row.name for row in known}
    source = names.get(f.connection_id, _("A connection that is gone")) if f.connection_id else ""
    found = [
        (_("“%(words)s”", words=f.q.strip()) if f.q.strip() else "", "q"),
        (source, "source"),
    ]
    return [(words, url_with(**{name: None, "all": "1"})) for words, name in found if words]


def _sources() -> list[tuple[str, str]]:
    """What an import may be for: each connection, then each kind that has none yet."""
    rows = connections.list_connections()
    known = {row.kind for row in rows}
    named = [(str(row.id), _source_label(row)) for row in rows]
    return named + [(k, connections.kind_name(k)) for k in connections.KINDS if k not in known]


def _source_label(row: ConnectionRow) -> str:
    return row.name if row.name == row.kind_name else f"{row.name} ({row.kind_name})"


def _source_meant(given: str) -> str:
    """The choice of the list that was meant: a kind alone stands for its oldest connection."""
    ids = [str(row.id) for row in connections.list_connections() if row.kind == given]
    return ids[0] if ids else given


def _import_form(values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    return render(
        "referrals/studio_import_new.html",
        422 if errors else 200,
        sources=_sources(),
        source=_source_meant(values.get("source", "")),
        address=values.get("address", ""),
        errors=errors or {},
        max_bytes=fetching.MAX_BYTES,
    )


@blueprint.get("/studio/imports/new")
@staff
def import_new() -> Response:
    """Choose a file or an address."""
    return _import_form(request.args)


@blueprint.post("/studio/imports")
@limiter.limit("30/minute")
@staff
def import_create() -> Response:
    """Take the file, or fetch it, and show what it holds."""
    address = request.form.get("address", "").strip()
    try:
        data, origin = _chosen(address)
        import_id = imports.start_import(request.form.get("source", ""), data, origin, _me())
    except fetching.FetchFailed as error:
        return _import_form(request.form, {"address": str(error.sentence)})
    except connections.UnknownConnection:
        return _import_form(request.form, {"source": _("Choose where the offers come from.")})
    except InvalidInput as error:
        errors = _by_field(error)
        if address and "file" in errors:
            errors["address"] = errors.pop("file")
        return _import_form(request.form, errors)
    return redirect_to(url_for("studio_offers.import_show", import_id=import_id))


def _chosen(address: str) -> tuple[bytes, str]:
    """The bytes and where they come from. Raises `InvalidInput` by field, `FetchFailed`."""
    upload = request.files.get("file")
    chosen = upload is not None and bool(upload.filename)
    if chosen and address:
        said = _("Give either a file or an address, not both.")
        raise InvalidInput(said, {"address": said})
    if upload is not None and chosen:
        return upload.read(), upload.filename or _("file")
    if not address:
        said = _("Choose a file, or give an address.")
        raise InvalidInput(said, {"file": said})
    return fetching.fetch(address), address


def _mapping(given: Mapping[str, str]) -> dict[str, str] | None:
    """The columns chosen in a form (`column-title=Intitulé`); None when it holds none."""
    names = [name for name in import_words.FIELDS if f"column-{name}" in given]
    return {name: given[f"column-{name}"] for name in names} if names else None


@blueprint.get("/studio/imports/<uuid:import_id>")
@staff
def import_show(import_id: uuid.UUID) -> Response:
    """One import, in the state it is in: to confirm, under way, or its report."""
    row = imports.get_import(import_id)
    if row.state == "preview":
        return _import_preview(row, _mapping(request.args), {})
    return _import_report(row)


def _import_preview(
    row: ImportRow, mapping: Mapping[str, str] | None, errors: Mapping[str, str]
) -> Response:
    try:
        preview = imports.preview(row.id, mapping)
    except imports.ImportNotOpen:  # it was confirmed or given up a moment ago
        return _import_report(imports.get_import(row.id))
    return render(
        "referrals/studio_import.html",
        422 if errors else 200,
        row=row,
        preview=preview,
        fields=import_words.FIELDS,
        missing=[import_words.FIELDS[name] for name in preview.missing],
        errors={f"column-{name}": said for name, said in errors.items()},
    )


def _lines_asked() -> tuple[str, str]:
    """The outcome and the reason that the address names; nothing for others than ours."""
    outcome, code = request.args.get("outcome", ""), request.args.get("reason", "")
    return (
        outcome if outcome in imports.OUTCOMES else "",
        code if code in import_words.REASONS else "",
    )


def _import_report(row: ImportRow) -> Response:
    outcome, code = _lines_asked()
    after = min(max(request.args.get("after", 0, type=int), 0), 1_000_000)
    lines = imports.list_lines(row.id, outcome, after, LINES + 1, code)
    return render(
        "referrals/studio_import.html",
        row=row,
        preview=None,
        waits=imports.waits_for_another(row),
        stopped=imports.has_stopped(row),
        counts=imports.count_lines(row.id) if not row.is_running else {},
        outcome=outcome,
        code=code,
        reasons=imports.count_reasons(row.id, outcome) if outcome and not row.is_running else [],
        lines=lines[:LINES] if not row.is_running else [],
        next_after=lines[LINES - 1].position if len(lines) > LINES else None,
    )


@blueprint.post("/studio/imports/<uuid:import_id>/confirmation")
@staff
def import_confirm(import_id: uuid.UUID) -> Response:
    """Let it be carried out, with the columns as chosen."""
    mapping = _mapping(request.form)
    try:
        imports.confirm(import_id, mapping, _me())
    except InvalidInput as error:
        return _import_preview(imports.get_import(import_id), mapping, _by_field(error))
    return redirect_to(url_for("studio_offers.import_show", import_id=import_id))


@blueprint.post("/studio/imports/<uuid:import_id>/cancellation")
@staff
def import_cancel(import_id: uuid.UUID) -> Response:
    """Give the import up before it began."""
    imports.cancel(import_id, _me())
    flash(_("Nothing was imported, and the file is gone."), "success")
    return redirect_to(url_for("studio_offers.import_list"))


@blueprint.post("/studio/imports/<uuid:import_id>/resumption")
@staff
def import_resume(import_id: uuid.UUID) -> Response:
    """Ask the workers to go on with an interrupted import."""
    imports.resume(import_id, _me())
    return redirect_to(url_for("studio_offers.import_show", import_id=import_id))


@blueprint.post("/studio/imports/<uuid:import_id>/absent-closures")
@staff
def import_close_missing(import_id: uuid.UUID) -> Response:
    """Close the offers that were missing from an odd file."""
    n = imports.close_missing(import_id, _me())
    flash(ngettext("%(num)d offer was closed.", "%(num)d offers were closed.", n), "success")
    return redirect_to(url_for("studio_offers.import_show", import_id=import_id))


def _report_lines(import_id: uuid.UUID, outcome: str, code: str) -> Iterator[list[sheets.Cell]]:
    yield [_("Line"), _("Outcome"), _("Reference or value"), _("Offer"), _("Reason")]
    after = 0
    while lines := imports.list_lines(import_id, outcome, after, 500, code):
        for line in lines:
            yield [line.line, line.outcome, line.value, line.offer_title, str(line.reason)]
        after = lines[-1].position


@blueprint.get("/studio/imports/<uuid:import_id>/report.csv")
@staff
def import_export(import_id: uuid.UUID) -> Response:
    """The report, or the lines of one outcome and reason, as a spreadsheet."""
    imports.get_import(import_id)
    return _csv(_report_lines(import_id, *_lines_asked()), _("import-report"))


# --- connections ---------------------------------------------------------------------------


@blueprint.get("/studio/connections")
@staff
def connection_list() -> Response:
    """The tracking systems we hear from or import from."""
    return render("referrals/studio_connections.html", rows=connections.list_connections())


def _connection_form(
    row: ConnectionRow | None,
    values: Mapping[str, Any],
    errors: Mapping[str, str] | None = None,
) -> Response:
    """`secret` is a fresh proposal: it can be copied before it is saved, and never after."""
    kept = reach.segments_of(row.id, KEPT) if row else []
    return render(
        "referrals/studio_connection.html",
        422 if errors else 200,
        row=row,
        values=values,
        errors=errors or {},
        kinds=[(kind, connections.kind_name(kind)) for kind in connections.KINDS],
        secret=request.form.get("secret") or connections.proposed_secret(),
        companies=[("", _("The whole organisation"))]
        + [(each.code, each.name) for each in entities.entities()],
        segments=audiences.choices(None, [each for each, _name in kept]) if row else [],
        picked=_picked("kept", kept),
    )


@blueprint.get("/studio/connections/new")
@staff
def connection_new() -> Response:
    """An empty form with a secret to copy."""
    return _connection_form(None, {"kind": connections.KINDS[0]})


@blueprint.post("/studio/connections")
@staff
def connection_create() -> Response:
    """Make a connection; its webhook address is on the next page."""
    form = request.form
    secret = form.get("secret", "").strip()
    id_ = pressing.id_for(Connection, _me())
    if pressing.came_before(Connection, id_):
        return redirect_to(url_for("studio_offers.connection_show", connection_id=id_))
    try:
        made = connections.create_connection(
            kind=form.get("kind", ""),
            name=form.get("name", ""),
            secrets=[secret] if secret else [],
            api_url=form.get("api_url"),
            api_key=form.get("api_key"),
            actor_id=_me(),
            id_=id_,
        )
    except InvalidInput as error:
        return _connection_form(None, form, _secret_error(error))
    flash(_("The connection is there. Give its address to the tracking system."), "success")
    return redirect_to(url_for("studio_offers.connection_show", connection_id=made.id))


def _secret_error(error: InvalidInput) -> dict[str, str]:
    """The form has one secret where the service takes several."""
    errors = _by_field(error)
    if "secrets" in errors:
        errors["secret"] = errors.pop("secrets")
    return errors


@blueprint.get("/studio/connections/<uuid:connection_id>")
@staff
def connection_show(connection_id: uuid.UUID) -> Response:
    """One connection: its webhook address, its name, its secret's replacement, its end."""
    row = connections.get_connection(connection_id)
    return _connection_form(row, _kept_values(row))


def _kept_values(row: ConnectionRow) -> dict[str, str]:
    """A connection as its form shows it."""
    entity = entities.entity(row.entity_id).code if row.entity_id else ""
    return {"name": row.name, "api_url": row.api_url or "", "entity": entity}


@blueprint.post("/studio/connections/<uuid:connection_id>")
@staff
def connection_update(connection_id: uuid.UUID) -> Response:
    """Change name and addresses, and what the offers it brings are. An empty key field leaves the
    key as it is."""
    fields: dict[str, object] = {
        n: request.form[n] for n in ("name", "api_url", "entity") if n in request.form
    }
    if "kept" in request.form:
        fields["kept"] = request.form.getlist("kept")
    if request.form.get("api_key"):
        fields["api_key"] = request.form["api_key"]
    elif request.form.get("forget_api_key"):
        fields["api_key"] = ""
    try:
        connections.update_connection(connection_id, fields, _me())
    except InvalidInput as error:
        row = connections.get_connection(connection_id)
        return _connection_form(row, request.form, _by_field(error))
    flash(_("Your changes are kept."), "success")
    return redirect_to(url_for("studio_offers.connection_show", connection_id=connection_id))


@blueprint.post("/studio/connections/<uuid:connection_id>/secrets")
@staff
def connection_rotate(connection_id: uuid.UUID) -> Response:
    """A new secret; the one in use goes on being accepted until the next."""
    try:
        connections.rotate_secret(connection_id, request.form.get("secret", ""), _me())
    except InvalidInput as error:
        row = connections.get_connection(connection_id)
        return _connection_form(row, _kept_values(row), _secret_error(error))
    flash(_("The new secret is in use. The one before it is still accepted."), "success")
    return redirect_to(url_for("studio_offers.connection_show", connection_id=connection_id))


@blueprint.post("/studio/connections/<uuid:connection_id>/deletion")
@staff
def connection_delete(connection_id: uuid.UUID) -> Response:
    """Stop listening; offers and referrals stay."""
    connections.delete_connection(connection_id, _me())
    flash(_("The connection is gone. Its offers and referrals stay."), "success")
    return redirect_to(url_for("studio_offers.connection_list"))
