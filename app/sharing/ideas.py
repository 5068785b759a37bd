"""Ideas of what to pass on: a mail to those who asked for it, never more than one a week.

Only on working days and in the morning of the organisation's zone (rule W9); only stories
published since the last one and meant for who reads them; nobody who did not say yes, and no word about not sharing.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select

from app import clock, mail, outbox
from app.db import db, transaction
from app.library import queries as library
from app.library.queries import StoryCard
from app.people import pauses
from app.people.models import Consent, Membership, Person
from app.people.segments import segments_of
from app.people.unsubscribing import unsubscribe_path
from app.sharing import stop
from app.sharing.models import IdeaMail
from app.web.hours import is_working_day

PURPOSE = "ideas"
BATCH = 200
WEEK = dt.timedelta(days=7)
SHOWN = 3
NOBODY = uuid.UUID(int=0)


@outbox.on("periodic.sharing.ideas", "sharing.begin_ideas")
def on_morning() -> None:
    """Begin a round, unless there is nothing new, sharing is stopped, or it is a weekend."""
    if (
        is_working_day(clock.now())
        and stop.standing() is None
        and library.has_news(clock.now() - WEEK)
    ):
        outbox.record("ideas.round", after=str(NOBODY))


@outbox.on("ideas.round", "sharing.ideas", outside=True, timeout=300)
def on_round(after: str) -> None:
    """One batch of members; the next one follows as a fact of its own."""
    ids = _due_members(uuid.UUID(after))
    for person_id in ids:
        _send_to(person_id)
    if len(ids) == BATCH:
        with transaction():
            outbox.record("ideas.round", after=str(ids[-1]))


def _due_members(after: uuid.UUID) -> list[uuid.UUID]:
    a_week_ago = clock.now() - WEEK
    return list(
        db.session.scalars(
            select(Person.id)
            .join(Consent, Consent.person_id == Person.id)
            .join(Membership, Membership.person_id == Person.id)
            .outerjoin(IdeaMail, IdeaMail.person_id == Person.id)
            .where(
                Person.id > after,
                Person.departed_at.is_(None),
                Membership.left_at.is_(None),
                Consent.purpose == PURPOSE,
                Consent.withdrawn_at.is_(None),
                IdeaMail.sent_at.is_(None) | (IdeaMail.sent_at <= a_week_ago),
                ~pauses.rests(Person.id),
            )
            .order_by(Person.id)
            .limit(BATCH)
        )
    )


def _news(person: Person, since: dt.datetime | None) -> list[StoryCard]:
    """The newest stories that are meant for somebody, of the last week and since the last mail."""
    oldest = max(since or clock.now() - WEEK, clock.now() - WEEK)
    found = library.latest(SHOWN, person.language, mine=segments_of(person.id))
    return [card for card in found if card.published_at and card.published_at > oldest]


def _send_to(person_id: uuid.UUID) -> None:
    """Note it first: after a crash rather no mail than two."""
    now = clock.now()
    with transaction() as session:
        person = session.get_one(Person, person_id)
        row = session.get(IdeaMail, person_id, with_for_update=True)
        stories = _news(person, row.sent_at if row else None)
        if not stories or (row is not None and row.sent_at > now - WEEK):
            return
        if row is None:
            session.add(IdeaMail(person_id=person_id, sent_at=now))
        else:
            row.sent_at = now
        to, name, language, given = person.email, person.name, person.language, person.given_name
    mail.send(
        to,
        name,
        "share-ideas",
        language,
        given_name=given,
        stories=[(card, mail.url(f"/library/{card.id}#composer")) for card in stories],
        settings_url=mail.url("/me#choices"),
        unsubscribe_url=mail.url(unsubscribe_path(person_id, PURPOSE)),
    )
