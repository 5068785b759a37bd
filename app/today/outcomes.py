"""What became of what this member did: posts and their visits, referrals as far as each
candidate allows, points as they were credited. One list, the newest first, whatever the kind.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import format_datetime
from flask_babel import gettext as _
from sqlalchemy import bindparam, select

from app import clock
from app.ledger import queries as books
from app.ledger.codes import CODES
from app.play import facts, rules
from app.play.facts import Fact
from app.play.rules import Rule
from app.play.share_awards import day_of
from app.prepared import Reading
from app.referrals import queries as referrals
from app.referrals.models import ClickCount
from app.referrals.queries import ReferralFilter, ReferralRow
from app.sharing import reach
from app.sharing.models import Share
from app.sharing.reach import Figure
from app.sharing.words import NETWORK_NAMES, STATUS_NAMES
from app.today.readers import Member
from app.web.i18n import short_day

OF_ONE_KIND: Final = 3
COMING: Final = 4
_READ: Final = 30
"""Rows of each kind that are looked at."""
_POSTS: Final = ("published", "intent", "scheduled", "publishing", "failed", "withdrawn")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line. `kind`: 'post' (then `visits` is a count with its truth, or None where nobody
    counts, `status` a word, and `goes_out` says when if it is scheduled), 'referral' (then `stage`), 'points' (then `amount`)."""

    kind: str
    at: dt.datetime
    title: str
    line: str
    url: str
    language: str = ""
    status: str = ""
    visits: Figure | None = None
    stage: str = ""
    amount: int = 0
    goes_out: str = ""


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """Points that are announced, with the day on which they come; None: nobody knows yet."""

    title: str
    amount: int
    due_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """`items`, newest first; `on_the_way`, soonest first; what there is more of."""

    items: list[Outcome]
    on_the_way: list[OnTheWay]
    has_posts: bool
    has_referrals: bool


_Post = Any
"""A share's columns as `_MINE` reads them."""
_MINE: Final = Reading(
    select(
        Share.id, Share.status, Share.title, Share.network, Share.language, Share.format,
        Share.link_id, Share.published_at, Share.created_at, Share.publish_at,
    )
    .where(Share.person_id == bindparam("person_id"), Share.status.in_(_POSTS))
    .order_by(Share.created_at.desc(), Share.id.desc())
    .limit(_READ)
)  # fmt: skip
_VISITS: Final = Reading(
    select(ClickCount.link_id, ClickCount.count, ClickCount.last_at).where(
        ClickCount.link_id.in_(bindparam("ids", expanding=True)), ClickCount.verdict == "person"
    )
)


def outcomes(reader: Member) -> Outcomes:
    """The newest of everything, and what is on the way. Six statements at most."""
    posts = _MINE.all({"person_id": reader.id})
    people = referrals.referrals(ReferralFilter(referrer_id=reader.id), limit=_READ).rows
    credited, awaited = _points(reader)
    names = _names(posts, people)
    found = _newest(
        _posts(posts), [_referral(row) for row in people], _credits(credited, reader, names)
    )
    coming = _coming(awaited, reader)[:COMING]
    return Outcomes(found, coming, bool(posts), bool(people))


def _newest(*kinds: list[Outcome]) -> list[Outcome]:
    """All kinds by their time; of one kind a few, so that a busy day hides none of the others."""
    found: list[Outcome] = []
    for kind in kinds:
        found += sorted(kind, key=_when, reverse=True)[:OF_ONE_KIND]
    return sorted(found, key=_when, reverse=True)


def _when(outcome: Outcome) -> tuple[dt.datetime, str]:
    return outcome.at, outcome.url


def _names(posts: Iterable[_Post], people: Iterable[ReferralRow]) -> dict[uuid.UUID, str]:
    """How a line of points calls what it is about, where that is on this page."""
    return {post.id: post.title for post in posts} | {
        row.id: row.candidate_name or row.offer_title or "" for row in people
    }


def _posts(posts: Sequence[_Post]) -> list[Outcome]:
    """A post stands at the time of its last visit, so that what moves is on top."""
    seen = _visits([post.link_id for post in posts if post.link_id is not None])
    return [_post(post, seen.get(post.link_id) if post.link_id else None) for post in posts]


def _post(post: _Post, seen: tuple[int, dt.datetime] | None) -> Outcome:
    visits = Figure(seen[0] if seen else 0, reach.MEASURED) if _is_linked(post) else None
    return Outcome(
        kind="post",
        at=seen[1] if seen and visits else post.published_at or post.created_at,
        title=post.title or str(_("Without a title")),
        line=str(NETWORK_NAMES.get(post.network, post.network)),
        url=f"/shares/{post.id}",
        language=post.language,
        status=str(STATUS_NAMES[post.status]),
        visits=visits,
        goes_out=_goes_out(post.publish_at) if post.status == "scheduled" else "",
    )


