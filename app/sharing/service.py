"""The member's own acts: press, cancel, withdraw, say what became of it.

Nothing is published without `press` (or `resume`) of the member on that very post: there is
no other way into the state that the worker looks for (rules W8, N7; API terms 3.1(26)).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from app import audit, clock, outbox
from app.charters.queries import require_accepted
from app.db import db, new_id, transaction
from app.errors import InvalidInput
from app.integrations.linkedin import little
from app.people.lookup import load_member
from app.people.models import Person
from app.referrals import links
from app.sharing import disclosures, grants, stop
from app.sharing.composing import Composition, Subject, compose
from app.sharing.errors import (
    DailyCapReached,
    DuplicateText,
    GrantExpires,
    GrantNeeded,
    SharingStopped,
    UnknownShare,
    cannot_withdraw,
    nothing_to_do,
    still_unknown,
    too_late,
)
from app.sharing.grants import LINKEDIN
from app.sharing.models import SENT, Share, SharingPolicy
from app.sharing.networks import NETWORKS
from app.sharing.subjects import shareable
from app.sharing.words import CHECK_FORM
from app.web import current_settings

FARTHEST = dt.timedelta(days=90)
JUST_NOW = dt.timedelta(minutes=5)
REMEMBERED = dt.timedelta(hours=48)  # how long LinkedIn refuses the same text
CHECKABLE = dt.timedelta(hours=24)
MAX_DAILY_CAP = 100  # LinkedIn itself takes 150 calls of a member a day
COUNTED = ("scheduled", "paused", "publishing", "published", "unknown", "withdrawn")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member wants to pass on, as a form or a program says it. Exactly one of
    `story_id` and `offer_id`; `publish_at` None means now; `id` makes a press that comes twice
    one press."""

    story_id: uuid.UUID | None = None
    offer_id: uuid.UUID | None = None
    network: str = LINKEDIN
    words: str = ""
    disclosure: str | None = None
    disclosure_words: str = ""
    publish_at: dt.datetime | None = None
    language: str | None = None
    caption_id: uuid.UUID | None = None
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A wish that was looked at: what would be sent."""

    subject: Subject
    composition: Composition
    disclosure: str
    disclosure_text: str


def daily_cap() -> int:
    """Posts through the network's interface, each member and day."""
    row = db.session.get(SharingPolicy, 1)
    return row.daily_cap if row else 3


def set_daily_cap(cap: int, actor_id: uuid.UUID | None = None) -> None:
    """Change it. Raises `InvalidInput` outside 1 to `MAX_DAILY_CAP`."""
    if not 1 <= cap <= MAX_DAILY_CAP:
        sentence = _l("Between 1 and %(max)d posts a day.", max=MAX_DAILY_CAP)
        raise InvalidInput(CHECK_FORM, {"daily_cap": sentence})
    with transaction() as session:
        row = session.get(SharingPolicy, 1) or SharingPolicy(id=1)
        row.daily_cap = cap
        session.add(row)
        audit.record("sharing.cap", "sharing", 1, actor_id=actor_id, cap=cap)


# --- composing ---------------------------------------------------------------------------


def draft_of(person: Person, wish: Wish) -> Draft:
    """What would be sent, for the preview and for the press. Raises what `shareable` raises,
    and `InvalidInput` for a disclosure or a network that does not exist."""
    if wish.network not in NETWORKS:
        raise InvalidInput(CHECK_FORM, {"network": _l("This network is not offered.")})
    language = wish.language or person.language
    family = NETWORKS[wish.network].family
    subject = shareable(person.id, wish.story_id, wish.offer_id, language, family)
    disclosure, text = disclosures.resolve(
        wish.disclosure, wish.disclosure_words, subject.language, person.kind
    )
    return Draft(subject, compose(subject, wish.words, text), disclosure, text)


def _check_text(draft: Draft) -> None:
    made = draft.composition
    if not made.words:
        raise InvalidInput(CHECK_FORM, {"text": _l("Write a few words of your own first.")})
    if made.is_too_long:
        raise InvalidInput(
            CHECK_FORM,
            {
                "text": _l(
                    "%(max)d characters at most with the first line; this is %(n)d.",
                    max=little.MAX_UNITS,
                    n=made.units,
                )
            },
        )


# --- the press ---------------------------------------------------------------------------


