"""The member's library: the shelf, and one story with what stands beside it."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from app import clock
from app.library import follows, neighbours, queries, service, words
from app.library.errors import StoryWithdrawn, UnknownStory
from app.library.follows import FollowedTopic
from app.library.material import languages_of, material_of
from app.library.models import KINDS, NETWORKS, Story
from app.library.neighbours import Section
from app.library.queries import StoryFilter, Viewer, reading_minutes
from app.library.topics import names_in
from app.media import service as media
from app.people import audiences
from app.people.audiences import SEEN
from app.people.queries import named
from app.people.views.common import local_path
from app.web import access, redirect_to, render
from app.web.i18n import language
from app.web.markdown import to_html
from app.web.pages import is_htmx

library = Blueprint("library", __name__)

PAGE = 24
TOPICS_SHOWN = 12
MINE = "mine"
"""The address of a list says `topics=mine` for the topics that its reader follows."""


def viewer() -> Viewer:
    """The reader as the library knows them."""
    who = access.me()
    return Viewer(who.person_id, who.roles, who.reach, language())


@library.get("/library")
@access.role("member")
def shelf() -> Response:
    """What may be read and shared now; filters live in the address."""
    me = access.me().person_id
    segments = audiences.mine(me)
    asked = {
        name: request.args.get(name, "").strip()
        for name in ("q", "topic", "topics", "kind", "language", "network")
    }
    filters = StoryFilter(
        q=asked["q"],
        topic=asked["topic"],
        kind=asked["kind"],
        language=asked["language"],
        network=asked["network"],
        followed_by=me if asked["topics"] == MINE else None,
    )
    told_in = asked["language"] or language()
    found = queries.shelf(
        filters, told_in, request.args.get("after"), PAGE, mine=segments, reads=language()
    )
    mine = follows.followed(me, language())
    chosen = _chosen(mine, asked["topic"])
    asked["topic"] = chosen.code if chosen else asked["topic"]
    return render(
        "library/shelf.html",
        stories=found.items,
        next_cursor=found.next,
        is_cut=found.is_cut,
        searched=found.looked_through,
        asked=asked,
        topics=_chips(mine, asked["topic"]),
        has_topics=bool(mine),
        chosen=chosen,
        kinds=words.kind_names(),
        networks=words.network_names(),
        languages=words.LANGUAGE_NAMES,
    )


def _chips(mine: list[FollowedTopic], asked: str) -> list[tuple[str, str]]:
    """Code and name of the topics to narrow by: those followed, then what is talked about; the
    one asked for is always among them."""
    found = {topic.code: topic.name for topic in mine}
    segments = audiences.mine(access.me().person_id)
    talked = {topic.code: topic.name for topic in queries.shown_topics(segments, language())}
    found |= {code: name for code, name in talked.items() if code not in found}
    return [pair for at, pair in enumerate(found.items()) if at < TOPICS_SHOWN or pair[0] == asked]


def _chosen(mine: list[FollowedTopic], code: str) -> FollowedTopic | None:
    """The topic the list is narrowed by, for the button that follows it."""
    if not code:
        return None
    known = next((topic for topic in mine if topic.code == code), None)
    return known or follows.topic(code, language())


# --- topics followed ---------------------------------------------------------------------


@library.get("/me/topics")
@access.role("member")
def topics() -> Response:
    """Every topic, and which of them I follow."""
    return render("library/topics.html", topics=follows.choices(access.me().person_id, language()))


@library.post("/me/topics")
@access.role("member")
def follow() -> Response:
    """Follow a topic."""
    code = request.form.get("topic", "")
    return _followed(follows.follow(access.me().person_id, code, language()))


@library.post("/me/topics/<code>/withdrawal")
@library.delete("/me/topics/<code>")
@access.role("member")
def unfollow(code: str) -> Response:
    """Follow it no longer."""
    return _followed(follows.unfollow(access.me().person_id, code, language()))


def _followed(topic: FollowedTopic) -> Response:
    """The same button turned round for HTMX; for a form the page it stood on."""
    if is_htmx():
        return render("library/_follow.html", topic=topic)
    if request.method == "DELETE":
        return Response(status=204)
    return redirect_to(local_path(request.form.get("next")) or "/me/topics")


# --- one story ---------------------------------------------------------------------------


@library.get("/library/<uuid:story_id>")
@access.role("member")
def story(story_id: uuid.UUID) -> Response:
    """One story: read it, then make it mine."""
    return story_page(story_id, request.args.get("text") or language())


def story_page(
    story_id: uuid.UUID,
    language: str | None,
    status: int = 200,
    section: Section | None = None,
) -> Response:
    """The page of a story in `language`, or in its own. With `section` (a form that came
    back), that alone stands beside it, whatever became of the story meanwhile.

    Raises `UnknownStory`, also for one that is not meant for the reader; `StoryWithdrawn` where
    there is no `section`.
    """
    row = queries.story_of_member(story_id, viewer())
    state = queries.state_of(row.status, row.visible_from, row.expires_at, clock.now())
    if state == "withdrawn" and section is None:
        raise StoryWithdrawn
    if state in ("draft", "scheduled"):  # writers see those in the studio
        raise UnknownStory
    told = material_of(row, language)
    beside = [section] if section else neighbours.sections(told) if state == "published" else []
    return draw_story(row, language, state, status, sections=beside)


def draw_story(
    row: Story,
    language: str | None,
    state: str,
    status: int = 200,
    *,
    sections: list[Section],
    in_studio: bool = False,
) -> Response:
    """The same page for members and, as a preview, for writers."""
    told = material_of(row, language)
    here = f"/studio/stories/{row.id}/preview" if in_studio else f"/library/{row.id}"
    return render(
        "library/story.html",
        status,
        story=told,
        state=state,
        state_word=words.state_names()[state],
        in_studio=in_studio,
        can_publish=in_studio and service.may_publish(row, access.me().person_id),
        audience=audiences.assigned([row.id], SEEN).get(row.id, []) if in_studio else [],
        host=urlsplit(told.url).hostname if told.url else "",
        languages=[
            (f"{here}?text={code}", words.LANGUAGE_NAMES[code], code == told.language, code)
            for code in languages_of(row)
        ],
        topics=names_in(row.topics, viewer().language),
        kind=words.kind_names()[row.kind],
        networks=[words.network_names()[n] for n in NETWORKS if n in row.networks],
        picture_shown=media.picture(row.picture_id),
        body=to_html(told.body, heading=2) if told.body else "",
        minutes=reading_minutes(len(told.body)),
        author=named([row.author_id]).get(row.author_id) if row.author_id else None,
        published_at=row.published_at,
        sections=sections,
    )


def kind_choices() -> list[tuple[str, str]]:
    """Kinds in their order, with their names."""
    names = words.kind_names()
    return [(kind, names[kind]) for kind in KINDS]
