"""Grants: a member lets us write in their name, sees until when, and takes it back.

Ending a grant deletes its row and its tokens in one transaction, cancels what was planned,
and leaves one encrypted token behind for as long as it takes to tell the network.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import NamedTuple

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.crypto import CannotDecrypt
from app.db import db, new_id, transaction
from app.integrations.linkedin.oauth import Granted, Tokens
from app.people.lookup import load_member
from app.referrals import links
from app.sharing import sealing
from app.sharing.errors import ProfileTaken
from app.sharing.models import Grant, GrantRevocation, ReachFigure, Share

LINKEDIN = "linkedin"
ACTIVE, RECONNECT = "active", "reconnect"
DEMO = "demo"
# The text of our own page before the network's (API terms 5.1); a new text gets a new version.
CONSENT_VERSION = "2026-11"
REMIND_BEFORE = dt.timedelta(days=7)
REFRESH_BEFORE = dt.timedelta(days=2)
REFRESH_MISSED = dt.timedelta(days=1)  # so late that the member is asked after all


class Ended(NamedTuple):
    """A grant that is gone; `cancelled` planned posts went with it."""

    cancelled: int


def grant_of(person_id: uuid.UUID, network: str = LINKEDIN) -> Grant | None:
    """A member's grant for one network."""
    return db.session.scalars(
        select(Grant).where(Grant.person_id == person_id, Grant.network == network)
    ).one_or_none()


def is_usable(grant: Grant | None, at: dt.datetime) -> bool:
    """Whether posts may be sent with it at one moment."""
    return grant is not None and grant.state == ACTIVE and grant.expires_at > at


def is_invented(grant: Grant) -> bool:
    """A grant of the demo: no network ever gave it, and none but a local one may see it."""
    return grant.mode == DEMO


def store_invented(person_id: uuid.UUID, subject: str, name: str, token: str) -> Grant:
    """A grant for the demo, stored without a call; it works with a loopback address only."""
    granted = Granted(
        access_token=token,
        expires_at=clock.now() + dt.timedelta(days=60),
        refresh_token=None,
        refresh_expires_at=None,
        scopes=("openid", "profile", "w_member_social"),
        subject=subject,
        name=name,
    )
    return store(person_id, granted, DEMO)


def store(
    person_id: uuid.UUID, granted: Granted, mode: str, consented_at: dt.datetime | None = None
) -> Grant:
    """Keep what the network granted; a renewal keeps the row and wakes paused posts only by
    their author's press. Another profile than before ends what was agreed for the old one.

    `consented_at` is when the member agreed on our own page. Raises `NotMember`, and
    `ProfileTaken` where another member is connected to this very profile.
    """
    with transaction() as session:
        load_member(session, person_id)
        grant = grant_of(person_id)
        is_new = grant is None
        _refuse_taken(person_id, granted.subject)
        if grant is None:
            grant = Grant(id=new_id(), person_id=person_id, network=LINKEDIN)
        elif grant.subject != granted.subject:
            _turn_to_another_profile(session, grant)
        _fill(grant, granted)
        grant.mode, grant.subject = mode, granted.subject
        grant.display_name = (granted.name or "")[:200]
        grant.consent_version = CONSENT_VERSION
        grant.consented_at = consented_at or clock.now()
        grant.connected_at, grant.state = clock.now(), ACTIVE
        grant.rests_until = grant.reminded_at = None
        _write(session, grant)
        audit.record(
            "grant.stored", "grant", grant.id, actor_id=person_id, network=LINKEDIN, new=is_new,
            consent=CONSENT_VERSION,
        )  # fmt: skip
        outbox.record("grant.stored", person_id=str(person_id))
    return grant


def _refuse_taken(person_id: uuid.UUID, subject: str) -> None:
    """Two people never post as one profile; a human with two entries here ends one first."""
    other = select(Grant.id).where(
        Grant.network == LINKEDIN, Grant.subject == subject, Grant.person_id != person_id
    )
    if db.session.execute(other.limit(1)).first() is not None:
        raise ProfileTaken


def _write(session: Session, grant: Grant) -> None:
    """Two members with one profile at the same moment: the second is told as usual."""
    try:
        with session.begin_nested():
            session.add(grant)
    except IntegrityError as error:
        raise ProfileTaken from error


def _turn_to_another_profile(session: Session, grant: Grant) -> None:
    """What was planned was pressed for the old profile: its author is asked again. The old
    profile's tokens and figures go, as at a disconnection."""
    session.execute(
        update(Share)
        .where(
            Share.person_id == grant.person_id,
            Share.network == LINKEDIN,
            Share.status == "scheduled",
            Share.reason.is_distinct_from("check"),
        )
        .values(status="paused", reason="other-profile")
    )
    _forget_measured(session, grant.person_id)
    _leave_for_revocation(grant)


def _fill(grant: Grant, tokens: Tokens) -> None:
    grant.access_token = sealing.seal(grant.id, grant.person_id, tokens.access_token)
    grant.refresh_token = (
        sealing.seal(grant.id, grant.person_id, tokens.refresh_token)
        if tokens.refresh_token
        else None
    )
    grant.expires_at, grant.refresh_expires_at = tokens.expires_at, tokens.refresh_expires_at
    grant.scopes = list(tokens.scopes)


def renew(grant_id: uuid.UUID, tokens: Tokens) -> None:
    """Keep tokens that a refresh brought (partner applications only)."""
    with transaction() as session:
        grant = session.get(Grant, grant_id, with_for_update=True)
        if grant is not None:
            _fill(grant, tokens)


