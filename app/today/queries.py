"""Today, read: one story that leads and two more, an offer that fits, what waits, what became
of it. The same few statements whatever the size of the library and of the reader's past."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app import ledger
from app.ledger.queries import Balance
from app.library import follows
from app.library.follows import FollowedTopic
from app.today import offers, outcomes, readers, stories, waiting
from app.today.offers import Fitting
from app.today.outcomes import Outcomes
from app.today.stories import News
from app.today.waiting import Wait
from app.web.access import Reader

_NOTHING = Balance(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Today:
    """What the page shows. `offer` None: none is open that the reader carries no link to."""

    news: News
    offer: Fitting | None
    waits: list[Wait]
    became: Outcomes
    balance: Balance
    topics: list[FollowedTopic]


def today(
    reader: Reader, language: str, *, here_before: dt.datetime | None, place: int = 1
) -> Today:
    """Today for one member, who reads it in `language`. `here_before` is the end of their last
    visit in this browser, `place` which of the fitting offers they look at (from 1)."""
    member = readers.member(reader, language)
    topics = follows.followed(member.id, language)
    return Today(
        news=stories.news(member, readers.last_visit(here_before, member)),
        offer=offers.fitting(member, topics, place),
        waits=waiting.waits(member.id),
        became=outcomes.outcomes(member),
        balance=ledger.balance(member.account_id) if member.account_id else _NOTHING,
        topics=topics,
    )


def offer(reader: Reader, language: str, place: int) -> Fitting | None:
    """The offer alone, for a reader who leafs on."""
    member = readers.member(reader, language)
    return offers.fitting(member, follows.followed(member.id, language), place)
