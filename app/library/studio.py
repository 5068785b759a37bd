"""The team's pages about stories: the list, the editor, the preview, the topics.

Views read what was sent, call one use case and show what came of it. A form that cannot be
taken comes back with everything that was typed and a sentence beside each field.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.config import LANGUAGES
from app.db import transaction
from app.errors import DomainError, InvalidInput, NotFound, Unavailable
from app.integrations.text import safe_url
from app.library import content, editor, previews, queries, service, topics, words
from app.library.content import Content
from app.library.editor import Typed
from app.library.errors import SecondApprovalNeeded, StoryChanged, UnknownStory
from app.library.models import CAPTION_KINDS, NETWORKS, Story, Topic
from app.library.queries import STATES, StoryFilter
from app.library.views import draw_story, kind_choices, viewer
from app.media import service as media
from app.media.drawing import MAX_BYTES, PictureRefused
from app.people import audiences, saved_views
from app.people.audiences import KEPT, SEEN
from app.people.views.common import by_field
from app.web import access, current_settings, parked, pressing, redirect_to, render
from app.web.i18n import language, the_other

studio = Blueprint("studio_stories", __name__)

PAGE: Final = 50
MORNING: Final = dt.time(8, 30)
"""When a story that is placed on a day appears, unless its editor says otherwise."""

WRITERS: Final = ("contributor", "curator", "admin")
writers = access.role(*WRITERS, within=True)
curators = access.role("curator", "admin", within=True)


# --- the list ----------------------------------------------------------------------------

LIST: Final = saved_views.declare(
    "stories", "/studio/stories", ("q", "status", "kind", "topic", "language", "mine"), WRITERS,
    _l("Stories"), within=True,
)  # fmt: skip


@studio.get("/studio/stories")
@writers
@saved_views.opens_on(LIST)
def story_list() -> Response:
    """Stories, narrowed by what the address says."""
    asked = {
        name: request.args.get(name, "").strip()
        for name in ("q", "status", "kind", "topic", "language", "mine")
    }
    reader = viewer()
    found = queries.studio(
        StoryFilter(
            q=asked["q"],
            status=asked["status"] if asked["status"] in STATES else "",
            kind=asked["kind"],
            topic=asked["topic"],
            language=asked["language"],
            author_id=reader.person_id if asked["mine"] else None,
        ),
        reader,
        after=request.args.get("after"),
        before=request.args.get("before"),
        limit=PAGE,
    )
    choices = queries.topic_choices(language())
    asked["topic"] = _code_among(choices, asked["topic"])
    return render(
        "library/studio_stories.html",
        beside=found,
        asked=asked,
        states=words.state_names(),
        kinds=kind_choices(),
        kind_names=words.kind_names(),
        languages=words.LANGUAGE_NAMES,
        topic_choices=choices,
    )


def _code_among(choices: list[tuple[str, str]], typed: str) -> str:
    """The code that the filter shows as chosen for what an address names."""
    asked = content.topic_code(typed)
    return next(
        (code for code, name in choices if asked in (code, content.topic_code(name))), typed
    )


# --- the editor --------------------------------------------------------------------------


def _load(story_id: uuid.UUID) -> Story:
    return queries.story_of_team(story_id, viewer())


def _form(
    form: Typed,
    story: Story | None,
    status: int = 200,
    *,
    notice: str = "",
    preview: previews.Preview | None = None,
    has_changed: bool = False,
) -> Response:
    state = "draft"
    if story is not None:
        now = clock.now()
        state = queries.state_of(story.status, story.visible_from, story.expires_at, now)
    return render(
        "library/studio_story.html",
        status,
        form=form,
        story=story,
        state=state,
        notice=notice,
        has_changed=has_changed,
        names=editor.labels() if form.errors else {},
        picture_shown=media.picture(form.picture_id),
        preview=preview,
        preview_picture=media.picture(preview.picture_id) if preview else None,
        can_publish=_can_publish(story),
        topics=[name for _code, name in queries.topic_choices(language())],
        segments=_segments(form, story),
        **_choices(),
    )


def _shown(story: Story) -> Typed:
    """The form for a story as it is stored, its topics named for the reader."""
    told = content.content_of(story)
    return editor.shown(replace(told, topics=tuple(topics.names_in(story.topics, language()))))


def _can_publish(story: Story | None) -> bool:
    if story is None:
        return viewer().is_curator
    return service.may_publish(story, access.me().person_id)


def _segments(form: Typed, story: Story | None) -> dict[str, Any]:
    """What the form says of segments: those one may tick, those ticked, and those beyond the
    reach of a limited role, which stay. Only curators of everything say who keeps a story."""
    reader = viewer()
    seen, kept = (_assigned(story, purpose) for purpose in (SEEN, KEPT))
    within = reader.curates if reader.is_curator else reader.writes
    return {
        "rows": audiences.choices(within, [key for key, _name in (*seen, *kept)]),
        "is_limited": within is not None,
        "asks_keepers": reader.curates is None,
        "audience": [key for key, _name in seen] if form.audience is None else form.audience,
        "keepers": [key for key, _name in kept] if form.keepers is None else form.keepers,
        "others": [pair for pair in seen if within is not None and pair[0] not in within],
        "is_for_all": story is not None and not seen,
    }


def _assigned(story: Story | None, purpose: str) -> list[tuple[uuid.UUID, str]]:
    return audiences.assigned([story.id], purpose).get(story.id, []) if story else []


def _choices() -> dict[str, Any]:
    network_names, caption_names = words.network_names(), words.caption_names()
    return {
        "kinds": kind_choices(),
        "languages": words.LANGUAGE_NAMES,
        "networks": [(name, network_names[name]) for name in NETWORKS],
        "caption_kinds": [(kind, caption_names[kind]) for kind in CAPTION_KINDS],
        "states": words.state_names(),
        "limits": content,
        "zone": current_settings().timezone.key,
        "max_bytes": MAX_BYTES,
    }


@studio.get("/studio/stories/new")
@writers
def story_new() -> Response:
    """An empty form; a page that was shared with us has its address in its place."""
    address = safe_url(request.args.get("url", ""))
    form = editor.shown(Content(language=current_settings().locale, url=address))
    _place_on(form, request.args.get("day", ""))
    return _form(form, None)


def _place_on(form: Typed, day: str) -> None:
    """Fill in the morning of the day that the week's page asked for; nothing is kept yet."""
    try:
        date = dt.date.fromisoformat(day)
    except ValueError:
        return
    morning = dt.datetime.combine(date, MORNING, current_settings().timezone)
    if morning > clock.now():
        form.values["visible_from"] = editor.local(morning)


