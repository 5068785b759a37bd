"""The organisation and its entities, for administrators."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import approvals
from app.approvals import rule
from app.approvals.rule import ROLE_CHOICES, ROLE_SENTENCES
from app.approvals.words import tell_waiting
from app.charters import queries as charters
from app.config import LANGUAGES
from app.errors import InvalidInput, Sentence
from app.media import service as media
from app.media.drawing import MAX_BYTES, PictureRefused
from app.people import thresholds
from app.rewards import overrides
from app.settings import entities, organisation, save_organisation, set_logo
from app.web import access, current_settings, redirect_to, render

administration = Blueprint("administration", __name__)

PLACE, ENTITIES = "/studio/organisation", "/studio/entities"
TEXTS = ("name", "brand", "about", "other_about", "website", "privacy_contact", "sender_name")
NUMBERS = ("promise_days", "joining_threshold", "team_threshold")

Typed = Mapping[str, str]


def _kept() -> dict[str, str]:
    """The settings as the form shows them."""
    row = organisation()
    return {name: str(getattr(row, name, "") or "") for name in (*TEXTS, *NUMBERS)}


def _page(
    typed: Typed, errors: Mapping[str, list[Sentence]], status: int = 200,
    wanted: approvals.Policy | None = None,
) -> Response:  # fmt: skip
    settings = current_settings()
    return render(
        "administration/organisation.html",
        status,
        typed=typed,
        errors=errors,
        max_bytes=MAX_BYTES,
        timezone=str(settings.timezone),
        locale=settings.locale,
        other=next(code for code in LANGUAGES if code != settings.locale),
        sender=settings.mail_from,
        least={"joining": thresholds.JOINING, "team": thresholds.TEAM},
        two=wanted or approvals.policy(),
        role_choices=[(code, ROLE_SENTENCES[code]) for code in ROLE_CHOICES],
    )


@administration.get(PLACE)
@access.role("admin")
def show() -> Response:
    """The form."""
    return _page(_kept(), {})


@administration.post(PLACE)
@access.role("admin")
def save() -> Response:
    """Change what was changed; the logo is drawn again before anything is kept."""
    typed = {name: request.form.get(name, "").strip() for name in (*TEXTS, *NUMBERS)}
    actor = access.me().person_id
    try:
        numbers = {name: _number(name, typed[name]) for name in NUMBERS}
        logo = _logo(actor)
        save_organisation(
            **{name: typed[name] for name in TEXTS},
            promise_days=5 if numbers["promise_days"] is None else numbers["promise_days"],
            joining_threshold=numbers["joining_threshold"],
            team_threshold=numbers["team_threshold"],
            actor_id=actor,
        )
    except InvalidInput as error:
        return _page(typed, error.errors, 422)
    if logo is not None:
        set_logo(*logo, actor_id=actor)
    flash(_("Saved."), "ok")
    return redirect_to(PLACE)


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        sentence = _l("Give a whole number.")
        raise InvalidInput(_l("Please check the form."), {name: sentence})
    return int(text)


def _logo(actor: uuid.UUID) -> tuple[uuid.UUID | None, str | None] | None:
    """The new logo, or that there shall be none; None where nothing was said of it."""
    file = request.files.get("logo")
    if file is None or not file.filename:
        return (None, None) if request.form.get("no_logo") else None
    try:
        row = media.add(file.read(), actor_id=actor)
    except PictureRefused as error:
        raise InvalidInput(_l("Please check the form."), {"logo": error.sentence}) from error
    smallest = media.urls(row).srcset.partition(" ")[0]
    return row.id, smallest


@administration.post(f"{PLACE}/two-people")
@access.role("admin")
def save_two_people() -> Response:
    """When a second person is asked for. To ask less often waits for one itself."""
    form = request.form
    above = form.get("points_above", "").strip() or "0"
    is_number = above.isascii() and above.isdigit() and len(above) <= 9
    wanted = approvals.Policy(
        roles=form.get("approve_roles", ""),
        points="points" in form,
        points_above=int(above) if is_number else -1,
        money="money" in form,
    )
    try:
        made = rule.change(wanted, actor_id=access.me().person_id)
    except InvalidInput as error:
        return _page(_kept(), error.errors, 422, wanted)
    if made.waits:
        tell_waiting(_("This rule would ask less often than now."))
    else:
        flash(_("Saved."), "ok")
    return redirect_to(f"{PLACE}#two-people")


# ---- Entities


def _entities(
    status: int = 200, *, typed: Typed | None = None, errors: Mapping[str, list[Sentence]] | None = None,
    editing: uuid.UUID | None = None,
) -> Response:  # fmt: skip
    return render(
        "administration/entities.html",
        status,
        rows=entities.entities(archived=request.args.get("all") == "yes"),
        typed=typed or {},
        errors=errors or {},
        editing=editing,
        overrides=_overrides(),
    )


def _overrides() -> dict[uuid.UUID, list[tuple[str, str]]]:
    """What each entity has of its own, as a sentence and where it is changed; offers are told
    by the entity itself."""
    said: dict[uuid.UUID, list[tuple[str, str]]] = {}
    for entity_id, (own, otherwise) in overrides.counts().items():
        shelf = f"/studio/rewards?entity={entity_id}"
        lines = said.setdefault(entity_id, [])
        if own:
            told = ngettext("%(num)s reward of its own", "%(num)s rewards of its own", own)
            lines.append((told, shelf))
        if otherwise:
            told = ngettext(
                "%(num)s shared reward changed", "%(num)s shared rewards changed", otherwise
            )
            lines.append((told, shelf))
    for entity_id, number in charters.entities_with_own().items():
        told = _("a charter of its own, version %(number)s", number=number)
        said.setdefault(entity_id, []).append((told, f"/studio/charter?entity={entity_id}"))
    return said


@administration.get(ENTITIES)
@access.role("admin")
def list_entities() -> Response:
    """Those in use, or all."""
    return _entities()


@administration.post(ENTITIES)
@access.role("admin")
def make_entity() -> Response:
    """A new one."""
    typed = {name: request.form.get(name, "") for name in ("code", "name")}
    try:
        entities.make(**typed, actor_id=access.me().person_id)
    except InvalidInput as error:
        return _entities(422, typed=typed, errors=error.errors)
    flash(_("Added: %(name)s.", name=typed["name"].strip()), "ok")
    return redirect_to(ENTITIES)


@administration.post(f"{ENTITIES}/<uuid:entity_id>")
@access.role("admin")
def change_entity(entity_id: uuid.UUID) -> Response:
    """Another code or name, and whom its offers are shown to."""
    typed = {name: request.form.get(name, "") for name in ("code", "name")}
    keeps = request.form["offers"] == "own" if "offers" in request.form else None
    try:
        entities.change(entity_id, **typed, keeps_offers=keeps, actor_id=access.me().person_id)
    except InvalidInput as error:
        return _entities(422, typed=typed, errors=error.errors, editing=entity_id)
    flash(_("Saved."), "ok")
    return redirect_to(ENTITIES)


@administration.post(f"{ENTITIES}/<uuid:entity_id>/archival")
@access.role("admin")
def archive_entity(entity_id: uuid.UUID) -> Response:
    """Out of use; the same press brings it back."""
    is_archived = request.form.get("archived") == "yes"
    entities.archive(entity_id, is_archived, actor_id=access.me().person_id)
    flash(_("Archived.") if is_archived else _("In use again."), "ok")
    return redirect_to(f"{ENTITIES}?all=yes")
