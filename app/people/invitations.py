"""Inviting somebody of the directory to join; the mail leaves by `handlers`.

Nobody is written to more than once a week, and never again after a "no, thank you" (W9). What
is known of an invitation is what was sent: whether somebody answered, and what, is told to
nobody (rule W2), so every answer to an administrator is the same for everybody.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app import audit, clock, crypto, outbox
from app.db import db, transaction
from app.errors import NotFound
from app.people import first_day, names, thresholds
from app.people.errors import InvitedRecently, NoAddress, check_form
from app.people.joining_models import Invitation, InvitationRefusal
from app.people.links import INVITATION, new_ticket
from app.people.lookup import load_present
from app.people.membership import refusal_hash
from app.people.models import Membership, Person
from app.people.text import is_nowhere
from app.web.hours import until_working_hours

WEEK: Final = dt.timedelta(days=7)
BATCH: Final = 200
NOBODY: Final = uuid.UUID(int=0)
MOST: Final = 200


# --- sending -----------------------------------------------------------------------------


def invite(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Send an invitation, valid for 14 days. Raises `NoSuchPerson`, `Departed`,
    `InvitedRecently`, and `NoAddress` for whom only a code on paper reaches (`personal_codes`).

    Somebody who takes part already, or who said no, gets none, and the caller is not told:
    nobody may find out in this way who joined (rule W2). Before somebody's first day it waits.
    """
    with transaction() as session:
        person = load_present(session, person_id)
        if is_nowhere(person.email):
            raise NoAddress
        if first_day.holds(session, person, actor_id):
            return
        row = session.get(Invitation, person_id)
        if row is not None and row.sent_at > clock.now() - WEEK:
            raise InvitedRecently
        send(session, person, row, actor_id)


def send(
    session: Session, person: Person, row: Invitation | None, actor_id: uuid.UUID | None,
    *, by_mail: bool = True, reminds: bool = False,
) -> None:  # fmt: skip
    """Note an invitation over `row`, the one before, and have its mail leave; one that `reminds`
    leaves in working hours. Without `by_mail` it is noted alone: a list that left out whoever
    takes part would tell who does (rule W2)."""
    ticket = new_ticket(INVITATION, person)
    row = row or Invitation(person_id=person.id)
    row.sent_at, row.expires_at = clock.now(), ticket.expires
    session.add(row)
    audit.record("person.invited", "person", person.id, actor_id=actor_id)
    if by_mail:
        outbox.record(
            "person.invited",
            person_id=str(person.id),
            expires_at=ticket.expires_at,
            state=ticket.state,
            reminds=reminds,
        )


def revoke(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> bool:
    """Take an invitation back: its link opens nothing any more. False when there was none."""
    with transaction() as session:
        row = session.get(Invitation, person_id, with_for_update=True)
        if row is None or row.is_revoked:
            return False
        row.revoked_at = clock.now()
        audit.record("invitation.revoked", "person", person_id, actor_id=actor_id)
    return True


def is_wanted(person: Person) -> bool:
    """Whether an invitation may reach this person now: they did not join, did not say no, have an
    address, and it was not taken back since it was asked for."""
    row = db.session.get(Invitation, person.id)
    return (
        not person.is_member
        and not is_nowhere(person.email)
        and (row is None or not row.is_revoked)
        and db.session.get(InvitationRefusal, refusal_hash(person.email)) is None
    )


# --- once more ---------------------------------------------------------------------------


def remind(*, actor_id: uuid.UUID | None = None) -> None:
    """Write once more to those who have not answered and whose last mail is a week old, in
    working hours (rule W9). Who that is, or how many, is told to nobody."""
    with transaction():
        audit.record("invitations.reminded", "organisation", 1, actor_id=actor_id)
        by = str(actor_id) if actor_id else None
        outbox.record("invitations.remind", after=str(NOBODY), actor_id=by)


def reminders_wait() -> dt.timedelta:
    """How long a reminder waits now: nothing in working hours."""
    return until_working_hours(clock.now())


@outbox.on("invitations.remind", "people.remind_invited", timeout=300)
def on_remind(after: str, actor_id: str | None = None) -> None:
    """One batch, in working hours; the next one follows as a fact of its own."""
    if wait := reminders_wait():
        outbox.record("invitations.remind", delay=wait, after=after, actor_id=actor_id)
        return
    session = db.session()
    by = uuid.UUID(actor_id) if actor_id else None
    found = session.scalars(_unanswered(uuid.UUID(after))).all()
    for person in found:
        if is_wanted(person) and not first_day.holds(session, person, by):
            send(session, person, session.get(Invitation, person.id), by, reminds=True)
    if len(found) == BATCH:
        outbox.record("invitations.remind", after=str(found[-1].id), actor_id=actor_id)


def _unanswered(after: uuid.UUID) -> Select[Person]:
    return (
        select(Person)
        .join(Invitation, Invitation.person_id == Person.id)
        .outerjoin(Membership, Membership.person_id == Person.id)
        .where(
            Person.id > after,
            Person.departed_at.is_(None),
            Membership.id.is_(None),
            or_(Invitation.revoked_at.is_(None), Invitation.revoked_at < Invitation.sent_at),
            Invitation.sent_at <= clock.now() - WEEK,
        )
        .order_by(Person.id)
        .limit(BATCH)
    )


# --- no, thank you -----------------------------------------------------------------------


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for("no-thanks"))], salt="no-thanks")


def no_thanks_path(person_id: uuid.UUID) -> str:
    """The path in the mail; it works for as long as the mail lies there."""
    return f"/no-thanks/{_serializer().dumps(person_id.hex)}"


