"""Mails about one's own posts and connection, and to administrators when LinkedIn is in the way.

Each is made from what is true when it leaves: a post that was pressed again, a connection that
was renewed and a member who left get none. They are about one's own affairs, so they come at
any hour.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask_babel import force_locale
from sqlalchemy import select

from app import mail, outbox
from app.db import db
from app.people.models import Person, RoleGrant
from app.sharing import grants, letters
from app.sharing.letters import Letter
from app.sharing.models import Grant, Share, SharingStop
from app.sharing.words import TROUBLES

# Told by the mail that the connection is refused, or the member's own act: told on its page.
TOLD_ELSEWHERE = frozenset({"reconnect", "other-profile", "charter"})


def _member(person_id: uuid.UUID) -> Person | None:
    person = db.session.get(Person, person_id)
    return person if person is not None and person.is_member else None


def _send(person: Person, write: Callable[[], Letter]) -> None:
    with force_locale(person.language):
        letter = write()
    mail.send(
        person.email,
        person.name,
        "share-letter",
        person.language,
        letter=letter,
        greeted=person.given_name,
        link=mail.url(letter.path),
    )


def _share(share_id: str, *statuses: str) -> tuple[Share, Person] | None:
    """The post and its author, while both are in the state that the mail tells of."""
    db.session.rollback()  # what another worker has committed meanwhile counts
    share = db.session.get(Share, uuid.UUID(share_id))
    if share is None or share.status not in statuses:
        return None
    author = _member(share.person_id)
    return None if author is None else (share, author)


def _tell(share_id: str, status: str, write: Callable[[Share], Letter]) -> None:
    found = _share(share_id, status)
    if found is not None:
        share, author = found
        _send(author, lambda: write(share))


# --- one post ----------------------------------------------------------------------------


@outbox.on("share.failed", "sharing.mail_failed", outside=True)
def tell_failed(share_id: str) -> None:
    """It was not posted."""
    _tell(share_id, "failed", letters.failed)


@outbox.on("share.unknown", "sharing.mail_unknown", outside=True)
def tell_unknown(share_id: str) -> None:
    """Nobody knows but the author."""
    _tell(share_id, "unknown", letters.unknown)


@outbox.on("share.paused", "sharing.mail_paused", outside=True)
def tell_paused(share_id: str) -> None:
    """It waits for its author, or was cancelled for a reason."""
    found = _share(share_id, "paused", "cancelled")
    if found is None or not found[0].reason or found[0].reason in TOLD_ELSEWHERE:
        return
    share, author = found
    _send(author, lambda: letters.paused(share))


@outbox.on("share.story_gone", "sharing.mail_story_gone", outside=True)
def tell_story_gone(share_id: str) -> None:
    """The story was withdrawn; the post may stay."""
    _tell(share_id, "published", letters.story_gone)


# --- several posts -----------------------------------------------------------------------


@outbox.on("sharing.stopped", "sharing.mail_stopped", outside=True)
def tell_stopped(person_id: str, stop_id: str) -> None:
    """What was planned waits, with the organisation's word about it."""
    person, count = _waiting(person_id, "stopped")
    standing = db.session.get(SharingStop, uuid.UUID(stop_id))
    if person is None or not count or standing is None or standing.lifted_at is not None:
        return
    message = standing.message
    _send(person, lambda: letters.stopped(count, message))


@outbox.on("sharing.asks", "sharing.mail_asks", outside=True)
def tell_asks(person_id: str, stop_id: str) -> None:
    """The moment passed while sharing was stopped."""
    person, count = _waiting(person_id, "asks")
    if person is not None and count:
        _send(person, lambda: letters.asks(count))


def _waiting(person_id: str, reason: str) -> tuple[Person | None, int]:
    db.session.rollback()
    who = uuid.UUID(person_id)
    return _member(who), grants.waiting(who).get(reason, 0)


# --- the connection ----------------------------------------------------------------------


@outbox.on("grant.expiring", "sharing.mail_expiring", outside=True)
def tell_expiring(person_id: str) -> None:
    """A week before it ends."""
    person, grant = _connection(person_id)
    if person is None or grant is None or grant.reminded_at is None:
        return
    if grant.state == grants.ACTIVE:
        _send(person, lambda: letters.expiring(grant))


@outbox.on("grant.refused", "sharing.mail_refused", outside=True)
def tell_refused(person_id: str) -> None:
    """The network takes the key no more."""
    person, grant = _connection(person_id)
    if person is None or grant is None or grant.state != grants.RECONNECT:
        return
    count = grants.waiting(person.id).get("reconnect", 0)
    _send(person, lambda: letters.refused(count))


def _connection(person_id: str) -> tuple[Person | None, Grant | None]:
    db.session.rollback()
    who = uuid.UUID(person_id)
    return _member(who), grants.grant_of(who)


# --- to administrators -------------------------------------------------------------------


@outbox.on("sharing.trouble", "sharing.find_administrators")
def on_trouble(code: str) -> None:
    """One fact for each administrator, so that one address in trouble does not repeat the
    others' mails."""
    ids = db.session.scalars(
        select(Person.id)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role == "admin",
            RoleGrant.segment_id.is_(None),
            Person.departed_at.is_(None),
        )
        .order_by(Person.id)
    ).all()
    for person_id in ids:
        outbox.record("sharing.trouble_to_tell", person_id=str(person_id), code=code)


@outbox.on("sharing.trouble_to_tell", "sharing.mail_trouble", outside=True)
def tell_trouble(person_id: str, code: str) -> None:
    """What is in the way, and what mends it."""
    person = db.session.get(Person, uuid.UUID(person_id))
    if person is not None and person.departed_at is None and code in TROUBLES:
        _send(person, lambda: letters.trouble(code))
