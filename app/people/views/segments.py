"""Segments, for administrators and programme leads.

A lead works with rules and sees numbers, and those only from the threshold of a group on; who is
on a list, and the directory that a list is made from, are the administrators' (rule W2).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from app.config import LANGUAGES
from app.db import db, read_id
from app.errors import InvalidInput, Sentence
from app.people import (
    search,
    segment_rules,
    segments_queries,
    segments_service,
    tallies,
    thresholds,
)
from app.people.errors import check_form
from app.people.models import KINDS, Segment
from app.people.segment_rules import Condition, Rule
from app.people.segments_queries import Preview, SegmentWhole
from app.people.text import fold
from app.people.views import people
from app.people.views.common import by_field
from app.people.words import KIND_NAMES, LANGUAGE_NAMES, ROLE_NAMES
from app.settings.models import Entity
from app.web import access, pressing, redirect_to, render
from app.web.pages import is_htmx, url_with

FIELD_NAMES: dict[str, Sentence] = {
    "site": _l("Site"),
    "department": _l("Department"),
    "contract": _l("Contract"),
    "function": _l("Family of trades"),
    "kind": _l("Tie to the organisation"),
    "language": _l("Language"),
    "entity": _l("Entity"),
    "hired": _l("First day here"),
}
OP_NAMES: dict[str, Sentence] = {
    "is": _l("is one of"),
    "is_not": _l("is none of"),
    "before": _l("before the date"),
    "after": _l("after the date"),
    "within": _l("within the last … days"),
}
APART = ";"
_SPARE = 2


@dataclass(frozen=True, slots=True)
class Typed:
    """A condition as it stands in the form; `value` holds values, a date or a number of days."""

    field: str = ""
    op: str = "is"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form of a segment as it was typed."""

    name: str
    match: str
    conditions: tuple[Typed, ...]

    def with_room(self) -> Sheet:
        """With empty conditions after the others, so that one more can be typed."""
        most = segment_rules.MOST_CONDITIONS
        room = min(max(len(self.conditions) + 1, _SPARE), most) - len(self.conditions)
        return replace(self, conditions=self.conditions + (Typed(),) * max(room, 0))


def _least() -> int:
    """The smallest group whose number this reader is told."""
    return 0 if "admin" in access.me().roles else thresholds.joining()


# --- the words of a form, and the codes of a rule ----------------------------------------


def _entities() -> dict[str, str]:
    """Names of entities by their identifiers, as text."""
    query = select(Entity.id, Entity.name).order_by(Entity.name).limit(500)
    return {str(row.id): row.name for row in db.session.execute(query)}


def _names(field: str, entities: Mapping[str, str]) -> dict[str, str]:
    """What a code is called in the form, for the fields that hold codes."""
    if field == "kind":
        return {code: str(KIND_NAMES[code]) for code in KINDS}
    if field == "language":
        return {code: LANGUAGE_NAMES[code] for code in LANGUAGES}
    return dict(entities) if field == "entity" else {}


def _raw(typed: Typed, entities: Mapping[str, str]) -> dict[str, object]:
    """A typed condition as the rule keeps it; names of codes are understood in any case."""
    raw: dict[str, object] = {"field": typed.field, "op": typed.op}
    if typed.op == "within":
        return raw | {"days": typed.value}
    if typed.op in segment_rules.DAY_OPS:
        return raw | {"date": typed.value}
    codes = {fold(name): code for code, name in _names(typed.field, entities).items()}
    values = [value.strip() for value in typed.value.split(APART)]
    return raw | {"values": [codes.get(fold(value), value) for value in values]}


def _typed(condition: Condition, entities: Mapping[str, str]) -> Typed:
    if condition.date is not None:
        return Typed(condition.field, condition.op, condition.date.isoformat())
    if condition.days is not None:
        return Typed(condition.field, condition.op, str(condition.days))
    names = _names(condition.field, entities)
    value = f"{APART} ".join(names.get(value, value) for value in condition.values)
    return Typed(condition.field, condition.op, value)


def _sheet() -> Sheet:
    """What was sent; conditions that say nothing are left out."""
    form = request.form
    found = [
        Typed(
            form.get(f"field-{n}", "")[:20],
            form.get(f"op-{n}", "is")[:10],
            form.get(f"value-{n}", "")[:4_000],
        )
        for n in range(segment_rules.MOST_CONDITIONS)
    ]
    said = tuple(each for each in found if each.field or each.value.strip())
    return Sheet(form.get("name", "")[:400], form.get("match", "all")[:10], said)


def _sheet_of(segment: SegmentWhole) -> Sheet:
    if segment.rule is None:
        return Sheet(segment.name, "all", ())
    entities = _entities()
    conditions = tuple(_typed(each, entities) for each in segment.rule.conditions)
    return Sheet(segment.name, segment.rule.match, conditions)


