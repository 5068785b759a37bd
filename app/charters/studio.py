"""Those who lead the programme: the versions of the charter, its draft, its publication."""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField

from app.charters import queries, service
from app.charters.errors import CharterUnchanged, DraftChanged, NoSuchCharter
from app.charters.queries import CharterVersionView
from app.charters.texts import ORGANISATION
from app.charters.views import charters
from app.errors import InvalidInput
from app.people import thresholds
from app.people.words import LANGUAGE_NAMES
from app.web import access, redirect_to, render

DRAFT = "/studio/charter/draft"


class CharterForm(FlaskForm):
    """The next version as it is typed; `service` decides whether it can be taken."""

    title_fr = StringField(_l("Title in French"))
    body_fr = TextAreaField(_l("Text in French"))
    note_fr = TextAreaField(_l("What changes, in French"))
    title_en = StringField(_l("Title in English"))
    body_en = TextAreaField(_l("Text in English"))
    note_en = TextAreaField(_l("What changes, in English"))

    def save(self, actor_id: uuid.UUID) -> uuid.UUID:
        """Keep the draft. Raises `InvalidInput`."""
        return service.save_draft(
            actor_id, title_fr=self.title_fr.data or "", title_en=self.title_en.data or "",
            body_fr=self.body_fr.data or "", body_en=self.body_en.data or "",
            note_fr=self.note_fr.data or "", note_en=self.note_en.data or "",
        )  # fmt: skip

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, sentences in error.errors.items():
            self[name].errors = [str(sentence) for sentence in sentences]


@charters.get("/studio/charter")
@access.role("lead", "admin")
def versions() -> Response:
    """Every version with its dates; how many agreed, as a number and never as names."""
    draft, published = queries.with_draft()
    return render(
        "charters/studio.html",
        draft=draft,
        versions=published,
        agreed=queries.agreed_count(published[0].id) if published else None,
        small_group=thresholds.joining(),
    )


@charters.get(DRAFT)
@access.role("lead", "admin")
def draft() -> Response:
    """The draft, or a new one that starts from the version in force."""
    found, published = queries.with_draft()
    start = found or (published[0] if published else None)
    form = CharterForm(formdata=None, obj=start)
    if found is None:
        form.note_fr.data = form.note_en.data = ""
    return _form(form, found)


def _form(form: CharterForm, found: CharterVersionView | None, status: int = 200) -> Response:
    return render("charters/draft.html", status, form=form, draft=found, placeholder=ORGANISATION)


@charters.post(DRAFT)
@access.role("lead", "admin")
def save() -> Response:
    """Keep what was typed, and look at it as members will."""
    form = CharterForm()
    try:
        form.save(access.me().person_id)
    except InvalidInput as error:
        form.show(error)
        return _form(form, queries.with_draft()[0], error.status)
    return redirect_to(f"{DRAFT}/preview")


@charters.get(f"{DRAFT}/preview")
@access.role("lead", "admin")
def preview() -> Response:
    """Both languages as members will read them, and what changed for who agreed before."""
    return _preview()


def _preview(status: int = 200, problem: str = "") -> Response:
    found, published = queries.with_draft()
    if found is None:
        raise NoSuchCharter
    in_force = published[0] if published else None
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
    )


@charters.post(f"{DRAFT}/publication")
@access.role("lead", "admin")
def publish() -> Response:
    """Put the draft that was looked at in force."""
    try:
        version_id = uuid.UUID(request.form.get("version", ""))
    except ValueError:
        raise NoSuchCharter from None
    try:
        service.publish(access.me().person_id, version_id, seen=request.form.get("seen", ""))
    except (CharterUnchanged, DraftChanged) as error:
        return _preview(error.status, str(error.sentence))
    flash(_("Published. Each member reads it, and what changed, before their next share."), "ok")
    return redirect_to("/studio/charter")


@charters.post(f"{DRAFT}/removal")
@access.role("lead", "admin")
def discard() -> Response:
    """Throw the draft away."""
    if service.discard_draft(access.me().person_id):
        flash(_("The draft is gone. The version in force is as it was."), "ok")
    return redirect_to("/studio/charter")