@studio.post("/studio/stories")
@writers
@parked.stands_at(lambda _typed: "/studio/stories/new")
def story_create() -> Response:
    """Keep a new draft, or publish it at once."""
    return _receive(None)


@studio.get("/studio/stories/<uuid:story_id>")
@writers
def story_show(story_id: uuid.UUID) -> Response:
    """One story, to change; as it looks, for those who may not."""
    story = _load(story_id)
    if not service.may_change(story, access.me().person_id):
        return redirect_to(f"/studio/stories/{story_id}/preview")
    form = _shown(story)
    if story.status == "draft":
        _place_on(form, request.args.get("day", ""))
    return _form(form, story)


@studio.post("/studio/stories/<uuid:story_id>")
@writers
def story_update(story_id: uuid.UUID) -> Response:
    """Keep the changes, or read the page behind the address first."""
    return _receive(story_id)


def _receive(story_id: uuid.UUID | None) -> Response:
    """What the editor's form asks for: `act` is save, publish, preview or adopt."""
    form, act = editor.typed(request.form), request.form.get("act", "save")
    _take_picture(form)
    if act in ("preview", "adopt"):
        return _with_preview(form, story_id, adopt=act == "adopt")
    made = pressing.id_for(Story, access.me().person_id)
    if story_id is None and pressing.came_before(Story, made):
        return redirect_to(f"/studio/stories/{made}")
    if form.errors:
        return _again(form, story_id)
    try:
        kept = _keep(form, story_id, publish=act == "publish")
    except SecondApprovalNeeded as error:
        return _keep_unpublished(form, story_id, error)
    except InvalidInput as error:
        form.show(error)
        return _again(form, story_id)
    except StoryChanged as error:
        return _again(form, story_id, error, has_changed=True)
    except UnknownStory:
        said = _(
            "This story was discarded meanwhile. What you wrote is here; keep it as a new one."
        )
        return _form(form, None, 404, notice=said)
    except DomainError as error:
        return _again(form, story_id, error)
    flash(_("The story is published.") if act == "publish" else _("Your words are kept."), "ok")
    return redirect_to(f"/studio/stories/{kept}")