def _rule(sheet: Sheet) -> Rule:
    """Raises `InvalidInput`."""
    entities = _entities()
    rule = segment_rules.parse(
        {"match": sheet.match, "conditions": [_raw(each, entities) for each in sheet.conditions]}
    )
    for place, each in enumerate(rule.conditions):
        if each.field == "entity" and (gone := {*each.values} - {*entities}):
            sentence = _l("“%(value)s” does not exist here.", value=min(gone))
            raise check_form({f"conditions.{place}": sentence})
    return rule


# --- pages -------------------------------------------------------------------------------


@people.get("/studio/segments")
@access.role("admin", "lead")
def segments_list() -> Response:
    """Segments by name; search, archive and page live in the address."""
    q, archived = request.args.get("q", "")[:100], request.args.get("archived") == "1"
    page = segments_queries.page(q, request.args.get("after"), archived=archived, least=_least())
    return render(
        "people/segments.html",
        rows=page.items,
        next_url=url_with(after=page.next) if page.next else None,
        first_url=url_with() if request.args.get("after") else None,
        search=q,
        archived=archived,
        least=_least(),
        is_admin="admin" in access.me().roles,
    )


def _form(
    sheet: Sheet,
    segment: SegmentWhole | None = None,
    status: int = 200,
    *,
    error: InvalidInput | None = None,
    preview: Preview | None = None,
) -> Response:
    return render(
        "people/segment.html",
        status,
        layout="page",
        sheet=sheet.with_room(),
        segment=segment,
        uses=None if segment is None else segments_queries.uses(segment.id),
        preview=preview,
        problem=error.sentence if error else None,
        errors=_errors(error) if error else {},
        **_words(),
    )


def _errors(error: InvalidInput) -> dict[str, str]:
    """By the identifiers of the fields in the page."""
    found = by_field(error)
    return {
        f"value-{name.partition('.')[2]}" if "." in name
        else ("value-0" if name == "conditions" else name): sentence
        for name, sentence in found.items()
    }  # fmt: skip


def _preview_words() -> dict[str, object]:
    names = {"language": LANGUAGE_NAMES}
    return {"field_names": FIELD_NAMES, "value_names": names, "least": _least()}


def _words() -> dict[str, object]:
    entities = _entities()
    fields = [(code, name) for code, name in FIELD_NAMES.items() if code != "entity" or entities]
    known = {field: tallies.said(field) for field in segment_rules.WORDS}
    known |= {
        field: list(_names(field, entities).values()) for field in ("kind", "language", "entity")
    }
    return {
        "fields": fields,
        "ops": list(OP_NAMES.items()),
        "known": {field: values for field, values in known.items() if values},
        "role_names": ROLE_NAMES,
        "is_admin": "admin" in access.me().roles,
        **_preview_words(),
    }


@people.get("/studio/segments/new")
@access.role("admin", "lead")
def segment_new() -> Response:
    """A rule to be written."""
    return _form(Sheet("", "all", ()))


@people.post("/studio/segments/preview")
@access.role("admin", "lead")
def segment_preview() -> Response:
    """How many people the rule as it is typed would find; nothing is kept."""
    sheet, error, found = _sheet(), None, None
    segment = _previewed()
    try:
        found = segments_queries.preview(_rule(sheet), least=_least())
    except InvalidInput as wrong:
        error = wrong
    if is_htmx():
        return render(
            "people/_segment_preview.html",
            200,
            layout="page",
            preview=found,
            errors=_errors(error) if error else {},
            **_preview_words(),
        )
    return _form(sheet, segment, 422 if error else 200, error=error, preview=found)


def _previewed() -> SegmentWhole | None:
    segment_id = read_id(request.form.get("segment_id"))
    return segments_queries.segment(segment_id) if segment_id else None


@people.post("/studio/segments")
@access.role("admin", "lead")
def segment_create() -> Response:
    """Keep a new rule, or with `kind=list` an empty list."""
    sheet, actor_id = _sheet(), access.me().person_id
    is_list = request.form.get("kind") == "list"
    id_ = pressing.id_for(Segment, actor_id)
    if pressing.came_before(Segment, id_):
        return redirect_to(f"/studio/segments/{id_}")
    try:
        rule = None if is_list else _rule(sheet)
        made = segments_service.create_segment(sheet.name, rule, actor_id=actor_id, id_=id_)
    except InvalidInput as error:
        if is_list:
            flash(" ".join(by_field(error).values()), "stop")
            return redirect_to("/studio/segments")
        return _form(sheet, None, 422, error=error)
    flash(_("The segment “%(name)s” is kept.", name=sheet.name.strip()), "ok")
    return redirect_to(f"/studio/segments/{made}")


@people.get("/studio/segments/<uuid:segment_id>")
@access.role("admin", "lead")
def segment_page(segment_id: uuid.UUID) -> Response:
    """A rule with its number, or a list with its people."""
    segment = segments_queries.segment(segment_id)
    if segment.is_list:
        return _list_page(segment)
    least = _least()
    found = segments_queries.preview(segment.rule, least=least) if segment.rule else None
    return _form(_sheet_of(segment), segment, preview=found)