def press(person_id: uuid.UUID, wish: Wish) -> Share:
    """The member's own press on this very post: planned, or an intent for networks that have
    a window of their own.

    Raises `NotMember`, `CharterNotAccepted`, `SharingStopped`, `GrantNeeded`, `GrantExpires`,
    `DailyCapReached`, `DuplicateText`, `InvalidInput` by field, and what `shareable` raises.
    """
    with transaction() as session:
        person = load_member(session, person_id)
        if wish.id is not None:
            known = session.get(Share, wish.id)
            if known is not None and known.person_id == person_id:
                return known
        require_accepted(person_id)
        draft = draft_of(person, wish)
        _check_stop(draft.subject)
        share = _new_share(person_id, wish, draft)
        if NETWORKS[wish.network].by_api:
            _check_text(draft)
            _plan(share, wish.publish_at)
        else:
            share.status = "intent"
        session.add(share)
        session.flush()
        _link(share)
        digest = hashlib.sha256(share.post_text.encode()).hexdigest()
        audit.record(
            "share.pressed", "share", share.id, actor_id=person_id, network=share.network,
            text_sha256=digest,
        )  # fmt: skip
    return share


def _check_stop(subject: Subject) -> None:
    found = stop.standing(subject.topic_ids)
    if found is not None:
        raise SharingStopped(found.message)


def _new_share(person_id: uuid.UUID, wish: Wish, draft: Draft) -> Share:
    made, subject = draft.composition, draft.subject
    return Share(
        id=wish.id or new_id(),
        person_id=person_id,
        story_id=wish.story_id,
        offer_id=wish.offer_id if wish.story_id is None else None,
        network=wish.network,
        language=subject.language,
        caption_id=wish.caption_id,
        words=made.words,
        disclosure=draft.disclosure,
        disclosure_text=draft.disclosure_text,
        own_words_percent=made.own_words_percent,
        format=subject.format,
        post_text=made.post_text,
        title=subject.title,
        summary=subject.summary,
        picture_id=subject.picture_id,
        alt=subject.alt,
    )


def _plan(share: Share, publish_at: dt.datetime | None) -> None:
    """Put it where the worker looks, for now or for the moment that was chosen."""
    now = clock.now()
    at = _moment(publish_at, now)
    grant = grants.grant_of(share.person_id)
    if grant is None:
        raise GrantNeeded
    if not grants.is_usable(grant, at):
        raise GrantExpires
    _check_cap(share.person_id, at)
    _check_duplicate(share, now)
    share.status, share.publish_at = "scheduled", at
    outbox.record("share.due", delay=max(at - now, dt.timedelta(0)), share_id=str(share.id))


def _moment(publish_at: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    if publish_at is None:
        return now
    if publish_at < now - JUST_NOW:
        raise InvalidInput(CHECK_FORM, {"publish_at": _l("This moment has passed.")})
    if publish_at > now + FARTHEST:
        raise InvalidInput(CHECK_FORM, {"publish_at": _l("At most 90 days ahead.")})
    return max(publish_at, now)


def day_of(at: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The day on the organisation's wall clock that holds a moment, as UTC instants."""
    zone = current_settings().timezone
    first = dt.datetime.combine(at.astimezone(zone).date(), dt.time(), zone)
    after = dt.datetime.combine(first.date() + dt.timedelta(days=1), dt.time(), zone)
    return first.astimezone(dt.UTC), after.astimezone(dt.UTC)


def posts_on_day(person_id: uuid.UUID, at: dt.datetime) -> int:
    """How many posts of a member go out, or went out, on that day."""
    first, after = day_of(at)
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Share)
            .where(
                Share.person_id == person_id,
                Share.network == LINKEDIN,
                Share.status.in_(COUNTED),
                Share.publish_at >= first,
                Share.publish_at < after,
            )
        )
        or 0
    )


def _check_cap(person_id: uuid.UUID, at: dt.datetime) -> None:
    cap = daily_cap()
    if posts_on_day(person_id, at) >= cap:
        raise DailyCapReached(cap)


def _check_duplicate(share: Share, now: dt.datetime) -> None:
    same = select(Share.id).where(
        Share.person_id == share.person_id,
        Share.network == share.network,
        Share.id != share.id,
        Share.post_text == share.post_text,
        Share.story_id.is_not_distinct_from(share.story_id),
        Share.offer_id.is_not_distinct_from(share.offer_id),
        Share.status.in_(("scheduled", "paused", "publishing", "published", "unknown")),
        Share.publish_at > now - REMEMBERED,
    )
    if db.session.execute(same.limit(1)).first() is not None:
        raise DuplicateText


