"""The worker that publishes: one row, one lease, one attempt number, at most one post.

1. *claim*: scheduled → publishing, attempt + 1, a lease, phase 'preparing'.
2. The picture is uploaded. Nothing so far can become a post.
3. *mark*: phase 'sent', on disk, in the moment before the last byte of the request leaves.
   It fails when the attempt is no longer ours (the lease ended, somebody else claimed it), when
   the member cancelled, left or disconnected, or when sharing was stopped: then the request is
   broken off, and a request that is not whole is no post.
4. *settle*: the network's answer is written.

Killed before 3, the share goes back to the queue when its lease ends. Killed after 3, nobody
can know: it is 'unknown', and nothing probes by itself, because the probe is a second post. A
child that outlives its killed worker meets the same conditions, so it cannot post twice.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from sqlalchemy import ColumnElement, CursorResult, exists, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, undefer

from app import clock, outbox
from app.config import Settings
from app.crypto import CannotDecrypt
from app.db import db, transaction
from app.errors import NotFound
from app.integrations.linkedin.outcomes import (
    Duplicate,
    MediaNotReady,
    NoPermission,
    NotSent,
    Outcome,
    Published,
    Refused,
    Throttled,
    TokenRefused,
    Unknown,
    VersionRefused,
)
from app.integrations.linkedin.posts import Client, NotUploaded
from app.integrations.linkedin.wire import Timeouts
from app.people.models import Membership, Person
from app.referrals import links
from app.sharing import grants, posting, quotas, sealing, stop, trouble
from app.sharing.models import PREPARING, SENT, Grant, Share
from app.sharing.sealing import TokenMisplaced
from app.sharing.shift import Shift
from app.web import current_settings

log = logging.getLogger(__name__)

THREADS = 24
SECONDS_AT_WORK = 45
MAX_TRIES = 8
REST = dt.timedelta(seconds=5)
SETTLE_PAUSES = (0.5, 3.0)  # seconds
CALLS_WITH_PICTURE = 3  # to ask for a place, to put the picture there, to post
SET_ASIDE = 500  # at most so many in one go


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one share. `is_check`: sent again to ask whether it is there."""

    share_id: uuid.UUID
    person_id: uuid.UUID
    attempt: int
    is_check: bool


def _client(settings: Settings) -> Client:
    read = float(settings.share_timeout_seconds)
    return Client(settings, timeouts=Timeouts(read=read, total=read * 2))


# --- the loop ----------------------------------------------------------------------------


def publish_due(seconds: float = SECONDS_AT_WORK, threads: int = THREADS) -> int:
    """Publish what is due, several members side by side, for at most `seconds`; how many
    attempts were made."""
    reap()
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    return Shift(app, claims, _work, seconds=seconds, threads=threads).run()


def _work(claimed: Claim) -> None:
    try:
        attempt(claimed)
    except Exception:  # one member's trouble is not the others'
        log.exception("publishing a share failed")
        _broke(claimed)


_line = threading.Lock()


@contextmanager
def _writing() -> Iterator[Session]:
    """`transaction()`, our threads one after the other where the database takes one writer at a
    time and wakes those who wait by chance (SQLite)."""
    with _line if current_settings().is_sqlite else nullcontext(), transaction() as session:
        yield session


def _is_due() -> ColumnElement[bool]:
    now = clock.now()
    return (
        (Share.status == "scheduled")
        & (Share.publish_at <= now)
        & (Share.not_before.is_(None) | (Share.not_before <= now))
        & (Grant.busy_until.is_(None) | (Grant.busy_until < now))
        & (Grant.rests_until.is_(None) | (Grant.rests_until < now))
        & stop.none_stands()
    )


def _of_member() -> ColumnElement[bool]:
    return exists().where(
        Membership.person_id == Share.person_id,
        Membership.left_at.is_(None),
        Person.id == Share.person_id,
        Person.departed_at.is_(None),
    )


# --- 1. claim ----------------------------------------------------------------------------


def claim() -> Claim | None:
    """Take one due share; None when there is none, or none whose member is free."""
    return next(iter(claims(1)), None)


def claims(most: int) -> list[Claim]:
    """Take the due shares of up to so many members, one of each. What may not go any more is
    put where it belongs on the way."""
    for _ in range(SET_ASIDE):
        found = _take(most)
        if found is None:
            break
        if found:
            return found
    return []


