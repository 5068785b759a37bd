"""What sharing does when facts arrive."""

from __future__ import annotations

import logging
import uuid

from sqlalchemy import select, update

from app import clock, outbox
from app.crypto import CannotDecrypt
from app.db import db, transaction
from app.integrations.linkedin.oauth import AuthAway, AuthRefused, LinkedInAuth
from app.integrations.linkedin.outcomes import Deleted, NoPermission, Refused, TokenRefused
from app.integrations.linkedin.posts import Client
from app.people import audiences
from app.people.models import Person
from app.people.segments import people_in
from app.referrals import links
from app.sharing import grants, publisher, reach, sealing
from app.sharing.models import Grant, GrantRevocation, Share
from app.web import current_settings

log = logging.getLogger(__name__)

PUBLISH_SECONDS = 180


@outbox.on("share.due", "sharing.publish", outside=True, timeout=PUBLISH_SECONDS)
def on_share_due(share_id: str) -> None:
    """Publish it, and whatever else is due: posts go out in batches."""
    status = db.session.scalar(select(Share.status).where(Share.id == uuid.UUID(share_id)))
    if status in ("scheduled", "publishing"):
        publisher.publish_due()


@outbox.on("periodic.sharing.sweep", "sharing.sweep", outside=True, timeout=PUBLISH_SECONDS)
def on_sweep_time() -> None:
    """What was left behind: ended leases, posts whose fact was lost, tokens on their way out."""
    grants.forget_stale_revocations()
    publisher.publish_due()


@outbox.on("periodic.sharing.poll", "sharing.poll", outside=True, timeout=600)
def on_poll_time() -> None:
    """LinkedIn's own figures, in the mode that has them."""
    reach.poll_due()


@outbox.on("periodic.sharing.remind", "sharing.remind")
def on_remind_time() -> None:
    """Connections that end within a week."""
    grants.remind_expiring()


@outbox.on("share.withdrawal_asked", "sharing.withdraw", outside=True, timeout=90)
def on_withdrawal_asked(share_id: str) -> None:
    """Take a post off the network. Twice is harmless: what is gone is gone."""
    share = db.session.get(Share, uuid.UUID(share_id))
    if share is None or share.status != "published" or share.post_urn is None:
        return
    grant = grants.grant_of(share.person_id)
    if not grants.is_usable(grant, clock.now()) or grant is None:
        _not_withdrawn(share.id, "reconnect")
        return
    try:
        token = sealing.access_token(grant)
    except (CannotDecrypt, sealing.TokenMisplaced):
        grants.refused(share.person_id, "invalid")
        _not_withdrawn(share.id, "reconnect")
        return
    urn = share.post_urn
    share_uuid, person_id, settings = share.id, share.person_id, current_settings()
    db.session.remove()
    outcome = Client(settings).delete_post(token, urn)
    match outcome:
        case Deleted():
            _withdrawn(share_uuid)
        case TokenRefused(kind):
            grants.refused(person_id, kind)
            _not_withdrawn(share_uuid, "reconnect")
        case NoPermission() | Refused(permanent=True):
            _not_withdrawn(share_uuid, "refused-there")
        case _:
            raise NotYetWithdrawn(type(outcome).__name__)


class NotYetWithdrawn(Exception):
    """The network could not be reached or is busy: the outbox tries again."""


def _withdrawn(share_id: uuid.UUID) -> None:
    with transaction() as session:
        share = session.get(Share, share_id, with_for_update=True)
        if share is not None and share.status == "published":
            share.status, share.reason, share.withdrawn_at = "withdrawn", None, clock.now()
            share.poll_due_at = None
            links.changed()
            outbox.record("share.withdrawn", share_id=str(share_id))


def _not_withdrawn(share_id: uuid.UUID, reason: str) -> None:
    with transaction() as session:
        share = session.get(Share, share_id, with_for_update=True)
        if share is not None and share.status == "published":
            share.withdrawal_asked_at, share.reason = None, reason


