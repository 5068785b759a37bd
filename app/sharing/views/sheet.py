"""What the composer shows: gathered once, for the page, its fragments and the form that came
back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import urlsplit

from flask import request
from flask_babel import format_date, format_percent, format_time
from flask_babel import gettext as _
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import select

from app import clock
from app.charters.queries import has_accepted_current
from app.db import db, read_id
from app.errors import InvalidInput, Sentence
from app.integrations.linkedin import little
from app.library.words import caption_names
from app.media import service as media
from app.media.service import PictureView
from app.people import names
from app.people.models import Person
from app.referrals import offers
from app.referrals.queries import words_of
from app.sharing import disclosures, drafts, grants, moments, neighbours, queries, stop
from app.sharing.composing import ARTICLE, IMAGE, Composition, Subject, compose
from app.sharing.disclosures import Wording
from app.sharing.errors import UnknownShare
from app.sharing.models import Grant, SharingStop
from app.sharing.moments import Diary
from app.sharing.neighbours import Worth
from app.sharing.networks import NETWORKS
from app.sharing.subjects import STORY
from app.sharing.views import typed as form
from app.sharing.views.typed import ASIDE, BLANK, CHOSEN, FREE, NOW, Typed
from app.sharing.words import NETWORK_NAMES
from app.web import access, current_settings

ABOUT = "about"
SOON = dt.timedelta(days=7)

# Elsewhere: the four that stand open, the others behind one press.
FIRST = {"copy": "copy", "sms": "message-circle", "email": "mail", "qr": "qr-code"}
SHORT_NAMES: Mapping[str, Sentence] = {
    "copy": _lp("share by", "Copy"),
    "sms": _lp("share by", "Message"),
    "email": _lp("share by", "Mail"),
    "qr": _lp("share by", "QR code"),
}
WITHOUT_TEXT = ("qr", "linkedin-dialog", "facebook")


@dataclass(frozen=True, slots=True)
class Start:
    """A way to begin, as a chip."""

    value: str
    label: str
    text: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What hangs below a post: a picture and where it leads. `host` is empty for a picture
    alone."""

    title: str
    summary: str
    host: str
    alt: str
    picture: PictureView | None
    drawn_url: str


@dataclass(frozen=True, slots=True)
class Author:
    """How the network names the member, as far as we know."""

    display_name: str
    initials: str
    avatar: int


@dataclass(frozen=True, slots=True)
class Intent:
    """A network that is opened elsewhere."""

    code: str
    label: str
    icon: str


@dataclass(frozen=True)
class Sheet:
    """The composer. `gate` says what stands before the press on LinkedIn: '' (nothing),
    'stopped', 'charter', 'not-offered', 'absent', 'connect', 'renew'."""

    subject: Subject
    typed: Typed
    made: Composition
    starts: list[Start]
    wordings: list[Wording]
    author: Author
    card: Card | None
    diary: Diary
    worth: Worth | None
    gate: str
    grant: Grant | None
    stop: SharingStop | None
    drafted_at: dt.datetime | None
    errors: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""

    @property
    def path(self) -> str:
        """The page on which this composer stands."""
        return path_of(self.subject)

    @property
    def first_units(self) -> int:
        """UTF-16 units that stand before the member's words, the blank line included."""
        words = little.clean(self.typed.words)
        if words:
            return self.made.units - little.units(words)
        return self.made.units + 2 if self.made.units else 0

    @property
    def is_prepared(self) -> bool:
        """Whether the words are still those that were prepared."""
        words = little.clean(self.typed.words)
        return bool(words) and words in {little.clean(s.text) for s in self.starts}

    @property
    def own_share(self) -> str:
        """How much of the words is the member's own, in percent, written for the reader."""
        return str(format_percent(self.made.own_words_percent / 100))

    @property
    def has_link(self) -> bool:
        return self.subject.format == ARTICLE

    @property
    def elsewhere(self) -> tuple[list[Intent], list[Intent]]:
        """Networks with a window of their own: those that stand open, and the others."""
        allowed = self.subject.networks
        codes = [
            code
            for code, network in NETWORKS.items()
            if not network.by_api and (not allowed or network.family in allowed)
        ]
        first = [_intent(code) for code in FIRST if code in codes]
        return first, [_intent(code) for code in codes if code not in FIRST]

    @property
    def ends_too_soon(self) -> bool:
        """Whether the connection ends before the moment that was chosen."""
        return self.grant is not None and self.grant.expires_at <= self._chosen

    @property
    def ends_soon(self) -> bool:
        return self.grant is not None and self.grant.expires_at <= clock.now() + SOON

    @cached_property
    def _chosen(self) -> dt.datetime:
        try:
            at = form.moment_of(self.typed, current_settings().timezone)
        except InvalidInput:
            at = None
        return at or clock.now()

    @property
    def press_label(self) -> str:
        """What the one button says: the moment is part of the press."""
        if self.typed.when == CHOSEN and not self.typed.at:
            return str(_("Publish at that moment"))
        if self._chosen <= clock.now():
            return str(_("Publish now"))
        day, time = _day_and_time(self._chosen)
        if day == 0:
            return str(_("Publish today at %(time)s", time=time))
        if day == 1:
            return str(_("Publish tomorrow at %(time)s", time=time))
        return str(_("Publish on %(day)s at %(time)s", day=_day_name(self._chosen, day), time=time))

    @property
    def free_label(self) -> str:
        """The free moment, in words."""
        at = self.typed.free_at or self.diary.free_at
        day, time = _day_and_time(at)
        if day == 0:
            return str(_("Today at %(time)s", time=time))
        if day == 1:
            return str(_("Tomorrow at %(time)s", time=time))
        name = _day_name(at, day)
        return str(_("%(day)s at %(time)s", day=name[:1].upper() + name[1:], time=time))

    @property
    def first_moment(self) -> str:
        """The soonest a post may be planned, as the browser's own field wants it."""
        return local(clock.now())