def _take(most: int) -> list[Claim] | None:
    """Claims, in one transaction; none when all that was found was set aside, None when nothing
    is due."""
    with _writing() as session:
        rows = session.execute(
            select(Share, Grant)
            .join(Grant, (Grant.person_id == Share.person_id) & (Grant.network == Share.network))
            .where(_is_due(), _of_member())
            .order_by(Share.publish_at)
            .limit(most)
            .with_for_update(skip_locked=True, of=(Share, Grant))
        ).all()
        if not rows:
            return None
        pairs = _one_of_each((row[0], row[1]) for row in rows)
        gone = _why_gone([share for share, _ in pairs])
        return [_claimed(s, grant) for s, grant in pairs if _may_go(s, grant, gone[s.id])]


def _one_of_each(pairs: Iterable[tuple[Share, Grant]]) -> list[tuple[Share, Grant]]:
    """The first of each member."""
    found: dict[uuid.UUID, tuple[Share, Grant]] = {}
    for share, grant in pairs:
        found.setdefault(grant.id, (share, grant))
    return list(found.values())


def _claimed(share: Share, grant: Grant) -> Claim:
    lease = clock.now() + dt.timedelta(seconds=current_settings().share_lease_seconds)
    share.status, share.phase, share.lease_until = "publishing", PREPARING, lease
    share.attempt += 1
    grant.busy_until = lease
    return Claim(share.id, share.person_id, share.attempt, share.reason == "check")


def _why_gone(shares: list[Share]) -> dict[uuid.UUID, str | None]:
    """For each share why it may not go any more, or None; each story is asked about once, and its
    author only where it is not meant for everybody."""
    of_subject = {(share.story_id, share.offer_id): share for share in shares}
    reasons = {subject: posting.why_gone(share) for subject, share in of_subject.items()}
    found = {share.id: reasons[share.story_id, share.offer_id] for share in shares}
    outside = posting.outside(shares)
    return {
        key: reason or ("audience" if key in outside else None) for key, reason in found.items()
    }


def _may_go(share: Share, grant: Grant, gone: str | None) -> bool:
    """Look at what may have changed since the press; what may not go is put where it belongs."""
    now = clock.now()
    if gone is not None:
        _give_up(share, "cancelled", gone)
    elif not grants.is_usable(grant, now):
        grants.refused(share.person_id, "expired")
        _give_up(share, "paused", "reconnect")
    elif (until := quotas.waits_until(share.network, share.person_id, grant.mode)) is not None:
        share.not_before = until
        share.reason = share.reason if share.reason == "check" else "quota"
        outbox.record("share.due", delay=until - now, share_id=str(share.id))
    else:
        return True
    db.session.flush()
    return False


def _give_up(share: Share, status: str, reason: str) -> None:
    """A check that cannot be made leaves the share as unknown as it was."""
    if share.reason == "check":
        share.status, share.reason = "unknown", None
    else:
        share.status, share.reason = status, reason
        outbox.record("share.paused", share_id=str(share.id))
        if status == "cancelled":
            links.changed()
    share.phase = share.lease_until = None


# --- 2. the attempt ----------------------------------------------------------------------


def attempt(claimed: Claim) -> None:
    """Publish one claimed share and write what became of it."""
    _settle_surely(claimed, _outcome(claimed))


def _settle_surely(claimed: Claim, outcome: Outcome) -> None:
    """What the network said is not lost to a moment's trouble with the database: it would be an
    'unknown' that somebody has to clear up."""
    for pause in SETTLE_PAUSES:
        try:
            return settle(claimed, outcome)
        except SQLAlchemyError as error:
            db.session.rollback()
            log.warning("the outcome of a share could not be written yet: %s", type(error).__name__)
            clock.sleep(pause)
    return settle(claimed, outcome)