def _take_picture(form: Typed) -> None:
    """A picture that came along is taken in first, so that it is not lost with an error."""
    file = request.files.get("picture")
    if file is not None and file.filename:
        try:
            form.picture_id = media.add(file.read(), actor_id=access.me().person_id).id
        except (PictureRefused, Unavailable) as error:
            form.errors["picture"] = str(error.sentence)
    elif "forget_picture" in request.form:
        form.picture_id = None


def _keep(form: Typed, story_id: uuid.UUID | None, *, publish: bool) -> uuid.UUID:
    """Store, and where asked publish, both or nothing."""
    me = access.me().person_id
    with transaction():
        if story_id is None:
            made = pressing.id_for(Story, me)
            story = service.create_story(editor.fields_of(form), me, id_=made)
        else:
            before = content.content_of(service.load(story_id))
            fields = editor.fields_of(form, before)
            story = service.change_story(story_id, fields, me, _version())
        if publish:
            service.publish_story(story.id, me)
        return story.id


def _version() -> int | None:
    typed = request.form.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else None


def _keep_unpublished(
    form: Typed, story_id: uuid.UUID | None, refused: SecondApprovalNeeded
) -> Response:
    """Publishing is for somebody else: the draft is kept, and the reason told."""
    try:
        kept = _keep(form, story_id, publish=False)
    except SecondApprovalNeeded as error:  # it is public already, and would change
        return _again(form, story_id, error)
    flash(f"{refused.sentence} {_('Your words are kept as a draft.')}", "warning")
    return redirect_to(f"/studio/stories/{kept}")


def _again(
    form: Typed,
    story_id: uuid.UUID | None,
    error: DomainError | None = None,
    *,
    has_changed: bool = False,
) -> Response:
    """The form with everything that was typed, and what is in the way."""
    story = _load(story_id) if story_id else None
    status = error.status if error and error.status != 404 else 422
    notice = str(error.sentence) if error and not form.errors else ""
    return _form(form, story, status, notice=notice, has_changed=has_changed)


# --- what the page behind the address says -----------------------------------------------


def _with_preview(form: Typed, story_id: uuid.UUID | None, *, adopt: bool) -> Response:
    """Ask for the page to be read, or show what it said; nothing is stored yet."""
    story = _load(story_id) if story_id else None
    try:
        preview = previews.preview(previews.want(form.get("url")))
    except InvalidInput as error:
        form.show(error)
        return _form(form, story, error.status)
    if preview is not None and preview.state == "ready":
        form.fill(preview)
        if adopt and preview.picture_id:
            form.picture_id, preview = preview.picture_id, None
    return _form(form, story, preview=preview)


@studio.post("/studio/link-previews/<uuid:preview_id>")
@writers
def preview_poll(preview_id: uuid.UUID) -> Response:
    """The state of a reading, for a page that asks again; with the fields it fills."""
    preview = previews.preview(preview_id)
    if preview is None:
        raise NotFound(_("There is no such thing here."))
    form = editor.typed(request.form)
    filled = form.fill(preview) if preview.state == "ready" else []
    return render(
        "library/studio_preview.html",
        form=form,
        preview=preview,
        preview_picture=media.picture(preview.picture_id),
        filled=[name for name in filled if name.rsplit("_", 1)[1] in LANGUAGES],
        **_choices(),
    )


