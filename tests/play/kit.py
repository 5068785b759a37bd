"""Posts and visits for tests of points.

For speed the rows stand in the database in the state that a test needs, as `publisher.settle`,
the withdrawal and the hit leave them, and the facts are recorded as those record them. The whole
way, from the press to the stand-in and back, is walked in `test_post_to_points.py`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select

from app import clock, ledger, outbox
from app.db import db, new_id, transaction
from app.ledger.queries import Balance
from app.people import service as people
from app.play import accounts, share_awards
from app.play.models import ShareAward
from app.referrals.models import Click
from app.sharing.models import Share
from tests.conftest import House

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(days=7)


def member(house: House, name: str = "Maëlle Kerjan", *roles: str) -> uuid.UUID:
    """Somebody who takes part. Without a password, which costs a moment."""
    person = house.person(name, *roles, joined=False)
    people.join(person.id)
    outbox.drain()
    return person.id


@dataclass
class Posts:
    """What one member publishes, and what comes of it."""

    house: House
    person_id: uuid.UUID

    def post(
        self,
        at: dt.datetime | None = None,
        *,
        status: str = "published",
        disclosure: str = "fr-employee-1",
        own: int | None = 0,
        title: str = "La halle de Saint-Aubry",
        announce: bool = True,
        **more: object,
    ) -> uuid.UUID:
        """A share as it is once its attempt has ended; its fact waits to be handled."""
        share_id = new_id()
        published = status in ("published", "withdrawn")
        with transaction() as session:
            session.add(
                Share(
                    id=share_id, link_id=share_id, person_id=self.person_id, network="linkedin",
                    language="fr", words="Mes mots.", disclosure=disclosure,
                    own_words_percent=own, format="article", post_text="Mes mots.", title=title,
                    status=status, published_at=(at or clock.now()) if published else None,
                    **more,
                )
            )  # fmt: skip
            session.flush()
            if published and announce:
                outbox.record("share.published", share_id=str(share_id))
        return share_id

    def withdraw(self, share_id: uuid.UUID, after: dt.timedelta, *, announce: bool = True) -> None:
        """It is gone from the network, so long after its publication."""
        with transaction() as session:
            share = session.get_one(Share, share_id)
            assert share.published_at is not None
            share.status, share.withdrawn_at = "withdrawn", share.published_at + after
            if announce:
                outbox.record("share.withdrawn", share_id=str(share_id))

    def visit(
        self,
        share_id: uuid.UUID,
        at: dt.datetime | None = None,
        verdict: str = "person",
        *,
        announce: bool = True,
    ) -> uuid.UUID:
        """One opening of its link; its fact waits to be handled, if it is one."""
        click_id, at = new_id(), at or clock.now()
        with transaction() as session:
            session.add(Click(id=click_id, link_id=share_id, occurred_at=at, verdict=verdict))
            if verdict == "person" and announce:
                outbox.record("share.visited", share_id=str(share_id), since=at.isoformat())
        return click_id

    def visits(self, share_id: uuid.UUID, number: int) -> None:
        """So many visits, a minute apart."""
        first = clock.now() - dt.timedelta(minutes=number)
        for n in range(number):
            self.visit(share_id, first + n * dt.timedelta(minutes=1))

    @property
    def balance(self) -> Balance:
        return accounts.balance_of(self.person_id)

    @property
    def points(self) -> tuple[int, int, int]:
        """To spend, on the way, path so far."""
        have = self.balance
        return have.available, have.pending, have.status_points

    def states(self, fact: str) -> list[str]:
        """The states of one kind of award, in the order of the facts' own time."""
        rows = (
            select(ShareAward.state)
            .where(ShareAward.person_id == self.person_id, ShareAward.fact == fact)
            .order_by(ShareAward.occurred_at)
        )
        return [*db.session.scalars(rows)]


def pass_time(by: dt.timedelta) -> None:
    """Later, once the hourly job and what it makes have run."""
    clock.travel(by)
    share_awards.announce_due()
    outbox.drain()


def verified() -> bool:
    """The books still hold."""
    db.session.rollback()
    return ledger.verify().ok