def _intent(code: str) -> Intent:
    label = SHORT_NAMES.get(code, NETWORK_NAMES[code])
    return Intent(code, str(label), FIRST.get(code, "external-link"))


def _day_and_time(at: dt.datetime) -> tuple[int, str]:
    """(days from today on the organisation's calendar, time of day)"""
    zone = current_settings().timezone
    return (at.astimezone(zone).date() - clock.today(zone)).days, str(format_time(at, "H:mm"))


def _day_name(at: dt.datetime, days: int) -> str:
    return str(format_date(at, "EEEE" if days < 7 else "EEEE d MMMM"))


def local(at: dt.datetime) -> str:
    """A moment on the organisation's wall clock, as a `datetime-local` field writes it."""
    return at.astimezone(current_settings().timezone).strftime("%Y-%m-%dT%H:%M")


def path_of(subject: Subject) -> str:
    """The page on which a subject's composer stands."""
    if subject.kind == STORY:
        return f"/library/{subject.id}?text={subject.language}"
    return f"/offers/{subject.id}/share"


# --- gathering ---------------------------------------------------------------------------


def sheet(
    subject: Subject,
    typed: Typed | None = None,
    *,
    begin: str = "",
    errors: Mapping[str, str] | None = None,
    refusal: str = "",
) -> Sheet:
    """The composer of the reader for one subject. Without `typed` it opens: with what was
    kept, with the post that is written again, or with the start whose turn it is."""
    person_id, now = access.me().person_id, clock.now()
    offered, drafted_at = _offered(subject), None
    diary = moments.diary(person_id, subject)
    if typed is None:
        typed, drafted_at = _opening(subject, offered)
        typed = replace(typed, when=FREE if diary.is_full_today else NOW)
    elif begin:
        typed = form.begin(typed, begin, {value: text for value, _label, text in offered})
    me = db.session.execute(select(Person.kind, Person.name).where(Person.id == person_id)).one()
    wordings = disclosures.offered(subject.language, me.kind)
    typed = _completed(typed, subject, diary, wordings)
    grant, standing = grants.grant_of(person_id), stop.standing(subject.topic_ids)
    return Sheet(
        subject=subject,
        typed=typed,
        made=compose(subject, typed.words[: form.MOST_SIGNS], _first_line(typed, wordings)),
        starts=_chips(offered, typed),
        wordings=wordings,
        author=_author((grant.display_name if grant else "") or me.name),
        card=_card(subject),
        diary=diary,
        worth=neighbours.worth(person_id, subject),
        gate=_gate(subject, standing, grant, now),
        grant=grant,
        stop=standing,
        drafted_at=drafted_at,
        errors=errors or {},
        refusal=refusal,
    )