def read_no_thanks(token: str) -> uuid.UUID:
    """Whose mail it was. Raises `NotFound` for what we never signed."""
    try:
        return uuid.UUID(hex=_serializer().loads(token))
    except (BadSignature, TypeError, ValueError, AttributeError) as error:
        raise NotFound(_l("This link is incomplete. Copy it whole from the mail.")) from error


def refuse(person_id: uuid.UUID) -> None:
    """Nothing more is sent to this address. Neither the log nor a fact tells of it: there is no
    list of those who said no (rule W2). Somebody who takes part is left alone."""
    with transaction() as session:
        person = session.get(Person, person_id)
        if person is None or person.is_member:
            return
        digest = refusal_hash(person.email)
        if session.get(InvitationRefusal, digest, with_for_update=True) is None:
            session.add(InvitationRefusal(address_hash=digest))


# --- what was sent -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """One invitation as an administrator sees it; the same whether it was answered or not.
    `state`: 'good', 'expired' or 'revoked', of the link. `again_at`: when a next mail may go."""

    person_id: uuid.UUID
    name: str
    email: str
    site: str | None
    language: str
    sent_at: dt.datetime
    expires_at: dt.datetime
    state: str
    again_at: dt.datetime | None

    @property
    def initials(self) -> str:
        return names.initials(self.name)


@dataclass(frozen=True, slots=True)
class SentPage:
    """`next` goes back as `after`; None on the last page."""

    items: list[Sent]
    next: str | None


def _cursor(sent_at: dt.datetime, person_id: uuid.UUID) -> str:
    raw = person_id.bytes + sent_at.isoformat().encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _position(after: str) -> tuple[dt.datetime, uuid.UUID]:
    try:
        raw = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        at = dt.datetime.fromisoformat(raw[16:].decode())
        if at.tzinfo is None:
            raise ValueError(at)
        return at, uuid.UUID(bytes=raw[:16])
    except (binascii.Error, ValueError) as error:
        raise check_form({"after": _l("This page of the list does not exist.")}) from error


def sent_page(after: str | None = None, limit: int = 50) -> SentPage:
    """Invitations to people who are present, the newest first, by key. Raises `InvalidInput`."""
    limit = max(1, min(limit, MOST))
    query = (
        select(
            Person.id, Person.name, Person.email, Person.site, Person.language,
            Invitation.sent_at, Invitation.expires_at, Invitation.revoked_at,
        )
        .join(Invitation, Invitation.person_id == Person.id)
        .where(Person.departed_at.is_(None))
    )  # fmt: skip
    if after:
        at, person_id = _position(after)
        query = query.where(
            tuple_(Invitation.sent_at, Invitation.person_id) < tuple_(at, person_id)
        )
    order = (Invitation.sent_at.desc(), Invitation.person_id.desc())
    rows = db.session.execute(query.order_by(*order).limit(limit + 1)).all()
    items = [Sent(*row[:7], _state(row), _again_at(row.sent_at)) for row in rows[:limit]]
    more = len(rows) > limit
    return SentPage(items, _cursor(items[-1].sent_at, items[-1].person_id) if more else None)


def _state(row: Any) -> str:
    if row.revoked_at is not None and row.revoked_at >= row.sent_at:
        return "revoked"
    return "good" if row.expires_at > clock.now() else "expired"


def _again_at(sent_at: dt.datetime) -> dt.datetime | None:
    at = sent_at + WEEK
    return at if at > clock.now() else None


# --- counts, for the team ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Joined:
    """A group of the directory in figures. `site` None: the sites too small to stand alone.
    `joined` is None where the number would tell too much."""

    site: str | None
    people: int
    joined: int | None


@dataclass(frozen=True, slots=True)
class JoiningCounts:
    """`whole` is None below the threshold; `sites` hold only large groups (`least` people)."""

    whole: Joined | None
    sites: list[Joined]
    least: int


def joining_counts() -> JoiningCounts:
    """How many of the directory take part, as a whole and by site: counts alone, and only of
    groups of ten or more (rule W2). Two statements."""
    least = thresholds.joining()
    rows = db.session.execute(
        select(Person.site, func.count(), func.count(Membership.id))
        .outerjoin(Membership, (Membership.person_id == Person.id) & Membership.left_at.is_(None))
        .where(Person.departed_at.is_(None))
        .group_by(Person.site)
    ).all()
    found = [(site or "", people, joined) for site, people, joined in rows]
    whole = _told("", sum(row[1] for row in found), sum(row[2] for row in found), least)
    if whole is None or whole.joined is None:
        return JoiningCounts(whole, [], least)
    return JoiningCounts(whole, _by_site(found, least), least)


def _told(site: str, people: int, joined: int, least: int) -> Joined | None:
    if people < least:
        return None
    return Joined(site or None, people, thresholds.told_part(joined, people, least))


def _by_site(found: list[tuple[str, int, int]], least: int) -> list[Joined]:
    """Sites whose figure may be told, the largest first; the others summed into one row, which
    takes up more of them until neither it nor a subtraction tells too much."""
    rest_people, rest_joined = 0, 0
    shown: list[Joined] = []
    for site, people, joined in sorted(found, key=lambda row: (-row[1], row[0])):
        told = _told(site, people, joined, least) if site else None
        if told is not None and told.joined is not None:
            shown.append(told)
        else:
            rest_people, rest_joined = rest_people + people, rest_joined + joined
    while rest_people and thresholds.told_part(rest_joined, rest_people, least) is None and shown:
        last = shown.pop()
        rest_people, rest_joined = rest_people + last.people, rest_joined + (last.joined or 0)
    if not shown:
        return []
    return [*shown, *([Joined(None, rest_people, rest_joined)] if rest_people else [])]
