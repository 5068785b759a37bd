"""Those who lead the programme: the versions of the charter, its draft, its publication; with
`entity` in the address, those of an entity's own."""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField

from app.charters import queries, service
from app.charters.differences import Change
from app.charters.errors import CharterUnchanged, DraftChanged, NoSuchCharter
from app.charters.queries import CharterVersionView
from app.charters.texts import ORGANISATION
from app.charters.views import charters
from app.db import read_id
from app.errors import InvalidInput
from app.people import thresholds
from app.people.words import LANGUAGE_NAMES
from app.settings import entities
from app.settings.models import Entity
from app.web import access, redirect_to, render
from app.web.i18n import language

DRAFT = "/studio/charter/draft"


class CharterForm(FlaskForm):
    """The next version as it is typed; `service` decides whether it can be taken."""

    title_fr = StringField(_l("Title in French"))
    body_fr = TextAreaField(_l("Text in French"))
    note_fr = TextAreaField(_l("What changes, in French"))
    title_en = StringField(_l("Title in English"))
    body_en = TextAreaField(_l("Text in English"))
    note_en = TextAreaField(_l("What changes, in English"))

    def save(self, actor_id: uuid.UUID, entity_id: uuid.UUID | None) -> uuid.UUID:
        """Keep the draft. Raises `InvalidInput`."""
        return service.save_draft(
            actor_id, title_fr=self.title_fr.data or "", title_en=self.title_en.data or "",
            body_fr=self.body_fr.data or "", body_en=self.body_en.data or "",
            note_fr=self.note_fr.data or "", note_en=self.note_en.data or "",
            entity_id=entity_id,
        )  # fmt: skip

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, sentences in error.errors.items():
            self[name].errors = [str(sentence) for sentence in sentences]


def _entity() -> Entity | None:
    """Whose own charter the address is about; None: the shared one. Raises `NotFound`."""
    asked = request.args.get("entity")
    return entities.entity(read_id(asked) or uuid.UUID(int=0)) if asked else None


def _place(entity: Entity | None, rest: str = "") -> str:
    return f"/studio/charter{rest}{f'?entity={entity.id}' if entity else ''}"


@charters.get("/studio/charter")
@access.role("lead", "admin")
def versions() -> Response:
    """Every version with its dates; how many agreed, as a number and never as names."""
    entity = _entity()
    entity_id = entity.id if entity else None
    draft, published = queries.with_draft(entity_id)
    rows = queries.by_entity()
    own = {row.id for row in rows if row.number is not None}
    in_force = published[0] if published and (entity is None or entity_id in own) else None
    return render(
        "charters/studio.html",
        draft=draft,
        versions=published,
        in_force=in_force,
        agreed=queries.agreed_count(in_force.id, entity_id) if in_force else None,
        small_group=thresholds.joining(),
        entity=entity,
        entities=rows if entity is None else [],
        changes=_from_shared(in_force) if entity else None,
    )


def _from_shared(own: CharterVersionView | None) -> list[Change] | None:
    """In what an entity's charter differs from the shared one, in the reader's language."""
    shared = queries.current()
    if own is None or shared is None:
        return None
    return queries.difference(shared, own, language())


@charters.get(DRAFT)
@access.role("lead", "admin")
def draft() -> Response:
    """The draft, or a new one that starts from the version in force."""
    entity = _entity()
    entity_id = entity.id if entity else None
    found = queries.with_draft(entity_id)[0]
    form = CharterForm(formdata=None, obj=found or queries.current(entity_id))
    if found is None:
        form.note_fr.data = form.note_en.data = ""
    return _form(form, found, entity)


def _form(
    form: CharterForm, found: CharterVersionView | None, entity: Entity | None, status: int = 200
) -> Response:
    return render(
        "charters/draft.html", status, form=form, draft=found, placeholder=ORGANISATION,
        entity=entity,
    )  # fmt: skip


@charters.post(DRAFT)
@access.role("lead", "admin")
def save() -> Response:
    """Keep what was typed, and look at it as members will."""
    entity, form = _entity(), CharterForm()
    entity_id = entity.id if entity else None
    try:
        form.save(access.me().person_id, entity_id)
    except InvalidInput as error:
        form.show(error)
        return _form(form, queries.with_draft(entity_id)[0], entity, error.status)
    return redirect_to(_place(entity, "/draft/preview"))


@charters.get(f"{DRAFT}/preview")
@access.role("lead", "admin")
def preview() -> Response:
    """Both languages as members will read them, and what changed for who agreed before."""
    return _preview(_entity())


def _preview(entity: Entity | None, status: int = 200, problem: str = "") -> Response:
    entity_id = entity.id if entity else None
    found = queries.with_draft(entity_id)[0]
    if found is None:
        raise NoSuchCharter
    in_force = queries.current(entity_id)
    return render(
        "charters/preview.html",
        status,
        draft=found,
        in_force=in_force,
        languages=LANGUAGE_NAMES,
        changes={
            lang: queries.difference(in_force, found, lang) if in_force else []
            for lang in LANGUAGE_NAMES
        },
        seen=service.fingerprint(found),
        problem=problem,
        entity=entity,
    )


@charters.post(f"{DRAFT}/publication")
@access.role("lead", "admin")
def publish() -> Response:
    """Put the draft that was looked at in force."""
    entity = _entity()
    try:
        version_id = uuid.UUID(request.form.get("version", ""))
    except ValueError:
        raise NoSuchCharter from None
    try:
        service.publish(access.me().person_id, version_id, seen=request.form.get("seen", ""))
    except (CharterUnchanged, DraftChanged) as error:
        return _preview(entity, error.status, str(error.sentence))
    flash(_("Published. Each member reads it, and what changed, before their next share."), "ok")
    return redirect_to(_place(entity))


@charters.post(f"{DRAFT}/removal")
@access.role("lead", "admin")
def discard() -> Response:
    """Throw the draft away."""
    entity = _entity()
    if service.discard_draft(access.me().person_id, entity.id if entity else None):
        flash(_("The draft is gone. The version in force is as it was."), "ok")
    return redirect_to(_place(entity))


@charters.post("/studio/charter/entities/<uuid:entity_id>/removal")
@access.role("lead", "admin")
def share_again(entity_id: uuid.UUID) -> Response:
    """The shared charter is in force for this entity's people."""
    entity = entities.entity(entity_id)
    if service.share_again(entity.id, actor_id=access.me().person_id):
        flash(_("%(entity)s has the shared charter again.", entity=entity.name), "ok")
    return redirect_to(_place(entity))