def _completed(typed: Typed, subject: Subject, diary: Diary, wordings: list[Wording]) -> Typed:
    """The form with everything that was left open. The free moment stays the one that was on
    the page as long as it may."""
    is_story = subject.kind == STORY
    free_at = typed.free_at if typed.free_at and typed.free_at > clock.now() else diary.free_at
    known = {disclosures.OWN, disclosures.NONE, *(w.id for w in wordings)}
    usual = wordings[0].id if wordings else disclosures.NONE
    return replace(
        typed,
        story_id=subject.id if is_story else None,
        offer_id=None if is_story else subject.id,
        language=subject.language,
        free_at=free_at,
        disclosure=typed.disclosure if typed.disclosure in known else usual,
    )


def _first_line(typed: Typed, wordings: list[Wording]) -> str:
    """What stands first in the post; an unfinished choice has no words yet."""
    if typed.disclosure == disclosures.OWN:
        own = " ".join(typed.disclosure_words.split())
        return own if len(own) <= disclosures.MAX_OWN else ""
    return next((w.text for w in wordings if w.id == typed.disclosure), "")


# --- ways to begin -----------------------------------------------------------------------


def _offered(subject: Subject) -> list[tuple[str, str, str]]:
    """(value, label, text): captions in the reader's own order, or their words about an
    offer."""
    me = access.me().person_id
    if subject.kind != STORY:
        about = words_of(me, subject.id)
        return [(ABOUT, _("My words about it"), about)] if about else []
    found, seen = [], dict[str, int]()
    for start_id, kind, text in queries.rotated(subject.id, subject.starts, me):
        seen[kind] = seen.get(kind, 0) + 1
        label = caption_names().get(kind, kind)
        found.append((str(start_id), label if seen[kind] == 1 else f"{label} {seen[kind]}", text))
    return found


def _chips(offered: list[tuple[str, str, str]], typed: Typed) -> list[Start]:
    chips = [Start(v, label, text, v == typed.start) for v, label, text in offered]
    if typed.aside:
        chips.insert(0, Start(ASIDE, _("What I had written"), typed.aside, False))
    if chips:
        chips.insert(0, Start(BLANK, _("Blank page"), "", typed.start == BLANK))
    return chips


def _opening(
    subject: Subject, offered: list[tuple[str, str, str]]
) -> tuple[Typed, dt.datetime | None]:
    me = access.me().person_id
    again = read_id(request.args.get("again"))
    if again is not None:
        try:
            return form.of_share(queries.own_share(me, again)), None
        except UnknownShare:
            pass
    is_story = subject.kind == STORY
    kept = drafts.find(me, subject.id if is_story else None, None if is_story else subject.id)
    if kept is not None:
        return form.of_share(kept), kept.created_at
    if offered:
        return Typed(start=offered[0][0], words=offered[0][2]), None
    return Typed(start=BLANK), None


# --- what the network shows --------------------------------------------------------------


def _author(name: str) -> Author:
    return Author(name, names.initials(name), names.avatar(access.me().person_id))


def _card(subject: Subject) -> Card | None:
    if subject.format not in (ARTICLE, IMAGE):
        return None
    base = urlsplit(current_settings().base_url)
    drawn = ""
    if subject.kind != STORY:
        drawn = f"/o/{offers.find(subject.id).slug}/card-today.png"
    return Card(
        title=subject.title,
        summary=subject.summary,
        host=(base.hostname or "") if subject.format == ARTICLE else "",
        alt=subject.alt,
        picture=media.picture(subject.picture_id),
        drawn_url=drawn,
    )


def _gate(
    subject: Subject, standing: SharingStop | None, grant: Grant | None, now: dt.datetime
) -> str:
    if standing is not None:
        return "stopped"
    if not has_accepted_current(access.me().person_id):
        return "charter"
    if subject.networks and grants.LINKEDIN not in subject.networks:
        return "not-offered"
    if grant is None:
        return "connect" if current_settings().linkedin_client_id else "absent"
    return "" if grants.is_usable(grant, now) else "renew"
