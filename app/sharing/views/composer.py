"""The composer: beside a story, on the page of an offer; its preview, its draft, its press."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from flask import Response, flash, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.db import read_id, transaction
from app.errors import DomainError, InvalidInput, NotFound
from app.library import views as library
from app.library.errors import StoryExpired, StoryWithdrawn, UnknownStory
from app.library.material import Material
from app.library.neighbours import Section
from app.referrals import offer_queries
from app.referrals.errors import OfferClosed, UnknownOffer
from app.sharing import disclosures, drafts, service
from app.sharing.composing import Subject
from app.sharing.errors import DailyCapReached, DuplicateText, SharingStopped
from app.sharing.grants import LINKEDIN
from app.sharing.models import Share
from app.sharing.networks import NETWORKS
from app.sharing.subjects import STORY, shareable, story_subject
from app.sharing.views import sharing as blueprint
from app.sharing.views import typed as form
from app.sharing.views.sheet import WITHOUT_TEXT, Sheet, path_of, sheet
from app.sharing.views.typed import FREE, Typed
from app.web import access, current_settings, parked, redirect_to, render
from app.web.pages import is_htmx

OVER = (StoryExpired, StoryWithdrawn, UnknownStory, OfferClosed, UnknownOffer)
"""What was opened can no longer be shared."""


# --- opening -----------------------------------------------------------------------------


def beside_story(story: Material) -> Section | None:
    """The composer on the page of a story, for whoever takes part."""
    if "member" not in access.me().roles:
        return None
    return _section(sheet(story_subject(story)))


@blueprint.get("/offers/<uuid:offer_id>/share")
@access.role("member")
def of_offer(offer_id: uuid.UUID) -> Response:
    """An offer, and the composer beside it."""
    return _page(sheet(shareable(access.me().person_id, None, offer_id, None)))


def _section(shown: Sheet) -> Section:
    return Section("sharing/_composer.html", {"sheet": shown, "without_text": WITHOUT_TEXT})


def _page(shown: Sheet, status: int = 200) -> Response:
    """The whole page again: of the story, or of the offer."""
    section = _section(shown)
    if shown.subject.kind == STORY:
        return library.story_page(shown.subject.id, shown.subject.language, status, section)
    return render(
        "sharing/offer.html",
        status,
        section=section,
        subject=shown.subject,
        description=offer_queries.offer_detail(shown.subject.id).description_html,
    )


# --- while it is written -----------------------------------------------------------------


def _form_page(typed: Mapping[str, str]) -> str:
    """Where the composer stands; its answers stand elsewhere."""
    story_id, offer_id = read_id(typed.get("story_id")), read_id(typed.get("offer_id"))
    if story_id:
        return f"/library/{story_id}#composer"
    return f"/offers/{offer_id}/share#composer" if offer_id else ""


@blueprint.post("/sharing/preview")
@access.role("member")
@parked.stands_at(_form_page)
def preview() -> Response:
    """The form as it would be posted: for a script the part that changed, else the page."""
    typed = form.read(request.form)
    try:
        subject = _subject(typed)
    except OVER as error:
        return _over(typed, error)
    if request.headers.get("HX-Target") == "preview":
        return _part("sharing/_preview.html", sheet(subject, typed))
    shown = sheet(subject, typed, begin=request.form.get("begin", ""))
    return _part("sharing/_form.html", shown) if is_htmx() else _page(shown)


def _subject(typed: Typed) -> Subject:
    return shareable(access.me().person_id, typed.story_id, typed.offer_id, typed.language)


def _part(template: str, shown: Sheet) -> Response:
    section = _section(shown)
    is_answer = template == "sharing/_preview.html"
    return make_response(render_template(template, section=section, is_part=is_answer))


@blueprint.post("/sharing/drafts")
@access.role("member")
@parked.stands_at(_form_page)
def keep() -> Response:
    """Keep the words, then go where the member wanted to go."""
    typed, then = form.read(request.form), request.form.get("then", "")
    try:
        subject = _subject(typed)
        me = access.me().person_id
        drafts.keep(me, form.wish_of(me, typed, LINKEDIN, None))
    except OVER as error:
        return _over(typed, error)
    here = f"{path_of(subject)}#composer"
    if then in ("charter", "linkedin"):
        errand = "/charter" if then == "charter" else "/sharing/linkedin"
        return redirect_to(f"{errand}?next={quote(here, safe='/')}")
    flash(_("Kept for you. Nothing was published."), "ok")
    return redirect_to(here)


# --- the press ---------------------------------------------------------------------------


@blueprint.post("/shares")
@access.role("member")
@parked.stands_at(_form_page)
def press() -> Response:
    """The member's own press on this very post. What cannot go comes back with its words."""
    typed, network = form.read(request.form), request.form.get("network", LINKEDIN)
    try:
        _ask_about_silence(typed, network)
        share = _pressed(typed, network)
    except OVER as error:
        return _over(typed, error)
    except DomainError as error:
        return _refused(typed, error)
    return redirect_to(f"/shares/{share.id}")


def _pressed(typed: Typed, network: str) -> Share:
    me = access.me().person_id
    by_api = network in NETWORKS and NETWORKS[network].by_api
    at = form.moment_of(typed, current_settings().timezone) if by_api else None
    with transaction():
        share = service.press(me, form.wish_of(me, typed, network, at))
        if by_api:
            drafts.drop(me, typed.story_id, typed.offer_id)
    return share


def _ask_about_silence(typed: Typed, network: str) -> None:
    """Where one speaks from may be left out; that is asked about once (F18)."""
    if typed.disclosure != disclosures.NONE or typed.is_sure or network in WITHOUT_TEXT:
        return
    sentence = _("Say once more that this post goes out without it.")
    raise InvalidInput(sentence, {"silence": sentence})


def _refused(typed: Typed, error: DomainError) -> Response:
    """The page as it was typed, with what stands in the way."""
    try:
        subject = _subject(typed)
    except OVER as over:
        return _over(typed, over)
    if isinstance(error, DailyCapReached):
        typed = replace(typed, when=FREE)
    errors = _by_field(error)
    # A stop says itself, in the organisation's own words.
    refusal = "" if isinstance(error, SharingStopped) else str(error.sentence)
    shown = sheet(subject, typed, errors=errors, refusal=_summary(errors) or refusal)
    return _page(shown, error.status)


def _by_field(error: DomainError) -> Mapping[str, str]:
    if isinstance(error, DuplicateText):
        return {"text": str(error.sentence)}
    if not isinstance(error, InvalidInput):
        return {}
    return {name: " ".join(map(str, said)) for name, said in error.errors.items()}


def _summary(errors: Mapping[str, str]) -> str:
    if not errors:
        return ""
    said = ngettext(
        "Nothing was published and nothing is lost. One thing needs another look.",
        "Nothing was published and nothing is lost. %(num)d things need another look.",
        len(errors),
    )
    return str(said)


def _over(typed: Typed, error: DomainError) -> Response:
    """Its time ran out between opening and pressing: the words are handed back."""
    is_gone = isinstance(error, NotFound | StoryWithdrawn)
    return render(
        "sharing/over.html",
        error.status,
        words=typed.words or typed.aside,
        happened=str(error.sentence),
        back="" if is_gone else _read_at(typed),
    )


def _read_at(typed: Typed) -> str:
    return f"/library/{typed.story_id}" if typed.story_id else f"/offers/{typed.offer_id}"