@outbox.on("share.visited", "sharing.seen")
def on_share_visited(share_id: str, since: str | None = None, click_id: str | None = None) -> None:
    """A visit proves what an intent could only hope."""
    db.session.execute(
        update(Share)
        .where(Share.id == uuid.UUID(share_id), Share.seen_at.is_(None))
        .values(seen_at=clock.now())
    )


@outbox.on("grant.ended", "sharing.revoke", outside=True, timeout=60)
def on_grant_ended(revocation_id: str) -> None:
    """Tell the network, once; the token goes whatever it answers (rule N6)."""
    row = db.session.get(GrantRevocation, uuid.UUID(revocation_id))
    if row is None:
        return
    token, settings = row.token, current_settings()
    db.session.remove()
    LinkedInAuth(settings).revoke(token)
    with transaction() as session:
        found = session.get(GrantRevocation, uuid.UUID(revocation_id))
        if found is not None:
            session.delete(found)


@outbox.on("person.left", "sharing.forget")
def on_person_left(person_id: str) -> None:
    """Nothing more happens in their name: planned posts, grants and tokens go at once."""
    grants.end(uuid.UUID(person_id), "left")


@outbox.on("charter.withdrawn", "sharing.wait_for_charter")
def on_charter_withdrawn(person_id: str, acceptance_id: str) -> None:
    """Who takes the charter back keeps what is planned, and it waits until they agree again."""
    waiting = db.session.scalars(
        update(Share)
        .where(
            Share.person_id == uuid.UUID(person_id),
            Share.status == "scheduled",
            Share.reason.is_distinct_from("check"),
        )
        .values(status="paused", reason="charter")
        .returning(Share.id)
    ).all()
    for share_id in waiting:
        outbox.record("share.paused", share_id=str(share_id))


@outbox.on("story.withdrawn", "sharing.cancel_story")
def on_story_withdrawn(story_id: str) -> None:
    """What is planned does not go; who shared it is told, and free to leave it online (L3)."""
    story = uuid.UUID(story_id)
    session = db.session()
    cancelled = session.scalars(
        update(Share)
        .where(
            Share.story_id == story,
            Share.status.in_(("scheduled", "paused", "draft")),
            Share.reason.is_distinct_from("check"),
        )
        .values(status="cancelled", reason="story-withdrawn")
        .returning(Share.id)
    ).all()
    for share_id in cancelled:
        outbox.record("share.paused", share_id=str(share_id))
    if cancelled:
        links.changed()
    online = session.scalars(
        select(Share.id).where(Share.story_id == story, Share.status == "published")
    ).all()
    for share_id in online:
        outbox.record("share.story_gone", share_id=str(share_id))


@outbox.on("story.audience_changed", "sharing.cancel_outside")
def on_audience_changed(story_id: str) -> None:
    """What is planned by those it is not meant for any more does not go, and they are told."""
    story = uuid.UUID(story_id)
    segments = audiences.ids_of(story, audiences.SEEN)
    if not segments:
        return
    inside = select(Person.id).where(people_in(segments))
    cancelled = db.session.scalars(
        update(Share)
        .where(
            Share.story_id == story,
            Share.status.in_(("scheduled", "paused", "draft")),
            Share.reason.is_distinct_from("check"),
            Share.person_id.not_in(inside),
        )
        .values(status="cancelled", reason="audience")
        .returning(Share.id)
    ).all()
    for share_id in cancelled:
        outbox.record("share.paused", share_id=str(share_id))
    if cancelled:
        links.changed()


@outbox.on("periodic.sharing.remind", "sharing.refresh", outside=True, timeout=300)
def on_refresh_time() -> None:
    """Renew what a partner application may renew by itself; without that the member is asked."""
    auth = LinkedInAuth(current_settings())
    for grant_id in grants.refreshable(clock.now()):
        grant = db.session.get(Grant, grant_id)
        if grant is None:
            continue
        try:
            token = sealing.refresh_token(grant)
            db.session.remove()
            grants.renew(grant_id, auth.refresh(token or ""))
        except (AuthAway, AuthRefused, CannotDecrypt, sealing.TokenMisplaced) as error:
            log.info("a grant was not renewed: %s", type(error).__name__)