def end(person_id: uuid.UUID, reason: str = "disconnected") -> Ended | None:
    """Forget a grant at once, cancel what was planned, delete the network's own figures (rule
    N4), and tell the network. None when there was none."""
    with transaction() as session:
        grant = grant_of(person_id)
        cancelled = cancel_planned(person_id, reason)
        if grant is None:
            return None
        _leave_for_revocation(grant)
        _forget_measured(session, person_id)
        session.delete(grant)
        session.flush()
        audit.record("grant.ended", "grant", grant.id, actor_id=person_id, reason=reason)
    return Ended(cancelled)


def _forget_measured(session: Session, person_id: uuid.UUID) -> None:
    """The network's own figures; what the member typed stays theirs."""
    mine = select(Share.id).where(Share.person_id == person_id)
    session.execute(
        delete(ReachFigure).where(ReachFigure.share_id.in_(mine), ReachFigure.truth == "measured")
    )


def _leave_for_revocation(grant: Grant) -> None:
    """Each token of the grant, encrypted, until the network was told."""
    for read in (sealing.access_token, sealing.refresh_token):
        try:
            token = read(grant)
        except (CannotDecrypt, sealing.TokenMisplaced):
            continue  # an unreadable token cannot be revoked, only forgotten
        if token is None:
            continue
        row = GrantRevocation(token=token)
        db.session.add(row)
        db.session.flush()
        outbox.record("grant.ended", revocation_id=str(row.id))


def waiting(person_id: uuid.UUID) -> dict[str, int]:
    """How many posts of a member have not gone out: 'planned', and under each reason those
    that are paused for it."""
    rows = db.session.execute(
        select(Share.status, Share.reason, func.count())
        .where(Share.person_id == person_id, Share.status.in_(("scheduled", "paused")))
        .group_by(Share.status, Share.reason)
    ).all()
    found: dict[str, int] = {}
    for status, reason, count in rows:
        key = "planned" if status == "scheduled" else reason or ""
        found[key] = found.get(key, 0) + count
    return found


def cancel_planned(person_id: uuid.UUID, reason: str) -> int:
    """Cancel every post of a member that has not been sent; how many. Joins a transaction."""
    open_ones = (Share.status.in_(("draft", "scheduled", "paused"))) | (
        (Share.status == "publishing") & (Share.phase == "preparing")
    )
    with transaction() as session:
        is_check = Share.reason.is_not_distinct_from("check")
        session.execute(
            update(Share)
            .where(Share.person_id == person_id, open_ones, is_check)
            .values(status="unknown", reason=None, phase=None, lease_until=None)
        )
        cancelled = session.scalars(
            update(Share)
            .where(Share.person_id == person_id, open_ones)
            .values(status="cancelled", reason=reason, phase=None, lease_until=None)
            .returning(Share.id)
        ).all()
        if cancelled:
            links.changed()
    return len(cancelled)


def refused(person_id: uuid.UUID, kind: str) -> None:
    """The network does not take the token any more: pause what is planned, say so once."""
    with transaction() as session:
        grant = grant_of(person_id)
        if grant is None or grant.state == RECONNECT:
            return
        grant.state = RECONNECT
        session.execute(
            update(Share)
            .where(
                Share.person_id == person_id,
                Share.network == LINKEDIN,
                Share.status == "scheduled",
                Share.reason.is_distinct_from("check"),
            )
            .values(status="paused", reason="reconnect")
        )
        audit.record("grant.refused", "grant", grant.id, kind=kind)
        outbox.record("grant.refused", person_id=str(person_id))


def refreshable(now: dt.datetime, limit: int = 500) -> list[uuid.UUID]:
    """Grants of a partner application that end soon and can be renewed without the member."""
    return list(
        db.session.scalars(
            select(Grant.id)
            .where(
                Grant.state == ACTIVE,
                Grant.expires_at <= now + REFRESH_BEFORE,
                Grant.refresh_token.is_not(None),
            )
            .limit(limit)
        )
    )


def expiring(now: dt.datetime, limit: int = 500) -> list[Grant]:
    """Grants that end within seven days and whose owner was not told yet. One that we can
    renew ourselves counts only when that should have happened by now, or ends for good."""
    by_ourselves = and_(
        Grant.refresh_token.is_not(None),
        or_(Grant.refresh_expires_at.is_(None), Grant.refresh_expires_at > now + REMIND_BEFORE),
        Grant.expires_at > now + REFRESH_MISSED,
    )
    return list(
        db.session.scalars(
            select(Grant)
            .where(
                Grant.state == ACTIVE,
                Grant.expires_at <= now + REMIND_BEFORE,
                Grant.reminded_at.is_(None),
                ~by_ourselves,
            )
            .limit(limit)
        )
    )


def remind_expiring() -> int:
    """Every day: say a week before that a connection ends; how many."""
    now = clock.now()
    with transaction():
        found = expiring(now)
        for grant in found:
            grant.reminded_at = now
            outbox.record("grant.expiring", person_id=str(grant.person_id))
    return len(found)


def forget_stale_revocations() -> int:
    """A token that could not be handed to the network within the hour is deleted all the same."""
    with transaction() as session:
        gone = session.scalars(
            delete(GrantRevocation)
            .where(GrantRevocation.asked_at < clock.now() - dt.timedelta(hours=1))
            .returning(GrantRevocation.id)
        ).all()
    return len(gone)