def _goes_out(at: dt.datetime | None) -> str:
    """When a scheduled post leaves, as one says it: tomorrow at 8:40."""
    if at is None or at <= clock.now():
        return str(_("goes out in a moment"))
    time = format_datetime(at, "H:mm")
    days = (day_of(at) - day_of(clock.now())).days
    if days == 0:
        return str(_("goes out today at %(time)s", time=time))
    if days == 1:
        return str(_("goes out tomorrow at %(time)s", time=time))
    return str(_("goes out on %(day)s at %(time)s", day=short_day(at), time=time))


def _is_linked(post: _Post) -> bool:
    """Whether somebody out there can have our link: then no visit is a measured zero, and
    otherwise nobody counts. The rule of the post's own page (`reach`)."""
    if post.status == "intent":
        return True
    return post.format == "article" and post.status in ("published", "withdrawn")


def _visits(link_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[int, dt.datetime]]:
    """Openings by people, and the last of them, for each link that has any."""
    if not link_ids:
        return {}
    rows = _VISITS.all({"ids": link_ids})
    return {row[0]: (row[1], row[2]) for row in rows if row[1]}


def _referral(row: ReferralRow) -> Outcome:
    return Outcome(
        kind="referral",
        at=row.stage_at,
        title=row.candidate_name or str(_("Somebody you recommended")),
        line=row.offer_title or str(_("Offer not named")),
        url=f"/referrals/{row.id}",
        stage=row.stage or "received",
    )


# --- points ------------------------------------------------------------------------------


def _points(reader: Member) -> tuple[list[Fact], list[Fact]]:
    """What was credited, newest first, and what is awaited, soonest first."""
    if reader.account_id is None:
        return [], []
    lines = books.entries(reader.account_id, limit=_READ)
    due = [d for d in books.waiting(reader.account_id, limit=_READ) if CODES[d.code].credits]
    moved, awaited = [facts.of_entry(line) for line in lines], [facts.of_due(d) for d in due]
    rules.by_ids({f.rule_id for f in (*moved, *awaited) if f.rule_id})  # all at once
    kept = [f for f in moved if f.state == "available" and CODES[f.code].credits]
    return kept, awaited


def _rule_of(fact: Fact) -> Rule | None:
    return rules.by_ids({fact.rule_id}).get(fact.rule_id) if fact.rule_id else None


def _title(fact: Fact, reader: Member) -> str:
    rule = _rule_of(fact)
    if rule is None:
        return str(_("Given by a person")) if fact.code == "adjustment" else str(_("Points"))
    return rule.name(reader.language)


def _credits(
    credited: Iterable[Fact], reader: Member, names: dict[uuid.UUID, str]
) -> list[Outcome]:
    """What came on one day for one thing is one line: its name, then the rules behind it."""
    found: dict[object, list[Fact]] = {}
    for fact in credited:
        found.setdefault((fact.subject or fact.id, day_of(fact.changed_at)), []).append(fact)
    return [_credit(alike, reader, names) for alike in found.values()]


def _credit(alike: Sequence[Fact], reader: Member, names: dict[uuid.UUID, str]) -> Outcome:
    first = alike[0]
    about = names.get(first.subject, "") if first.subject else ""
    causes = ", ".join(dict.fromkeys(_title(fact, reader) for fact in alike))
    return Outcome(
        kind="points",
        at=first.changed_at,
        title=about or causes,
        line=causes if about else "",
        url=f"/play?about={first.subject}" if first.subject else "/play",
        amount=sum(fact.amount for fact in alike),
    )


def _counted(title: str, count: int) -> str:
    """Counted visit × 15: what came several times says so."""
    return f"{title} × {count}" if count > 1 else title


def _coming(awaited: Iterable[Fact], reader: Member) -> list[OnTheWay]:
    """What comes on one day by one rule is one line; without a day comes last."""
    found: dict[tuple[str, dt.date | None], list[Fact]] = {}
    for fact in awaited:
        day = day_of(fact.due_at) if fact.due_at else None
        found.setdefault((_title(fact, reader), day), []).append(fact)
    return [
        OnTheWay(_counted(title, len(alike)), sum(f.amount for f in alike), alike[0].due_at)
        for (title, _day), alike in found.items()
    ]