def _link(share: Share) -> None:
    """Each post has a link of its own, so that its visits are its own."""
    if share.offer_id is not None:
        channel = NETWORKS[share.network].channel
        link = links.link_for_share(share.person_id, share.offer_id, channel, share.id)
        share.code, share.link_id = None, link.id
    else:
        share.code, share.link_id = links.new_code(), share.id


# --- taking back -------------------------------------------------------------------------


def _own(person_id: uuid.UUID, share_id: uuid.UUID) -> Share:
    """The member's share, locked. Raises `UnknownShare` for anybody else's too."""
    share = db.session.get(Share, share_id, with_for_update=True)
    if share is None or share.person_id != person_id:
        raise UnknownShare
    return share


def withdraw(person_id: uuid.UUID, share_id: uuid.UUID) -> Share:
    """Cancel before it is sent, until the last second; take it off the network after.

    Raises `UnknownShare`, `NotPossible`.
    """
    with transaction():
        share = _own(person_id, share_id)
        if share.status in ("cancelled", "withdrawn"):
            return share
        if share.reason == "check" or share.status == "unknown":
            raise still_unknown()
        if share.status == "published":
            _ask_network(share)
        elif share.status == "publishing" and share.phase == SENT:
            share.withdrawal_asked_at = clock.now()  # the answer is awaited; then it is removed
        elif share.status in ("draft", "scheduled", "paused", "publishing", "intent"):
            share.status, share.reason, share.phase = "cancelled", None, None
            share.lease_until = None
            links.changed()
        else:
            raise nothing_to_do()
        audit.record("share.withdrawn", "share", share.id, actor_id=person_id)
    return share


def _ask_network(share: Share) -> None:
    if share.post_urn is None:
        raise cannot_withdraw()
    if share.withdrawal_asked_at is None:
        share.withdrawal_asked_at = clock.now()
        outbox.record("share.withdrawal_asked", share_id=str(share.id))


def reschedule(person_id: uuid.UUID, share_id: uuid.UUID, publish_at: dt.datetime | None) -> Share:
    """Press again on a paused post, or move one that is planned; `publish_at` None is now.

    Raises `UnknownShare`, `NotPossible`, and what `press` raises.
    """
    with transaction() as session:
        load_member(session, person_id)
        require_accepted(person_id)
        share = _own(person_id, share_id)
        if share.status not in ("scheduled", "paused") or share.reason == "check":
            raise nothing_to_do()
        subject = shareable(person_id, share.story_id, share.offer_id, share.language)
        _check_stop(subject)
        share.status, share.reason, share.not_before, share.tries = "draft", None, None, 0
        session.flush()
        _plan(share, publish_at)
        audit.record("share.pressed", "share", share.id, actor_id=person_id, again=True)
    return share


# --- saying what became of it ------------------------------------------------------------


def check(person_id: uuid.UUID, share_id: uuid.UUID) -> Share:
    """Send an unknown one again if it is missing: the network refuses a text that it has, and
    names the post. The member's own press, within a day. Raises `UnknownShare`, `NotPossible`."""
    now = clock.now()
    with transaction():
        share = _own(person_id, share_id)
        if share.status != "unknown":
            raise nothing_to_do()
        if share.sent_at is None or share.sent_at < now - CHECKABLE:
            raise too_late()
        if not grants.is_usable(grants.grant_of(person_id), now):
            raise GrantNeeded
        _check_stop(shareable(person_id, share.story_id, share.offer_id, share.language))
        share.status, share.reason, share.tries = "scheduled", "check", 0
        share.publish_at, share.not_before = now, None
        outbox.record("share.due", share_id=str(share.id))
        audit.record("share.checked", "share", share.id, actor_id=person_id)
    return share


def declare(person_id: uuid.UUID, share_id: uuid.UUID, *, online: bool) -> Share:
    """The author looked and says whether an unknown post is online.

    Raises `UnknownShare`, `NotPossible`.
    """
    with transaction():
        share = _own(person_id, share_id)
        if share.status != "unknown":
            raise nothing_to_do()
        if online:
            share.status, share.is_declared = "published", True
            share.published_at = share.sent_at or clock.now()
            outbox.record("share.published", share_id=str(share.id))
        else:
            share.status, share.reason = "failed", "declared-offline"
        audit.record("share.declared", "share", share.id, actor_id=person_id, online=online)
    return share