# --- state changes -----------------------------------------------------------------------


@studio.get("/studio/stories/<uuid:story_id>/preview")
@writers
def story_preview(story_id: uuid.UUID) -> Response:
    """The story as members see it, whatever its state."""
    story = _load(story_id)
    state = queries.state_of(story.status, story.visible_from, story.expires_at, clock.now())
    return draw_story(story, request.args.get("text"), state, sections=[], in_studio=True)


@studio.post("/studio/stories/<uuid:story_id>/publication")
@curators
def story_publish(story_id: uuid.UUID) -> Response:
    """Show it to members as it was kept."""
    try:
        service.publish_story(story_id, access.me().person_id)
    except SecondApprovalNeeded as error:
        flash(str(error.sentence), "warning")
        return redirect_to(f"/studio/stories/{story_id}")
    except InvalidInput as error:
        story = _load(story_id)
        form = _shown(story)
        form.show(error)
        return _form(form, story, error.status)
    flash(_("The story is published."), "ok")
    return redirect_to(f"/studio/stories/{story_id}")


@studio.post("/studio/stories/<uuid:story_id>/withdrawal")
@curators
def story_withdraw(story_id: uuid.UUID) -> Response:
    """Take it back."""
    service.withdraw_story(story_id, access.me().person_id)
    flash(_("The story is withdrawn. Its page says so, and nobody can share it any more."), "ok")
    return redirect_to(f"/studio/stories/{story_id}")


@studio.post("/studio/stories/<uuid:story_id>/discarding")
@writers
def story_discard(story_id: uuid.UUID) -> Response:
    """Throw a draft away."""
    _load(story_id)
    service.discard(story_id, access.me().person_id)
    flash(_("The draft is gone."), "ok")
    return redirect_to("/studio/stories")


# --- topics ------------------------------------------------------------------------------


@studio.get("/studio/topics")
@writers
def topic_list() -> Response:
    """What stories are about, and which topics need a second pair of eyes."""
    return render(
        "library/studio_topics.html",
        topics=queries.all_topics(viewer().writes, language()),
        can_decide="admin" in access.me().roles,
        can_name=bool(access.me().roles & service.CURATORS),
        other=the_other(language()),
    )


@studio.get("/studio/topics/<uuid:topic_id>")
@access.role("curator", "admin")
def topic_show(topic_id: uuid.UUID) -> Response:
    """What a topic is called in the other language."""
    topic = topics.topic(topic_id)
    return _topic_form(topic, topic.language or current_settings().locale, topic.other_name)


def _topic_form(
    topic: Topic, spoken: str, other_name: str, errors: Mapping[str, str] | None = None
) -> Response:
    return render(
        "library/studio_topic.html",
        422 if errors else 200,
        topic=topic,
        typed={"language": spoken, "other_name": other_name},
        errors=errors or {},
        languages=[*words.LANGUAGE_NAMES.items()],
        other=the_other(spoken),
        most=topics.NAME_LIMIT,
    )


@studio.post("/studio/topics/<uuid:topic_id>")
@access.role("curator", "admin")
def topic_update(topic_id: uuid.UUID) -> Response:
    """Say what it is called there, or that it has one name."""
    spoken, other_name = (request.form.get(name, "") for name in ("language", "other_name"))
    me = access.me().person_id
    try:
        topics.say_names(topic_id, language=spoken, other_name=other_name, actor_id=me)
    except InvalidInput as error:
        return _topic_form(topics.topic(topic_id), spoken, other_name, by_field(error))
    flash(_("Saved. Readers find the topic by either name."), "ok")
    return redirect_to("/studio/topics")


@studio.post("/studio/topics/<uuid:topic_id>/sensitivity")
@access.role("admin")
def topic_sensitivity(topic_id: uuid.UUID) -> Response:
    """Ask for a second approval on this topic, or no longer."""
    is_sensitive = request.form.get("sensitive") == "1"
    service.set_sensitive(topic_id, is_sensitive, access.me().person_id)
    return redirect_to("/studio/topics")