def _list_page(
    segment: SegmentWhole, status: int = 200, *, error: InvalidInput | None = None
) -> Response:
    is_admin = "admin" in access.me().roles
    on_it, next_place = (
        segments_queries.people_of(segment.id, request.args.get("after"))
        if is_admin
        else ([], None)
    )
    q = request.args.get("q", "")[:100] if is_admin else ""
    return render(
        "people/segment_list.html",
        status,
        segment=segment,
        uses=segments_queries.uses(segment.id),
        rows=on_it,
        next_url=url_with(after=next_place) if next_place else None,
        first_url=url_with() if request.args.get("after") else None,
        people=segments_queries.told(segments_queries.people_on(segment.id), _least()),
        found=search.cards(q) if q.strip() else [],
        search=q,
        pasted=request.form.get("addresses", ""),
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
        role_names=ROLE_NAMES,
        is_admin=is_admin,
        least=_least(),
    )


@people.post("/studio/segments/<uuid:segment_id>")
@access.role("admin", "lead")
def segment_change(segment_id: uuid.UUID) -> Response:
    """Another name, another rule: from now on, wherever the segment is used."""
    segment, sheet = segments_queries.segment(segment_id), _sheet()
    try:
        rule = None if segment.is_list else _rule(sheet)
        segments_service.change_segment(
            segment_id, sheet.name, rule, actor_id=access.me().person_id
        )
    except InvalidInput as error:
        if segment.is_list:
            return _list_page(segment, 422, error=error)
        return _form(sheet, segment, 422, error=error)
    flash(_("The segment “%(name)s” is kept.", name=sheet.name.strip()), "ok")
    return redirect_to(f"/studio/segments/{segment_id}")


@people.post("/studio/segments/<uuid:segment_id>/archive")
@access.role("admin", "lead")
def segment_archive(segment_id: uuid.UUID) -> Response:
    """No longer offered; the way back stands on its page and among the archived ones."""
    segments_service.archive_segment(segment_id, actor_id=access.me().person_id)
    flash(_("The segment is archived. What it was chosen for keeps it."), "ok")
    return redirect_to(f"/studio/segments/{segment_id}")


@people.post("/studio/segments/<uuid:segment_id>/restoration")
@access.role("admin", "lead")
def segment_restoration(segment_id: uuid.UUID) -> Response:
    """Offered again."""
    try:
        segments_service.restore_segment(segment_id, actor_id=access.me().person_id)
        flash(_("The segment can be chosen again."), "ok")
    except InvalidInput as error:
        flash(" ".join(by_field(error).values()), "stop")
    return redirect_to(f"/studio/segments/{segment_id}")


@people.post("/studio/segments/<uuid:segment_id>/people")
@access.role("admin")
def segment_people(segment_id: uuid.UUID) -> Response:
    """Put people on a list: by pasted addresses, or those who are ticked."""
    actor_id = access.me().person_id
    segment = segments_queries.segment(segment_id)
    ids = _ticked()
    try:
        if ids:
            added = segments_service.add_people(segment_id, ids, actor_id=actor_id)
        else:
            pasted = request.form.get("addresses", "")
            added = segments_service.add_addresses(segment_id, pasted, actor_id=actor_id)
    except InvalidInput as error:
        return _list_page(segment, 422, error=error)
    _tell_added(added)
    return redirect_to(f"/studio/segments/{segment_id}")


@people.post("/studio/people/listed")
@access.role("admin")
def directory_listed() -> Response:
    """Put those who are ticked in the directory on the chosen list."""
    segment_id = read_id(request.form.get("segment_id"))
    if segment_id is None:
        raise segments_service.NoSuchSegment
    added = segments_service.add_people(segment_id, _ticked(), actor_id=access.me().person_id)
    _tell_added(added)
    return redirect_to(f"/studio/segments/{segment_id}")


def _ticked() -> list[uuid.UUID]:
    found = []
    for raw in request.form.getlist("person_id")[: search.MOST]:
        try:
            found.append(uuid.UUID(raw))
        except ValueError:
            continue
    return found


def _tell_added(added: segments_service.Added) -> None:
    n = added.added
    flash(ngettext("%(n)s person added.", "%(n)s people added.", n, n=n), "ok")
    if added.unknown:
        some = ", ".join(added.unknown[:5])
        n = len(added.unknown)
        flash(
            ngettext(
                "%(n)s address belongs to nobody in the directory: %(some)s",
                "%(n)s addresses belong to nobody in the directory, among them: %(some)s",
                n,
                n=n,
                some=some,
            ),
            "wait",
        )


@people.post("/studio/segments/<uuid:segment_id>/people/<uuid:person_id>/removal")
@access.role("admin")
def segment_person_removal(segment_id: uuid.UUID, person_id: uuid.UUID) -> Response:
    """Take somebody off a list."""
    segments_service.remove_person(segment_id, person_id, actor_id=access.me().person_id)
    flash(_("This person is no longer on the list."), "ok")
    return redirect_to(f"/studio/segments/{segment_id}")