def _outcome(claimed: Claim) -> Outcome:
    settings = current_settings()
    try:
        found = _as_it_is(claimed)
        if found is None:
            return NotSent("stopped", retry=False)
        share, grant = found
        token = sealing.access_token(grant)
    except (CannotDecrypt, TokenMisplaced):
        return TokenRefused("invalid")
    if grants.is_invented(grant) and not posting.is_loopback(settings.linkedin_api_url):
        return TokenRefused("invalid")
    try:
        post = posting.parcel(share, grant.subject, settings)
    except NotFound:  # its picture is gone: without it the post would not be what was promised
        return Refused("MEDIA_ASSET_PROCESSING_FAILED", 0, permanent=True)
    db.session.remove()  # nothing is held while the network talks
    calls = CALLS_WITH_PICTURE if post.picture else 1
    client = _client(settings)
    try:
        body = post.body(lambda jpeg: client.upload_image(token, post.owner, jpeg))
    except NotUploaded as error:
        return posting.before_the_post(error.outcome)
    return client.create_post(token, body, before_last_byte=lambda: mark_sent(claimed, calls))


def _as_it_is(claimed: Claim) -> tuple[Share, Grant] | None:
    """The share and its member's grant with its tokens, in one read."""
    row = db.session.execute(
        select(Share, Grant)
        .join(Grant, (Grant.person_id == Share.person_id) & (Grant.network == Share.network))
        .where(Share.id == claimed.share_id)
        .options(undefer(Grant.access_token))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _broke(claimed: Claim) -> None:
    """Our own mistake: what is known is how far the attempt had come."""
    db.session.rollback()
    phase = db.session.scalar(select(Share.phase).where(Share.id == claimed.share_id))
    settle(claimed, Unknown("broken") if phase == SENT else NotSent("broken", retry=True))


# --- 3. mark -----------------------------------------------------------------------------


def mark_sent(claimed: Claim, calls: int = 1) -> bool:
    """Durably note that the last byte leaves now, and the calls that were made; False when it
    may not."""
    now = clock.now()
    with _writing() as session:
        changed = session.execute(
            update(Share)
            .where(
                Share.id == claimed.share_id,
                Share.status == "publishing",
                Share.attempt == claimed.attempt,
                Share.phase == PREPARING,
                Share.lease_until > now,
                exists().where(
                    Grant.person_id == Share.person_id,
                    Grant.network == Share.network,
                    Grant.state == grants.ACTIVE,
                ),
                _of_member(),
                stop.none_stands(),
            )
            .values(phase=SENT, sent_at=now)
            .execution_options(synchronize_session=False)
        )
        if cast(CursorResult[object], changed).rowcount != 1:
            return False
        quotas.count(grants.LINKEDIN, claimed.person_id, calls)
    return True


# --- 4. settle ---------------------------------------------------------------------------


def settle(claimed: Claim, outcome: Outcome) -> None:
    """Write what the network said. The answer of an attempt that was given up meanwhile still
    counts: it is the truth about an unknown."""
    with _writing() as session:
        share = session.get(Share, claimed.share_id, with_for_update=True, populate_existing=True)
        _release(claimed, outcome)
        if share is None or share.attempt != claimed.attempt:
            return
        if share.status not in ("publishing", "unknown"):
            return  # cancelled while it was being prepared: nothing was sent
        share.lease_until = share.phase = None
        _write(share, claimed, outcome)


def _release(claimed: Claim, outcome: Outcome) -> None:
    db.session.execute(
        update(Grant)
        .where(Grant.person_id == claimed.person_id, Grant.network == grants.LINKEDIN)
        .values(busy_until=None, rests_until=_rests_until(outcome))
        .execution_options(synchronize_session=False)
    )


def _rests_until(outcome: Outcome) -> dt.datetime | None:
    """A pause for this member's other posts after trouble with the network."""
    match outcome:
        case MediaNotReady() | Unknown() | NotSent(retry=True):
            return clock.now() + REST
    return None


def _write(share: Share, claimed: Claim, outcome: Outcome) -> None:
    match outcome:
        case Published(urn):
            published(share, urn)
        case Duplicate(urn) if claimed.is_check and urn and not _is_taken(share, urn):
            published(share, urn)
        case Unknown():
            share.status, share.reason = "unknown", None
            outbox.record("share.unknown", share_id=str(share.id))
        case NotSent(reason="stopped"):
            _stopped(share, claimed)
        case NotSent(retry=True) | MediaNotReady() | Refused(permanent=False):
            _again(share, claimed, outcome)
        case Throttled(scope, until):
            holder = claimed.person_id if scope == "member" else None
            quotas.block(share.network, holder, until)
            _wait(share, claimed, until, "quota")
        case _:
            _end(share, claimed, *_ending(share, outcome))


def _ending(share: Share, outcome: Outcome) -> tuple[str, str]:
    """(status, reason) of a definite no; who can do something about it is told."""
    match outcome:
        case TokenRefused(kind):
            grants.refused(share.person_id, kind)
            return "paused", "reconnect"
        case VersionRefused():
            trouble.note("version")
            return "paused", "version"
        case NoPermission():
            trouble.note("permission")
            return "failed", "permission"
        case Duplicate():
            return "failed", "duplicate"
        case Refused(code=code):
            return "failed", posting.reason_of(code)
        case _:
            return "failed", "refused"


def published(share: Share, urn: str | None) -> None:
    """It is online. Joins a transaction."""
    now = clock.now()
    share.status, share.reason, share.post_urn = "published", None, urn
    share.published_at = share.sent_at or now
    share.not_before = None
    share.poll_due_at = now + dt.timedelta(days=1) if urn else None
    outbox.record("share.published", share_id=str(share.id))
    if share.withdrawal_asked_at is not None and urn is not None:
        outbox.record("share.withdrawal_asked", share_id=str(share.id))


def _is_taken(share: Share, urn: str) -> bool:
    """Another share holds this post: it is not the missing one."""
    other = select(Share.id).where(
        Share.network == share.network, Share.post_urn == urn, Share.id != share.id
    )
    return db.session.execute(other.limit(1)).first() is not None


def _end(share: Share, claimed: Claim, status: str, reason: str) -> None:
    if claimed.is_check:
        share.status, share.reason = "unknown", None
        return
    share.status, share.reason = status, reason
    outbox.record(f"share.{status}", share_id=str(share.id))


def _stopped(share: Share, claimed: Claim) -> None:
    """The mark was refused while the share is still ours: the switch, or the grant."""
    if stop.standing(posting.topics_of(share)) is not None:
        _end(share, claimed, "paused", "stopped")
    elif not grants.is_usable(grants.grant_of(share.person_id), clock.now()):
        _end(share, claimed, "paused", "reconnect")
    else:
        _wait(share, claimed, clock.now(), None)


def _again(share: Share, claimed: Claim, outcome: Outcome) -> None:
    """Certainly no post: try again, later each time, and give up visibly."""
    share.tries += 1
    if share.tries >= MAX_TRIES:
        _end(share, claimed, "failed", "unreachable")
        return
    if isinstance(outcome, MediaNotReady):
        _wait(share, claimed, clock.now() + dt.timedelta(seconds=3 * share.tries), "not-ready")
        return
    pause = dt.timedelta(seconds=min(5 * 3 ** (share.tries - 1), 3600))
    _wait(share, claimed, clock.now() + pause, "waiting")


def _wait(share: Share, claimed: Claim, until: dt.datetime, reason: str | None) -> None:
    """Back to the queue, unless sharing was stopped meanwhile: then its author is asked."""
    if stop.standing(posting.topics_of(share)) is not None:
        _end(share, claimed, "paused", "stopped")
        return
    share.status, share.not_before = "scheduled", until
    share.reason = "check" if claimed.is_check else reason
    outbox.record(
        "share.due", delay=max(until - clock.now(), dt.timedelta(0)), share_id=str(share.id)
    )


# --- what was left behind ----------------------------------------------------------------


def reap(limit: int = 500) -> int:
    """Attempts whose lease has ended: back to the queue, or unknown; how many."""
    now = clock.now()
    ended = (Share.status == "publishing") & (Share.lease_until < now)
    if db.session.execute(select(Share.id).where(ended).limit(1)).first() is None:
        return 0
    with transaction() as session:
        rows = session.scalars(
            select(Share).where(ended).limit(limit).with_for_update(skip_locked=True)
        ).all()
        for share in rows:
            was_sent = share.phase == SENT
            share.phase = share.lease_until = None
            if was_sent:
                share.status, share.reason = "unknown", None
                outbox.record("share.unknown", share_id=str(share.id))
            else:
                _back_in_line(share)
        return len(rows)


def _back_in_line(share: Share) -> None:
    """Nothing of it was sent. Where sharing was stopped meanwhile its author is asked."""
    if stop.standing(posting.topics_of(share)) is not None:
        _give_up(share, "paused", "stopped")
        return
    share.status = "scheduled"
    outbox.record("share.due", share_id=str(share.id))
