"""The team's page around sharing: the stop switch, what is agreed, how LinkedIn is met (F135).

Curators read it, those who lead the programme decide. Nothing here names a member who posts.
"""

from __future__ import annotations

import uuid
from typing import Final

from flask import Response, flash, request
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from sqlalchemy import select

from app.config import LANGUAGES
from app.db import db
from app.errors import DomainError, InvalidInput, Sentence
from app.library.models import Topic
from app.library.topics import name_in, name_read
from app.people import thresholds
from app.people.models import KINDS
from app.people.queries import named
from app.people.views.common import by_field
from app.people.words import KIND_NAMES, LANGUAGE_NAMES
from app.sharing import checkup, disclosures, monthly, service, stop, trouble
from app.sharing.errors import LastDisclosure
from app.sharing.models import SharingStop
from app.sharing.views import sharing
from app.sharing.words import TROUBLES
from app.web import access, current_settings, redirect_to, render
from app.web.i18n import language
from app.web.two_languages import READS

PAGE: Final = "/studio/sharing"
READERS: Final = ("lead", "admin", "curator")
DECIDERS: Final = ("lead", "admin")
EVERYTHING: Final = "all"


def _page(
    status: int = 200,
    *,
    problem: Sentence | None = None,
    errors: dict[str, str] | None = None,
    form: str = "",
) -> Response:
    settings, standing, past = current_settings(), stop.all_standing(), stop.history()
    topics = _topics()
    return render(
        "sharing/studio.html",
        status,
        can_decide=bool(access.me().roles & {*DECIDERS}),
        standing=standing,
        past=past,
        people=named(_people_of([*standing, *past])),
        topics=topics,
        topic_names=dict(topics),
        paused=stop.paused_count(),
        daily_cap=service.daily_cap(),
        wordings=disclosures.standing(),
        kinds=[(kind, KIND_NAMES[kind]) for kind in KINDS],
        kind_names=KIND_NAMES,
        languages=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES],
        language_names=LANGUAGE_NAMES,
        months=[(format_date(m.first_day, "LLLL y"), m) for m in monthly.months(settings.timezone)],
        few=thresholds.team(),
        connection=checkup.connection(settings),
        troubles=[(TROUBLES[t.code], t.at) for t in trouble.recent(checkup.WARN_BEFORE)],
        problem=problem,
        errors=errors or {},
        form=form,
        typed=request.form if form else {},
    )


def _topics() -> list[tuple[uuid.UUID, str]]:
    rows = db.session.execute(
        select(Topic.id, name_read).order_by(name_read, Topic.id), {READS: language()}
    )
    return [(topic_id, name) for topic_id, name in rows]


def _people_of(stops: list[SharingStop]) -> set[uuid.UUID]:
    return {who for s in stops for who in (s.stopped_by, s.lifted_by) if who is not None}


def _refused(error: DomainError, form: str) -> Response:
    """The page with what is wrong at the form that was sent."""
    errors = by_field(error) if isinstance(error, InvalidInput) else {}
    return _page(error.status, problem=error.sentence, errors=errors, form=form)


@sharing.get(PAGE)
@access.role(*READERS)
def studio_sharing() -> Response:
    """Whether sharing is on, and what was agreed about it."""
    return _page()


# --- the stop switch ---------------------------------------------------------------------


@sharing.post(f"{PAGE}/stops")
@access.role(*DECIDERS)
def studio_stop() -> Response:
    """Stop all sharing, or that of one topic. It holds before this answer is read."""
    try:
        topic_id = _topic_id(request.form.get("topic", EVERYTHING))
        stop.stop(access.me().person_id, request.form.get("message", ""), topic_id)
    except InvalidInput as error:
        return _refused(error, "stop")
    if topic_id is None:
        flash(_("All sharing is stopped. Nothing leaves any more."), "ok")
    else:
        flash(_("Sharing of this topic is stopped. Nothing of it leaves any more."), "ok")
    return redirect_to(PAGE)


def _topic_id(value: str) -> uuid.UUID | None:
    """None for everything; an unreadable one is left for the service to refuse."""
    if value == EVERYTHING:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return uuid.UUID(int=0)


@sharing.get(f"{PAGE}/stops/<uuid:stop_id>/lifting")
@access.role(*DECIDERS)
def studio_lifting(stop_id: uuid.UUID) -> Response:
    """The question before sharing goes on."""
    return _question(stop_id)


def _question(stop_id: uuid.UUID, status: int = 200) -> Response:
    lifting = stop.lifting_of(stop_id)
    topic_id = lifting.stop.topic_id
    topic = db.session.get(Topic, topic_id) if topic_id is not None else None
    name = name_in(topic, language()) if topic else ""
    return render("sharing/studio_lifting.html", status, lifting=lifting, topic=name)


@sharing.post(f"{PAGE}/stops/<uuid:stop_id>/lifting")
@access.role(*DECIDERS)
def studio_lifting_submit(stop_id: uuid.UUID) -> Response:
    """Sharing goes on, once somebody said so after reading what that does."""
    if request.form.get("confirmed") != "1":
        return _question(stop_id, 422)
    asked = stop.lift(access.me().person_id, stop_id)
    text = _("Sharing is open again.")
    if asked:
        text += " " + ngettext(
            "The author of one post is asked whether it still goes.",
            "The authors of %(num)s posts are asked whether they still go.",
            asked,
        )
    flash(text, "ok")
    return redirect_to(PAGE)


# --- what is agreed ----------------------------------------------------------------------


@sharing.post(f"{PAGE}/policy")
@access.role(*DECIDERS)
def studio_policy() -> Response:
    """How many posts a member may send in a day."""
    typed = request.form.get("daily_cap", "").strip()
    cap = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
    try:
        service.set_daily_cap(cap, access.me().person_id)
    except InvalidInput as error:
        return _refused(error, "policy")
    flash(_("Saved. It holds from the next press on."), "ok")
    return redirect_to(f"{PAGE}#policy")


@sharing.post(f"{PAGE}/disclosures")
@access.role(*DECIDERS)
def studio_disclosure() -> Response:
    """One more way to say where one speaks from."""
    try:
        disclosures.add(
            request.form.get("language", ""),
            request.form.get("person_kind", ""),
            request.form.get("text", ""),
            access.me().person_id,
        )
    except InvalidInput as error:
        return _refused(error, "disclosure")
    flash(_("The wording is offered from now on."), "ok")
    return redirect_to(f"{PAGE}#disclosures")


@sharing.post(f"{PAGE}/disclosures/<disclosure_id>/retirement")
@access.role(*DECIDERS)
def studio_disclosure_retirement(disclosure_id: str) -> Response:
    """Offer a wording no longer."""
    try:
        disclosures.retire(disclosure_id, access.me().person_id)
    except LastDisclosure as error:
        return _refused(error, "disclosures")
    flash(_("The wording is no longer offered. Posts that carry it keep it."), "ok")
    return redirect_to(f"{PAGE}#disclosures")


@sharing.post(f"{PAGE}/disclosures/<disclosure_id>/first-place")
@access.role(*DECIDERS)
def studio_disclosure_first_place(disclosure_id: str) -> Response:
    """Propose this wording before the others."""
    disclosures.put_first(disclosure_id, access.me().person_id)
    flash(_("This wording is proposed first from now on."), "ok")
    return redirect_to(f"{PAGE}#disclosures")
